//! What the circuits of one breaker are together: how many there are in each state, in which one a
//! newcomer begins, and how often any of them has moved.

use crate::policies::breaker::{State, Transition};
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};

/// By how much they ask to be looked at.
const STATES: [State; 6] = [
    State::Closed,
    State::Disabled,
    State::MetricsOnly,
    State::HalfOpen,
    State::Open,
    State::ForcedOpen,
];

/// How much a state asks to be looked at.
pub fn grave(state: State) -> usize {
    match state {
        State::Closed => 0,
        State::Disabled => 1,
        State::MetricsOnly => 2,
        State::HalfOpen => 3,
        State::Open => 4,
        State::ForcedOpen => 5,
    }
}

/// The whole.
pub struct Whole {
    /// In the order of `STATES`. Below zero for a moment, where one leaves a state that another
    /// thread has not yet said it entered.
    there: [AtomicIsize; 6],
    rest: AtomicUsize,
    moves: AtomicU64,
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            there: Default::default(),
            rest: AtomicUsize::new(grave(State::Closed)),
            moves: AtomicU64::new(1),
        }
    }
}

impl Whole {
    /// The state that newcomers begin in, and in which nothing need be remembered of a circuit:
    /// closed, unless somebody said otherwise for all.
    pub fn rest(&self) -> State {
        STATES[self.rest.load(Ordering::SeqCst)]
    }

    pub fn begin_in(&self, state: State) {
        self.rest.store(grave(state), Ordering::SeqCst);
    }

    /// There is one more in `state`.
    pub fn one_more(&self, state: State) {
        self.there[grave(state)].fetch_add(1, Ordering::Relaxed);
    }

    /// There is one fewer.
    pub fn one_fewer(&self, state: State) {
        self.there[grave(state)].fetch_sub(1, Ordering::Relaxed);
    }

    /// One of them has moved.
    pub fn moved(&self, transition: &Transition) {
        self.one_fewer(transition.from);
        self.one_more(transition.to);
    }

    /// The number of the next move, of whichever it is. As with the generations of a single circuit,
    /// that it was made is 1.
    pub fn next(&self) -> u64 {
        self.moves.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the last.
    pub fn last(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// The gravest state that one of them is in, or would begin in.
    pub fn gravest(&self) -> State {
        let there = |state: &&State| self.there[grave(**state)].load(Ordering::Relaxed) > 0;
        let gravest = STATES.iter().rev().find(there).map_or(0, |state| grave(*state));
        STATES[gravest.max(self.rest.load(Ordering::SeqCst))]
    }
}
