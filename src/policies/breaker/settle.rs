//! The way out.

use super::judge::Verdict as Trial;
use super::report::{Cause, Evidence, Settled, Ticket, Transition, Trip};
use super::words::Word;
use super::{Breaker, Place, State, Window};
use crate::outcome::Verdict;
use crate::sync::{Counter, Ordering};
use crate::time::{Clock, Nanos};
use crate::window::buckets::{Buckets, Dropped};
use crate::window::{Outcome, Totals};

/// What recording an outcome came to.
enum Recorded {
    /// It can't have brought a rate up.
    Quietly,
    /// The window must be judged.
    Judge,
    /// The generation has passed.
    Late,
}

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
        let slow = self.settings.slow_call_duration.is_some_and(|most| elapsed >= most);
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
            _ if !told => Settled::Stays,
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
        let Some((tally, decided)) = self.tally(word.generation(), outcome) else {
            return Settled::Late;
        };
        let evidence = self.evidence(&tally.totals());
        match decided {
            Trial::Close => {
                let now = clock.now();
                match self.place.circuit().step(word, State::Closed, 0, now) {
                    Some(next) => {
                        Settled::Moved(transition(word, next, now, Cause::Recovered, evidence))
                    }
                    None => Settled::Stays,
                }
            }
            Trial::Undecided if !self.settings.streak_reached(streak) => Settled::Stays,
            _ => Settled::Trips(trip(word, Cause::Probe, evidence)),
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

    #[inline]
    fn record(
        &self,
        window: &Window<'_>,
        generation: u64,
        outcome: Outcome,
        clock: &impl Clock,
    ) -> Recorded {
        let current = || self.place.circuit().current(generation);
        match window {
            Window::None => Recorded::Quietly,
            Window::Count(ring) => {
                if outcome.good() && ring.marks.clean(generation) {
                    return Recorded::Quietly;
                }
                if !outcome.good() {
                    ring.marks.begin();
                }
                let appended = ring.append(generation, outcome, current);
                if !outcome.good() {
                    ring.marks.end();
                }
                match appended {
                    None => Recorded::Late,
                    Some(appended) => {
                        if appended.lap_done {
                            ring.look(generation);
                        }
                        let first = appended.calls == self.settings.min_calls.into();
                        if outcome.good() && !first && !self.unjudged() {
                            Recorded::Quietly
                        } else {
                            Recorded::Judge
                        }
                    }
                }
            }
            Window::Time(buckets) => {
                if !outcome.good() {
                    buckets.marks.begin();
                }
                let appended = buckets.append(generation, outcome, clock, current);
                if !outcome.good() {
                    buckets.marks.end();
                }
                match appended {
                    Err(Dropped::Late) => Recorded::Late,
                    Err(Dropped::Old) => Recorded::Quietly,
                    Ok(()) if outcome.good() && buckets.marks.clean(generation) => {
                        Recorded::Quietly
                    }
                    Ok(()) => Recorded::Judge,
                }
            }
        }
    }

    #[cold]
    fn judge(&self, window: &Window<'_>, word: Word, streak: u64, clock: &impl Clock) -> Settled {
        self.unjudged.store(0, Ordering::Relaxed);
        let totals = match window {
            Window::None => None,
            Window::Count(ring) => Some(ring.totals(word.generation())),
            Window::Time(buckets) => Some(look(buckets, word.generation(), clock)),
        };
        let rate = totals.and_then(|totals| self.settings.rate_reached(&totals));
        let cause = if self.settings.streak_reached(streak) {
            Cause::ConsecutiveFailures
        } else if let Some(cause) = rate {
            cause
        } else {
            return Settled::Stays;
        };
        let evidence = match totals {
            Some(totals) => self.evidence(&totals),
            None => Evidence { calls: streak, ..Evidence::default() },
        };
        if word.state() != State::MetricsOnly {
            return Settled::Trips(trip(word, cause, evidence));
        }
        let now = clock.now();
        match self.place.circuit().step(word, State::MetricsOnly, 0, now) {
            Some(next) => Settled::Moved(transition(word, next, now, cause, evidence)),
            None => Settled::Stays,
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

/// The window's totals; remembers it if they hold nothing bad.
fn look(buckets: &Buckets<'_>, generation: u64, clock: &impl Clock) -> Totals {
    // The clock is read after `quiet`: what was bad by then lies in no later bucket.
    let quiet = buckets.marks.quiet();
    let totals = buckets.totals(generation, clock);
    if let Some(quiet) = quiet
        && totals.failures + totals.slow == 0
    {
        buckets.marks.claim(generation, quiet);
    }
    totals
}

fn trip(word: Word, cause: Cause, evidence: Evidence) -> Trip {
    let again = word.state() == State::HalfOpen;
    Trip {
        generation: word.generation(),
        reopenings: word.reopenings().saturating_add(again.into()).into(),
        cause,
        failure_rate: evidence.failure_rate,
        slow_call_rate: evidence.slow_call_rate,
        calls: evidence.calls,
    }
}

/// A transition that has happened, to tell.
pub(super) fn transition(
    from: Word,
    to: Word,
    at: Nanos,
    cause: Cause,
    evidence: Evidence,
) -> Transition {
    Transition {
        from: from.state(),
        to: to.state(),
        generation: to.generation(),
        at,
        cause,
        failure_rate: evidence.failure_rate,
        slow_call_rate: evidence.slow_call_rate,
        calls: evidence.calls,
        open_duration: None,
    }
}
