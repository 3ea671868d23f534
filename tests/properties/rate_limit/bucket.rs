//! The plain bucket: its content is the time that filled it.

use proptest::prelude::*;
use seawall::policies::rate_limit::{Draft, Refusal, Settings};
use seawall::time::{Nanos, SECOND};

/// One call in so long, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub interval: Nanos,
    pub burst: u32,
}

/// Any rate.
pub fn rate() -> impl Strategy<Value = Rate> {
    let interval = prop_oneof![
        10..100_u64,
        1_000..1_000_000_u64,
        (1..100_u64).prop_map(|seconds| seconds * SECOND),
        (1..10_000_u64).prop_map(|hours| hours * 3_600 * SECOND),
    ];
    (interval, 1..9_u32).prop_map(|(interval, burst)| Rate { interval, burst })
}

/// Those of a rate.
pub fn settings(rate: Rate) -> Settings {
    let draft = Draft {
        limit: Some(1.0),
        per: Some(rate.interval as f64 / SECOND as f64),
        burst: Some(rate.burst.into()),
        max_wait: Some(3e8),
        ..Draft::default()
    };
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

/// A sixteenth of a nanosecond's worth is the least that it tells apart.
pub const FINE: i128 = 16;

/// Fills at a rate, and owes what callers wait for.
#[derive(Debug)]
pub struct Bucket {
    pub rate: Rate,
    pub content: i128,
    /// In the same unit: who waits is let in between two nanoseconds, and hears of it at the second.
    pub at: i128,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: Rate, at: Nanos) -> Self {
        let mut bucket = Self { rate, content: 0, at: i128::from(at) * FINE };
        bucket.content = bucket.full();
        bucket
    }

    /// What a call takes.
    pub fn share(&self, cost: u32) -> i128 {
        i128::from(cost) * i128::from(self.rate.interval) * FINE
    }

    /// What it holds.
    pub fn full(&self) -> i128 {
        i128::from(self.rate.interval) * i128::from(self.rate.burst) * FINE
    }

    /// Time goes by.
    pub fn fill(&mut self, now: Nanos) {
        self.fill_to(i128::from(now) * FINE);
    }

    /// As `fill`, in its own unit.
    pub fn fill_to(&mut self, at: i128) {
        self.content = (self.content + at - self.at).min(self.full());
        self.at = at;
    }

    /// How long a call waits, or why not.
    pub fn take(&mut self, cost: u32, patience: Nanos, now: Nanos) -> Result<Nanos, Refusal> {
        self.fill(now);
        let taken = i128::from(cost) * i128::from(self.rate.interval) * FINE;
        if taken > self.full() {
            return Err(Refusal { retry_after: None });
        }
        if cost == 0 {
            return Ok(0);
        }
        let missing = (taken - self.content).max(0);
        let wait = u64::try_from((missing + FINE - 1) / FINE).unwrap_or(u64::MAX);
        if wait > patience {
            return Err(Refusal { retry_after: Some(wait) });
        }
        self.content -= taken;
        Ok(wait)
    }

    /// Goes by another rate: what was taken stays taken.
    pub fn change(&mut self, rate: Rate, now: Nanos) {
        if rate == self.rate {
            return;
        }
        self.fill(now);
        let owed = self.full() - self.content;
        let scaled = owed * i128::from(rate.interval) / i128::from(self.rate.interval);
        self.rate = rate;
        self.content = self.full() - scaled.min(self.full());
    }
}
