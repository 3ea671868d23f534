//! A store's URL: `scheme://authority/path?option=value`.
//!
//! Parsed in one place, with all that is wrong said at once. A password in it is never repeated.

use super::public::{login_ends, value as readable};
use crate::error::Problem;
use std::collections::BTreeMap;

/// A URL's parts, decoded. What its options mean is for the backend to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What comes before `://`, in small letters.
    pub scheme: String,
    /// User, password, host and port, as written.
    pub authority: String,
    /// What follows the authority, the slash included.
    pub path: String,
    options: BTreeMap<String, String>,
}

impl Url {
    /// Takes it apart, or says all that is wrong with its form.
    pub fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let wrong = |rule: &str| Problem::new("url", shown(text), rule);
        let Some((scheme, rest)) = text.split_once("://") else {
            problems.push(wrong("must look like scheme://…, as sqlite:///seawall.db or memory://"));
            return None;
        };
        if rest.contains('#') {
            // What follows may be the end of a password.
            problems.push(Problem::new("url", "#…", "is nothing that a store has: write # as %23"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let at = place.find('/').unwrap_or(place.len());
        let (authority, path) = place.split_at(at);
        if authority.contains(':') && login_ends(rest).is_some_and(|end| end > at) {
            // All that could be said of the parts might be said of a password.
            problems.push(wrong(
                "has an @ behind a / or ?: in a user, a password or a name these are written %40, \
                 %2F and %3F",
            ));
            return None;
        }
        let path = decoded(path).unwrap_or_else(|| {
            problems.push(wrong("has a % that no two hexadecimal digits follow, or no UTF-8"));
            String::new()
        });
        if path.contains('\0') {
            problems.push(wrong("has a NUL in its path"));
        }
        let mut options = BTreeMap::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => {
                    if let Some(before) = options.insert(name.clone(), value) {
                        let before = readable(&name, &before).to_owned();
                        problems.push(Problem::new(name, before, "is said twice"));
                    }
                }
                _ => problems.push(Problem::new(
                    name,
                    readable(name, value),
                    "has a % that no two hexadecimal digits follow, or no UTF-8",
                )),
            }
        }
        let scheme = scheme.to_ascii_lowercase();
        let url = Self { scheme, authority: authority.to_owned(), path, options };
        (problems.len() == before).then_some(url)
    }

    /// An option's value as `read` understands it, or `usual` where it is not said.
    pub fn option<T>(
        &self,
        name: &str,
        usual: T,
        rule: &str,
        problems: &mut Vec<Problem>,
        read: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(value) = self.options.get(name) else { return usual };
        read(value).unwrap_or_else(|| {
            let value = format!("{:?}", readable(name, value));
            problems.push(Problem::new(name, value, rule));
            usual
        })
    }

    /// Names every option that is none of these.
    pub fn only(&self, known: &[&str], problems: &mut Vec<Problem>) {
        for (name, value) in &self.options {
            if !known.contains(&name.as_str()) {
                let value = format!("{:?}", readable(name, value));
                problems.push(Problem::unknown(name, value, known));
            }
        }
    }

    /// Says so, if there is a host where there can be none.
    pub fn no_host(&self, problems: &mut Vec<Problem>) {
        if !self.authority.is_empty() {
            let rule = "is a host, and there is none here: a file's URL has three slashes before \
                        a relative path, and four before an absolute one";
            problems.push(Problem::new("url", shown(&self.authority), rule));
        }
    }
}

/// A number of bytes, for options that limit sizes.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    text.parse().ok().filter(|bytes| (1 << 16..=1 << 46).contains(bytes))
}

/// What [`bytes`] expects.
pub const BYTES: &str = "must be a number of bytes, at least 65536";

#[cfg(any(feature = "sqlite", feature = "postgresql"))]
/// `yes` and `no` in the ways they are written.
#[must_use]
pub fn yes(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// The text without what stands before an `@`: it may be a password.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((secret, rest)) => match secret.split_once("://") {
            Some((scheme, _)) => format!("'{scheme}://…@{rest}'"),
            None => format!("'…@{rest}'"),
        },
        None => format!("'{text}'"),
    }
}

/// The text that is meant, if `%` and two digits stand for the bytes of one.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Url, String> {
        let mut problems = Vec::new();
        Url::parse(text, &mut problems)
            .ok_or_else(|| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    /// The parts are found and decoded.
    #[test]
    fn parts_are_found() {
        let url = parse("SQLite:///a%20b.db?durability=full&x=%3F").unwrap();
        assert_eq!((url.scheme.as_str(), url.authority.as_str()), ("sqlite", ""));
        assert_eq!(url.path, "/a b.db");
        let mut problems = Vec::new();
        url.only(&["durabilty"], &mut problems);
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].nearest.as_deref(), Some("durabilty"));
        assert_eq!(parse("memory://").unwrap().path, "");
    }

    /// All that is wrong with its form is said at once.
    #[test]
    fn everything_wrong_is_said_at_once() {
        let said = parse("x://h/%zz?a=1&a=2&b=%f#f").unwrap_err();
        assert_eq!(said.matches("; ").count(), 3, "{said}");
        assert!(parse("seawall.db").unwrap_err().contains("sqlite:///seawall.db"));
        assert!(parse("x:///%00").unwrap_err().contains("NUL"));
    }

    /// A password is not repeated in an error, also where it was not encoded as it should be.
    #[test]
    fn a_password_is_not_repeated() {
        for text in [
            "redis://user:hunter2@host/%zz",
            "redis:user:hunter2@host",
            "postgresql://user:hun?ter2@host/db",
            "postgresql://user:1?ter2@host/db",
            "postgresql://user:hun/ter2@host/db",
            "redis://:123/hunter2@host/0",
        ] {
            let said = parse(text).unwrap_err();
            assert!(!said.contains("hun") && !said.contains("ter2"), "{said}");
            assert!(said.contains("host"), "{said}");
        }
        for text in [
            "postgresql://user:hun#ter2@host/db",
            "postgresql://host/db?password=hunter2&password=hunter2",
            "postgresql://host/db?p%61ssword=%zzhunter2",
        ] {
            let said = parse(text).unwrap_err();
            assert!(!said.contains("ter2"), "{said}");
        }
        let mut problems = Vec::new();
        let url = Url::parse("redis://host?password=hunter2&token=x", &mut problems).unwrap();
        url.only(&[], &mut problems);
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["password=\"…\" is not a setting", "token=\"…\" is not a setting"]);
    }

    /// An `@` that is no login's is where it was.
    #[test]
    fn an_at_may_stand_elsewhere() {
        for text in [
            "sqlite:////a:b@c.db",
            "postgresql://host/a@b",
            "redis://host:6379?client_name=a@b",
            "redis://:p@host:6379/0?client_name=a@b",
            "redis://[::1]:6379?client_name=a@b",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
