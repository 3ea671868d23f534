//! Transitions that somebody asks for. They happen at once and wait for no call in flight.

use super::report::{Cause, Transition, Trip, transition};
use super::{Breaker, Place, State};
use crate::time::Nanos;

impl<P: Place> Breaker<P> {
    /// Opens the circuit after a [`Trip`]. `None`: it has moved on meanwhile.
    ///
    /// Of several callers who open the same generation, the first to say for how long is believed.
    pub fn open(&self, trip: Trip, duration: Nanos, now: Nanos) -> Option<Transition> {
        let circuit = self.place.circuit();
        let word = circuit.word();
        let trips = matches!(word.state(), State::Closed | State::HalfOpen);
        if !trips || word.generation() != trip.generation {
            return None;
        }
        let until = circuit.propose(word, now.saturating_add(duration.max(1)));
        let reopenings = u8::try_from(trip.reopenings).unwrap_or(u8::MAX);
        let next = circuit.step(word, State::Open, reopenings, now)?;
        Some(Transition {
            from: word.state(),
            to: State::Open,
            generation: next.generation(),
            at: now,
            cause: trip.cause,
            failure_rate: trip.failure_rate,
            slow_call_rate: trip.slow_call_rate,
            calls: trip.calls,
            open_duration: Some(until.saturating_sub(now)),
        })
    }

    /// Rejects every call until told otherwise. `None`: it did already.
    pub fn force_open(&self, now: Nanos) -> Option<Transition> {
        self.shift(State::ForcedOpen, now)
    }

    /// Lets every call pass unwatched. `None`: it did already.
    pub fn disable(&self, now: Nanos) -> Option<Transition> {
        self.shift(State::Disabled, now)
    }

    /// Lets every call pass, watches, and tells when the circuit would have opened. `None`: it did
    /// already.
    pub fn metrics_only(&self, now: Nanos) -> Option<Transition> {
        self.shift(State::MetricsOnly, now)
    }

    /// Closes the circuit and forgets what it had seen, whatever its state.
    pub fn reset(&self, now: Nanos) -> Option<Transition> {
        self.shift(State::Closed, now)
    }

    fn shift(&self, to: State, now: Nanos) -> Option<Transition> {
        loop {
            let word = self.place.circuit().word();
            // A closed circuit has something to forget.
            if word.state() == to && to != State::Closed {
                return None;
            }
            let evidence = self.evidence(&self.held(word, now));
            if let Some(next) = self.place.circuit().step(word, to, 0, now) {
                return Some(transition(word, next, now, Cause::Manual, evidence));
            }
        }
    }
}
