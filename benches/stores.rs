//! What a claim and its completion cost, without what runs between them.
//!
//! `cargo bench --features sqlite --bench stores`

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rusqlite::{Connection, params};
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Hold, Reply, Terms, Verb};
use seawall::stores::record::{Owner, Payload};
use seawall::stores::registry::open;
use seawall::stores::{Address, Store};
use seawall::time::{Clock, System};
use std::hint::black_box;
use std::num::NonZeroU128;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// A new key each time.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

fn address(key: u64) -> Address {
    match Address::new("app", "payments.charge", format!("order-{key:020}").as_bytes()) {
        Ok(address) => address,
        Err(invalid) => panic!("{invalid}"),
    }
}

fn claim(key: u64) -> Verb {
    let owner = Owner(NonZeroU128::MIN.saturating_add(key.into()));
    Verb::Claim(Claim { owner, fingerprint: Some([7; 32]), terms: Terms::default() })
}

fn pair(store: &Store) {
    let key = next();
    let address = address(key);
    let owner = Owner(NonZeroU128::MIN.saturating_add(key.into()));
    match store.step(&address, claim(key), PATIENCE) {
        Ok(Reply::Owned { fence, .. }) => {
            let payload = Payload::within(100, 1, &b"{\"charged\": 4200}"[..]);
            let end = Verb::Complete(Hold { owner, fence }, payload);
            assert_eq!(black_box(store.step(&address, end, PATIENCE)), Ok(Reply::Done));
        }
        other => panic!("{other:?}"),
    }
}

fn store(url: &str) -> Store {
    match open(url, &Machine::real()) {
        Ok(store) => store,
        Err(invalid) => panic!("{invalid}"),
    }
}

/// In the folder that is measured, where the machine has its disk.
fn file(name: &str) -> PathBuf {
    let path = std::env::current_dir().unwrap_or_default().join("target").join(name);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    path
}

fn memory(bench: &mut Criterion) {
    let store = store("memory://?max_size=70000000000");
    let (best, middle) = ranks((0..400).map(|_| nanos(50, || pair(&store))).collect());
    println!("memory, a pair: {best:.0} ns ({middle:.0})");
    bench.bench_function("memory/pair", |b| b.iter(|| pair(&store)));
    let key = next();
    let address = address(key);
    let _ = store.step(&address, claim(key), PATIENCE);
    bench.bench_function("memory/in progress", |b| {
        b.iter(|| black_box(store.step(&address, claim(0), PATIENCE)));
    });
}

/// The statements that the store makes of a pair, and nothing else.
fn raw(connection: &Connection, record: &[u8]) -> rusqlite::Result<()> {
    let id = address(next());
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let kept = || {
        connection
            .prepare_cached("SELECT record FROM record WHERE id = ?1")?
            .query([id.as_bytes()])?
            .next()
            .map(|row| black_box(row.is_some()))
    };
    run("BEGIN IMMEDIATE")?;
    kept()?;
    connection.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id.as_bytes(),
        1_790_000_000_000_000_i64,
        0,
        &record[..116]
    ])?;
    run("COMMIT")?;
    run("BEGIN IMMEDIATE")?;
    kept()?;
    connection
        .prepare_cached("UPDATE record SET expires = ?2, state = ?3, record = ?4 WHERE id = ?1")?
        .execute(params![id.as_bytes(), 1_790_000_000_000_000_i64, 1, record])?;
    run("COMMIT")?;
    Ok(())
}

/// By turns in small batches, of which the best and the middle one count: a machine that does other
/// things beside is the same for both.
fn relaxed(_bench: &mut Criterion) {
    const ROUNDS: usize = 400;
    const PAIRS: u64 = 50;
    let url = format!("sqlite:///{}?durability=relaxed", file("bench-ours.db").display());
    let ours = store(&url);
    let connection = raw_file();
    let record = [7; 133];
    let (mut of_ours, mut of_raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_ours.push(nanos(PAIRS, || pair(&ours)));
        of_raw.push(nanos(PAIRS, || assert_eq!(raw(&connection, &record), Ok(()))));
    }
    let ((best, middle), (raw_best, raw_middle)) = (ranks(of_ours), ranks(of_raw));
    println!(
        "sqlite relaxed, a pair: {best:.0} ns ({middle:.0}), raw rusqlite {raw_best:.0} ns \
         ({raw_middle:.0}), ratio {:.2} ({:.2})",
        best / raw_best,
        middle / raw_middle
    );
}

fn raw_file() -> Connection {
    let Ok(connection) = Connection::open(file("bench-raw.db")) else { panic!("no file") };
    let made = connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE record (id BLOB PRIMARY KEY NOT NULL, expires INTEGER,
             state INTEGER NOT NULL, record BLOB NOT NULL) STRICT, WITHOUT ROWID",
    );
    assert_eq!(made, Ok(()));
    connection
}

/// What one of these takes.
fn nanos(times: u64, one: impl Fn()) -> f64 {
    let before = System.now();
    (0..times).for_each(|_| one());
    (System.now() - before) as f64 / times as f64
}

fn ranks(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn full(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("sqlite full");
    group.sample_size(10);
    let store = store(&format!("sqlite:///{}", file("bench-full.db").display()));
    for threads in [1, 8, 32] {
        group.bench_function(BenchmarkId::new("pair", threads), |b| {
            b.iter_custom(|pairs| {
                let before = System.now();
                let left = AtomicU64::new(pairs);
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            while left.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)).is_ok()
                            {
                                pair(&store);
                            }
                        });
                    }
                });
                Duration::from_nanos(System.now() - before)
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = memory, relaxed, full
}
criterion_main!(benches);
