//! A circuit breaker in a plan: how calls go in and out of it.

use super::events::tell;
use super::in_seconds;
use super::settings::{DEFAULT_OPEN, OpenFor};
use crate::bindings::convert::seconds;
use crate::bindings::failures::{classes, report};
use crate::bindings::outcome::Outcome;
use crate::bindings::random;
use crate::bindings::rules::Rules;
use crate::bindings::step::Ended;
use crate::outcome::Verdict;
use crate::policies::backoff::{self, Memory};
use crate::policies::breaker::{
    Admission, Breaker as Core, Passed, Rejection, Settled, Ticket, Transition, Trip,
};
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{PyGeneratorExit, PyKeyboardInterrupt, PySystemExit, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A circuit breaker in a plan.
pub struct Step {
    pub core: Core,
    pub rules: Py<Rules>,
    pub(super) name: Py<PyString>,
    pub(super) open_for: OpenFor,
    pub(super) judges_results: bool,
}

impl Step {
    /// Whether anybody here wants to know how long a call took.
    pub fn timed(&self) -> bool {
        self.core.timed() || matches!(self.open_for, OpenFor::Callable)
    }

    /// The way into a circuit that is not simply closed.
    #[cold]
    #[inline(never)]
    pub fn enter_unhealthy<C: Clock>(&self, clock: &C) -> Result<Ticket, Rejection> {
        match self.core.acquire(clock) {
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Rejected(rejection) => Err(rejection),
            Admission::HalfOpened(transition, admission) => {
                self.tell_attached(&transition);
                admission
            }
        }
    }

    #[inline(always)]
    pub fn returned<C: Clock>(
        &self,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        if self.judges_results {
            return self.judge_returned(*ticket, value, elapsed, clock);
        }
        let passed = self.core.pass(ticket, elapsed, clock);
        if passed != Passed::Quietly {
            self.returned_unhealthy(passed, ticket, value, elapsed, clock);
        }
    }

    #[cold]
    #[inline(never)]
    fn returned_unhealthy<C: Clock>(
        &self,
        passed: Passed,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        let settled = if passed == Passed::Unjudged {
            self.core.judge_passed(*ticket, clock)
        } else {
            self.core.settle(*ticket, Verdict::Success, elapsed, clock)
        };
        match settled {
            Settled::Stays | Settled::Late => {}
            Settled::Moved(transition) => self.tell_attached(&transition),
            Settled::Trips(trip) => self.trip_on_value(&trip, value, elapsed, clock),
        }
    }

    /// The way of everything that is not a plain, unjudged return.
    pub fn ended<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: Ticket,
        ended: &Ended<'_, '_>,
        elapsed: Nanos,
        clock: &C,
    ) {
        let rules = self.rules.get();
        let verdict = match ended {
            Ended::Returned(value) => rules.judge_value(value),
            Ended::Raised(error) => rules.judge_error(py, error),
            Ended::Refused(error) => rules.judge_refusal(py, *error),
            Ended::Dropped => Verdict::Cancelled,
        };
        // A call that somebody gave up waiting for may have been slow. One that was thrown away or
        // interrupted says nothing of the callee, however long it had been lying there.
        let judged = if interrupted(py, ended) { 0 } else { elapsed };
        match self.core.settle(ticket, verdict, judged, clock) {
            Settled::Stays | Settled::Late => {}
            Settled::Moved(transition) => self.tell(py, &transition),
            Settled::Trips(trip) => {
                let outcome = || match ended {
                    Ended::Returned(value) => Outcome::returned((*value).clone().unbind(), elapsed),
                    Ended::Raised(error) => Outcome::raised(error.clone_ref(py), py, elapsed),
                    Ended::Refused(error) => Outcome::raised(error(), py, elapsed),
                    Ended::Dropped => Outcome::raised(dropped(), py, elapsed),
                };
                self.open(py, &trip, &outcome, clock);
            }
        }
    }

    #[cold]
    #[allow(unsafe_code, reason = "a driver's result is a raw reference")]
    fn judge_returned<C: Clock>(
        &self,
        ticket: Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        // SAFETY: drivers run attached and keep the result alive while steps look at it.
        let (py, value) = unsafe {
            let py = Python::assume_attached();
            (py, Bound::from_borrowed_ptr(py, value))
        };
        self.ended(py, ticket, &Ended::Returned(&value), elapsed, clock);
    }

    #[cold]
    #[allow(unsafe_code, reason = "a driver's result is a raw reference")]
    fn trip_on_value<C: Clock>(
        &self,
        trip: &Trip,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        // SAFETY: as in `judge_returned`.
        let (py, value) = unsafe {
            let py = Python::assume_attached();
            (py, Bound::from_borrowed_ptr(py, value))
        };
        let outcome = || Outcome::returned(value.clone().unbind(), elapsed);
        self.open(py, trip, &outcome, clock);
    }

    /// Opens the circuit, after working out for how long: that may run the user's code, so the core
    /// has no part in it.
    #[cold]
    fn open<C: Clock>(
        &self,
        py: Python<'_>,
        trip: &Trip,
        outcome: &dyn Fn() -> Outcome,
        clock: &C,
    ) {
        let duration = match &self.open_for {
            OpenFor::Fixed(duration) => *duration,
            OpenFor::Backoff(shared) => random::with(py, |random| {
                let (backoff, memory) = &**shared;
                let mut memory = memory.lock();
                if trip.reopenings == 0 {
                    *memory = Memory::default();
                }
                backoff.delay(trip.reopenings, &mut memory, random)
            }),
            OpenFor::Callable => {
                self.ask_duration(py, |ask| ask.call1((Bound::new(py, outcome())?,)), None)
            }
            OpenFor::Custom(cap) => {
                self.ask_duration(py, |ask| ask.call1((trip.reopenings,)), *cap)
            }
        };
        if let Some(transition) = self.core.open(*trip, duration, clock.now()) {
            self.tell(py, &transition);
        }
    }

    fn ask_duration<'py>(
        &self,
        py: Python<'py>,
        ask: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
        cap: Option<Nanos>,
    ) -> Nanos {
        let Some(callable) = &self.rules.get().open_duration else { return DEFAULT_OPEN };
        let callable = callable.bind(py);
        let answer = || -> PyResult<Nanos> {
            let answer = ask(callable)?;
            if answer.is_none() {
                return Ok(DEFAULT_OPEN);
            }
            seconds(&answer).and_then(|seconds| backoff::bound(seconds, cap)).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "open_duration of circuit {} answered {answer}: it must answer seconds, a \
                     timedelta, or None for the default of 30 s",
                    self.name
                ))
            })
        };
        answer().unwrap_or_else(|error| {
            report(py, error, callable);
            cap.map_or(DEFAULT_OPEN, |cap| cap.min(DEFAULT_OPEN))
        })
    }

    /// The exception for a caller that was not let in.
    #[cold]
    pub fn error(&self, py: Python<'_>, rejection: &Rejection) -> PyErr {
        let retry_after = rejection.retry_after.map(in_seconds);
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.circuit_open.bind(py);
            let state = PyString::intern(py, rejection.state.as_str());
            Ok(PyErr::from_value(class.call1((&self.name, retry_after, state))?))
        };
        make().unwrap_or_else(|error| error)
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.rules.drop_ref(py);
        self.name.drop_ref(py);
    }

    #[cold]
    #[allow(unsafe_code, reason = "drivers run attached")]
    fn tell_attached(&self, transition: &Transition) {
        // SAFETY: only drivers settle, and they run attached.
        self.tell(unsafe { Python::assume_attached() }, transition);
    }

    fn tell(&self, py: Python<'_>, transition: &Transition) {
        tell(py, &self.name, self.rules.get(), transition);
    }
}

fn interrupted(py: Python<'_>, ended: &Ended<'_, '_>) -> bool {
    match ended {
        Ended::Dropped => true,
        Ended::Raised(error) => {
            error.is_instance_of::<PyKeyboardInterrupt>(py)
                || error.is_instance_of::<PySystemExit>(py)
                || error.is_instance_of::<PyGeneratorExit>(py)
        }
        Ended::Returned(_) | Ended::Refused(_) => false,
    }
}

fn dropped() -> PyErr {
    PyGeneratorExit::new_err("the call was closed before its end")
}
