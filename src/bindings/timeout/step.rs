//! A timeout in a plan: when a call has taken too long, and what becomes of it then.
#![allow(unsafe_code, reason = "a ticket owns the deadline that it has set")]

use super::Timeout;
use super::deadline::Deadline;
use super::events::{End, tell};
use super::here::{self, innermost};
use super::hosts::{self, Host};
use super::policy::Current;
use crate::bindings::clock::in_seconds;
use crate::bindings::failures::{Carried, classes, report};
use crate::bindings::plan::Came;
use crate::bindings::timeout::alarm::Verdict;
use crate::policies::timeout::Settings;
use crate::sync::Counter;
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

/// What became of its calls.
#[derive(Default)]
pub struct Counts {
    pub begun: Counter,
    pub in_time: Counter,
    pub late: Counter,
    pub timed_out: Counter,
    pub other: Counter,
    seq: Counter,
}

impl Counts {
    /// Calls let in and not ended.
    pub fn in_flight(&self) -> u64 {
        let ended = [&self.in_time, &self.late, &self.timed_out, &self.other];
        self.begun.get().saturating_sub(ended.iter().map(|count| count.get()).sum())
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.seq.bump();
        self.seq.get()
    }
}

/// A call under a timeout.
#[derive(Clone, Copy)]
pub struct Ticket {
    /// When its time is over.
    at: Nanos,
    /// The deadline that holds inside. Owned by the call; NULL: none, or not any more.
    deadline: *mut ffi::PyObject,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It runs to its end before its caller goes on, so far.
    Straight,
    /// It was handed on as an awaitable, which nobody has stepped yet.
    Adopted,
    /// It is stepped by a task, and has not been suspended.
    Stepped,
    /// Its alarm is set.
    Armed,
    /// It was made in a thread of a pool's, which was given up.
    GivenUp,
}

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

impl Ticket {
    /// When its time is over.
    pub fn at(&self) -> Nanos {
        self.at
    }

    /// Has it something to do when its call is suspended?
    #[inline(always)]
    pub fn minds_suspension(&self) -> bool {
        self.stage != Stage::Armed
    }

    /// The deadline, for the collector.
    pub fn object(&self) -> *mut ffi::PyObject {
        self.deadline
    }

    /// Is it made by steps?
    fn is_stepped(&self) -> bool {
        matches!(self.stage, Stage::Stepped | Stage::Armed)
    }

    fn deadline<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Deadline>> {
        // SAFETY: NULL, or made by us, and owned.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.deadline)?.cast_into_unchecked()) }
    }

    /// The pool did not wait for it any longer.
    pub fn given_up(&mut self) {
        self.stage = Stage::GivenUp;
    }

    fn arm(&mut self, deadline: &Bound<'_, Deadline>, host: Host<'_>) -> PyResult<()> {
        self.stage = Stage::Armed;
        deadline.get().arm_at(deadline.py(), host, self.at)
    }

    /// The call stands still, or runs on. A task's alarm is set when it first stands still: until
    /// then nobody could have cancelled it.
    pub fn suspended(&mut self, py: Python<'_>, suspended: bool) {
        let Some(deadline) = self.deadline(py) else { return };
        match (self.stage, suspended) {
            (Stage::Adopted, false) => {
                self.stage = Stage::Stepped;
                Deadline::enter(&deadline);
                if hosts::in_trio(py)
                    && let Err(error) = self.arm(&deadline, Host::Trio)
                {
                    report(py, error, deadline.as_any());
                }
            }
            (Stage::Straight | Stage::Stepped, true) => {
                let stepped = self.stage == Stage::Stepped;
                if let Some(host) = stepped.then(|| hosts::here(py).ok()).flatten() {
                    // A shield that was entered before keeps it off; it is set where it waits next.
                    if !Deadline::shielded(&deadline)
                        && let Err(error) = self.arm(&deadline, host)
                    {
                        report(py, error, deadline.as_any());
                    }
                } else {
                    // Handed on as an awaitable; or driven by hand, where there is no task to
                    // cancel, and it ends late: in both cases, who goes on here is not inside of it.
                    self.stage = Stage::Adopted;
                    Deadline::leave(&deadline);
                }
            }
            _ => {}
        }
    }

    fn let_go(&mut self) {
        let deadline = std::mem::replace(&mut self.deadline, ptr::null_mut());
        // SAFETY: owned by the call, which is over.
        unsafe { ffi::Py_XDECREF(deadline) };
    }
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
        Ticket { at, deadline: ptr::null_mut(), stage: Stage::Straight }
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
        let ours = Self::is_ours(py, ticket, came);
        ticket.let_go();
        match verdict {
            Verdict::Expired | Verdict::Late => self.time_out(py, ticket, came, clock),
            Verdict::Left(error) => {
                *came = Came::Raised(Carried::new(error));
                self.counts.other.bump();
            }
            Verdict::Cancelled => self.counts.other.bump(),
            Verdict::Quiet if ours => self.time_out(py, ticket, came, clock),
            Verdict::Quiet if ticket.stage == Stage::GivenUp => {
                self.counts.timed_out.bump();
                self.tell_timed_out(py, ticket, clock);
            }
            Verdict::Quiet => match came {
                // A task's is late whether it waited or not, as by the loop that looks first.
                Came::Returned(_) if late && ticket.is_stepped() => {
                    self.time_out(py, ticket, came, clock);
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
    fn is_ours(py: Python<'_>, ticket: &Ticket, came: &Came<'_>) -> bool {
        let Some(deadline) = ticket.deadline(py) else { return false };
        let error = match came {
            Came::Raised(error) => error.get(),
            // Further in, somebody was let in too late.
            Came::Refused(refused) => return refused.passed().is_some_and(|it| it.is(&deadline)),
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

    fn time_out<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, came: &mut Came<'_>, clock: &C) {
        self.counts.timed_out.bump();
        let error = self.error(py, ticket, clock);
        if let Came::Raised(cause) = &*came
            && let Some(cause) = cause.get()
        {
            error.set_cause(py, Some(cause.clone_ref(py)));
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
