//! What lies in the server and is no record of ours, or not any more.

use super::conformance::{PATIENCE, Place, address, everything, kept, new_owner, terms};
use super::{Part, claim};
use redis::Connection;
use seawall::stores::backend::{Op, Walk};
use seawall::stores::idempotency::{Claim, Reply, Verb};
use seawall::stores::record::{MOST_RESULT, Payload, Unreadable};
use seawall::stores::{Address, Store, StoreError};

/// The key of the record that there is.
fn key(part: &Part, admin: &mut Connection) -> Vec<u8> {
    let mut keys = part.keys(admin);
    assert_eq!(keys.len(), 1);
    keys.pop().unwrap()
}

/// Whoever asks for it, and how, is told why it can't be read; nothing is changed or executed.
fn is_refused(part: &Part, admin: &mut Connection, key: &[u8], why: &Unreadable) {
    let dump =
        |admin: &mut Connection| -> Vec<u8> { redis::cmd("DUMP").arg(key).query(admin).unwrap() };
    let (store, before) = (part.store(""), dump(admin));
    let claim = Claim { owner: new_owner(), fingerprint: None, terms: terms(part) };
    let walk = Walk { within: everything(), after: None, most: 10 };
    for op in [
        Op::Step(address(b"k"), Verb::Claim(claim)),
        Op::Step(address(b"k"), Verb::Reopen),
        Op::Get(address(b"k")),
        Op::List(walk, None),
    ] {
        match store.call(op.clone(), PATIENCE) {
            Err(StoreError::Damaged { address, why: said }) => {
                assert!(address.contains("pay"), "{address}");
                assert_eq!(&said, why, "{op:?}");
            }
            other => panic!("{op:?}: {other:?}"),
        }
    }
    assert_eq!(store.sweep(&everything(), PATIENCE), Ok(0));
    assert_eq!(dump(admin), before);
}

fn completed(part: &Part, store: &Store) {
    let hold = claim(part, store, b"k").unwrap();
    let end = Verb::Complete(hold, kept("good"));
    assert_eq!(store.step(&address(b"k"), end, PATIENCE), Ok(Reply::Done));
}

/// A record with any field changed, missing or of another kind is refused and left alone.
#[test]
fn a_damaged_record_is_refused() {
    let malformed = Unreadable::Malformed("it is no record");
    let cases: [(&[&str], Unreadable); 7] = [
        (&["HSET", "h", "1 0 nonsense"], Unreadable::Checksum),
        (&["HSET", "h", ""], malformed),
        (&["HSET", "h", "-1 x"], malformed),
        (&["HDEL", "h"], malformed),
        (&["HSET", "d", "00"], Unreadable::Checksum),
        (&["HDEL", "d"], Unreadable::Checksum),
        (&["HSET", "h", "2 of which nothing is known"], Unreadable::Newer(2)),
    ];
    for (command, why) in cases {
        let part = Part::new();
        completed(&part, &part.store(""));
        let mut admin = part.server.admin();
        let key = key(&part, &mut admin);
        let mut cmd = redis::cmd(command[0]);
        cmd.arg(&key).arg(&command[1..]).exec(&mut admin).unwrap();
        is_refused(&part, &mut admin, &key, &why);
    }
}

/// A result that was changed is no result.
#[test]
fn a_damaged_result_is_refused() {
    for result in ["evil", "longer than it was", ""] {
        let part = Part::new();
        completed(&part, &part.store(""));
        let mut admin = part.server.admin();
        let key = key(&part, &mut admin);
        redis::cmd("HSET").arg(&key).arg("r").arg(result).exec(&mut admin).unwrap();
        let said = claim(&part, &part.store(""), b"k");
        assert!(matches!(said, Err(StoreError::Damaged { .. })), "{said:?}");
    }
}

/// A head that nobody wrote, with a right digest, is still no record.
#[test]
fn a_forged_record_is_refused() {
    let owner = "0".repeat(31) + "1";
    for words in [
        format!("1 9 {owner} 5 1 0 no 1 2 3 no no no no no no"),
        format!("1 0 {owner} 5 1 0 no 1 2 3 no no no no no no"),
        format!("1 3 {owner} 9007199254740991 1 0 no 1 2 3 no no no no no no"),
        format!("1 3 {owner} 5e3 1 0 no 1 2 3 no no no no no no"),
        format!("1 3 {owner} 5 1 0 no"),
    ] {
        let part = Part::new();
        completed(&part, &part.store(""));
        let mut admin = part.server.admin();
        let key = key(&part, &mut admin);
        write(&mut admin, &key, &words);
        let said = claim(&part, &part.store(""), b"k");
        assert!(matches!(said, Err(StoreError::Damaged { .. })), "{words}: {said:?}");
    }
}

/// Keeps this head, with its digest, at this key.
fn write(admin: &mut Connection, key: &[u8], head: &str) {
    let script = "local h = ARGV[1] redis.call('HSET', KEYS[1], 'h', h, 'd', \
                  redis.sha1hex(#KEYS[1] .. ':' .. KEYS[1] .. h))";
    redis::Script::new(script).key(key).arg(head).invoke::<()>(admin).unwrap();
}

/// Fences go on from the last, also where that is ahead of the server's clock: it may have been
/// set back.
#[test]
fn fences_go_on_from_one_that_is_ahead() {
    const AHEAD: u64 = 9_000_000_000_000_000;
    for expires in ["no", "5"] {
        let part = Part::new();
        completed(&part, &part.store(""));
        let mut admin = part.server.admin();
        let key = key(&part, &mut admin);
        write(&mut admin, &key, &format!("1 3 no {AHEAD} 1 0 no 1 2 3 {expires} no no no no no"));
        assert_eq!(claim(&part, &part.store(""), b"k").unwrap().fence, AHEAD + 1);
    }
}

/// A record that was copied to another key is not that key's.
#[test]
fn a_copied_record_is_refused() {
    let part = Part::new();
    let store = part.store("");
    completed(&part, &store);
    let mut admin = part.server.admin();
    let from = key(&part, &mut admin);
    let mut to = from.clone();
    *to.iter_mut().rev().nth(1).unwrap() = b'l';
    redis::cmd("COPY").arg(&from).arg(&to).exec(&mut admin).unwrap();
    let said = claim(&part, &store, b"l");
    assert!(matches!(said, Err(StoreError::Damaged { why: Unreadable::Checksum, .. })), "{said:?}");
}

/// Something else's key, of any kind, is not touched.
#[test]
fn a_key_of_another_kind_is_refused() {
    for command in ["SET", "LPUSH"] {
        let part = Part::new();
        completed(&part, &part.store(""));
        let mut admin = part.server.admin();
        let key = key(&part, &mut admin);
        redis::cmd("DEL").arg(&key).exec(&mut admin).unwrap();
        redis::cmd(command).arg(&key).arg("somebody's").exec(&mut admin).unwrap();
        is_refused(&part, &mut admin, &key, &Unreadable::Malformed("it is no hash"));
    }
}

/// Others' keys are neither listed nor counted nor swept, whatever they are called.
#[test]
fn others_keys_are_left_alone() {
    let part = Part::new();
    let store = part.store("");
    completed(&part, &store);
    part.pass(100 * part.unit());
    let mut admin = part.server.admin();
    let others = [format!("{}:{{}}", part.prefix), format!("{}x:{{\u{1}a\u{1}bk}}", part.prefix)];
    for other in &others {
        redis::cmd("SET").arg(other).arg("theirs").exec(&mut admin).unwrap();
    }
    assert_eq!(store.tally(&everything(), PATIENCE).unwrap().expired, 1);
    assert_eq!(store.sweep(&everything(), PATIENCE), Ok(1));
    for other in &others {
        let found: String = redis::cmd("GET").arg(other).query(&mut admin).unwrap();
        assert_eq!(found, "theirs");
    }
}

/// What nobody sweeps the server removes by itself, not before it has expired.
#[test]
fn what_has_expired_goes_by_itself() {
    let part = Part::new();
    completed(&part, &part.store(""));
    let mut admin = part.server.admin();
    part.pass(100 * part.unit());
    assert_eq!(part.keys(&mut admin).len(), 1);
    part.pass(3 * part.unit());
    assert_eq!(part.keys(&mut admin).len(), 0);
}

/// Results of many megabytes come back byte for byte, with many callers at once on one connection.
#[test]
fn large_results_come_back() {
    let part = Part::new();
    let store = part.store("");
    std::thread::scope(|scope| {
        for size in [10 << 20, MOST_RESULT, 1, 0, 1 << 20] {
            let (part, store) = (&part, &store);
            scope.spawn(move || {
                let key = Address::new("app", "large", &size.to_be_bytes()).unwrap();
                let all: Vec<u8> = (0..=255).cycle().take(size).collect();
                let payload = Payload::within(MOST_RESULT, 3, all);
                let hold = claim(part, store, key.key()).unwrap();
                let address = address(key.key());
                let end = Verb::Complete(hold, payload.clone());
                assert_eq!(store.step(&address, end, PATIENCE), Ok(Reply::Done));
                let again = Claim { owner: new_owner(), fingerprint: None, terms: terms(part) };
                let reply = store.step(&address, Verb::Claim(again), PATIENCE);
                let Ok(Reply::Replay(ended)) = reply else { panic!("not replayed") };
                assert!(ended.payload == payload);
            });
        }
    });
}
