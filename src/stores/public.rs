//! A store's URL as everybody may read it: in errors, logs and lists.

use super::url::decoded;

/// What stands where a secret was.
const HIDDEN: &str = "…";

/// The URL without passwords: neither that of its user, nor one among its options.
///
/// It need not be one that a store takes: what can't be told apart is hidden.
#[must_use]
pub fn public(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (login, rest) = match login_ends(rest) {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    };
    let (place, options) =
        rest.split_once('?').map_or((rest, None), |(place, rest)| (place, Some(rest)));
    let mut shown = String::with_capacity(url.len());
    if !scheme.is_empty() {
        shown.push_str(scheme);
        shown.push_str("://");
    }
    if let Some(login) = login {
        match login.split_once(':') {
            Some((user, _)) => shown.extend([user, ":", HIDDEN, "@"]),
            None => shown.extend([login, "@"]),
        }
    }
    shown.push_str(place);
    for (number, option) in options.into_iter().flat_map(|all| all.split('&')).enumerate() {
        shown.push(if number == 0 { '?' } else { '&' });
        match option.split_once('=') {
            Some((name, _)) if is_secret(name) => shown.extend([name, "=", HIDDEN]),
            _ => shown.push_str(option),
        }
    }
    shown
}

/// Whether an option of this name, encoded or not, may hold what nobody should read.
pub(super) fn is_secret(name: &str) -> bool {
    let name = decoded(name).unwrap_or_else(|| name.to_owned()).to_ascii_lowercase();
    ["pass", "pwd", "secret", "token"].iter().any(|word| name.contains(word))
}

/// An option's value, unless nobody should read it.
pub(super) fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { HIDDEN } else { value }
}

/// Where the `@` stands that ends the login, in what follows `://`.
///
/// A password may have an `@` in it, and where it is not encoded a `/` or a `?`.
pub(super) fn login_ends(rest: &str) -> Option<usize> {
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let is_port = |text: &str| text.ends_with(']') || text.bytes().all(|b| b.is_ascii_digit());
    let half_a_login =
        !place.contains('@') && authority.rsplit_once(':').is_some_and(|(_, port)| !is_port(port));
    let is_option = |text: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-%".contains(&b);
        text.split_once('=').is_some_and(|(name, _)| name.bytes().all(plain))
    };
    let astray = options.split('&').any(|option| option.contains('@') && !is_option(option));
    if half_a_login || astray { rest.rfind('@') } else { place.rfind('@') }
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
            ("postgresql://me:hun?ter2@host/db", "postgresql://me:…@host/db"),
            ("postgresql://me:12?34@host/db", "postgresql://me:…@host/db"),
            ("postgresql://me:hun?t=er2@host/db", "postgresql://me:…@host/db"),
            ("postgresql:///db?p%61ssword=hunter2", "postgresql:///db?p%61ssword=…"),
            ("redis://host?token=hunter2&client_name=a@b", "redis://host?token=…&client_name=a@b"),
            ("redis://:x@host:1?client_name=a@b", "redis://:…@host:1?client_name=a@b"),
            ("redis://[::1]?client_name=a@b", "redis://[::1]?client_name=a@b"),
        ] {
            assert_eq!(public(url), shown);
        }
    }
}
