//! Where the database is, and how it is used.

use crate::error::Problem;
use crate::stores::net::{Endpoint, Limits};
use crate::stores::url::{Url, decoded, yes};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const USUAL_PORT: u16 = 5432;
/// The longest name that PostgreSQL does not cut short.
const LONGEST_NAME: usize = 63;

const OPTIONS: [&str; 15] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "lock_timeout",
    "max_waiting",
    "migrate",
    "pool",
    "prepare",
    "schema",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "timeout",
];

/// What is asked of a server's certificate; named and meant as libpq does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Everything in the clear.
    Disable,
    /// Encrypted where the server offers it, whoever it is.
    Prefer,
    /// Encrypted, whoever it is; where roots are named, one that they vouch for.
    Require,
    /// A server that a root vouches for, whatever its name is.
    VerifyCa,
    /// A server that a root vouches for under the name that was asked for.
    VerifyFull,
}

/// Roots that a server's certificate is checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The operating system's.
    System,
    /// Those in a file.
    File(PathBuf),
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(Endpoint),
    /// A socket of this machine: the folder that it lies in, and its number.
    Socket(PathBuf, Endpoint),
}

impl Place {
    /// Who asks, and what proves it.
    pub fn login(&self) -> &Endpoint {
        match self {
            Self::Tcp(endpoint) | Self::Socket(_, endpoint) => endpoint,
        }
    }

    /// Nobody between this process and the server can listen.
    fn is_local(&self) -> bool {
        match self {
            Self::Socket(..) => true,
            Self::Tcp(endpoint) => {
                endpoint.host == "localhost"
                    || endpoint.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
        }
    }
}

/// Without user and password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(endpoint) => endpoint.fmt(f),
            Self::Socket(folder, endpoint) => {
                write!(f, "{}/.s.PGSQL.{}", folder.display(), endpoint.port)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub place: Place,
    pub dbname: Option<String>,
    pub schema: String,
    /// Are tables made where there are none?
    pub migrate: bool,
    /// Are the usual statements kept in the session? `None`: where it is nobody else's.
    pub prepare: Option<bool>,
    pub application_name: String,
    pub sslmode: SslMode,
    pub roots: Option<Roots>,
    pub client: Option<(PathBuf, PathBuf)>,
    /// The most connections of a process.
    pub pool: usize,
    /// How long a statement waits for what others have locked.
    pub lock_timeout: Duration,
    pub limits: Limits,
}

impl Settings {
    /// What a URL says, or all that is wrong with it.
    pub fn of(url: &Url, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        url.only(&OPTIONS, problems);
        let endpoint = Endpoint::of(url, USUAL_PORT, problems);
        let place = place(url, endpoint, problems);
        let limits = Limits::of(url, problems);
        let usual = if place.is_local() { SslMode::Prefer } else { SslMode::VerifyFull };
        let rule = "must be disable, prefer, require, verify-ca or verify-full";
        let sslmode = url.option("sslmode", usual, rule, problems, sslmode);
        let file = |text: &str| (!text.is_empty()).then(|| Some(PathBuf::from(text)));
        let rule = "must be a path";
        let roots = url.option("sslrootcert", None, rule, problems, file).map(|path| {
            if path.as_os_str() == "system" { Roots::System } else { Roots::File(path) }
        });
        let cert = url.option("sslcert", None, rule, problems, file);
        let key = url.option("sslkey", None, rule, problems, file);
        if cert.is_some() != key.is_some() {
            let (given, missing) =
                if cert.is_some() { ("sslcert", "sslkey") } else { ("sslkey", "sslcert") };
            problems.push(Problem::new(missing, "''", format!("must be given with {given}")));
        }
        let name = |text: &str| {
            let fits = (1..=LONGEST_NAME).contains(&text.len()) && !text.contains('\0');
            fits.then(|| text.to_owned())
        };
        let rule = "must be a name of 1 to 63 bytes";
        let schema = url.option("schema", "seawall".to_owned(), rule, problems, name);
        let application_name =
            url.option("application_name", "seawall".to_owned(), rule, problems, name);
        let dbname = url.option("dbname", None, rule, problems, |text| name(text).map(Some));
        let dbname = match (url.path.trim_start_matches('/'), dbname) {
            ("", other) => other,
            (path, None) => Some(path.to_owned()),
            (path, Some(other)) => {
                let rule = format!("is a second name: the path says {path:?}");
                problems.push(Problem::new("dbname", format!("{other:?}"), rule));
                None
            }
        };
        let migrate = url.option("migrate", true, "must be yes or no", problems, yes);
        let prepare =
            url.option("prepare", None, "must be yes or no", problems, |text| yes(text).map(Some));
        let rule = "must be a number from 1 to 1000";
        let pool = url.option("pool", 8, rule, problems, |text| {
            text.parse().ok().filter(|most| (1..=1000).contains(most))
        });
        let rule = "must be from 0.001 to 3600 seconds";
        let usual = Duration::from_secs(5).min(limits.timeout);
        let lock_timeout = url.option("lock_timeout", usual, rule, problems, |text| {
            let seconds: f64 = text.parse().ok()?;
            (0.001..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
        });
        (problems.len() == before).then_some(Self {
            place,
            dbname,
            schema,
            migrate,
            prepare,
            application_name,
            sslmode,
            roots,
            client: cert.zip(key),
            pool,
            lock_timeout,
            limits,
        })
    }

    /// The schema's name as SQL has it.
    pub fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema.replace('"', "\"\""))
    }

    /// The table of records, as SQL has it.
    pub fn table(&self) -> String {
        format!("{}.idempotency", self.quoted_schema())
    }

    /// The table of what happened in transactions of the user's own.
    pub fn transactions(&self) -> String {
        format!("{}.transactions", self.quoted_schema())
    }
}

/// As with libpq, `?host=` takes the place of the host before the path; one that begins with a slash
/// is a folder.
fn place(url: &Url, endpoint: Endpoint, problems: &mut Vec<Problem>) -> Place {
    let rule = "must be a name, an address or an absolute folder";
    let host = url.option("host", None, rule, problems, |text| {
        (!text.is_empty() && !text.contains(',')).then(|| Some(text.to_owned()))
    });
    let in_authority = url.authority.rsplit('@').next().unwrap_or_default();
    let host = host.or_else(|| decoded(in_authority).filter(|host| host.starts_with('/')));
    match host {
        Some(folder) if folder.starts_with('/') => Place::Socket(PathBuf::from(folder), endpoint),
        Some(host) => Place::Tcp(Endpoint { host, ..endpoint }),
        None => Place::Tcp(endpoint),
    }
}

fn sslmode(text: &str) -> Option<SslMode> {
    Some(match text {
        "disable" => SslMode::Disable,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<Settings>, Vec<Problem>) {
        let mut problems = Vec::new();
        let url = Url::parse(text, &mut problems).unwrap();
        (Settings::of(&url, &mut problems), problems)
    }

    #[track_caller]
    fn settings(text: &str) -> Settings {
        let (settings, problems) = parse(text);
        assert_eq!(problems, [], "{text}");
        settings.unwrap()
    }

    /// A place is a host, an address, or a folder with a socket.
    #[test]
    fn places_are_found() {
        for (text, place) in [
            ("postgresql://", "localhost:5432"),
            ("postgres://me:secret@db.example/shop", "db.example:5432"),
            ("postgresql://[::1]:6000", "[::1]:6000"),
            ("postgresql:///shop?host=/run/postgresql", "/run/postgresql/.s.PGSQL.5432"),
            ("postgresql://me@:6000/shop?host=/tmp", "/tmp/.s.PGSQL.6000"),
            ("postgresql:///shop?host=db", "db:5432"),
        ] {
            assert_eq!(settings(text).place.to_string(), place, "{text}");
        }
        assert_eq!(settings("postgresql://h/a%20b").dbname.as_deref(), Some("a b"));
        assert_eq!(settings("postgresql://h?dbname=c").dbname.as_deref(), Some("c"));
    }

    /// What leaves the machine is encrypted for the server that was asked for, unless that is said
    /// otherwise.
    #[test]
    fn what_leaves_the_machine_is_encrypted() {
        for (text, mode) in [
            ("postgresql://db", SslMode::VerifyFull),
            ("postgresql://10.0.0.7", SslMode::VerifyFull),
            ("postgresql://localhost", SslMode::Prefer),
            ("postgresql://[::1]", SslMode::Prefer),
            ("postgresql:///d?host=/run", SslMode::Prefer),
            ("postgresql://db?sslmode=disable", SslMode::Disable),
            ("postgresql://db?sslmode=verify-ca", SslMode::VerifyCa),
        ] {
            assert_eq!(settings(text).sslmode, mode, "{text}");
        }
    }

    /// Whatever a schema is called, it stays one name.
    #[test]
    fn a_schema_is_quoted() {
        let settings = settings("postgresql://db?schema=a%22;%20DROP");
        assert_eq!(settings.table(), "\"a\"\"; DROP\".idempotency");
    }

    /// All that is wrong is said at once, and no password is.
    #[test]
    fn everything_wrong_is_said_at_once() {
        let text = "postgresql://u:hunter2@h:0/d?pool=0&sslmode=on&sslkey=k&schema=&migrate=x\
                    &prepare=x&dbname=e&shcema=s&lock_timeout=0&timeout=-1";
        let (none, problems) = parse(text);
        assert!(none.is_none());
        let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert_eq!(problems.len(), 11, "{said}");
        assert!(said.contains("did you mean schema?") && !said.contains("hunter2"), "{said}");
    }
}
