//! How a connection is made, and what its server must be.

use super::settings::Settings;
use super::trouble::Trouble;
use crate::stores::error::StoreError;
use crate::stores::net::Notices;
use crate::stores::net::stream::{Bytes, dial, secure};
use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue, Pipeline, RedisConnectionInfo, RedisError,
    Value,
};
use std::collections::BTreeMap;

/// The oldest version that is known to keep what the script relies on.
const OLDEST: (u32, u32) = (6, 2);
const ABOUT: [&str; 3] = ["server", "replication", "persistence"];
const SETTINGS: [&str; 3] = ["maxmemory-policy", "appendonly", "appendfsync"];

/// One, and what was found of its server.
#[derive(Clone)]
pub(super) struct Connection {
    pub line: MultiplexedConnection,
    /// It is one of a cluster.
    pub is_node: bool,
    /// It was a replica. One of a cluster still knows who has what.
    pub is_replica: bool,
}

/// Makes one. It carries all that this process asks at once, each answer to whoever waits for it.
pub(super) async fn connect(
    settings: &Settings,
    notices: &Notices,
) -> Result<Connection, StoreError> {
    let stream = dial(&settings.endpoint).await?;
    let stream: Box<dyn Bytes> = match &settings.tls {
        Some(files) => secure(&settings.endpoint, files, stream).await?,
        None => Box::new(stream),
    };
    let mut login = RedisConnectionInfo::default().set_db(settings.database);
    if let Some(user) = &settings.endpoint.user {
        login = login.set_username(user);
    }
    if let Some(password) = &settings.endpoint.password {
        login = login.set_password(&password.0);
    }
    // Whoever asks says how long it waits.
    let config =
        AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let made = MultiplexedConnection::new_with_config(&login, stream, config).await;
    let (mut connection, driver) = made.map_err(|error| refusal(settings, &error))?;
    tokio::spawn(driver);
    let mut asked = Pipeline::new();
    for part in ABOUT {
        asked.cmd("INFO").arg(part);
    }
    for name in SETTINGS {
        asked.cmd("CONFIG").arg("GET").arg(name);
    }
    // Whoever may not ask for more may ask for this.
    asked.cmd("HELLO");
    let count = ABOUT.len() + SETTINGS.len() + 1;
    let told = connection.send_packed_commands(&asked, 0, count).await;
    let told = told.map_err(|error| refusal(settings, &error))?;
    let (about, settings_told) = told.split_at(ABOUT.len().min(told.len()));
    let all = || about.iter().chain(settings_told.last());
    let is_node = all().any(is_of_a_cluster);
    let is_replica = all().any(|told| says(told, "role:slave", ("role", "replica")));
    check(settings, about)?;
    if is_replica && !is_node {
        let said = format!("{} is a replica, which may lag: name its primary", settings.endpoint);
        return Err(StoreError::Unavailable(said));
    }
    notice(settings, settings_told, notices);
    Ok(Connection { line: connection, is_node, is_replica })
}

/// Redis and Valkey name it differently.
fn is_of_a_cluster(told: &Value) -> bool {
    ["redis_mode:cluster", "server_mode:cluster"]
        .into_iter()
        .any(|line| says(told, line, ("mode", "cluster")))
}

/// By a line of INFO, or by a pair of HELLO's.
fn says(told: &Value, info: &str, hello: (&str, &str)) -> bool {
    let is = |value: &Value, text: &str| matches!(value, Value::BulkString(bytes) if bytes == text.as_bytes());
    match told {
        Value::Array(words) => words
            .chunks(2)
            .any(|pair| matches!(pair, [name, value] if is(name, hello.0) && is(value, hello.1))),
        told => String::from_redis_value_ref(told)
            .is_ok_and(|text| text.lines().any(|line| line.trim() == info)),
    }
}

/// What is wrong with a server that may as well be a primary tomorrow is `Unavailable`.
fn refusal(settings: &Settings, error: &RedisError) -> StoreError {
    let endpoint = &settings.endpoint;
    if error.kind() == ErrorKind::Parse {
        return StoreError::Foreign(format!("{endpoint} does not answer as Redis does"));
    }
    // A server that wants our certificate says so when it is already spoken to.
    if settings.tls.is_some() && error.to_string().contains("fatal alert") {
        return StoreError::Refused(format!("no TLS with {endpoint}: {error}"));
    }
    match Trouble::of(error) {
        Trouble::Lost(said)
        | Trouble::Elsewhere(said)
        | Trouble::Moved(said)
        | Trouble::Ask(said)
        | Trouble::Down(said) => StoreError::Unavailable(format!("{endpoint}: {said}")),
        Trouble::Store(StoreError::Refused(said) | StoreError::Failed(said)) => {
            StoreError::Refused(format!("{endpoint}: {said}"))
        }
        Trouble::Store(other) => other,
        Trouble::NoScript => StoreError::Foreign(format!("{endpoint} speaks of a script")),
    }
}

/// What a server may keep to itself is taken for granted.
fn check(settings: &Settings, about: &[Value]) -> Result<(), StoreError> {
    let endpoint = &settings.endpoint;
    let mut known = BTreeMap::new();
    for value in about {
        match String::from_redis_value_ref(value) {
            Ok(text) => known.extend(
                text.lines()
                    .filter_map(|line| line.split_once(':'))
                    .map(|(name, value)| (name.to_owned(), value.trim().to_owned())),
            ),
            Err(_) => {
                if let Value::ServerError(error) = value
                    && error.code() == "NOAUTH"
                {
                    let said = format!("{endpoint}: it wants a password, and there is none");
                    return Err(StoreError::Refused(said));
                }
            }
        }
    }
    let is = |name: &str, value: &str| known.get(name).is_some_and(|known| known == value);
    if let Some(version) = known.get("redis_version") {
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        let found = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        if found < OLDEST {
            let (major, minor) = OLDEST;
            let said =
                format!("{endpoint} has version {version}: at least {major}.{minor} is needed");
            return Err(StoreError::Refused(said));
        }
    }
    if is("loading", "1") {
        return Err(StoreError::Unavailable(format!("{endpoint} is loading its data")));
    }
    Ok(())
}

/// What may lose records that were promised. A server may keep its settings to itself.
fn notice(settings: &Settings, told: &[Value], notices: &Notices) {
    let mut known = BTreeMap::new();
    for value in told {
        if let Ok(pairs) = BTreeMap::<String, String>::from_redis_value_ref(value) {
            known.extend(pairs);
        }
    }
    let endpoint = &settings.endpoint;
    if let Some(policy) = known.get("maxmemory-policy").filter(|policy| *policy != "noeviction") {
        notices.add(format!(
            "{endpoint} has maxmemory-policy {policy}: a record that it evicts is forgotten, and \
             its operation runs again. Set noeviction."
        ));
    }
    let log = known.get("appendonly").zip(known.get("appendfsync"));
    if let Some((log, sync)) = log.filter(|(log, sync)| *log != "yes" || *sync != "always") {
        notices.add(format!(
            "{endpoint} has appendonly {log}, appendfsync {sync}: what it was told last is \
             forgotten when it is killed, and may run again. Set appendonly yes and appendfsync \
             always."
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::url::Url;

    fn settings() -> Settings {
        let mut problems = Vec::new();
        let url = Url::parse("redis://db", &mut problems).unwrap();
        Settings::of(&url, &mut problems).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn pair(name: &str, value: &str) -> Value {
        Value::Array(vec![text(name), text(value)])
    }

    /// Old servers and those that are not ready are told apart from those that can be used; what a
    /// server does not tell is taken for granted.
    #[test]
    fn a_server_must_be_ready_and_new_enough() {
        let said = |about: &str| check(&settings(), &[text(about)]);
        assert_eq!(said("# Server\r\nredis_version:6.2.0\r\nrole:master\r\nloading:0\r\n"), Ok(()));
        assert_eq!(check(&settings(), &[Value::Nil]), Ok(()));
        let old = said("redis_version:6.0.16");
        assert!(matches!(&old, Err(StoreError::Refused(said)) if said.contains("6.2")), "{old:?}");
        let loading = said("loading:1");
        assert!(
            matches!(&loading, Err(StoreError::Unavailable(said)) if said.contains("loading")),
            "{loading:?}"
        );
    }

    /// A node of a cluster says so, also to who may ask for little.
    #[test]
    fn a_node_of_a_cluster_is_told_apart() {
        let hello =
            |mode| Value::Array(vec![text("proto"), Value::Int(2), text("mode"), text(mode)]);
        for (told, is_node) in [
            (text("redis_version:7.2.0\r\nredis_mode:cluster\r\n"), true),
            (text("redis_version:7.2.4\r\nserver_mode:cluster\r\n"), true),
            (text("redis_version:7.2.0\r\nredis_mode:standalone\r\n"), false),
            (hello("cluster"), true),
            (hello("standalone"), false),
            (Value::Nil, false),
        ] {
            assert_eq!(is_of_a_cluster(&told), is_node, "{told:?}");
        }
    }

    /// Settings under which records get lost are said; good ones and unknown ones are not.
    #[test]
    fn settings_that_lose_records_are_said() {
        let said = |told: &[Value]| {
            let notices = Notices::default();
            notice(&settings(), told, &notices);
            notices.take()
        };
        let good = [
            pair("maxmemory-policy", "noeviction"),
            pair("appendonly", "yes"),
            pair("appendfsync", "always"),
        ];
        assert!(said(&good).is_empty() && said(&[Value::Nil, Value::Array(Vec::new())]).is_empty());
        let bad = [
            pair("maxmemory-policy", "allkeys-lru"),
            pair("appendonly", "no"),
            pair("appendfsync", "everysec"),
        ];
        let said = said(&bad);
        assert_eq!(said.len(), 2);
        assert!(said[0].contains("allkeys-lru") && said[1].contains("everysec"), "{said:?}");
    }
}
