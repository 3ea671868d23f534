use super::*;
use crate::stores::address::Address;
use proptest::prelude::*;
use std::fmt::Write;
use std::num::NonZeroU128;

fn address() -> Address {
    Address::new("app", "pay", b"order-1").unwrap()
}

fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::Opaque),
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(codec, bytes)| Payload::Kept { codec, bytes: bytes.into() }),
    ]
}

fn states() -> impl Strategy<Value = State> {
    prop_oneof![
        (0..1000_u64, 0..1000_u64).prop_map(|(lease_until, more)| State::InProgress {
            lease_until,
            hard_deadline: lease_until + more
        }),
        payloads().prop_map(State::Completed),
        payloads().prop_map(State::Failed),
        Just(State::Released),
        Just(State::Quarantined),
        Just(State::Dead),
    ]
}

prop_compose! {
    fn records()(
        state in states(),
        owner in any::<Option<NonZeroU128>>(),
        words in proptest::array::uniform4(0..crate::stores::LATEST),
        attempts in any::<u32>(),
        quarantine in any::<bool>(),
        fingerprint in any::<Option<[u8; 32]>>(),
        expires in proptest::option::of(2000..=crate::stores::LATEST),
    ) -> Record {
        Record {
            state, owner: owner.map(Owner), fence: words[0], attempts,
            on_lost: if quarantine { OnLost::Quarantine } else { OnLost::Takeover },
            fingerprint, created: words[1], changed: words[2], ttl: words[3], expires,
        }
    }
}

/// Bytes that carry the right checksum for what they are.
fn signed(mut content: Vec<u8>) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(address().as_bytes());
    hasher.update(&content);
    content.extend_from_slice(&hasher.finalize().to_le_bytes());
    content
}

proptest! {
    /// What is written is what is read.
    #[test]
    fn a_record_comes_back(record in records()) {
        let bytes = record.encode(&address());
        prop_assert_eq!(Record::decode(&address(), &bytes), Ok(record));
    }

    /// A record in which a bit was turned over is not read: any bit.
    #[test]
    fn one_wrong_bit_is_noticed(record in records(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = record.encode(&address());
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(Record::decode(&address(), &bytes).is_err());
    }

    /// One that was cut off, or that more was added to, is not read either.
    #[test]
    fn another_length_is_noticed(record in records(), length in any::<prop::sample::Index>()) {
        let bytes = record.encode(&address());
        prop_assert!(Record::decode(&address(), &bytes[..length.index(bytes.len())]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(Record::decode(&address(), &longer).is_err());
    }

    /// Whoever can sign what he likes gets a typed error or a record that has this very form:
    /// there is no second way to write one.
    #[test]
    fn what_is_read_has_one_form(
        head in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 111..130),
        state in 0..8_u8, flags in 0..20_u8,
    ) {
        let mut content = vec![VERSION, state, flags];
        content.extend(head);
        let bytes = signed(content);
        if let Ok(record) = Record::decode(&address(), &bytes) {
            prop_assert_eq!(record.encode(&address()), bytes);
        }
    }
}

fn plain() -> Record {
    Record {
        state: State::Released,
        owner: NonZeroU128::new(7).map(Owner),
        fence: 3,
        attempts: 1,
        on_lost: OnLost::Takeover,
        fingerprint: None,
        created: 1,
        changed: 2,
        ttl: 3,
        expires: Some(4),
    }
}

/// A record that was copied to another key is not that key's.
#[test]
fn a_record_belongs_to_its_address() {
    let bytes = plain().encode(&address());
    let other = Address::new("app", "pay", b"order-2").unwrap();
    assert_eq!(Record::decode(&other, &bytes), Err(Unreadable::Checksum));
}

/// A newer version's record says so, whatever else it has.
#[test]
fn a_newer_version_is_told_apart_from_damage() {
    assert_eq!(Record::decode(&address(), &[2]), Err(Unreadable::Newer(2)));
    let said = Unreadable::Newer(2).to_string();
    assert!(said.contains("version 2") && said.contains("newer"), "{said}");
    assert_eq!(Record::decode(&address(), &[]), Err(Unreadable::Length));
}

/// What can't be is refused by name, even where the checksum is right.
#[test]
fn what_cannot_be_is_refused() {
    let bytes = plain().encode(&address());
    let content = &bytes[..bytes.len() - 4];
    let with = |at: usize, byte: u8| {
        let mut changed = content.to_vec();
        changed[at] = byte;
        Record::decode(&address(), &signed(changed))
    };
    assert_eq!(with(1, 6), Err(Unreadable::Malformed("no such state")));
    assert_eq!(with(2, 16), Err(Unreadable::Malformed("no such flag")));
    assert_eq!(with(3, 1), Err(Unreadable::Malformed("a result where there is none")));
    assert_eq!(with(31, 0xff), Err(Unreadable::Malformed("a time or fence is too late")));
    assert_eq!(with(64, 1), Err(Unreadable::Malformed("a lease where there is none")));
    assert_eq!(with(80, 1), Err(Unreadable::Malformed("an unused field is not empty")));
    assert_eq!(with(0, 0), Err(Unreadable::Malformed("no such version")));
    let lost = Record {
        state: State::InProgress { lease_until: 9, hard_deadline: 10 },
        expires: Some(9),
        ..plain()
    };
    let refused = Record::decode(&address(), &lost.encode(&address()));
    assert_eq!(refused, Err(Unreadable::Malformed("its lease outlives it")));
}

/// The form is pinned: what one release wrote, all later ones read.
#[test]
fn the_form_of_version_1_is_pinned() {
    let record = Record {
        state: State::Completed(Payload::Kept { codec: 1, bytes: b"42"[..].into() }),
        fingerprint: Some([0xaa; 32]),
        ..plain()
    };
    let mut hex = String::new();
    for byte in record.encode(&address()) {
        write!(hex, "{byte:02x}").unwrap();
    }
    let words = [
        "01010e01",
        "01000000",
        "07000000000000000000000000000000",
        "0300000000000000",
        "0100000000000000",
        "0200000000000000",
        "0300000000000000",
        "0400000000000000",
        "0000000000000000",
        "0000000000000000",
        &"aa".repeat(32),
        "3432",
    ]
    .concat();
    assert_eq!(hex[..hex.len() - 8], words);
}

/// A result over the limit is kept as a fact alone, and its bytes are never shown.
#[test]
fn a_result_over_the_limit_is_opaque() {
    assert_eq!(Payload::within(3, 1, &b"four"[..]), Payload::Opaque);
    assert_eq!(Payload::within(usize::MAX, 1, vec![0; MOST_RESULT + 1]), Payload::Opaque);
    let kept = Payload::within(4, 1, &b"four"[..]);
    assert_eq!((kept.size(), format!("{kept:?}")), (4, "Kept(4 bytes, codec 1)".to_owned()));
}
