//! What a server is reached with.

use crate::error::Problem;
use crate::stores::Address;
use crate::stores::net::{Endpoint, Limits, tls};
use crate::stores::url::Url;
use std::path::PathBuf;

const PORT: u16 = 6379;
/// What the keys of a store begin with unless told otherwise.
const PREFIX: &str = "seawall";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub endpoint: Endpoint,
    pub database: i64,
    pub prefix: String,
    /// With `rediss://`.
    pub tls: Option<tls::Files>,
    pub limits: Limits,
}

impl Settings {
    pub fn of(url: &Url, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let endpoint = Endpoint::of(url, PORT, problems);
        let database = database(&url.path, problems);
        let known: Vec<_> =
            ["prefix", "ca", "cert", "key"].into_iter().chain(Limits::OPTIONS).collect();
        url.only(&known, problems);
        let prefix = url.option(
            "prefix",
            PREFIX.to_owned(),
            "must have from 1 to 255 bytes",
            problems,
            |text| (1..=255).contains(&text.len()).then(|| text.to_owned()),
        );
        let mut file = |name: &str| {
            url.option(name, None, "must name a file", problems, |text| {
                // Now: a process that goes to another folder means the same file.
                let path = std::path::absolute(text).ok()?;
                Some(Some(path)).filter(|_| !text.is_empty())
            })
        };
        let (ca, cert, key) = (file("ca"), file("cert"), file("key"));
        let tls = tls_of(url, ca, cert, key, problems);
        let limits = Limits::of(url, problems);
        (problems.len() == before).then_some(Self { endpoint, database, prefix, tls, limits })
    }

    /// The key of a record. Its address is its hash tag, so that what is ever kept beside it can lie
    /// in the same slot of a cluster.
    pub fn key(&self, address: &Address) -> Vec<u8> {
        [self.prefix.as_bytes(), b":{", address.as_bytes(), b"}"].concat()
    }

    /// The address whose key this is.
    pub fn address(&self, key: &[u8]) -> Option<Address> {
        let rest = key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":{")?;
        Address::from_bytes(rest.strip_suffix(b"}")?)
    }

    /// What finds the keys of all addresses that begin so, and perhaps others.
    pub fn pattern(&self, within: &[u8]) -> Vec<u8> {
        let mut pattern = Vec::new();
        for byte in [self.prefix.as_bytes(), b":{", within].concat() {
            if b"*?[]\\^-".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        pattern
    }
}

fn database(path: &str, problems: &mut Vec<Problem>) -> i64 {
    let number = path.strip_prefix('/').unwrap_or(path);
    if number.is_empty() {
        return 0;
    }
    number.parse().ok().filter(|number| (0..=65_535).contains(number)).unwrap_or_else(|| {
        let rule = "must be the number of a database: redis://host/0";
        problems.push(Problem::new("url", format!("{path:?}"), rule));
        0
    })
}

fn tls_of(
    url: &Url,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    problems: &mut Vec<Problem>,
) -> Option<tls::Files> {
    let named = [("ca", &ca), ("cert", &cert), ("key", &key)];
    if url.scheme != "rediss" {
        for (name, path) in named {
            if let Some(path) = path {
                let rule = "is of no use without TLS: write rediss://";
                problems.push(Problem::new(name, path.display(), rule));
            }
        }
        return None;
    }
    match (&cert, &key) {
        (Some(path), None) | (None, Some(path)) => {
            problems.push(Problem::new("cert", path.display(), "and key must come together"));
        }
        _ => {}
    }
    Some(tls::Files { ca, client: cert.zip(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        let mut problems = Vec::new();
        let url = Url::parse(text, &mut problems).unwrap();
        Settings::of(&url, &mut problems)
            .ok_or_else(|| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    /// What is not said is usual; TLS comes with the scheme and can't be had without verification.
    #[test]
    fn what_is_usual() {
        let usual = parse("redis://db").unwrap();
        assert_eq!((usual.database, usual.prefix.as_str(), usual.tls), (0, "seawall", None));
        let all = parse("rediss://u:p@db:1/7?prefix=a&ca=/c&cert=/x&key=/k&timeout=1").unwrap();
        let files = all.tls.unwrap();
        assert_eq!((all.database, files.ca), (7, Some("/c".into())));
        assert_eq!(files.client, Some(("/x".into(), "/k".into())));
        assert_eq!(parse("rediss://db").unwrap().tls, Some(tls::Files::default()));
        assert!(parse("rediss://db?verify=no").unwrap_err().contains("verify"));
    }

    /// Everything that is wrong is said at once.
    #[test]
    fn everything_wrong_is_said_at_once() {
        let said = parse("redis://db:0/x?prefix=&ca=c&prefx=1&timeout=-1").unwrap_err();
        assert_eq!(said.matches("; ").count(), 5, "{said}");
        assert!(said.contains("rediss://") && said.contains("did you mean prefix?"), "{said}");
        assert!(parse("rediss://db?cert=/c").unwrap_err().contains("key"));
    }

    /// Keys are found again, and nobody else's are.
    #[test]
    fn keys_are_found_again() {
        let settings = parse("redis://db?prefix=a%5Bb").unwrap();
        for key in [&b"k"[..], b"}", b"{x}*?[\\\xff\0"] {
            let address = Address::new("app", "pay", key).unwrap();
            assert_eq!(settings.address(&settings.key(&address)), Some(address));
        }
        for key in [&b""[..], b"a[b", b"a[b:{}", b"a[b:{\x01x\x01yk", b"other:{\x01x\x01yk}"] {
            assert_eq!(settings.address(key), None);
        }
        assert_eq!(settings.pattern(b"\x03a*p"), b"a\\[b:{\x03a\\*p*");
    }
}
