//! What follows from an attempt's end: another after a wait, or none, and why.

use super::events::End;
use super::nest;
use super::step::Step;
use super::ticket::Ticket;
use crate::bindings::outcome::Outcome;
use crate::bindings::plan::{Came, Refused};
use crate::bindings::timeout;
use crate::outcome::Verdict;
use crate::policies::retry::{Limits, Stop, Wait};
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;

impl Step {
    /// An attempt came to its end. How long to wait before the next; None: there is none, and the
    /// call is over as far as this retry is concerned.
    #[cold]
    pub fn again<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &mut Ticket,
        came: &mut Came<'_>,
        nested: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> Option<Nanos> {
        let rules = self.rules.get();
        let verdict = match &*came {
            Came::Returned(value) if self.judges_results() => rules.judge_value(value),
            Came::Returned(_) => Verdict::Success,
            Came::Raised(error) | Came::Broken(error) => {
                error.get().map_or(Verdict::Cancelled, |error| rules.judge_error(py, error))
            }
            Came::Refused(refused) => rules.judge_refusal(py, &|| refusal(refused)),
        };
        if verdict != Verdict::Failure {
            // An error that is not tried again is no success either: it earns no retries.
            let good = verdict == Verdict::Success && matches!(came, Came::Returned(_));
            self.over(ticket, good);
            ticket.let_go(py);
            if good {
                self.good(py, ticket, came, clock);
            } else {
                self.counts.passed.bump();
            }
            return None;
        }
        let budget = self.budget.get();
        if let Some(live) = budget {
            live.core().failed();
        }
        let decided = self.decide(py, ticket, came, nested, refusal, clock).and_then(|delay| {
            if let Some(live) = budget.filter(|_| ticket.run.attempts > 1) {
                live.core().attempt_over();
            }
            let run = ticket.run;
            let elapsed = || clock.now().saturating_sub(run.began);
            self.tell(py, End::Scheduled(delay), run.attempts, &elapsed, came);
            // Who was told may have taken time.
            let limits = Limits { nested: false, deadline: deadline_here(py) };
            let still = self.settings.in_time(&run, Wait::Backoff(delay), limits, || clock.now());
            if still.is_err()
                && let Some(live) = budget.filter(|_| run.attempts == 1)
            {
                // The attempt that was permitted is not made; of a later one `over` sees to that.
                live.core().attempt_over();
            }
            still
        });
        match decided {
            Ok(delay) => {
                ticket.run.attempts += 1;
                if let Some(nest) = ticket.nest(py) {
                    nest.get().set_left(self.left(ticket));
                }
                Some(delay)
            }
            Err(why) => {
                self.gives_up(py, ticket, ticket.run.attempts, why, came, clock);
                None
            }
        }
    }

    /// There is no further attempt after `attempts`, and the call came to what the last did.
    fn gives_up<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        attempts: u32,
        why: Stop,
        came: &mut Came<'_>,
        clock: &C,
    ) {
        self.over(ticket, false);
        self.counts.stopped(why);
        ticket.let_go(py);
        let elapsed = clock.now().saturating_sub(ticket.run.began);
        self.tell(py, End::GaveUp(why), attempts, &|| elapsed, came);
        self.mark(py, why, attempts, elapsed, came);
    }

    /// The wait is over. `false`: a further attempt begins. Or it took so long that there is no time
    /// for one: the call is over, and `came` to what the attempt before did.
    pub fn is_late<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        came: &mut Came<'_>,
        clock: &C,
    ) -> bool {
        let limits = Limits { nested: false, deadline: deadline_here(py) };
        let late = self.settings.in_time(&ticket.run, Wait::Backoff(0), limits, || clock.now());
        let Err(why) = late else {
            self.counts.retries.bump();
            return false;
        };
        // The one that was waited for is counted, and had its permit, but never ran.
        self.gives_up(py, ticket, ticket.run.attempts - 1, why, came, clock);
        true
    }

    fn decide<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &mut Ticket,
        came: &Came<'_>,
        nested: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> Result<Nanos, Stop> {
        let nested = nested || nest::left_around(py, ticket.nest(py).as_ref());
        let limits = Limits { nested, deadline: deadline_here(py) };
        let run = ticket.run;
        self.settings.another(&run, limits)?;
        let elapsed = || clock.now().saturating_sub(run.began);
        let outcome = || {
            let outcome = match came {
                Came::Returned(value) => Outcome::returned(value.clone().unbind(), elapsed()),
                Came::Raised(error) | Came::Broken(error) => match error.get() {
                    Some(error) => Outcome::raised(error.clone_ref(py), py, elapsed()),
                    None => Outcome::returned(py.None(), elapsed()),
                },
                Came::Refused(refused) => Outcome::raised(refusal(refused), py, elapsed()),
            };
            outcome.after(run.attempts)
        };
        let most = self.settings.most_told();
        let wait = self.hooks.get().wait(py, ticket.extra(), came, most, &outcome)?;
        let delay = self.settings.in_time(&run, wait, limits, || clock.now())?;
        match self.budget.get() {
            Some(live) if !live.permit(py, clock) => Err(Stop::Budget),
            _ => Ok(delay),
        }
    }
}

/// When the deadline that holds here passes.
fn deadline_here(py: Python<'_>) -> Option<Nanos> {
    timeout::current(py).map(|deadline| deadline.get().at())
}
