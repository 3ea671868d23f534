//! Reading. Nothing here changes a circuit: one that is due stays open until the next call.

use super::report::Evidence;
use super::words::Word;
use super::{Breaker, Circuit, Place, State, Window};
use crate::time::{Clock, Nanos};
use crate::window::Totals;

/// What a circuit has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Where it stands.
    pub state: State,
    /// How many transitions it has seen, and one.
    pub generation: u64,
    /// The window's share of failures; `None` without outcomes.
    pub failure_rate: Option<f64>,
    /// The window's share of slow calls; `None` without outcomes or where no call is slow.
    pub slow_call_rate: Option<f64>,
    /// How many outcomes the window holds.
    pub window_calls: u64,
    /// How long until a call may be let in, see [`Breaker::retry_after`].
    pub retry_after: Option<Nanos>,
    /// How often it has opened.
    pub opened_count: u64,
    /// How long it has been open or forced open, altogether.
    pub time_open: Nanos,
    /// Calls that were admitted and not settled.
    pub in_flight: u64,
    /// What became of the others.
    pub counts: Counts,
}

/// How many calls ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// They succeeded.
    pub success: u64,
    /// They failed.
    pub failure: u64,
    /// They were slow. Every one of them is counted once more, by how it ended.
    pub slow: u64,
    /// They were left out.
    pub ignored: u64,
    /// They came to no end of their own.
    pub cancelled: u64,
    /// They ended after the circuit had moved on, or after their lease was lost.
    pub late: u64,
    /// They were not admitted.
    pub rejected: u64,
}

impl Counts {
    fn settled(&self) -> u64 {
        self.success + self.failure + self.ignored + self.cancelled + self.late
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.success += other.success;
        self.failure += other.failure;
        self.slow += other.slow;
        self.ignored += other.ignored;
        self.cancelled += other.cancelled;
        self.late += other.late;
        self.rejected += other.rejected;
    }
}

impl Circuit {
    fn counts(&self) -> Counts {
        Counts {
            success: self.success.get(),
            failure: self.failure.get(),
            slow: self.slow.get(),
            ignored: self.ignored.get(),
            cancelled: self.cancelled.get(),
            late: self.late.get(),
            rejected: self.rejected.get(),
        }
    }
}

impl<P: Place> Breaker<P> {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.place.circuit().word().state()
    }

    /// How many transitions it has seen, and one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.place.circuit().word().generation()
    }

    /// How many calls were admitted and not settled. While others call, at least so many.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let circuit = self.place.circuit();
        let settled = circuit.counts().settled();
        // Read after those that it is compared with.
        circuit.admitted.get().saturating_sub(settled)
    }

    /// How long until a call may be let in: until half-open, 0 where it may be now, `None` where
    /// only somebody's word ends it.
    #[must_use]
    pub fn retry_after(&self, now: Nanos) -> Option<Nanos> {
        self.left(self.place.circuit().word(), now)
    }

    /// All of it. Exact when nobody calls meanwhile.
    #[must_use]
    pub fn snapshot(&self, now: Nanos) -> Snapshot {
        let circuit = self.place.circuit();
        let word = circuit.word();
        let evidence = self.evidence(&self.held(word, now));
        let in_flight = self.in_flight();
        Snapshot {
            state: word.state(),
            generation: word.generation(),
            failure_rate: evidence.failure_rate,
            slow_call_rate: evidence.slow_call_rate,
            window_calls: evidence.calls,
            retry_after: self.left(word, now),
            opened_count: circuit.opened.get(),
            time_open: circuit.time_open(word, now),
            in_flight,
            counts: circuit.counts(),
        }
    }

    /// What the window holds of the word's generation.
    pub(super) fn held(&self, word: Word, now: Nanos) -> Totals {
        match self.window() {
            Window::None => Totals::default(),
            Window::Count(ring) => ring.totals(word.generation()),
            Window::Time(buckets) => buckets.totals(word.generation(), &At(now)),
        }
    }

    /// What it is judged by, as it is shown: slow calls only where there is a rule about them.
    pub(super) fn evidence(&self, totals: &Totals) -> Evidence {
        Evidence {
            calls: totals.calls,
            failure_rate: totals.failure_rate(),
            slow_call_rate: totals.slow_call_rate().filter(|_| self.timed()),
        }
    }

    fn left(&self, mut word: Word, now: Nanos) -> Option<Nanos> {
        let circuit = self.place.circuit();
        while word.state() == State::Open {
            if let Some(until) = circuit.until(word) {
                return Some(until.saturating_sub(now));
            }
            word = circuit.word();
        }
        (word.state() != State::ForcedOpen).then_some(0)
    }
}

/// The time at which somebody reads.
struct At(Nanos);

impl Clock for At {
    fn now(&self) -> Nanos {
        self.0
    }

    fn coarse(&self) -> Nanos {
        self.0
    }
}
