//! A circuit breaker in a plan: how calls go in and out of it.

use super::circuits::Circuit;
use super::events::tell;
use super::settings::{DEFAULT_OPEN, OpenFor};
use super::{Current, probes};
use crate::bindings::clock::in_seconds;
use crate::bindings::convert::seconds;
use crate::bindings::failures::{Trail, classes, report};
use crate::bindings::gate;
use crate::bindings::outcome::Outcome;
use crate::bindings::random;
use crate::bindings::rules::Rules;
use crate::bindings::step::Ended;
use crate::bindings::timeout;
use crate::outcome::Verdict;
use crate::policies::backoff::{self, Memory};
use crate::policies::breaker::{
    Admission, Breaker as Core, Passed, Rejection, Settled, State, Ticket, Transition, Trip,
};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::exceptions::{PyGeneratorExit, PyKeyboardInterrupt, PySystemExit, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

/// The circuit that a call belongs to.
pub struct Which<'a> {
    pub core: &'a Core,
    /// Of a keyed breaker: one of its circuits.
    pub key: Option<&'a Bound<'a, Circuit>>,
}

impl<'a> Which<'a> {
    /// The breaker's only one.
    pub fn own(step: &'a Step) -> Self {
        Self { core: &step.core, key: None }
    }
}

/// A circuit breaker in a plan.
///
/// A call is judged by the rules that it came in by. What it comes to is told to the circuit as it
/// is configured when the call has ended: the window that counts then is the one it belongs in.
pub struct Step {
    pub core: Core,
    pub rules: Py<Rules>,
    judges_results: bool,
    asks_for_time: bool,
    /// The gate that the rest was read under, and where to read it again.
    gate: u64,
    current: Arc<Mutex<Current>>,
}

impl Step {
    pub(super) fn of(py: Python<'_>, current: &Arc<Mutex<Current>>, gate: u64) -> Self {
        let now = current.lock();
        Self {
            core: now.core.clone(),
            judges_results: now.rules.get().on_result.is_some(),
            asks_for_time: matches!(now.open_for, OpenFor::Callable),
            rules: now.rules.clone_ref(py),
            gate,
            current: Arc::clone(current),
        }
    }

    /// The same breaker's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>, gate: u64) -> Self {
        Self::of(py, &self.current, gate)
    }

    /// Whether anybody here wants to know how long a call took.
    pub fn timed(&self) -> bool {
        self.core.timed() || self.asks_for_time
    }

    /// Lets a call into `which`, if it may.
    #[cold]
    #[inline(never)]
    #[allow(unsafe_code, reason = "drivers run attached")]
    pub fn enter_unhealthy<C: Clock>(
        &self,
        which: &Which<'_>,
        clock: &C,
    ) -> Result<Ticket, Rejection> {
        // SAFETY: only drivers enter, and they run attached.
        let py = unsafe { Python::assume_attached() };
        let core = which.core;
        if core.state() == State::HalfOpen
            && let Some(ticket) = probes::ride(py, core)
        {
            return Ok(ticket);
        }
        let ticket = match core.acquire(clock) {
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Rejected(rejection) => Err(rejection),
            Admission::HalfOpened(transition, admission) => {
                self.tell(py, which, &transition);
                admission
            }
        }?;
        if ticket.probe() {
            probes::enter(py, core, ticket);
        }
        Ok(ticket)
    }

    /// Settles a return in the quick way, if there is nothing to think about.
    #[inline(always)]
    pub fn pass<C: Clock>(
        &self,
        core: &Core,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) -> Passed {
        if self.judges_results && !value.is_null() {
            return Passed::Not;
        }
        core.pass(ticket, elapsed, clock)
    }

    /// Settles a return that [`Step::pass`] has not.
    #[cold]
    #[allow(unsafe_code, reason = "a driver's result is a raw reference")]
    pub fn returned_unhealthy<C: Clock>(
        &self,
        passed: Passed,
        which: &Which<'_>,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        // SAFETY: drivers run attached and keep the result alive while steps look at it.
        let (py, value, judged) = unsafe {
            let py = Python::assume_attached();
            let judged = self.judges_results && !value.is_null();
            let value = if value.is_null() { ffi::Py_None() } else { value };
            (py, Bound::from_borrowed_ptr(py, value), judged)
        };
        let settled = if passed == Passed::Unjudged {
            which.core.judge_passed(*ticket, clock)
        } else {
            let verdict =
                if judged { self.rules.get().judge_value(&value) } else { Verdict::Success };
            self.settle(py, which, *ticket, verdict, elapsed, clock)
        };
        let outcome = || Outcome::returned(value.clone().unbind(), elapsed);
        self.act(py, which, &settled, &outcome, clock);
    }

    /// The way of everything that is not a plain return.
    pub fn ended<C: Clock>(
        &self,
        py: Python<'_>,
        which: &Which<'_>,
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
        // Cancelled because its time was over: that is the callee's doing.
        let timed_out =
            verdict == Verdict::Cancelled && !interrupted(py, ended) && timeout::passed(py, clock);
        let verdict = if timed_out { Verdict::Failure } else { verdict };
        // A call that somebody gave up waiting for may have been slow. One that was thrown away or
        // interrupted says nothing of the callee, however long it had been lying there.
        let judged = if interrupted(py, ended) { 0 } else { elapsed };
        let settled = self.settle(py, which, ticket, verdict, judged, clock);
        let outcome = || match ended {
            Ended::Returned(value) => Outcome::returned((*value).clone().unbind(), elapsed),
            Ended::Raised(error) => Outcome::raised(error.clone_ref(py), py, elapsed),
            Ended::Refused(error) => Outcome::raised(error(), py, elapsed),
            Ended::Dropped => Outcome::raised(dropped(), py, elapsed),
        };
        self.act(py, which, &settled, &outcome, clock);
    }

    /// The context leaves the probe that `ticket` stands for, or is inside of it again.
    pub fn suspended(py: Python<'_>, core: &Core, ticket: &Ticket, suspended: bool) {
        if ticket.probe() {
            let change = if suspended { probes::leave } else { probes::enter };
            change(py, core, *ticket);
        }
    }

    fn settle<C: Clock>(
        &self,
        py: Python<'_>,
        which: &Which<'_>,
        ticket: Ticket,
        verdict: Verdict,
        elapsed: Nanos,
        clock: &C,
    ) -> Settled {
        if ticket.probe() {
            probes::leave(py, which.core, ticket);
        }
        self.in_force(which, clock, |core| core.settle(ticket, verdict, elapsed, clock))
    }

    /// Does `tell` with the circuit as it is configured now.
    fn in_force<T, C: Clock>(
        &self,
        which: &Which<'_>,
        clock: &C,
        tell: impl FnOnce(&Core) -> T,
    ) -> T {
        if self.gate == gate::epoch(gate::word()) {
            return tell(which.core);
        }
        let core = self.current.lock().core.clone();
        match which.key {
            None => tell(&core),
            Some(key) => tell(&key.get().like(&core, clock.now())),
        }
    }

    /// Does what an outcome has brought about.
    fn act<C: Clock>(
        &self,
        py: Python<'_>,
        which: &Which<'_>,
        settled: &Settled,
        outcome: &dyn Fn() -> Outcome,
        clock: &C,
    ) {
        match settled {
            Settled::Stays | Settled::Late => {}
            Settled::Moved(transition) => self.tell(py, which, transition),
            Settled::Trips(trip) => self.open(py, which, trip, outcome, clock),
        }
    }

    /// Opens the circuit, after working out for how long: that may run the user's code, so the core
    /// has no part in it.
    #[cold]
    fn open<'py, C: Clock>(
        &self,
        py: Python<'py>,
        which: &Which<'_>,
        trip: &Trip,
        outcome: &dyn Fn() -> Outcome,
        clock: &C,
    ) {
        let (open_for, rules) = {
            let now = self.current.lock();
            (now.open_for.clone(), now.rules.bind(py).clone())
        };
        let ask = rules.get().open_duration.as_ref().map(|ask| ask.bind(py));
        let duration = match open_for {
            OpenFor::Fixed(duration) => duration,
            OpenFor::Backoff(shared) => random::with(py, |random| {
                let (backoff, memory) = &*shared;
                let memory = which.key.map_or(memory, |key| &key.get().delays);
                let mut memory = memory.lock();
                if trip.reopenings == 0 {
                    *memory = Memory::default();
                }
                backoff.delay(trip.reopenings, &mut memory, random)
            }),
            OpenFor::Callable => {
                let ask_about = |ask: &Bound<'py, PyAny>| {
                    let outcome = Bound::new(py, outcome())?;
                    // It may raise the caller's own exception again, in looking at it.
                    let error = outcome.get().error(py).map(|error| error.into_bound(py));
                    let trail = error.as_ref().and_then(Trail::of);
                    let answer = ask.call1((outcome,));
                    if let Some(trail) = trail {
                        trail.put_back();
                    }
                    answer
                };
                self.ask_duration(ask, ask_about, None)
            }
            OpenFor::Custom(cap) => {
                self.ask_duration(ask, |ask| ask.call1((trip.reopenings,)), cap)
            }
        };
        let opened = self.in_force(which, clock, |core| core.open(*trip, duration, clock.now()));
        if let Some(transition) = opened {
            self.tell(py, which, &transition);
        }
    }

    fn ask_duration<'py>(
        &self,
        callable: Option<&Bound<'py, PyAny>>,
        ask: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
        cap: Option<Nanos>,
    ) -> Nanos {
        let Some(callable) = callable else { return DEFAULT_OPEN };
        let py = callable.py();
        let answer = || -> PyResult<Nanos> {
            let answer = ask(callable)?;
            if answer.is_none() {
                return Ok(DEFAULT_OPEN);
            }
            let fits = |seconds: &f64| *seconds > 0.0 && seconds.is_finite();
            let given = seconds(&answer).filter(fits);
            given.and_then(|seconds| backoff::bound(seconds, cap)).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "open_duration of circuit {} answered {answer}: it must answer more than 0 \
                     seconds, a timedelta, or None for the default of 30 s",
                    self.name(py)
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
    pub fn error(
        &self,
        py: Python<'_>,
        key: Option<&Bound<'_, Circuit>>,
        rejection: &Rejection,
    ) -> PyErr {
        let retry_after = rejection.retry_after.map(in_seconds);
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.circuit_open.bind(py);
            let state = PyString::intern(py, rejection.state.as_str());
            let error = match key {
                None => class.call1((self.name(py), retry_after, state))?,
                Some(key) => class.call1((self.name(py), retry_after, state, &key.get().key))?,
            };
            Ok(PyErr::from_value(error))
        };
        make().unwrap_or_else(|error| error)
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.rules.drop_ref(py);
        // The plan may have outlived the breaker.
        if let Some(current) = Arc::into_inner(self.current) {
            let current = current.into_inner();
            current.rules.drop_ref(py);
            current.name.drop_ref(py);
        }
    }

    fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }

    fn tell(&self, py: Python<'_>, which: &Which<'_>, transition: &Transition) {
        if let Some(circuit) = which.key {
            circuit.get().whole.moved(transition);
        }
        self.publish(py, which.key, transition);
    }

    /// Lets a transition be heard, whose circuit is counted where it is.
    pub(super) fn publish(
        &self,
        py: Python<'_>,
        circuit: Option<&Bound<'_, Circuit>>,
        transition: &Transition,
    ) {
        tell(py, &self.name(py), circuit, self.rules.get(), transition);
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
