//! In which slot of a cluster a key lies, and who has which slots.

use ::redis::{FromRedisValue, Value};

/// How many slots a cluster has.
pub(super) const SLOTS: u16 = 16_384;

/// Where a node of a cluster says that one is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
}

impl Place {
    /// As a redirection says it: without a host it is that of whoever says so.
    pub fn of(text: &str, told_by: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self { host: known(host, told_by), port: port.parse().ok()? })
    }
}

/// Slots that one primary has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub first: u16,
    pub last: u16,
    pub place: Place,
    /// The primary's name, which it keeps as long as it is one.
    pub id: String,
}

fn known(host: &str, told_by: &str) -> String {
    if host.is_empty() || host == "?" { told_by.to_owned() } else { host.to_owned() }
}

/// The slot of a key: of its hash tag, where it has one.
pub(super) fn slot(key: &[u8]) -> u16 {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}').filter(|length| *length > 0)?;
        Some(&rest[..close])
    });
    crc16(tagged.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, which is what the servers take.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

/// The answer to `CLUSTER SLOTS`. A replica in it is nobody here.
pub(super) fn ranges(told: &Value, told_by: &str) -> Option<Vec<Range>> {
    let Value::Array(ranges) = told else { return None };
    ranges.iter().map(|range| one(range, told_by)).collect()
}

fn one(told: &Value, told_by: &str) -> Option<Range> {
    let Value::Array(words) = told else { return None };
    let [first, last, Value::Array(primary), ..] = words.as_slice() else { return None };
    let [host, port, id, ..] = primary.as_slice() else { return None };
    let host: Option<String> = FromRedisValue::from_redis_value_ref(host).ok()?;
    let number = |value| u16::from_redis_value_ref(value).ok();
    let range = Range {
        first: number(first)?,
        last: number(last)?,
        place: Place {
            host: known(&host.unwrap_or_default(), told_by),
            port: number(port).filter(|port| *port > 0)?,
        },
        id: String::from_redis_value_ref(id).ok()?,
    };
    (range.first <= range.last && range.last < SLOTS).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the cluster's specification, and of its rules for tags.
    #[test]
    fn a_key_has_the_slot_that_the_servers_give_it() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        for whole in [&b"foo{}{bar}"[..], b"foo{bar", b"}foo{"] {
            assert_eq!(slot(whole), crc16(whole) % SLOTS);
        }
    }

    fn word(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let primary = Value::Array(vec![host, Value::Int(port), word("abc"), Value::Nil]);
        Value::Array(vec![Value::Int(first), Value::Int(last), primary, Value::Nil])
    }

    /// Who has what is read; a host that nobody knows is that of whoever was asked.
    #[test]
    fn who_has_what_is_read() {
        let told = Value::Array(vec![
            range(0, 9, word("a"), 1),
            range(10, 10, Value::Nil, 2),
            range(11, 16_383, word("?"), 3),
        ]);
        let read = ranges(&told, "asked").unwrap();
        let hosts: Vec<_> = read.iter().map(|range| range.place.host.as_str()).collect();
        assert_eq!(hosts, ["a", "asked", "asked"]);
        assert_eq!((read[2].first, read[2].last, read[2].place.port), (11, 16_383, 3));
        for bad in [range(1, 0, word("a"), 1), range(0, 16_384, word("a"), 1), Value::Nil] {
            assert_eq!(ranges(&Value::Array(vec![bad]), "asked"), None);
        }
        assert_eq!(ranges(&Value::Nil, "asked"), None);
    }

    /// A redirection names a place, of IPv6 too, or only its port.
    #[test]
    fn a_redirection_is_read() {
        for (text, host) in [("a:7", "a"), (":7", "me"), ("::1:7", "::1"), ("[::1]:7", "::1")] {
            let place = Place { host: host.to_owned(), port: 7 };
            assert_eq!(Place::of(text, "me"), Some(place), "{text}");
        }
        assert_eq!(Place::of("a", "me").or(Place::of("a:x", "me")), None);
    }
}
