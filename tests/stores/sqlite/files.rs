//! The file: whose it may be, and what is wrong with it.

use crate::conformance::{PATIENCE, address, everything, kept, new_owner, terms};
use crate::folder::url;
use crate::{File, claim};
use rusqlite::Connection;
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Reply, Verb};
use seawall::stores::record::Unreadable;
use seawall::stores::registry::open;
use seawall::stores::{Store, StoreError};
use std::path::Path;

fn fails(store: &Store) -> StoreError {
    store.get(&address(b"key"), PATIENCE).unwrap_err()
}

/// What is done to a file behind the store's back: by another process, as far as SQLite knows.
fn meddle(place: &File, sql: &str) {
    let file = Connection::open(place.folder.file("store.db")).unwrap();
    file.execute_batch(sql).unwrap();
}

/// The file, its log and its index are their owner's alone, whatever the umask; nothing else is
/// left in the folder.
#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = File::new("durability=full");
    let store = place.store("");
    claim(&place, &store, b"key").unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.folder.file(".")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["store.db", "store.db-shm", "store.db-wal"]);
}

/// Nothing is opened before it is needed; then what can't be opened is said, each time.
#[test]
fn what_cannot_be_opened_says_so() {
    let place = File::new("");
    let missing = url(&place.folder.file("none/store.db"), "");
    let store = open(&missing, &Machine::real()).unwrap();
    for _ in 0..2 {
        let said = fails(&store).to_string();
        assert!(said.contains("can't be opened") && said.contains("none"), "{said}");
    }
    let folder = url(place.folder.file("store.db").parent().unwrap(), "");
    let said = fails(&open(&folder, &Machine::real()).unwrap()).to_string();
    assert!(said.contains("is no file"), "{said}");
}

/// Another program's database is left as it was found.
#[test]
fn another_programs_file_is_not_touched() {
    let place = File::new("");
    meddle(&place, "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
    let before = std::fs::read(place.folder.file("store.db")).unwrap();
    assert!(matches!(fails(&place.store("")), StoreError::Foreign(_)));
    assert_eq!(std::fs::read(place.folder.file("store.db")).unwrap(), before);
}

/// A file that a newer version laid out is refused by its number, and not touched.
#[test]
fn a_newer_layout_is_refused() {
    let place = File::new("");
    claim(&place, &place.store(""), b"key").unwrap();
    meddle(&place, "PRAGMA user_version = 2");
    assert_eq!(fails(&place.store("")), StoreError::Newer { found: 2, known: 1 });
}

/// A file into which somebody has put what runs by itself is refused.
#[test]
fn a_trigger_in_the_file_is_refused() {
    let place = File::new("");
    claim(&place, &place.store(""), b"key").unwrap();
    meddle(&place, "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END");
    assert!(matches!(fails(&place.store("")), StoreError::Foreign(_)));
}

/// No database at all, and one with a hole in it: an error, and nothing is run.
#[test]
fn a_damaged_file_is_an_error() {
    let place = File::new("");
    std::fs::write(place.folder.file("store.db"), [b'x'; 5000]).unwrap();
    assert!(matches!(fails(&place.store("")), StoreError::Corrupt(_)));

    let place = File::new("durability=relaxed");
    let store = place.store("");
    for key in 0..200_u8 {
        let hold = claim(&place, &store, &[key]).unwrap();
        let end = Verb::Complete(hold, kept(&"x".repeat(200)));
        assert_eq!(store.step(&address(&[key]), end, PATIENCE), Ok(Reply::Done));
    }
    store.close();
    drop(store);
    overwrite(&place.folder.file("store.db"), 3 * 4096);
    let store = place.store("");
    let mut errors = 0;
    for key in 0..200_u8 {
        let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
        match store.step(&address(&[key]), Verb::Claim(asked), PATIENCE) {
            Ok(Reply::Replay(_)) => {}
            Ok(other) => panic!("a key that had ended gave {other:?}"),
            Err(StoreError::Corrupt(_) | StoreError::Damaged { .. }) => errors += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(errors > 0, "the hole was not met");
}

/// Everything behind the first so many bytes becomes something else.
fn overwrite(path: &Path, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() > from + 4096, "the file has only {} bytes", bytes.len());
    bytes[from..].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}

/// One damaged record is an error of its own key; all others go on, in the same transaction.
#[test]
fn a_damaged_record_is_its_own_trouble() {
    for options in ["durability=full", "durability=relaxed"] {
        let place = File::new(options);
        let store = place.store("");
        claim(&place, &store, b"bad").unwrap();
        claim(&place, &store, b"newer").unwrap();
        meddle(
            &place,
            "UPDATE record SET record = CAST(substr(record, 1, 50) || x'ffff' || substr(record, 53)
                 AS BLOB) WHERE id = CAST(x'03617070' || x'03706179' || 'bad' AS BLOB);
             UPDATE record SET record = CAST(x'09' || substr(record, 2) AS BLOB)
                 WHERE id = CAST(x'03617070' || x'03706179' || 'newer' AS BLOB)",
        );
        for (key, is) in [(&b"bad"[..], Unreadable::Checksum), (b"newer", Unreadable::Newer(9))] {
            let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
            let refused = store.step(&address(key), Verb::Claim(asked), PATIENCE).unwrap_err();
            let StoreError::Damaged { why, address } = refused else { panic!("{refused:?}") };
            assert_eq!(why, is);
            assert!(address.contains(std::str::from_utf8(key).unwrap()), "{address}");
        }
        std::thread::scope(|scope| {
            for key in 0..20_u8 {
                let (place, store) = (&place, &store);
                scope.spawn(move || {
                    assert!(claim(place, store, &[key]).is_ok());
                    assert!(store.get(&address(b"bad"), PATIENCE).is_err());
                });
            }
        });
        assert_eq!(store.tally(&everything(), PATIENCE).unwrap().by_state[0], 22);
    }
}

/// A full file refuses new claims, loses none that it has, and goes on once there is room.
#[test]
fn a_full_file_loses_nothing() {
    for options in ["durability=full", "durability=relaxed"] {
        let place = File::new(options);
        let store = place.store("max_size=131072");
        let mut taken: u32 = 0;
        let refused = loop {
            match claim(&place, &store, &taken.to_be_bytes()) {
                Ok(_) => taken += 1,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
        assert!(taken > 100, "{taken}");
        let tally = store.tally(&everything(), PATIENCE).unwrap();
        assert_eq!(tally.by_state[0], u64::from(taken), "claims were lost or invented");
        place.time.pass(200_000_000);
        assert!(store.sweep(&everything(), PATIENCE).unwrap() > 100);
        claim(&place, &store, b"new").unwrap();
    }
}

/// A file that is removed under an open store is an error within a second of work, and then a new
/// one: nobody goes on for long with records that others will never see.
#[test]
fn a_file_that_is_removed_is_noticed() {
    for options in ["durability=full", "durability=relaxed"] {
        let place = File::new(options);
        let store = place.store("");
        claim(&place, &store, b"old").unwrap();
        std::fs::rename(place.folder.file("store.db"), place.folder.file("moved.db")).unwrap();
        place.time.pass(1_000_000);
        let refused = claim(&place, &store, b"key").unwrap_err();
        assert!(refused.to_string().contains("was moved or removed"), "{refused}");
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(place.folder.file(&format!("store.db{end}")));
        }
        claim(&place, &store, b"key").unwrap();
        claim(&place, &place.store(""), b"old").unwrap();
    }
}

/// All that is wrong with a URL is said at once; a file that is not there yet is nothing wrong.
#[test]
fn a_wrong_url_is_told_everything() {
    let wrong =
        "sqlite://host?durability=ful&busy_timeout=-1&max_size=1k&any_filesystem=maybe&maxsize=1";
    let said = open(wrong, &Machine::real()).unwrap_err().to_string();
    for part in
        ["host", "names no file", "durability", "busy_timeout", "max_size?", "any_filesystem"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("; ").count(), 6, "{said}");
    let said = open("sqlite:///:memory:", &Machine::real()).unwrap_err().to_string();
    assert!(said.contains("memory://"), "{said}");
}
