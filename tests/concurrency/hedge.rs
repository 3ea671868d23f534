//! The samples of a hedge's latencies under every interleaving of a few threads.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test hedge_loom`.
#![cfg(loom)]

use loom::thread;
use seawall::policies::hedge::{Latencies, Place, Quantile, Words};
use std::sync::Arc;

const MS: u64 = 1_000_000;

/// Words that the model's threads share.
#[derive(Clone)]
struct Shared(Arc<Words>);

impl Place for Shared {
    fn words(&self) -> &Words {
        &self.0
    }
}

fn rule() -> Quantile {
    Quantile {
        share: 0.5,
        min_samples: 1000,
        window: 2,
        initial: None,
        min_delay: 0,
        max_delay: None,
    }
}

fn model(claim: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = Some(3);
    builder.check(claim);
}

/// Whoever records at once with others: none is counted twice, and none that fell out is counted.
#[test]
fn samples_are_counted_once() {
    model(|| {
        let place = Shared(Arc::new(Words::of(2)));
        let seen = Latencies::over(place);
        let others = [10, 20].map(|latency| {
            let seen = seen.clone();
            thread::spawn(move || seen.record(latency * MS, &rule()))
        });
        seen.record(30 * MS, &rule());
        for other in others {
            other.join().expect("it counted");
        }
        assert_eq!((seen.held(), seen.counted()), (2, 2));
    });
}
