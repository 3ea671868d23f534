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

#[cfg(any(feature = "redis", feature = "postgresql"))]
#[path = "../tests/stores/servers/guard.rs"]
#[allow(clippy::unwrap_used, reason = "what can't be measured panics")]
mod guard;
#[cfg(feature = "postgresql")]
mod postgresql;
#[cfg(feature = "redis")]
#[path = "../tests/stores/servers/valkey.rs"]
#[allow(clippy::unwrap_used, reason = "what can't be measured panics")]
mod valkey;

/// Two calls of scripts that do nothing, as one would write them without a store.
#[cfg(feature = "redis")]
#[allow(clippy::unwrap_used, reason = "what can't be measured panics")]
mod by_hand {
    use redis::aio::MultiplexedConnection;
    use redis::{Client, Connection, Script};
    use std::sync::mpsc;
    use tokio::runtime::Builder;

    fn script() -> Script {
        Script::new("return {'done', '1', '2', '3', 'new'}")
    }

    /// What a claim and a completion send.
    fn asked(number: usize) -> [Vec<u8>; 6] {
        let sent = if number == 0 { "x".repeat(40) } else { "x".repeat(20) };
        std::array::from_fn(|_| sent.as_bytes().to_vec())
    }

    /// As a program without tasks would.
    pub struct InPlace(Connection, Script);

    impl InPlace {
        pub fn new(url: &str) -> Self {
            Self(Client::open(url).unwrap().get_connection().unwrap(), script())
        }

        pub fn pair(&mut self) {
            for number in 0..2 {
                let mut call = self.1.prepare_invoke();
                call.key("seawall:a-key-of-the-usual-length:000001");
                for words in asked(number) {
                    call.arg(words);
                }
                call.invoke::<Vec<String>>(&mut self.0).unwrap();
            }
        }
    }

    type Asked = (usize, mpsc::Sender<()>);

    /// As a program must that has one connection for all of its threads and tasks.
    pub struct OnThread(tokio::sync::mpsc::UnboundedSender<Asked>);

    impl OnThread {
        pub fn new(url: &str) -> Self {
            let (send, mut receive) = tokio::sync::mpsc::unbounded_channel::<Asked>();
            let client = Client::open(url).unwrap();
            std::thread::spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    let connection = client.get_multiplexed_async_connection().await.unwrap();
                    while let Some((number, done)) = receive.recv().await {
                        let connection: MultiplexedConnection = connection.clone();
                        tokio::spawn(call(connection, number, done));
                    }
                });
            });
            Self(send)
        }

        pub fn pair(&self) {
            for number in 0..2 {
                let (done, answered) = mpsc::channel();
                self.0.send((number, done)).unwrap();
                answered.recv().unwrap();
            }
        }
    }

    async fn call(mut connection: MultiplexedConnection, number: usize, done: mpsc::Sender<()>) {
        let script = script();
        let mut call = script.prepare_invoke();
        call.key("seawall:a-key-of-the-usual-length:000001");
        for words in asked(number) {
            call.arg(words);
        }
        call.invoke_async::<Vec<String>>(&mut connection).await.unwrap();
        done.send(()).unwrap();
    }
}

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
fn nanos(times: u64, mut one: impl FnMut()) -> f64 {
    let before = System.now();
    (0..times).for_each(|_| one());
    (System.now() - before) as f64 / times as f64
}

fn ranks(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

/// A server, as the tests start it, and beside the store's pair the two calls of a script that a
/// pair needs, by hand: on the caller's own thread, and on another one as all must whose callers may
/// be tasks.
#[cfg(feature = "redis")]
fn on_redis(_bench: &mut Criterion) {
    const ROUNDS: usize = 200;
    const PAIRS: u64 = 20;
    let server = valkey::Server::new(&["--save", "", "--appendonly", "no"]);
    let url = server.url("");
    let ours = store(&url);
    let by_hand = by_hand::OnThread::new(&url);
    let mut in_place = by_hand::InPlace::new(&url);
    let (mut of_ours, mut of_thread, mut of_place) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_ours.push(nanos(PAIRS, || pair(&ours)));
        of_thread.push(nanos(PAIRS, || by_hand.pair()));
        of_place.push(nanos(PAIRS, || in_place.pair()));
    }
    let (ours_best, ours_middle) = ranks(of_ours);
    for (name, times) in [("the caller's thread", of_place), ("another thread", of_thread)] {
        let (best, middle) = ranks(times);
        println!(
            "redis, a pair: {ours_best:.0} ns ({ours_middle:.0}), by hand on {name} {best:.0} ns \
             ({middle:.0}), ratio {:.2} ({:.2})",
            ours_best / best,
            ours_middle / middle
        );
    }
    for threads in [1_u64, 8, 32] {
        let pairs = 4_000;
        let before = System.now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..pairs / threads).for_each(|_| pair(&ours)));
            }
        });
        let seconds = (System.now() - before) as f64 / 1e9;
        println!("redis, {threads} at once: {:.0} pairs a second", pairs as f64 / seconds);
    }
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
#[cfg(feature = "redis")]
criterion_group!(servers, on_redis);
#[cfg(not(feature = "redis"))]
fn servers() {}
#[cfg(feature = "postgresql")]
criterion_group!(databases, postgresql::pairs);
#[cfg(not(feature = "postgresql"))]
fn databases() {}
criterion_main!(benches, servers, databases);
