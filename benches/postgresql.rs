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
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

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

/// On another thread, as all must whose callers may be tasks.
struct ByHand(tokio::sync::mpsc::UnboundedSender<(u64, mpsc::Sender<()>)>);

impl ByHand {
    fn new(port: u16) -> Self {
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut config = tokio_postgres::Config::new();
                config.user("owner").password(PASSWORD).dbname("postgres");
                config.host("127.0.0.1").port(port);
                let (client, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                while let Some((asked, done)) = receive.recv().await {
                    ask(&client, asked).await;
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

async fn ask(client: &Client, asked: u64) {
    let key = super::address(asked & !END_OF);
    let (id, owner, fingerprint): (&[u8], _, _) =
        (key.as_bytes(), &[7_u8; 16][..], &[7_u8; 32][..]);
    let third: &[u8] = if asked & END_OF == 0 { fingerprint } else { b"{\"charged\": 4200}" };
    let given: [(&(dyn ToSql + Sync), Type); 3] =
        [(&id, Type::BYTEA), (&owner, Type::BYTEA), (&third, Type::BYTEA)];
    let sql = if asked & END_OF == 0 { CLAIM } else { END };
    assert_eq!(client.query_typed(sql, &given).await.unwrap().len(), 1);
}

/// By turns in small batches, with the disk waited for and without.
pub fn pairs(_: &mut Criterion) {
    for (name, options) in [("disk", &[][..]), ("no disk", &["fsync=off"])] {
        let server = Server::new(options);
        server.admin().run(TABLE);
        let ours = store(&server.url(""));
        let by_hand = ByHand::new(server.port);
        let (mut of_ours, mut of_hand) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            of_ours.push(nanos(10, || pair(&ours)));
            of_hand.push(nanos(10, || by_hand.pair()));
        }
        let ((best, middle), (hand_best, hand_middle)) = (ranks(of_ours), ranks(of_hand));
        println!(
            "postgresql, {name}, a pair: {best:.0} ns ({middle:.0}), by hand {hand_best:.0} ns \
             ({hand_middle:.0}), ratio {:.2} ({:.2})",
            best / hand_best,
            middle / hand_middle
        );
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
