//! The way in.

use super::leases::Probe;
use super::report::{Admission, Cause, Evidence, Rejection, Ticket, Transition, transition};
use super::words::Word;
use super::{Breaker, Place, State};
use crate::time::{Clock, Nanos};

/// What one look at the circuit came to.
enum Look {
    Enter(Ticket),
    Reject(Rejection),
    /// The open time is over.
    Due,
    /// It changed while being looked at.
    Again,
}

impl<P: Place> Breaker<P> {
    /// Asks whether a call may run.
    ///
    /// A closed circuit costs one load and a count, and the clock is not read.
    #[inline]
    pub fn acquire(&self, clock: &impl Clock) -> Admission {
        let word = self.place.circuit().word();
        if word.closed() {
            Self::count(&self.place.circuit().admitted);
            let generation = word.generation();
            return Admission::Admitted(Ticket::closed(generation));
        }
        self.acquire_unless_closed(word, clock)
    }

    #[cold]
    fn acquire_unless_closed(&self, mut word: Word, clock: &impl Clock) -> Admission {
        let mut now = None;
        loop {
            match self.look(word, &mut || *now.get_or_insert_with(|| clock.now())) {
                Look::Enter(ticket) => return Admission::Admitted(self.admitted(ticket)),
                Look::Reject(rejection) => return Admission::Rejected(self.rejected(rejection)),
                Look::Due => {
                    let now = now.unwrap_or_else(|| clock.now());
                    if let Some(transition) = self.half_open(word, now) {
                        return Admission::HalfOpened(transition, self.answer(now));
                    }
                }
                Look::Again => {}
            }
            word = self.place.circuit().word();
        }
    }

    fn look(&self, word: Word, now: &mut impl FnMut() -> Nanos) -> Look {
        let generation = word.generation();
        let state = word.state();
        match state {
            State::Closed | State::Disabled | State::MetricsOnly => {
                Look::Enter(Ticket::closed(generation))
            }
            State::ForcedOpen => Look::Reject(Rejection { state, retry_after: None }),
            State::Open => match self.place.circuit().until(word) {
                None => Look::Again,
                Some(until) => match until.checked_sub(now()) {
                    None | Some(0) => Look::Due,
                    left => Look::Reject(Rejection { state, retry_after: left }),
                },
            },
            State::HalfOpen => match self.lease(generation, now()) {
                Probe::Taken(ticket) => Look::Enter(ticket),
                Probe::Full => Look::Reject(Rejection { state, retry_after: Some(0) }),
                Probe::Moved => Look::Again,
            },
        }
    }

    fn half_open(&self, word: Word, now: Nanos) -> Option<Transition> {
        let next = self.place.circuit().step(word, State::HalfOpen, word.reopenings(), now)?;
        Some(transition(word, next, now, Cause::Due, Evidence::default()))
    }

    /// The answer to the call that half-opened the circuit. One call reports one transition: should
    /// others have opened it again and its time be over already, it is rejected with 0.
    fn answer(&self, now: Nanos) -> Result<Ticket, Rejection> {
        loop {
            match self.look(self.place.circuit().word(), &mut || now) {
                Look::Enter(ticket) => return Ok(self.admitted(ticket)),
                Look::Reject(rejection) => return Err(self.rejected(rejection)),
                Look::Due => {
                    let rejection = Rejection { state: State::Open, retry_after: Some(0) };
                    return Err(self.rejected(rejection));
                }
                Look::Again => {}
            }
        }
    }

    fn admitted(&self, ticket: Ticket) -> Ticket {
        Self::count(&self.place.circuit().admitted);
        ticket
    }

    fn rejected(&self, rejection: Rejection) -> Rejection {
        Self::count(&self.place.circuit().rejected);
        rejection
    }
}
