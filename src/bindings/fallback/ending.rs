//! What follows from how a call ended: whether it is answered for, and from where.

use super::asking::take_failure;
use super::events::{Own, Told};
use super::settings::used_up;
use super::step::Step;
use super::ticket::Ticket;
use crate::bindings::failures::{discard, exception, report};
use crate::bindings::plan::{Came, Refused};
use crate::bindings::rules::interrupts;
use crate::outcome::Verdict;
use crate::policies::fallback::{Kept, Shelf, Stage};
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

impl Step {
    /// The call came to an end, or the provider did that was asked in its place. True: the next is
    /// to be asked, by [`Step::ask`]. `degraded`: a fallback further in has answered.
    #[cold]
    pub fn settle<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        came: &mut Came<'py>,
        degraded: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> bool {
        let asks = match ticket.stage {
            Stage::Asked(provider) => self.provided(py, ticket, provider, came),
            _ => self.own(py, ticket, came, degraded, refusal, clock),
        };
        if !asks {
            ticket.let_go();
        }
        asks
    }

    fn own<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        came: &mut Came<'py>,
        degraded: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> bool {
        let rules = self.rules();
        let failed = match &*came {
            Came::Returned(value) => {
                if rules.judge_value(value) == Verdict::Success {
                    ticket.stage = Stage::Passed;
                    self.counts.success.bump();
                    if !degraded {
                        self.keep(py, ticket, value, clock);
                    }
                    return false;
                }
                true
            }
            Came::Raised(error) | Came::Broken(error) => {
                error.get().is_some_and(|error| rules.means(py, error))
            }
            Came::Refused(_) if rules.mean_all() => true,
            Came::Refused(refused) => {
                let error = refusal(refused);
                let meant = rules.means(py, &error);
                discard(py, error);
                meant
            }
        };
        if !failed {
            ticket.stage = Stage::Passed;
            self.counts.passed.bump();
            return false;
        }
        if let Some((answer, age)) = self.remembered(py, ticket, clock) {
            ticket.stage = Stage::Remembered;
            self.counts.stale.bump();
            let own = self.own_end(py, came, refusal);
            self.tell(py, &Told::Stale(age, self.said(py, ticket)), &own);
            *came = Came::Returned(answer);
            return false;
        }
        if let Some(next) = self.settings.next(ticket.stage) {
            ticket.stage = next;
            return true;
        }
        ticket.stage = Stage::Passed;
        self.counts.failed.bump();
        let own = self.own_end(py, came, refusal);
        self.tell(py, &Told::Failed(&PyTuple::empty(py)), &own);
        false
    }

    fn own_end<'py>(
        &self,
        py: Python<'py>,
        came: &Came<'py>,
        refusal: &dyn Fn(&Refused) -> PyErr,
    ) -> Own<'py> {
        if !self.is_heard() {
            return Own::default();
        }
        match came {
            Came::Returned(value) => Own { error: None, value: Some(value.clone()) },
            Came::Raised(error) | Came::Broken(error) => {
                let error = error.get().map(|error| error.value(py).clone().into_any());
                Own { error, value: None }
            }
            Came::Refused(refused) => {
                let error = exception(py, refusal(refused));
                Own { error: Some(error.into_any()), value: None }
            }
        }
    }

    /// The provider of this number came to an end.
    fn provided<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        provider: u16,
        came: &mut Came<'py>,
    ) -> bool {
        let failed = match &*came {
            Came::Returned(_) => {
                ticket.stage = Stage::Provided;
                self.used(py, ticket, provider);
                return false;
            }
            Came::Raised(error) => error.get().is_some_and(|it| !interrupts(py, it)),
            Came::Broken(_) | Came::Refused(_) => false,
        };
        if !failed {
            // Whoever cancels the provider cancels the call.
            ticket.stage = Stage::Passed;
            self.counts.passed.bump();
            return false;
        }
        if let Some(next) = self.settings.next(ticket.stage) {
            ticket.stage = next;
            return true;
        }
        ticket.stage = Stage::Passed;
        self.counts.failed.bump();
        let Some(episode) = ticket.episode(py) else { return false };
        take_failure(py, &episode, came);
        let failures = episode.get().failures(py).unwrap_or_else(|error| {
            discard(py, error);
            PyTuple::empty(py)
        });
        let own = Own::of(py, Some(&episode));
        *came = episode.get().end(py);
        self.tell(py, &Told::Failed(&failures), &own);
        false
    }

    /// Remembers what the call with `ticket` returned.
    fn keep<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, value: &Bound<'_, PyAny>, clock: &C) {
        let (Some(memory), Some(key)) = (&self.memory, ticket.key(py)) else { return };
        if ticket.adopted || used_up(value) {
            self.counts.unkept.bump();
            return;
        }
        let kept = Kept { answer: value.clone(), at: clock.now() };
        let put = ticket.same_key(&key).and_then(|same| {
            if same {
                return memory.get().keep(&key, kept);
            }
            self.counts.unkeyed.bump();
            Ok(())
        });
        if let Err(error) = put {
            report(py, error, &key);
        }
    }

    /// What is remembered of the call with `ticket`, and how old it is.
    fn remembered<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &Ticket,
        clock: &C,
    ) -> Option<(Bound<'py, PyAny>, Nanos)> {
        let key = ticket.key(py).filter(|_| !ticket.adopted)?;
        let memory = self.memory.as_ref()?.bind(py).get();
        let found =
            ticket.same_key(&key).and_then(|same| if same { memory.last(&key) } else { Ok(None) });
        match found {
            Ok(kept) => {
                let kept = kept?;
                let age = self.settings.age(&kept, clock.now())?;
                // Of the interpreter's lifetime, not of the look.
                Some((kept.answer.unbind().into_bound(py), age))
            }
            Err(error) => {
                report(py, error, &key);
                None
            }
        }
    }

    /// The key of the call with `ticket`, as `key=` said it.
    fn said<'py>(&self, py: Python<'py>, ticket: &Ticket) -> Option<Bound<'py, PyAny>> {
        self.source.as_ref()?;
        let key = ticket.key(py)?.cast_into::<PyTuple>().ok()?;
        key.get_item(key.len().checked_sub(1)?).ok()
    }
}
