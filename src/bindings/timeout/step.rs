//! A timeout in a plan: when a call has taken too long, and what becomes of it then.

use super::Timeout;
use super::counts::Counts;
use super::deadline::Deadline;
use super::events::{End, tell};
use super::here::{self, innermost};
use super::hosts::{self, Host};
use super::policy::Current;
use super::ticket::{Stage, Ticket};
use crate::bindings::clock::in_seconds;
use crate::bindings::failures::{Carried, classes, report};
use crate::bindings::plan::{Came, Refused};
use crate::bindings::timeout::alarm::Verdict;
use crate::policies::timeout::Settings;
use crate::time::{Clock, LATEST, Nanos, SECOND};
use parking_lot::Mutex;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;
use std::sync::Arc;

/// From such a limit on, half of it is more than a kernel's ticks are ever apart.
const COARSE: Nanos = SECOND / 10;

/// A timeout in a plan.
pub struct Step {
    settings: Settings,
    name: Py<PyString>,
    pub(super) on_event: Option<Py<PyAny>>,
    pool: Option<Py<PyAny>>,
    pub(super) counts: Arc<Counts>,
    current: Arc<Mutex<Current>>,
    /// Does it ask, before the others of its plan, whether there is time left?
    pub asks_time: bool,
}

impl Step {
    pub(super) fn of(py: Python<'_>, current: &Arc<Mutex<Current>>, counts: &Arc<Counts>) -> Self {
        let now = current.lock();
        let copy = |object: &Option<Py<PyAny>>| object.as_ref().map(|it| it.clone_ref(py));
        Self {
            settings: now.settings,
            name: now.name.clone_ref(py),
            on_event: copy(&now.on_event),
            pool: copy(&now.pool),
            counts: Arc::clone(counts),
            current: Arc::clone(current),
            asks_time: true,
        }
    }

    /// The same timeout's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        Self::of(py, &self.current, &self.counts)
    }

    /// The pool whose threads run the calls, if they don't run here, and for how long.
    pub fn pool<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, f64)> {
        let pool = self.pool.as_ref()?.bind(py).clone();
        Some((pool, in_seconds(self.settings.limit)))
    }

    /// Does it run calls in threads of its own?
    pub fn pooled(&self) -> bool {
        self.pool.is_some()
    }

    /// The deadline around that leaves no time for the call.
    #[inline(always)]
    pub fn late<C: Clock>(&self, clock: &C) -> Option<Py<Deadline>> {
        let passed = if self.asks_time { here::over(clock) } else { None };
        if passed.is_some() {
            self.counts.begun.bump();
            self.counts.other.bump();
        }
        passed
    }

    /// Lets a call in.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, clock: &C) -> Ticket {
        self.counts.begun.bump();
        let at = clock.now().saturating_add(self.settings.limit).min(LATEST);
        Ticket::new(at)
    }

    /// The work begins, inside of `outer`: inside of the deadline that is given back, which the
    /// context is not told of here. `stepped`: by steps of a task.
    pub fn works<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        outer: Option<Bound<'py, Deadline>>,
        stepped: bool,
    ) -> PyResult<Option<Bound<'py, Deadline>>> {
        if self.pooled() && !stepped {
            // The thread that runs it is not waited for any longer: nothing else need stop it.
            return Ok(outer);
        }
        let deadline = self.bound(py, ticket, outer)?;
        if stepped {
            ticket.stage = Stage::Stepped;
            if hosts::in_trio(py) {
                ticket.arm(&deadline, Host::Trio)?;
            }
        }
        Ok(Some(deadline))
    }

    /// A thread gave back an awaitable: that is bounded as any other is.
    pub fn adopts(&self, py: Python<'_>, ticket: &mut Ticket) -> PyResult<()> {
        if ticket.deadline.is_null() {
            self.bound(py, ticket, innermost(py))?;
            ticket.stage = Stage::Adopted;
        }
        Ok(())
    }

    fn bound<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        outer: Option<Bound<'py, Deadline>>,
    ) -> PyResult<Bound<'py, Deadline>> {
        let name = self.name(py).into_any().unbind();
        let deadline = Deadline::bounded(py, ticket.at, self.settings.limit, name, outer)?;
        ticket.deadline = deadline.clone().into_ptr();
        Ok(deadline)
    }

    /// The work came to its end: in time, late, or because its time was over.
    #[cold]
    pub fn exit<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &mut Ticket,
        came: &mut Came<'_>,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) {
        let late = self.is_late(ticket, clock);
        let mut verdict = Verdict::Quiet;
        if let Some(deadline) = ticket.deadline(py) {
            if ticket.stage == Stage::Armed {
                let error = match &*came {
                    Came::Raised(error) | Came::Broken(error) => error.get(),
                    Came::Returned(_) | Came::Refused(_) => None,
                };
                verdict = deadline.get().settle_alarm(py, error).unwrap_or_else(|error| {
                    report(py, error, deadline.as_any());
                    Verdict::Quiet
                });
            }
            deadline.get().finish();
        }
        let ours = Self::is_ours(py, ticket, came, late);
        ticket.let_go();
        match verdict {
            Verdict::Expired | Verdict::Late => self.time_out(py, ticket, came, refusal, clock),
            Verdict::Left(error) => {
                *came = Came::Raised(Carried::new(error));
                self.counts.other.bump();
            }
            Verdict::Cancelled => self.counts.other.bump(),
            Verdict::Quiet if ours => self.time_out(py, ticket, came, refusal, clock),
            Verdict::Quiet if ticket.stage == Stage::GivenUp => {
                self.counts.timed_out.bump();
                self.tell_timed_out(py, ticket, clock);
            }
            Verdict::Quiet => match came {
                // A task's is late whether it waited or not, as by the loop that looks first.
                Came::Returned(_) if late && ticket.is_stepped() => {
                    self.time_out(py, ticket, came, refusal, clock);
                }
                Came::Returned(_) if late => {
                    self.counts.late.bump();
                    let elapsed = self.elapsed(ticket, clock);
                    tell(
                        py,
                        self,
                        &End { kind: "timeout.late", elapsed, limit: self.settings.limit },
                    );
                }
                Came::Returned(_) => self.counts.in_time.bump(),
                _ => self.counts.other.bump(),
            },
        }
    }

    /// Is the time over? Nearly always it is so far from over that the kernel's last tick can tell.
    #[inline(always)]
    fn is_late<C: Clock>(&self, ticket: &Ticket, clock: &C) -> bool {
        let far =
            self.settings.limit >= COARSE && clock.coarse().saturating_add(COARSE / 2) < ticket.at;
        !far && clock.now() >= ticket.at
    }

    /// The call was dropped, or came to a good end without asking.
    pub fn ended(&self, py: Python<'_>, ticket: &mut Ticket, good: bool) {
        if let Some(deadline) = ticket.deadline(py) {
            if let Err(error) = deadline.get().end_alarm(py) {
                report(py, error, deadline.as_any());
            }
            deadline.get().finish();
        }
        ticket.let_go();
        if good { self.counts.in_time.bump() } else { self.counts.other.bump() }
    }

    /// Did something inside give up because of the deadline that this has set?
    fn is_ours(py: Python<'_>, ticket: &Ticket, came: &Came<'_>, late: bool) -> bool {
        let Some(deadline) = ticket.deadline(py) else { return false };
        let error = match came {
            Came::Raised(error) => error.get(),
            // Further in, somebody was let in too late.
            Came::Refused(refused) => {
                return (late && refused.out_of_time())
                    || refused.passed().is_some_and(|it| it.is(&deadline));
            }
            Came::Returned(_) | Came::Broken(_) => None,
        };
        let Some(error) = error else { return false };
        let exceeded = classes(py).is_ok_and(|known| {
            error.matches(py, known.deadline_exceeded.bind(py)).unwrap_or(false)
        });
        exceeded
            && error
                .value(py)
                .getattr(intern!(py, "_deadline"))
                .is_ok_and(|passed| passed.is(&deadline))
    }

    fn elapsed<C: Clock>(&self, ticket: &Ticket, clock: &C) -> Nanos {
        clock.now().saturating_sub(ticket.at.saturating_sub(self.settings.limit))
    }

    fn time_out<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        came: &mut Came<'_>,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) {
        self.counts.timed_out.bump();
        let error = self.error(py, ticket, clock);
        let cause = match &*came {
            Came::Raised(cause) => cause.get().map(|cause| cause.clone_ref(py)),
            Came::Refused(refused) if refused.out_of_time() => Some(refusal(refused)),
            Came::Refused(_) | Came::Returned(_) | Came::Broken(_) => None,
        };
        if cause.is_some() {
            error.set_cause(py, cause);
        }
        *came = Came::Raised(Carried::new(error));
        self.tell_timed_out(py, ticket, clock);
    }

    fn tell_timed_out<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, clock: &C) {
        let elapsed = self.elapsed(ticket, clock);
        tell(py, self, &End { kind: "timeout.timed_out", elapsed, limit: self.settings.limit });
    }

    /// The error of a call that took too long.
    pub fn error<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, clock: &C) -> PyErr {
        let elapsed = in_seconds(self.elapsed(ticket, clock));
        let limit = in_seconds(self.settings.limit);
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.call_timeout.bind(py);
            Ok(PyErr::from_value(class.call1((self.name(py), limit, elapsed))?))
        };
        make().unwrap_or_else(|error| error)
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.name.drop_ref(py);
        for object in [self.on_event, self.pool].into_iter().flatten() {
            object.drop_ref(py);
        }
        // The plan may have outlived the timeout.
        if let Some(current) = Arc::into_inner(self.current) {
            current.into_inner().release(py);
        }
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 2] {
        let of = |object: &Option<Py<PyAny>>| object.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        [of(&self.on_event), of(&self.pool)]
    }

    pub(super) fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.name.bind(py).clone()
    }
}

impl Timeout {
    /// The step this timeout contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>) -> Step {
        Step::of(py, &self.current, &self.counts)
    }
}
