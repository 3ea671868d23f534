//! Where a record is found: namespace, scope and key.
//!
//! The three are joined with their lengths before them, so that no character in one can make it
//! look like another's. The joined form is what backends use as their key. Those of a namespace,
//! and within it those of a scope, stand together in the order of bytes.

use crate::error::{Invalid, Problem};
use std::borrow::Borrow;
use std::fmt;

/// The longest namespace and the longest scope, in bytes: a length is one byte.
pub const LONGEST_NAME: usize = 255;
/// The longest key, in bytes. What is longer is hashed by whoever makes keys.
pub const LONGEST_KEY: usize = 1024;

/// A checked namespace, scope and key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(Box<[u8]>);

impl Address {
    /// Joins the three.
    ///
    /// # Errors
    /// Everything that is too long or empty.
    pub fn new(namespace: &str, scope: &str, key: &[u8]) -> Result<Self, Invalid> {
        let mut problems = Vec::new();
        for (field, name) in [("namespace", namespace), ("scope", scope)] {
            if name.len() > LONGEST_NAME {
                problems.push(too_long(field, name.len(), LONGEST_NAME));
            }
        }
        check_key(key, &mut problems);
        if !problems.is_empty() {
            return Err(Invalid(problems));
        }
        let mut joined = Vec::with_capacity(2 + namespace.len() + scope.len() + key.len());
        push_name(&mut joined, namespace);
        push_name(&mut joined, scope);
        joined.extend_from_slice(key);
        Ok(Self(joined.into_boxed_slice()))
    }

    /// The address that was joined to these bytes, if they can be that.
    #[must_use]
    pub fn from_bytes(joined: &[u8]) -> Option<Self> {
        let (namespace, rest) = split_name(joined)?;
        let (scope, key) = split_name(rest)?;
        std::str::from_utf8(namespace).ok()?;
        std::str::from_utf8(scope).ok()?;
        (1..=LONGEST_KEY).contains(&key.len()).then(|| Self(joined.into()))
    }

    /// The address that was joined to these bytes, by who has checked its parts.
    #[must_use]
    pub fn from_joined(joined: Vec<u8>) -> Self {
        debug_assert!(Self::from_bytes(&joined).is_some());
        Self(joined.into_boxed_slice())
    }

    /// The joined form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whose records these are: an application, a tenant.
    #[must_use]
    pub fn namespace(&self) -> &str {
        text(self.parts().0)
    }

    /// The operation that the key belongs to.
    #[must_use]
    pub fn scope(&self) -> &str {
        text(self.parts().1)
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.parts().2
    }

    fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let Some((namespace, rest)) = split_name(&self.0) else { return (&[], &[], &[]) };
        let Some((scope, key)) = split_name(rest) else { return (namespace, &[], &[]) };
        (namespace, scope, key)
    }
}

/// Compared as its bytes are.
impl Borrow<[u8]> for Address {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}/{}", self.namespace(), self.scope(), self.key().escape_ascii())
    }
}

/// The stretch of addresses of a namespace, or of a scope in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Vec<u8>);

impl Prefix {
    /// All of a namespace, or of one of its scopes.
    ///
    /// # Errors
    /// Names that are too long.
    pub fn new(namespace: &str, scope: Option<&str>) -> Result<Self, Invalid> {
        Address::new(namespace, scope.unwrap_or_default(), b"-")?;
        let mut joined = Vec::new();
        push_name(&mut joined, namespace);
        if let Some(scope) = scope {
            push_name(&mut joined, scope);
        }
        Ok(Self(joined))
    }

    /// The address of a key in it. It has to be that of a scope: in a namespace there are none.
    ///
    /// # Errors
    /// A key that is too long or empty.
    pub fn address(&self, key: &[u8]) -> Result<Address, Invalid> {
        let mut problems = Vec::new();
        check_key(key, &mut problems);
        let is_scope = split_name(&self.0).is_some_and(|(_, rest)| !rest.is_empty());
        if !is_scope {
            problems.push(Problem::new("scope", "''", "must be said"));
        }
        if !problems.is_empty() {
            return Err(Invalid(problems));
        }
        let mut joined = Vec::with_capacity(self.0.len() + key.len());
        joined.extend_from_slice(&self.0);
        joined.extend_from_slice(key);
        Ok(Address(joined.into_boxed_slice()))
    }

    /// The first bytes of every address in it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Is this address one of them?
    #[must_use]
    pub fn holds(&self, address: &Address) -> bool {
        address.as_bytes().starts_with(&self.0)
    }
}

fn check_key(key: &[u8], problems: &mut Vec<Problem>) {
    if key.is_empty() {
        problems.push(Problem::new("key", "''", "must not be empty"));
    }
    if key.len() > LONGEST_KEY {
        problems.push(too_long("key", key.len(), LONGEST_KEY));
    }
}

fn too_long(field: &str, length: usize, longest: usize) -> Problem {
    Problem::new(field, format!("({length} bytes)"), format!("must have at most {longest} bytes"))
}

fn push_name(joined: &mut Vec<u8>, name: &str) {
    joined.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    joined.extend_from_slice(name.as_bytes());
}

fn split_name(joined: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = joined.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// Checked when it was made.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is joined comes apart again, whatever characters are in it.
    #[test]
    fn the_three_parts_come_back() {
        for (namespace, scope, key) in
            [("", "", &b"k"[..]), ("app", "pay\0/:", b"\xff\0"), ("é", &"s".repeat(255), b"1")]
        {
            let address = Address::new(namespace, scope, key).unwrap();
            assert_eq!((address.namespace(), address.scope()), (namespace, scope));
            assert_eq!(address.key(), key);
            assert_eq!(Address::from_bytes(address.as_bytes()), Some(address));
        }
    }

    /// No two triples share an address: a part can't reach into its neighbour.
    #[test]
    fn no_part_reaches_into_another() {
        let one = Address::new("a", "bc", b"d").unwrap();
        for (namespace, scope, key) in
            [("ab", "c", &b"d"[..]), ("a", "b", b"cd"), ("", "abc", b"d")]
        {
            assert_ne!(one, Address::new(namespace, scope, key).unwrap());
        }
        assert!(Prefix::new("a", None).unwrap().holds(&one));
        assert!(Prefix::new("a", Some("bc")).unwrap().holds(&one));
        assert!(!Prefix::new("a", Some("b")).unwrap().holds(&one));
    }

    /// A hostile key gets one answer that names everything that is wrong, and does not repeat it.
    #[test]
    fn everything_wrong_is_said_at_once() {
        let long = "x".repeat(10_000_000);
        let said = Address::new(&long, &long, long.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            said,
            "namespace=(10000000 bytes) must have at most 255 bytes; \
             scope=(10000000 bytes) must have at most 255 bytes; \
             key=(10000000 bytes) must have at most 1024 bytes"
        );
        let said = Address::new("", "", b"").unwrap_err().to_string();
        assert_eq!(said, "key='' must not be empty");
    }

    /// Bytes that no address was joined to are refused, never read past their end.
    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&b""[..], b"\x05ab", b"\0", b"\0\0", b"\x01a\x02b", b"\x01\xff\0k"] {
            assert_eq!(Address::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    /// An address is the same, whether joined at once or from its scope; a namespace has none.
    #[test]
    fn a_scope_gives_addresses() {
        let scope = Prefix::new("shop", Some("pay")).unwrap();
        assert_eq!(scope.address(b"k").unwrap(), Address::new("shop", "pay", b"k").unwrap());
        assert!(Prefix::new("", Some("")).unwrap().address(b"k").is_ok());
        for (scope, key) in [(Some("pay"), vec![]), (Some("pay"), vec![0; 1025]), (None, vec![1])] {
            assert!(Prefix::new("shop", scope).unwrap().address(&key).is_err());
        }
    }
}
