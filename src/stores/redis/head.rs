//! A record as the script keeps it: a line of words, its digest, and the result.
//!
//! The script has checked the digest before it acts. It is checked here again, with the result's
//! own, over what came through the network; and what is read is trusted in nothing.

use crate::stores::record::{
    Fingerprint, MOST_RESULT, OnLost, Owner, Payload, Record, State, StateName, Unreadable,
};
use crate::stores::{LATEST, Micros};
use sha1_smol::Sha1;
use std::num::NonZeroU128;

type Result<T> = std::result::Result<T, Unreadable>;

/// The word for what is not there.
pub(super) const NONE: &str = "no";

const MALFORMED: Unreadable = Unreadable::Malformed("its head is no record's");

/// All of a record but its result.
pub(super) struct Head {
    record: Record,
    /// The codec, size and digest of the result that is kept with it.
    result: Option<(u8, usize, String)>,
}

pub(super) fn digest(bytes: &[u8]) -> String {
    Sha1::from(bytes).digest().to_string()
}

/// As the script makes it.
fn digest_of_head(key: &[u8], head: &[u8]) -> String {
    let mut hasher = Sha1::from(format!("{}:", key.len()));
    hasher.update(key);
    hasher.update(head);
    hasher.digest().to_string()
}

impl Head {
    /// What was kept at `key` with this digest.
    pub fn read(key: &[u8], head: &[u8], sum: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(head).map_err(|_| MALFORMED)?;
        // Before all else: a newer version may have another digest.
        let version: u8 =
            text.split(' ').next().and_then(|word| word.parse().ok()).ok_or(MALFORMED)?;
        match version {
            1 => {}
            0 => return Err(Unreadable::Malformed("no such version")),
            newer => return Err(Unreadable::Newer(newer)),
        }
        if digest_of_head(key, head).as_bytes() != sum {
            return Err(Unreadable::Checksum);
        }
        let words: Vec<_> = text.split(' ').collect();
        let words: [&str; 16] = words.try_into().map_err(|_| MALFORMED)?;
        Self::of(words)
    }

    fn of(words: [&str; 16]) -> Result<Self> {
        let [_, state, owner, fence, attempts, quarantine, fingerprint, rest @ ..] = words;
        let [created, changed, ttl, expires, lease_until, hard_deadline, codec, size, sum] = rest;
        let number = u8::try_from(micros(state)?).map_err(|_| MALFORMED)?;
        let name = StateName::of_number(number).ok_or(Unreadable::Malformed("no such state"))?;
        let lease = optional(lease_until)?.zip(optional(hard_deadline)?);
        let has_result = matches!(name, StateName::Completed | StateName::Failed);
        let result = match (optional(codec)?, optional(size)?, sum) {
            (None, None, NONE) => None,
            (Some(codec), Some(size), sum) if has_result => Some((
                u8::try_from(codec).map_err(|_| MALFORMED)?,
                usize::try_from(size).map_err(|_| MALFORMED)?,
                sum.to_owned(),
            )),
            _ => return Err(Unreadable::Malformed("a result where there is none")),
        };
        let state = match (name, lease) {
            (StateName::InProgress, Some((lease_until, hard_deadline))) => {
                State::InProgress { lease_until, hard_deadline }
            }
            (StateName::Completed, None) => State::Completed(Payload::Opaque),
            (StateName::Failed, None) => State::Failed(Payload::Opaque),
            (StateName::Released, None) => State::Released,
            (StateName::Quarantined, None) => State::Quarantined,
            (StateName::Dead, None) => State::Dead,
            _ => return Err(Unreadable::Malformed("a lease where there is none")),
        };
        let record = Record {
            state,
            owner: owner_of(owner)?,
            fence: micros(fence)?,
            attempts: u32::try_from(micros(attempts)?).map_err(|_| MALFORMED)?,
            on_lost: match quarantine {
                "0" => OnLost::Takeover,
                "1" => OnLost::Quarantine,
                _ => return Err(MALFORMED),
            },
            fingerprint: fingerprint_of(fingerprint)?,
            created: micros(created)?,
            changed: micros(changed)?,
            ttl: micros(ttl)?,
            expires: optional(expires)?,
        };
        if let State::InProgress { lease_until, hard_deadline } = record.state
            && (lease_until > hard_deadline
                || record.expires.is_some_and(|expires| expires < hard_deadline))
        {
            return Err(Unreadable::Malformed("its lease outlives it"));
        }
        Ok(Self { record, result })
    }

    /// Where it stands, and when it is forgotten.
    pub fn standing(&self) -> (StateName, Option<Micros>) {
        (self.record.state.name(), self.record.expires)
    }

    /// The whole record, with the result that was kept with it.
    pub fn with(self, result: &[u8]) -> Result<Record> {
        let Self { mut record, result: kept } = self;
        let Some((codec, size, sum)) = kept else { return Ok(record) };
        if result.len() != size || size > MOST_RESULT {
            return Err(Unreadable::Length);
        }
        if digest(result) != sum {
            return Err(Unreadable::Checksum);
        }
        if let State::Completed(payload) | State::Failed(payload) = &mut record.state {
            *payload = Payload::Kept { codec, bytes: result.into() };
        }
        Ok(record)
    }
}

fn micros(word: &str) -> Result<Micros> {
    // `parse` would take a sign.
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.parse().ok().filter(|number| is_number && *number <= LATEST);
    number.ok_or(Unreadable::Malformed("a time or number is none"))
}

fn optional(word: &str) -> Result<Option<Micros>> {
    if word == NONE { Ok(None) } else { micros(word).map(Some) }
}

fn owner_of(word: &str) -> Result<Option<Owner>> {
    if word == NONE {
        return Ok(None);
    }
    let bytes: [u8; 16] = hex(word).ok_or(MALFORMED)?;
    NonZeroU128::new(u128::from_be_bytes(bytes)).map(|owner| Some(Owner(owner))).ok_or(MALFORMED)
}

fn fingerprint_of(word: &str) -> Result<Fingerprint> {
    if word == NONE { Ok(None) } else { hex(word).map(Some).ok_or(MALFORMED) }
}

fn hex<const N: usize>(word: &str) -> Option<[u8; N]> {
    let digits = word.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Head> {
        Head::read(b"key", head.as_bytes(), digest_of_head(b"key", head.as_bytes()).as_bytes())
    }

    const OWNER: &str = "000000000000000000000000000000ff";

    /// A head with a right digest is believed only where a record can be so.
    #[test]
    fn what_cannot_be_is_refused() {
        let good = format!("1 0 {OWNER} 5 1 0 no 1 2 3 9 4 8 no no no");
        let (name, expires) = read(&good).unwrap().standing();
        assert_eq!((name, expires), (StateName::InProgress, Some(9)));
        for (was, is) in [
            ("1 0 ", "1 6 "),
            ("1 0 ", "1 1 "),
            (OWNER, "0000"),
            (" 5 1", " +5 1"),
            (" 5 1", " 9007199254740992 1"),
            (" 1 0 no", " 4294967296 0 no"),
            (" 1 0 no", " 1 2 no"),
            (" no 1 2", " zz 1 2"),
            (" 9 4 8", " 7 4 8"),
            (" 9 4 8", " 9 9 8"),
            (" 9 4 8", " 9 no no"),
            (" no no no", " 1 2 ab"),
            (" no no no", " no no"),
        ] {
            let said = read(&good.replacen(was, is, 1)).err();
            assert!(matches!(said, Some(Unreadable::Malformed(_))), "{was:?} {is:?}: {said:?}");
        }
        assert_eq!(read("2 anything").err(), Some(Unreadable::Newer(2)));
        assert_eq!(Head::read(b"key2", good.as_bytes(), b"").err(), Some(Unreadable::Checksum));
    }

    /// A result is the one that was kept, byte for byte.
    #[test]
    fn another_result_is_noticed() {
        let head = || {
            let sum = digest(b"\0\xff");
            read(&format!("1 1 {OWNER} 5 1 0 no 1 2 3 9 no no 7 2 {sum}")).unwrap()
        };
        let record = head().with(b"\0\xff").unwrap();
        let kept = Payload::Kept { codec: 7, bytes: b"\0\xff"[..].into() };
        assert_eq!(record.state, State::Completed(kept));
        assert_eq!(head().with(b"\0\xfe"), Err(Unreadable::Checksum));
        assert_eq!(head().with(b""), Err(Unreadable::Length));
    }
}
