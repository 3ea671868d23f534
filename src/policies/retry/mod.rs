//! Retry: whether a call that failed is worth another try, and when.
//!
//! The order of the questions is fixed, and each is asked only if the one before said yes: is an
//! attempt left, does the retry around this one leave it to us, is there time, does the budget
//! allow. The budget is asked last, because what it has given it does not take back, and before
//! anybody sleeps; a call that would start without time left is given up instead of slept for.
//!
//! Nothing here is shared between calls: what a call has done so far is in its own [`Run`].

mod settings;
#[cfg(test)]
mod tests;

pub use settings::{DEFAULT_ATTEMPTS, Draft, MOST_TOLD, Nested, Settings};

use crate::time::Nanos;

/// Why a call was not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It has had all of its attempts.
    Attempts,
    /// A retry around it has attempts left: trying again is left to that.
    Nested,
    /// The retry budget is exhausted.
    Budget,
    /// The next attempt could not start within `max_duration`.
    Duration,
    /// The next attempt could not start before the deadline.
    Deadline,
    /// The service said when to come back, and that is too late, or not to come back at all.
    Told,
    /// A generator had given items already: they can't be taken back.
    Begun,
}

impl Stop {
    /// As events and metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Nested => "nested",
            Self::Budget => "budget",
            Self::Duration => "duration",
            Self::Deadline => "deadline",
            Self::Told => "told",
            Self::Begun => "begun",
        }
    }
}

/// One call so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When its first attempt began.
    pub began: Nanos,
    /// How many attempts were started.
    pub attempts: u32,
}

impl Run {
    /// A call whose first attempt begins.
    #[must_use]
    pub fn new(began: Nanos) -> Self {
        Self { began, attempts: 1 }
    }
}

/// What limits a further attempt, besides what the settings say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// A retry around this one has attempts left.
    pub nested: bool,
    /// When the deadline passes.
    pub deadline: Option<Nanos>,
}

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// What the backoff says.
    Backoff(Nanos),
    /// What the service asked for.
    Told(Nanos),
}

impl Wait {
    const fn nanos(self) -> Nanos {
        match self {
            Self::Backoff(nanos) | Self::Told(nanos) => nanos,
        }
    }
}

impl Settings {
    /// May there be another attempt at all, however long the wait?
    ///
    /// # Errors
    /// Why not.
    pub const fn another(&self, run: &Run, limits: Limits) -> Result<(), Stop> {
        if run.attempts >= self.attempts {
            Err(Stop::Attempts)
        } else if limits.nested && matches!(self.nested, Nested::Inherit) {
            Err(Stop::Nested)
        } else {
            Ok(())
        }
    }

    /// How long to wait: what `wait` says under `max_delay`, if the attempt after it would start in
    /// time.
    ///
    /// # Errors
    /// Why there is no time.
    pub fn in_time(
        &self,
        run: &Run,
        wait: Wait,
        limits: Limits,
        now: impl FnOnce() -> Nanos,
    ) -> Result<Nanos, Stop> {
        let delay = self.max_delay.map_or(wait.nanos(), |most| wait.nanos().min(most));
        if self.max_duration.is_none() && limits.deadline.is_none() {
            return Ok(delay);
        }
        let start = now().saturating_add(delay);
        let out = |limit: Stop| match wait {
            Wait::Told(_) if delay > 0 => Stop::Told,
            _ => limit,
        };
        if self.max_duration.is_some_and(|most| start.saturating_sub(run.began) >= most) {
            return Err(out(Stop::Duration));
        }
        if limits.deadline.is_some_and(|deadline| start >= deadline) {
            return Err(out(Stop::Deadline));
        }
        Ok(delay)
    }
}
