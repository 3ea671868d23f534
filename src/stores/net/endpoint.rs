//! Where a server is, and who asks it.

use crate::error::Problem;
use crate::stores::url::{Url, decoded};
use std::fmt;

/// A password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The authority of a URL: `user:password@host:port`, all but the host optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, or an address; one of IPv6 without its brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who asks, if that is said.
    pub user: Option<String>,
    /// What proves it.
    pub password: Option<Secret>,
}

impl Endpoint {
    /// The authority's parts, or all that is wrong with them. A host that is not said is
    /// `localhost`.
    pub fn of(url: &Url, usual_port: u16, problems: &mut Vec<Problem>) -> Self {
        let (login, place) = match url.authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, url.authority.as_str()),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => {
                (part("user", user, problems), part("password", password, problems).map(Secret))
            }
            None => (None, None),
        };
        let (host, port) = split(place);
        let port = match port {
            None | Some("") => usual_port,
            Some(text) => text.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
                problems.push(Problem::new("port", format!("{text:?}"), "must be from 1 to 65535"));
                usual_port
            }),
        };
        let is_bare = !place.starts_with('[');
        let host = match decoded(host) {
            Some(host) if is_bare && host.contains(':') => unusable(&host, problems),
            Some(host) if host.is_empty() => "localhost".to_owned(),
            Some(host) if is_host(&host) => host,
            _ => unusable(host, problems),
        };
        Self { host, port, user, password }
    }
}

/// As it is named to those who read of it: without user and password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn split(place: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => (place, None),
        };
    }
    match place.split_once(':') {
        // More than one: an address that misses its brackets.
        Some((_, port)) if port.contains(':') => (place, None),
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    }
}

fn unusable(host: &str, problems: &mut Vec<Problem>) -> String {
    let rule = "must be a name or an address, one of IPv6 in brackets: [::1]";
    problems.push(Problem::new("host", format!("{host:?}"), rule));
    String::new()
}

fn is_host(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
        || !host.contains(|c: char| c.is_whitespace() || c.is_control() || "[]:@/\\".contains(c))
}

/// A part of the login, decoded. What it is stays untold.
fn part(name: &str, text: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let decoded = decoded(text);
    if decoded.is_none() {
        let rule = "has a % that no two hexadecimal digits follow, or no UTF-8";
        problems.push(Problem::new(name, "…", rule));
    }
    decoded.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Endpoint, Vec<Problem>) {
        let mut problems = Vec::new();
        let url = Url::parse(text, &mut problems).unwrap();
        (Endpoint::of(&url, 6379, &mut problems), problems)
    }

    /// Every part may be left out; login and host are decoded; IPv6 stands in brackets.
    #[test]
    fn parts_are_found() {
        for (text, host, port, user, password) in [
            ("redis://", "localhost", 6379, None, None),
            ("redis:///0", "localhost", 6379, None, None),
            ("redis://db.example:7000/1", "db.example", 7000, None, None),
            ("redis://me@db", "db", 6379, Some("me"), None),
            ("redis://:pa%3Ass@db:", "db", 6379, None, Some("pa:ss")),
            ("redis://m%40e:p@ss:w@[::1]:7000", "::1", 7000, Some("m@e"), Some("p@ss:w")),
            ("redis://[fe80::1]", "fe80::1", 6379, None, None),
        ] {
            let (endpoint, problems) = parse(text);
            assert_eq!(problems, [], "{text}");
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port), "{text}");
            assert_eq!(endpoint.user.as_deref(), user, "{text}");
            assert_eq!(endpoint.password.map(|secret| secret.0).as_deref(), password, "{text}");
        }
        assert_eq!(parse("redis://u:p@[::1]").0.to_string(), "[::1]:6379");
    }

    /// All that is wrong is said at once, and the password is in none of it.
    #[test]
    fn everything_wrong_is_said_at_once() {
        let (endpoint, problems) = parse("redis://%zz:hunter2%f@a b:99999");
        let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert_eq!(problems.len(), 4, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        for text in ["redis://::1", "redis://[::1", "redis://[::1]7", "redis://h:0", "redis://h:x"]
        {
            assert_eq!(parse(text).1.len(), 1, "{text}");
        }
        let shown =
            format!("{:?}", Endpoint { password: Some(Secret("hunter2".into())), ..endpoint });
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
