//! A store's tables, made by hand.
//!
//! A store makes what it needs when it is first used. Where its role has no right to, or
//! `migrate=no` says that it must not, somebody else does it before: by running the script that is
//! said here, or by having it run.

use super::clock::Machine;
use super::error::StoreError;
use super::url::Url;
use super::{Address, Op, registry};
use crate::error::Invalid;
use std::time::Duration;

/// The script that makes what the store of this URL needs; none, where it needs nothing. Running it
/// again changes nothing.
///
/// # Errors
/// Everything that is wrong with the URL.
pub fn script(url: &str) -> Result<Option<String>, Invalid> {
    let mut problems = Vec::new();
    let script = Url::parse(url, &mut problems).and_then(|url| match url.scheme.as_str() {
        #[cfg(feature = "postgresql")]
        "postgresql" | "postgres" => super::postgresql::script(&url, &mut problems),
        _ => None,
    });
    if script.is_none() {
        // Whose URLs have no script still have rules.
        registry::open(url, &Machine::real())?;
    }
    if problems.is_empty() { Ok(script) } else { Err(Invalid(problems)) }
}

/// Has it run, whatever the URL says of `migrate`. Blocking, for so long at most.
///
/// # Errors
/// Everything that is wrong with the URL; and inside, why the store could not be reached or changed.
pub fn run(
    url: &str,
    machine: &Machine,
    patience: Duration,
) -> Result<Result<(), StoreError>, Invalid> {
    // Checked as it was written, before it is changed.
    registry::open(url, machine)?;
    let store = registry::open(&forced(url), machine)?;
    // Whatever is asked first finds what is missing.
    let any = Op::Get(Address::new("", "", b"-")?);
    Ok(store.call(any, patience).map(drop))
}

/// The URL without the option that forbids it.
fn forced(url: &str) -> String {
    let Some((place, query)) = url.split_once('?') else { return url.to_owned() };
    let is_other = |option: &&str| !option.starts_with("migrate=");
    format!("{place}?{}", query.split('&').filter(is_other).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the option that forbids it goes.
    #[test]
    fn one_option_goes() {
        assert_eq!(forced("x://h/d?a=1&migrate=no&b=migrate=no"), "x://h/d?a=1&b=migrate=no");
        assert_eq!(forced("x://h/d"), "x://h/d");
    }

    /// A store that needs no tables has no script; a URL of none is refused.
    #[test]
    fn what_needs_no_tables_has_no_script() {
        assert_eq!(script("memory://").unwrap(), None);
        assert!(script("memory://?x=1").is_err());
        assert!(script("nothing").is_err());
    }

    /// A script is a transaction that names the schema.
    #[cfg(feature = "postgresql")]
    #[test]
    fn a_script_is_one_transaction() {
        let script = script("postgresql://db/shop?schema=Our%20%22own%22").unwrap().unwrap();
        assert!(script.starts_with("BEGIN;") && script.ends_with("COMMIT;\n"), "{script}");
        assert!(script.contains("CREATE SCHEMA IF NOT EXISTS \"Our \"\"own\"\"\";"), "{script}");
    }
}
