//! A PostgreSQL of the tests' own: started when it is first asked for, gone with the process.
//!
//! `SEAWALL_TEST_POSTGRES` names the folder of its programs. It refuses to run as root: tests that
//! do start it as `nobody`.
#![allow(dead_code, reason = "each test takes what it needs")]

use crate::guard::guarded;
use seawall::time::{Clock, Nanos, System};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, Row};

const NOBODY: u32 = 65_534;
pub const PASSWORD: &str = "s3cr et/7";

/// How long anything may take that a server does in a moment.
const LONG: Duration = Duration::from_mins(1);

/// How long it is since then.
pub fn since(begun: Nanos) -> Duration {
    Duration::from_nanos(System.now() - begun)
}

/// Its programs.
fn programs() -> PathBuf {
    let said = std::env::var("SEAWALL_TEST_POSTGRES").unwrap_or_default();
    let programs = PathBuf::from(&said);
    assert!(
        programs.join("initdb").exists(),
        "SEAWALL_TEST_POSTGRES={said:?} is no folder with PostgreSQL's programs: run `make \
         test-rust`, which finds the one that requirements/test.txt installs"
    );
    programs
}

#[allow(unsafe_code, reason = "it asks who it is")]
fn is_root() -> bool {
    // SAFETY: it always succeeds.
    unsafe { libc::geteuid() == 0 }
}

fn as_somebody(program: &str) -> Command {
    let mut command = Command::new(programs().join(program));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.env_remove("PGHOST").env_remove("PGPORT").stdin(Stdio::null());
    command
}

/// A server. Dropped, it is ended, and what it kept is removed.
pub struct Server {
    folder: PathBuf,
    pub port: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// One that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        extern "C" fn end() {
            if let Some(server) = SHARED.get() {
                server.end();
            }
        }
        SHARED.get_or_init(|| {
            // No disk is waited for: what the tests end is the server, not the machine.
            let server = Self::new(&["fsync=off", "max_connections=300"]);
            #[allow(unsafe_code, reason = "what is static is dropped by nobody")]
            // SAFETY: `end` is a function of this program, and does not unwind.
            let told = unsafe { libc::atexit(end) };
            assert_eq!(told, 0);
            server
        })
    }

    /// One of a test's own.
    pub fn new(options: &[&str]) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, SeqCst);
        let folder =
            std::env::temp_dir().join(format!("seawall-pg-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let server = Self { folder, port, options, child: Mutex::new(None) };
        let made = as_somebody("initdb")
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username=owner"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs it, and waits until it answers.
    pub fn start(&self) {
        let begun = System.now();
        loop {
            let mut child = guarded(self.command());
            while child.try_wait().unwrap().is_none() {
                if self.connect().is_ok() {
                    *self.child.lock().unwrap() = Some(child);
                    return;
                }
                assert!(since(begun) < LONG, "it does not start: {}", self.said());
                // Real time: a server starts when it does, and says so to nobody.
                std::thread::sleep(Duration::from_millis(20));
            }
            // Those who were killed had its memory until they ended, which takes a moment.
            assert!(since(begun) < LONG, "it does not start: {}", self.said());
        }
    }

    /// Its log.
    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = as_somebody("postgres");
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        command.arg("-D").arg(self.data()).stdout(log.try_clone().unwrap()).stderr(log);
        for option in [
            "listen_addresses=127.0.0.1",
            &format!("port={}", self.port),
            &format!("unix_socket_directories={}", self.folder.display()),
        ]
        .into_iter()
        .chain(self.options.iter().map(String::as_str))
        {
            command.arg("-c").arg(option);
        }
        command
    }

    /// kill -9, of the server and all of its processes.
    pub fn kill(&self) {
        for process in self.processes() {
            kill(process, libc::SIGKILL);
        }
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Its processes: its own first, then one for each connection and chore.
    pub fn processes(&self) -> Vec<i32> {
        let Some(own) = self.child.lock().unwrap().as_ref().map(Child::id) else {
            return Vec::new();
        };
        let children = format!("/proc/{own}/task/{own}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let own = i32::try_from(own).unwrap();
        std::iter::once(own)
            .chain(children.split_whitespace().map(|number| number.parse().unwrap()))
            .collect()
    }

    fn end(&self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// The URL of a store in it.
    pub fn url(&self, options: &str) -> String {
        let password = PASSWORD.replace(' ', "%20").replace('/', "%2F");
        format!("postgresql://owner:{password}@127.0.0.1:{}/postgres?{options}", self.port)
    }

    fn connect(&self) -> Result<Admin, tokio_postgres::Error> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut config = tokio_postgres::Config::new();
        config.user("owner").dbname("postgres").host_path(&self.folder).port(self.port);
        let (client, connection) = runtime.block_on(config.connect(NoTls))?;
        runtime.spawn(connection);
        Ok(Admin { runtime, client })
    }

    /// Somebody who may do everything there.
    pub fn admin(&self) -> Admin {
        self.connect().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

#[allow(unsafe_code, reason = "it sends signals")]
pub fn kill(process: i32, signal: i32) {
    // SAFETY: one process is named, never a group. It may have ended by itself.
    unsafe { libc::kill(process, signal) };
}

/// A connection beside the store's.
pub struct Admin {
    runtime: Runtime,
    client: Client,
}

impl Admin {
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Row> {
        self.runtime.block_on(self.client.query_typed(sql, &[])).unwrap()
    }

    #[track_caller]
    pub fn count(&self, sql: &str) -> i64 {
        self.rows(sql)[0].get(0)
    }
}

/// What the checksum covers, in its order, as the layout says it.
const CONTENT: [&str; 16] = [
    "id",
    "layout",
    "state",
    "owner",
    "fence",
    "attempts",
    "quarantine",
    "fingerprint",
    "created",
    "changed",
    "ttl",
    "expires",
    "lease_until",
    "hard_deadline",
    "codec",
    "result",
];

/// Writes into every record, as somebody does who knows how checksums are made.
pub fn change(table: &str, new: &[(&str, &str)]) -> String {
    let value = |name: &&str| {
        let new = new.iter().find(|(changed, _)| changed == name);
        new.map_or(format!("r.{name}"), |(_, value)| format!("{value} AS {name}"))
    };
    let row: Vec<_> = CONTENT.iter().map(value).collect();
    let names: Vec<_> = new.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = names.iter().map(|name| format!("n.{name}")).collect();
    format!(
        "UPDATE {table} AS r SET ({}, checksum) = (SELECT {}, sha256(record_send(n)) \
         FROM (SELECT {}) AS n)",
        names.join(", "),
        values.join(", "),
        row.join(", ")
    )
}

/// All that is kept happened so many microseconds earlier.
pub fn age(table: &str, time: u64) -> String {
    let earlier = |name: &str| format!("r.{name} - {time}");
    let times = ["created", "changed", "expires", "lease_until", "hard_deadline"];
    let new: Vec<_> = times.iter().map(|name| (*name, earlier(name))).collect();
    change(table, &new.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}
