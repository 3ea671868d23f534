//! Which backend opens which URL: a line for each.

use super::backend::Backend;
use super::clock::Machine;
use super::url::Url;
use super::{Store, memory};
use crate::error::{Invalid, Problem};
use crate::process::forks;
use std::sync::Arc;

/// Checks a URL and makes its backend. Nothing is opened yet: that is done when it is first used.
type Open = fn(&Url, &Machine, &mut Vec<Problem>) -> Option<Arc<dyn Backend>>;

/// The schemes, and who opens them.
const SCHEMES: &[(&str, Open)] = &[
    ("memory", memory::open),
    #[cfg(feature = "redis")]
    ("redis", super::redis::open),
    #[cfg(feature = "redis")]
    ("rediss", super::redis::open),
    #[cfg(feature = "sqlite")]
    ("sqlite", super::sqlite::open),
    #[cfg(feature = "postgresql")]
    ("postgresql", super::postgresql::open),
    #[cfg(feature = "postgresql")]
    ("postgres", super::postgresql::open),
];

/// The store of a URL.
///
/// # Errors
/// Everything that is wrong with the URL.
pub fn open(url: &str, machine: &Machine) -> Result<Store, Invalid> {
    forks::listen();
    let mut problems = Vec::new();
    let backend = Url::parse(url, &mut problems).and_then(|url| {
        let Some((_, open)) = SCHEMES.iter().find(|(scheme, _)| *scheme == url.scheme) else {
            let known: Vec<_> = SCHEMES.iter().map(|(scheme, _)| *scheme).collect();
            let rule = format!("is the scheme of no store; there are {}", known.join(", "));
            let nearest = Problem::unknown(&url.scheme, "", &known).nearest;
            let scheme = format!("{:?}", url.scheme);
            problems.push(Problem { nearest, ..Problem::new("url", scheme, rule) });
            return None;
        };
        open(&url, machine, &mut problems)
    });
    match backend {
        Some(backend) if problems.is_empty() => Ok(Store::new(backend)),
        _ => Err(Invalid(problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        match open(url, &Machine::real()) {
            Ok(store) => panic!("{url} gave {store:?}"),
            Err(invalid) => invalid.to_string(),
        }
    }

    /// An unknown scheme is told the known ones, and the one that it looks like.
    #[test]
    fn an_unknown_scheme_is_told_the_known_ones() {
        let said = refused("memroy://");
        assert!(
            said.contains("there are memory") && said.contains("did you mean memory?"),
            "{said}"
        );
    }

    /// What a backend does not know is refused, all at once.
    #[test]
    fn unknown_options_are_refused() {
        let said = refused("memory://host/path?max_siez=1&max_size=1");
        assert_eq!(said.matches("; ").count(), 3, "{said}");
        assert!(said.contains("did you mean max_size?"), "{said}");
        assert!(open("memory://?max_size=100000", &Machine::real()).is_ok());
    }
}
