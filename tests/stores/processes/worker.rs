//! What the other processes do.

use super::{PATIENCE, address, store};
use seawall::random::{Random, Thread};
use seawall::stores::idempotency::{Claim, Hold, Reply, Terms, Verb};
use seawall::stores::record::{OnLost, Owner, Payload};
use seawall::stores::{Op, Store, StoreError};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write};
use std::num::NonZeroU128;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Run by the tests beside it, as another process.
#[test]
#[ignore = "a part that the tests of this file run as another process"]
fn worker_process() {
    let said = |name: &str| std::env::var(name).expect("run as a worker only");
    let store = store(&said("SEAWALL_URL"));
    let ledger = OpenOptions::new().append(true).create(true).open(said("SEAWALL_LEDGER")).unwrap();
    match said("SEAWALL_ROLE").as_str() {
        "run takeover" => run(&store, ledger, OnLost::Takeover),
        "run quarantine" => run(&store, ledger, OnLost::Quarantine),
        "hold takeover" => hold(&store, OnLost::Takeover),
        "hold quarantine" => hold(&store, OnLost::Quarantine),
        "crowd" => crowd(&store, &ledger),
        "fork" => fork(&store),
        "fork memory" => fork_memory(&store),
        "exit" => exit(&store),
        other => panic!("no role {other:?}"),
    }
}

/// Random enough that no two of a test are alike.
pub fn owner() -> Owner {
    static LAST: AtomicU64 = AtomicU64::new(1);
    let own = u128::from(std::process::id()) << 64 | u128::from(LAST.fetch_add(1, SeqCst));
    let drawn = u128::from(Thread.share().to_bits());
    Owner(NonZeroU128::MIN.saturating_add(own << 32 ^ drawn))
}

/// A lease that is over when the next worker has started.
pub fn terms(on_lost: OnLost) -> Terms {
    Terms { lease: 20_000, max_lease: 1_000_000, attempts: 1000, on_lost, ..Terms::default() }
}

pub const LINE: usize = 40;

/// Claims, runs and completes, until it is killed. A run is a line in the ledger.
fn run(store: &Store, mut ledger: File, on_lost: OnLost) {
    let mut base = ledger.metadata().unwrap().len() / LINE as u64;
    let mut passed = 0;
    loop {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 8")]
        let key = base + (Thread.share() * 8.0) as u64;
        let owner = owner();
        let claim = Verb::Claim(Claim { owner, fingerprint: None, terms: terms(on_lost) });
        match store.step(&address(key), claim, PATIENCE).unwrap() {
            Reply::Owned { fence, .. } => {
                let line = format!("{key:019} {fence:019}\n");
                assert_eq!(line.len(), LINE);
                // In one piece: a kill comes before or after it.
                assert_eq!(ledger.write(line.as_bytes()).unwrap(), LINE);
                let payload = Payload::within(100, 0, fence.to_be_bytes());
                let end = Verb::Complete(Hold { owner, fence }, payload);
                // Somebody may have taken it over: that is theirs to find.
                let _told = store.step(&address(key), end, PATIENCE).unwrap();
            }
            _ => passed += 1,
        }
        if passed > 16 {
            (base, passed) = (base + 4, 0);
        }
    }
}

/// Claims, says so, waits for a word, completes, and says what it was told.
fn hold(store: &Store, on_lost: OnLost) {
    let owner = owner();
    let terms = Terms { lease: 30_000_000, ..terms(on_lost) };
    let claim = Verb::Claim(Claim { owner, fingerprint: None, terms });
    let Reply::Owned { fence, .. } = store.step(&address(0), claim, PATIENCE).unwrap() else {
        panic!("not given")
    };
    println!("holding {fence}");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    let end = Verb::Complete(Hold { owner, fence }, Payload::within(9, 0, &b"late"[..]));
    println!("told {:?}", store.step(&address(0), end, PATIENCE).unwrap());
}

/// Many calls of one operation at once, when the word is given; how many of them ran it, and how
/// many had its result in the end.
fn crowd(store: &Store, ledger: &File) {
    store.get(&address(0), PATIENCE).unwrap();
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    let replayed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..25 {
            scope.spawn(|| {
                let owner = owner();
                loop {
                    let terms = Terms::default();
                    let claim = Verb::Claim(Claim { owner, fingerprint: None, terms });
                    match store.step(&address(0), claim, PATIENCE).unwrap() {
                        Reply::Owned { fence, .. } => {
                            let mut ledger = ledger;
                            ledger.write_all(b"run\n").unwrap();
                            let end = Payload::within(9, 0, &b"result"[..]);
                            let end = Verb::Complete(Hold { owner, fence }, end);
                            let told = store.step(&address(0), end, PATIENCE).unwrap();
                            assert_eq!(told, Reply::Done);
                        }
                        Reply::InProgress { .. } => std::thread::yield_now(),
                        Reply::Replay(ended) => {
                            assert_eq!(ended.payload, Payload::within(9, 0, &b"result"[..]));
                            replayed.fetch_add(1, SeqCst);
                            return;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    println!("replayed {}", replayed.into_inner());
}

fn claim(store: &Store, key: u64) -> Reply {
    let terms = Terms::default();
    let claim = Verb::Claim(Claim { owner: owner(), fingerprint: None, terms });
    store.step(&address(key), claim, PATIENCE).unwrap()
}

/// Does the kernel know of a lock that this process holds?
///
/// Its list is read in pieces, between which others' locks come and go: one that stays is seen in
/// one of many looks, if not in each.
fn has_locks() -> bool {
    let own = std::process::id().to_string();
    // Only a file has any.
    if !std::env::var("SEAWALL_URL").unwrap().starts_with("sqlite") {
        return true;
    }
    (0..200).any(|_| {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.split_whitespace().nth(4) == Some(&own))
    })
}

/// Forks again and again while threads are at work. Each child goes on with what it inherited.
#[allow(unsafe_code, reason = "it forks")]
fn fork(store: &Store) {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for waits in [true, false] {
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(SeqCst) {
                    let terms = Terms::default();
                    let claim = Claim { owner: owner(), fingerprint: None, terms };
                    let op = Op::Step(address(next.fetch_add(1, SeqCst)), Verb::Claim(claim));
                    let answer = if waits {
                        store.submit(op).wait(PATIENCE)
                    } else {
                        store.call(op, PATIENCE)
                    };
                    answer.unwrap();
                }
            });
        }
        // Also if this panics: the scope waits for its threads.
        let _stops = Stops(&stop);
        for round in 0..30 {
            let pending = store.submit(Op::Get(address(0)));
            // SAFETY: the child runs on one thread, as every child of a fork does, and what it
            // inherited is what this test is about. It ends without a word to its parent's exit.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let key = 1_000_000 + round;
                let first = matches!(claim(store, key), Reply::Owned { .. });
                let second = matches!(claim(store, key), Reply::InProgress { .. });
                let code = match (first, second, pending.wait(PATIENCE), has_locks()) {
                    (true, true, Err(StoreError::Forked), true) => 0,
                    (true, true, Err(StoreError::Forked), false) => 2,
                    (true, true, _, _) => 3,
                    _ => 4,
                };
                // SAFETY: as above.
                unsafe { libc::_exit(code) };
            }
            pending.wait(PATIENCE).unwrap();
            assert_eq!(ended(child), 0, "how child {round} ended");
        }
    });
    println!("claimed {}", next.into_inner());
}

/// Tells threads to stop when it goes.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// How a child ended: its code.
#[allow(unsafe_code, reason = "it waits for a child")]
fn ended(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is a valid place to write to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "a child was ended: {status}");
    libc::WEXITSTATUS(status)
}

/// Forks with records in memory. The child has none of them, and its parent none of its.
#[allow(unsafe_code, reason = "it forks")]
fn fork_memory(store: &Store) {
    let is_given = |key| matches!(claim(store, key), Reply::Owned { .. });
    assert!(is_given(1));
    // SAFETY: as above.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(!(is_given(1) && !is_given(1) && is_given(2)));
        // SAFETY: as above.
        unsafe { libc::_exit(code) };
    }
    assert_eq!(ended(child), 0);
    assert!(!is_given(1) && is_given(2));
}

/// Ends while its operations are under way.
fn exit(store: &Store) {
    let pending: Vec<_> = (0..50)
        .map(|key| {
            let claim = Claim { owner: owner(), fingerprint: None, terms: Terms::default() };
            store.submit(Op::Step(address(key), Verb::Claim(claim)))
        })
        .collect();
    // Not to be released: the process is gone before that.
    std::mem::forget(pending);
    std::process::exit(0);
}
