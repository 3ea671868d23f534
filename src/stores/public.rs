//! A store's URL as everybody may read it: in errors, logs and lists.

/// What stands where a secret was.
const HIDDEN: &str = "…";

/// The URL without passwords: neither that of its user, nor one among its options.
///
/// It need not be one that a store takes: what can't be told apart is hidden.
#[must_use]
pub fn public(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (place, options) =
        rest.split_once('?').map_or((rest, None), |(place, rest)| (place, Some(rest)));
    // A password may have an `@`, and where it is not encoded a `/`, in it.
    let (secret, place) = place.rsplit_once('@').map_or((None, place), |(who, at)| (Some(who), at));
    let mut shown = String::with_capacity(url.len());
    if !scheme.is_empty() {
        shown.push_str(scheme);
        shown.push_str("://");
    }
    if let Some(secret) = secret {
        match secret.split_once(':') {
            Some((user, _)) => shown.extend([user, ":", HIDDEN, "@"]),
            None => shown.extend([secret, "@"]),
        }
    }
    shown.push_str(place);
    for (number, option) in options.into_iter().flat_map(|all| all.split('&')).enumerate() {
        shown.push(if number == 0 { '?' } else { '&' });
        match option.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("pass") => {
                shown.extend([name, "=", HIDDEN]);
            }
            _ => shown.push_str(option),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passwords are hidden wherever they may stand, and all else is shown.
    #[test]
    fn passwords_are_hidden() {
        for (url, shown) in [
            ("memory://", "memory://"),
            ("sqlite:////a/b.db?durability=full", "sqlite:////a/b.db?durability=full"),
            ("redis://host:6379/0", "redis://host:6379/0"),
            ("redis://:hunter2@host/0", "redis://:…@host/0"),
            ("rediss://me:hunter2@host", "rediss://me:…@host"),
            ("postgresql://me@host/db", "postgresql://me@host/db"),
            ("postgresql://me:hun@t/er:2@host/db?a=1", "postgresql://me:…@host/db?a=1"),
            (
                "postgresql:///db?password=hunter2&sslPassword=hunter2",
                "postgresql:///db?password=…&sslPassword=…",
            ),
            ("me:hunter2@host", "me:…@host"),
        ] {
            assert_eq!(public(url), shown);
        }
    }
}
