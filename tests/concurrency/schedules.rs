//! How many schedules of its threads a model tries, and the clock that they go by.
#![allow(dead_code, reason = "no model needs all of it")]

use seawall::time::{Clock, Nanos};

/// More than loom's own: threads that wait for one another branch often.
const MAX_BRANCHES: usize = 10_000;

/// Every schedule, unless `LOOM_MAX_PREEMPTIONS` says otherwise.
pub fn model(claim: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = MAX_BRANCHES;
    builder.check(claim);
}

/// Schedules of at most so many preemptions, or of `LOOM_MAX_PREEMPTIONS`.
pub fn bounded(preemptions: usize, claim: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = MAX_BRANCHES;
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(claim);
}

/// A clock that stands still.
#[derive(Clone, Copy)]
pub struct At(pub Nanos);

impl Clock for At {
    fn now(&self) -> Nanos {
        self.0
    }

    fn coarse(&self) -> Nanos {
        self.0
    }
}
