//! The way out.

use super::judge::Verdict as Trial;
use super::record::Recorded;
use super::report::{Cause, Settled, Ticket, transition, trip};
use super::words::Word;
use super::{Breaker, Place, State, Window};
use crate::outcome::Verdict;
use crate::sync::Counter;
use crate::time::{Clock, Nanos};
use crate::window::Outcome;

impl<P: Place> Breaker<P> {
    /// Says how an admitted call ended. `elapsed` matters only where [`Breaker::timed`].
    ///
    /// Neither an ignored nor a cancelled call says anything about what is behind the circuit; but
    /// a cancelled one that had run for longer than a call should was slow.
    #[inline]
    pub fn settle(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        elapsed: Nanos,
        clock: &impl Clock,
    ) -> Settled {
        let slow = elapsed >= self.slow_from;
        let word = self.place.circuit().word();
        // A closed circuit's word is its generation. A probe's ticket is never of a closed one.
        if verdict == Verdict::Success && !slow && word.0 == ticket.generation {
            return self.settle_success(word, clock);
        }
        self.settle_otherwise(word, ticket, verdict, slow, clock)
    }

    #[inline]
    fn settle_success(&self, word: Word, clock: &impl Clock) -> Settled {
        let generation = word.generation();
        self.place.circuit().succeed(generation);
        if self.spared(generation) {
            Self::count(&self.place.circuit().success);
            return Settled::Stays;
        }
        self.settle_recorded(word, clock)
    }

    #[inline(never)]
    fn settle_recorded(&self, word: Word, clock: &impl Clock) -> Settled {
        let generation = word.generation();
        let window = self.window();
        match self.record(&window, generation, Outcome::default(), clock) {
            Recorded::Quietly => {}
            Recorded::Judge => return self.judge_success(&window, word, clock),
            Recorded::Late => return self.late(),
        }
        Self::count(&self.place.circuit().success);
        Settled::Stays
    }

    #[cold]
    fn judge_success(&self, window: &Window<'_>, word: Word, clock: &impl Clock) -> Settled {
        Self::count(&self.place.circuit().success);
        self.judge(window, word, 0, clock)
    }

    #[cold]
    fn settle_otherwise(
        &self,
        word: Word,
        ticket: Ticket,
        verdict: Verdict,
        slow: bool,
        clock: &impl Clock,
    ) -> Settled {
        let held = ticket.lease == 0 || self.release(ticket);
        if !held || word.generation() != ticket.generation {
            return self.late();
        }
        let outcome = Outcome { failed: verdict == Verdict::Failure, slow };
        let told = match verdict {
            Verdict::Ignored => false,
            Verdict::Cancelled => slow,
            Verdict::Success | Verdict::Failure => true,
        };
        let settled = match word.state() {
            _ if !told || ticket.rides() => Settled::Stays,
            State::Closed | State::MetricsOnly => {
                self.settle_watched(word, verdict, outcome, clock)
            }
            State::HalfOpen => self.settle_probe(word, verdict, outcome, clock),
            State::Disabled => Settled::Stays,
            // Neither admits anybody: such a ticket is none of theirs.
            State::Open | State::ForcedOpen => Settled::Late,
        };
        self.tell(settled, verdict, slow)
    }

    /// Counts a call by how it ended, or as late.
    fn tell(&self, settled: Settled, verdict: Verdict, slow: bool) -> Settled {
        let circuit = self.place.circuit();
        if matches!(settled, Settled::Late) {
            return self.late();
        }
        Self::count(match verdict {
            Verdict::Success => &circuit.success,
            Verdict::Failure => &circuit.failure,
            Verdict::Ignored => &circuit.ignored,
            Verdict::Cancelled => &circuit.cancelled,
        });
        if slow && verdict != Verdict::Ignored {
            Self::count(&circuit.slow);
        }
        settled
    }

    fn settle_watched(
        &self,
        word: Word,
        verdict: Verdict,
        outcome: Outcome,
        clock: &impl Clock,
    ) -> Settled {
        let Some(streak) = self.streak(word, verdict) else { return Settled::Late };
        let window = self.window();
        match self.record(&window, word.generation(), outcome, clock) {
            Recorded::Late => Settled::Late,
            Recorded::Quietly if !self.settings.streak_reached(streak) => Settled::Stays,
            _ => self.judge(&window, word, streak, clock),
        }
    }

    fn settle_probe(
        &self,
        word: Word,
        verdict: Verdict,
        outcome: Outcome,
        clock: &impl Clock,
    ) -> Settled {
        let Some(streak) = self.streak(word, verdict) else { return Settled::Late };
        let broken = self.settings.streak_reached(streak);
        let Some((tally, decided)) = self.tally(word.generation(), outcome, broken) else {
            return Settled::Late;
        };
        let evidence = self.evidence(&tally.totals());
        match decided {
            Trial::Undecided => Settled::Stays,
            Trial::Reopen => Settled::Trips(trip(word, Cause::Probe, evidence)),
            Trial::Close => {
                let now = clock.now();
                match self.place.circuit().step(word, State::Closed, 0, now) {
                    Some(next) => {
                        Settled::Moved(transition(word, next, now, Cause::Recovered, evidence))
                    }
                    None => Settled::Stays,
                }
            }
        }
    }

    /// The failures in a row with this outcome; 0 after a good one. `None`: late.
    fn streak(&self, word: Word, verdict: Verdict) -> Option<u64> {
        let circuit = self.place.circuit();
        match verdict {
            Verdict::Failure => circuit.fail(word.generation()),
            Verdict::Success => {
                circuit.succeed(word.generation());
                Some(0)
            }
            Verdict::Ignored | Verdict::Cancelled => Some(0),
        }
    }

    #[cold]
    fn late(&self) -> Settled {
        Self::count(&self.place.circuit().late);
        Settled::Late
    }

    #[inline]
    pub(super) fn count(counter: &Counter) {
        if P::SHARED { counter.bump_shared() } else { counter.bump() }
    }
}
