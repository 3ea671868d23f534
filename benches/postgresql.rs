//! A claim and its completion on a PostgreSQL of the bench's own, beside what one would write by hand.
#![allow(clippy::unwrap_used, reason = "what can't be measured panics")]

#[path = "../tests/stores/servers/postgresql.rs"]
mod server;

use super::{nanos, next, pair, ranks, store};
use criterion::Criterion;
use seawall::time::{Clock, System};
use server::{PASSWORD, Server};
use std::sync::mpsc;
use tokio::runtime::Builder;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

/// What an idempotency key needs at the least: one row, put where there is none, and ended by whoever
/// put it. No fences, leases that are taken over or checksums.
const TABLE: &str = "CREATE TABLE by_hand (key bytea PRIMARY KEY, state smallint NOT NULL, \
    owner bytea NOT NULL, fingerprint bytea, locked_until timestamptz, expires timestamptz, \
    result bytea) WITH (fillfactor = 70)";
const CLAIM: &str = "INSERT INTO by_hand (key, state, owner, fingerprint, locked_until, expires) \
    VALUES ($1, 0, $2, $3, clock_timestamp() + interval '30 s', clock_timestamp() + interval '1 day') \
    ON CONFLICT (key) DO NOTHING RETURNING locked_until";
const END: &str = "UPDATE by_hand SET state = 1, result = $3, expires = clock_timestamp() + interval '1 day' \
    WHERE key = $1 AND owner = $2 AND state = 0 RETURNING true";

/// Two writes of one row, and nothing that is decided: what a pair can't do without.
const BARE: [&str; 3] = [
    "CREATE TABLE bare (key bytea PRIMARY KEY, value bytea) WITH (fillfactor = 70)",
    "INSERT INTO bare VALUES ($1, $2) RETURNING true",
    "UPDATE bare SET value = $2 WHERE key = $1 RETURNING true",
];

/// On another thread, as all must whose callers may be tasks. Each statement is prepared once.
struct ByHand(tokio::sync::mpsc::UnboundedSender<(u64, mpsc::Sender<()>)>);

impl ByHand {
    fn new(port: u16, sql: [&'static str; 2]) -> Self {
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut config = tokio_postgres::Config::new();
                config.user("owner").password(PASSWORD).dbname("postgres");
                config.host("127.0.0.1").port(port);
                let (client, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                let first = client.prepare(sql[0]).await.unwrap();
                let second = client.prepare(sql[1]).await.unwrap();
                while let Some((asked, done)) = receive.recv().await {
                    let statement = if asked & END_OF == 0 { &first } else { &second };
                    ask(&client, statement, asked).await;
                    let _: Result<(), _> = mpsc::Sender::send(&done, ());
                }
            });
        });
        Self(send)
    }

    fn pair(&self) {
        let key = next();
        for asked in [key, key | END_OF] {
            let (done, answered) = mpsc::channel();
            self.0.send((asked, done)).unwrap();
            answered.recv().unwrap();
        }
    }
}

/// The second half of a pair.
const END_OF: u64 = 1 << 63;

async fn ask(client: &Client, statement: &Statement, asked: u64) {
    let key = super::address(asked & !END_OF);
    let (id, owner, fingerprint): (&[u8], _, _) =
        (key.as_bytes(), &[7_u8; 16][..], &[7_u8; 32][..]);
    let third: &[u8] = if asked & END_OF == 0 { fingerprint } else { b"{\"charged\": 4200}" };
    let given: [&(dyn ToSql + Sync); 3] = [&id, &owner, &third];
    let given = &given[..statement.params().len()];
    assert_eq!(client.query(statement, given).await.unwrap().len(), 1);
}

/// The processor's time that a pair takes of a server and its processes.
fn server_cpu(server: &Server, mut pair: impl FnMut()) -> f64 {
    const PAIRS: u32 = 2_000;
    let used = || -> f64 {
        let of = |process: i32| {
            let path = format!("/proc/{process}/schedstat");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0)
        };
        server.processes().into_iter().map(of).sum()
    };
    let before = used();
    (0..PAIRS).for_each(|_| pair());
    (used() - before) / f64::from(PAIRS)
}

/// By turns in small batches, with the disk waited for and without.
pub fn pairs(_: &mut Criterion) {
    for (name, options) in [("disk", &[][..]), ("no disk", &["fsync=off"])] {
        let server = Server::new(options);
        server.admin().run(TABLE);
        server.admin().run(BARE[0]);
        let (ours, nameless) = (store(&server.url("")), store(&server.url("prepare=no")));
        let by_hand = ByHand::new(server.port, [CLAIM, END]);
        let bare = ByHand::new(server.port, [BARE[1], BARE[2]]);
        let ways: [(&str, &dyn Fn()); 4] = [
            ("bare writes", &|| bare.pair()),
            ("by hand", &|| by_hand.pair()),
            ("ours", &|| pair(&ours)),
            ("ours, prepare=no", &|| pair(&nameless)),
        ];
        let mut taken = ways.map(|_| Vec::new());
        for _ in 0..100 {
            for ((_, way), taken) in ways.iter().zip(&mut taken) {
                taken.push(nanos(10, way));
            }
        }
        for ((way, pair), taken) in ways.iter().zip(taken) {
            let (best, middle) = ranks(taken);
            let cpu = server_cpu(&server, pair);
            println!(
                "postgresql, {name}, a pair, {way}: {best:.0} ns ({middle:.0}), of the server's \
                 processor {cpu:.0} ns"
            );
        }
        for threads in [1_u64, 8, 32] {
            let pairs = 2_000;
            let begun = System.now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..pairs / threads).for_each(|_| pair(&ours)));
                }
            });
            let seconds = (System.now() - begun) as f64 / 1e9;
            println!(
                "postgresql, {name}, {threads} at once: {:.0} pairs a second",
                pairs as f64 / seconds
            );
        }
    }
}
