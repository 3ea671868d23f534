//! A Valkey of the tests' own: started when it is first asked for, gone with the process.
//!
//! `SEAWALL_TEST_VALKEY` names its program.
#![allow(dead_code, reason = "each test takes what it needs")]

use crate::guard::guarded;
use redis::{Cmd, Connection, ConnectionInfo, IntoConnectionInfo};
use seawall::time::{Clock, Nanos, System};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How long anything may take that a server does in a moment.
const LONG: Duration = Duration::from_mins(1);

/// How long ago that was.
pub fn since(begun: Nanos) -> Duration {
    Duration::from_nanos(System.now() - begun)
}

/// What every server is started with unless it is told otherwise: what it says is on its disk.
const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

fn program() -> PathBuf {
    let said = std::env::var("SEAWALL_TEST_VALKEY").unwrap_or_default();
    let program = PathBuf::from(&said);
    assert!(
        program.is_file(),
        "SEAWALL_TEST_VALKEY={said:?} is no program: run `make test-rust`, which finds the \
         valkey-server that requirements/test.txt installs"
    );
    program
}

/// A server. Dropped, it is ended, and what it kept is removed.
pub struct Server {
    folder: PathBuf,
    pub port: u16,
    /// Where nodes of a cluster speak to each other.
    pub bus: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// One that all tests of this process share. Each takes a prefix of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        extern "C" fn end() {
            if let Some(server) = SHARED.get() {
                server.end();
            }
        }
        SHARED.get_or_init(|| {
            // No disk is waited for: nobody kills this one.
            let server = Self::new(&["--save", "", "--appendonly", "no"]);
            #[allow(unsafe_code, reason = "what is static is dropped by nobody")]
            // SAFETY: `end` is a function of this program, and does not unwind.
            let told = unsafe { libc::atexit(end) };
            assert_eq!(told, 0);
            server
        })
    }

    /// One of a test's own, which keeps what it says it keeps.
    pub fn safe() -> Self {
        Self::new(&SAFE)
    }

    /// One of a test's own.
    pub fn new(options: &[&str]) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, SeqCst);
        let name = format!("seawall-valkey-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let both = [free(), free()];
        let [port, bus] = both.map(|listener| listener.local_addr().unwrap().port());
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let server = Self { folder, port, bus, options, child: Mutex::new(None) };
        server.start();
        server
    }

    /// Runs it, and waits until it answers.
    pub fn start(&self) {
        let mut command = Command::new(program());
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(&self.folder)
            .args(&self.options)
            .args(["--cluster-port", &self.bus.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        *self.child.lock().unwrap() = Some(guarded(command));
        let begun = System.now();
        while self.ping().is_err() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(since(begun) < LONG, "it does not start: {}", log());
            // Real time: a server starts when it does, and says so to nobody.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ping(&self) -> redis::RedisResult<()> {
        let mut connection =
            self.info().and_then(|info| redis::Client::open(info)?.get_connection())?;
        match redis::cmd("PING").exec(&mut connection) {
            // It is there, and wants to know who asks.
            Err(error) if error.code() == Some("NOAUTH") => Ok(()),
            other => other,
        }
    }

    fn info(&self) -> redis::RedisResult<ConnectionInfo> {
        format!("redis://127.0.0.1:{}", self.port).into_connection_info()
    }

    #[allow(unsafe_code, reason = "it sends signals")]
    pub fn signal(&self, signal: i32) {
        let child = self.child.lock().unwrap();
        let process = i32::try_from(child.as_ref().unwrap().id()).unwrap();
        // SAFETY: the process is a child of this one that was not waited for: its number is its own.
        assert_eq!(unsafe { libc::kill(process, signal) }, 0);
    }

    /// kill -9.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// It is gone, with all that it kept.
    pub fn end(&self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// The URL of a store in it.
    pub fn url(&self, options: &str) -> String {
        format!("redis://127.0.0.1:{}?{options}", self.port)
    }

    /// Somebody who may do everything there.
    pub fn admin(&self) -> Connection {
        redis::Client::open(self.info().unwrap()).unwrap().get_connection().unwrap()
    }

    /// Makes what is kept under these keys older by so many microseconds: its own time nobody can
    /// set, so this is how time passes.
    pub fn age(&self, pattern: &str, by: u64) {
        let mut admin = self.admin();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg(pattern).query(&mut admin).unwrap();
        let script = redis::Script::new(include_str!("age.lua"));
        for key in keys {
            script.key(key).arg(by).invoke::<()>(&mut admin).unwrap();
        }
    }

    /// A command of these words.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> redis::Value {
        let mut cmd = Cmd::new();
        cmd.arg(words);
        cmd.query(&mut self.admin()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
