//! The circuit breaker's face to the drivers and to Python.

use super::clock::ambient;
use super::convert::{Duration, Reader, Window, seconds};
use super::failures::{classes, config_error, report};
use super::gate;
use super::guard::Guard;
use super::outcome::Outcome;
use super::random;
use super::rules::Rules;
use super::step::Ended;
use crate::error::Problem;
use crate::outcome::Verdict;
use crate::policies::backoff::{self, Backoff, Memory};
use crate::policies::breaker::{
    Admission, Breaker as Core, Draft, DraftWindow, Passed, Rejection, Settings, Settled, Ticket,
    Transition, Trip, WindowSize,
};
use crate::time::{Clock, Nanos, SECOND};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long the circuit stays open.
#[derive(Clone, Copy)]
enum OpenFor {
    Fixed(Nanos),
    Backoff(Backoff),
    /// Ask `Rules::open_duration` about the outcome.
    Callable,
    /// Ask it for the delay of that number, and cut its answer here.
    Custom(Option<Nanos>),
}

/// Also what stands in for a callable's answer that is none.
const DEFAULT_OPEN: Nanos = 30 * SECOND;

/// A circuit breaker in a plan.
pub struct Step {
    pub core: Core,
    pub rules: Py<Rules>,
    name: Py<PyString>,
    open_for: OpenFor,
    memory: Arc<Mutex<Memory>>,
    judges_results: bool,
}

impl Step {
    /// Frees the Python objects that it holds.
    pub fn let_go(self, py: Python<'_>) {
        self.rules.drop_ref(py);
        self.name.drop_ref(py);
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
        ticket: Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        if self.judges_results {
            return self.judge_returned(ticket, value, elapsed, clock);
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
        ticket: Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        let settled = if passed == Passed::Unjudged {
            self.core.judge_passed(ticket, clock)
        } else {
            self.core.settle(ticket, Verdict::Success, elapsed, clock)
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
        match self.core.settle(ticket, verdict, elapsed, clock) {
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
        let duration = match self.open_for {
            OpenFor::Fixed(duration) => duration,
            OpenFor::Backoff(backoff) => random::with(py, |random| {
                let mut memory = self.memory.lock();
                if trip.reopenings == 0 {
                    *memory = Memory::default();
                }
                backoff.delay(trip.reopenings, &mut memory, random)
            }),
            OpenFor::Callable => {
                self.ask_duration(py, |ask| ask.call1((Bound::new(py, outcome())?,)), None)
            }
            OpenFor::Custom(cap) => self.ask_duration(py, |ask| ask.call1((trip.reopenings,)), cap),
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

fn dropped() -> PyErr {
    pyo3::exceptions::PyGeneratorExit::new_err("the call was closed before its end")
}

static LISTENING: AtomicBool = AtomicBool::new(false);

/// Says whether anybody but a policy's own `on_event` wants to hear of events.
#[pyfunction]
pub fn listening(on: bool) {
    LISTENING.store(on, Ordering::Relaxed);
}

/// Tells whoever listens. Nothing is built when nobody does.
#[cold]
fn tell(py: Python<'_>, name: &Py<PyString>, rules: &Rules, transition: &Transition) {
    if rules.on_event.is_none() && !LISTENING.load(Ordering::Relaxed) {
        return;
    }
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.breaker.events")?;
        let facts = PyDict::new(py);
        facts.set_item("name", name)?;
        facts.set_item("seq", transition.generation)?;
        facts.set_item("at", in_seconds(transition.at))?;
        facts.set_item("wall", ambient(py).wall())?;
        facts.set_item("before", transition.from.as_str())?;
        facts.set_item("after", transition.to.as_str())?;
        facts.set_item("cause", transition.cause.as_str())?;
        facts.set_item("failure_rate", transition.failure_rate)?;
        facts.set_item("slow_call_rate", transition.slow_call_rate)?;
        facts.set_item("calls", transition.calls)?;
        facts.set_item("open_duration", transition.open_duration.map(in_seconds))?;
        let listener = rules.on_event.as_ref().map(|listener| listener.bind(py));
        events.call_method1(intern!(py, "tell"), (listener, facts))?;
        Ok(())
    };
    if let Err(error) = deliver() {
        report(py, error, name.bind(py).as_any());
    }
}

fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// A breaker as it is configured now.
struct Current {
    core: Core,
    rules: Py<Rules>,
    open_for: OpenFor,
    name: Py<PyString>,
}

/// The native part of `seawall.CircuitBreaker`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Breaker {
    current: Mutex<Current>,
    memory: Arc<Mutex<Memory>>,
}

/// Everything a mapping of settings says, checked.
struct Read {
    settings: Settings,
    open_for: OpenFor,
    rules: Rules,
}

fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let open_for = reader.duration_or_backoff("open_duration");
    let draft = Draft {
        failure_threshold: reader.count("failure_threshold"),
        failure_rate: reader.number("failure_rate"),
        slow_call_rate: reader.number("slow_call_rate"),
        slow_call_duration: reader.seconds("slow_call_duration"),
        window: reader.window("window").map(|window| match window {
            Window::Calls(calls) => DraftWindow::Calls(calls),
            Window::Seconds(seconds) => DraftWindow::Seconds(seconds),
        }),
        min_calls: reader.count("min_calls"),
        open_duration: match &open_for {
            Some(Duration::Seconds(seconds)) => Some(*seconds),
            _ => None,
        },
        half_open_calls: reader.count("half_open_calls"),
        success_threshold: reader.count("success_threshold"),
        half_open_max_duration: reader.seconds("half_open_max_duration"),
    };
    let mut rules = Rules {
        on: reader.exceptions("on"),
        ignore: reader.exceptions("ignore"),
        on_result: reader.callable("on_result"),
        on_event: reader.callable("on_event"),
        open_duration: None,
    };
    // Settings of the wrong kind were left out of the draft, where they would look absent: what
    // the draft then finds missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let open_for =
        match open_for {
            None => OpenFor::Fixed(DEFAULT_OPEN),
            Some(Duration::Seconds(given)) => {
                OpenFor::Fixed(crate::time::seconds(given).unwrap_or(DEFAULT_OPEN))
            }
            Some(Duration::Backoff(draft)) => draft
                .check("open_duration", &mut reader.problems)
                .map_or(OpenFor::Fixed(DEFAULT_OPEN), OpenFor::Backoff),
            Some(Duration::Callable(callable)) => {
                rules.open_duration = Some(callable);
                OpenFor::Callable
            }
            Some(Duration::Custom(callable, cap)) => {
                rules.open_duration = Some(callable);
                OpenFor::Custom(cap.and_then(|cap| {
                    backoff::check_cap("open_duration.cap", cap, &mut reader.problems)
                }))
            }
        };
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, open_for, rules }),
        _ => Err(problems),
    }
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("breaker '{name}'"), problems)
}

impl Breaker {
    /// The step this breaker contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>) -> PyResult<Step> {
        let current = self.current.lock();
        Ok(Step {
            core: current.core.clone(),
            judges_results: current.rules.get().on_result.is_some(),
            rules: current.rules.clone_ref(py),
            name: current.name.clone_ref(py),
            open_for: current.open_for,
            memory: Arc::clone(&self.memory),
        })
    }

    fn core(&self) -> Core {
        self.current.lock().core.clone()
    }

    fn set_state(&self, py: Python<'_>, change: impl FnOnce(&Core, Nanos) -> Option<Transition>) {
        let step = {
            let current = self.current.lock();
            (current.core.clone(), current.rules.clone_ref(py), current.name.clone_ref(py))
        };
        let (core, rules, name) = step;
        if let Some(transition) = change(&core, ambient(py).now()) {
            tell(py, &name, rules.get(), &transition);
        }
    }
}

#[pymethods]
impl Breaker {
    #[new]
    #[pyo3(signature = (name, settings))]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let read = read(settings);
        let name = match name.cast::<PyString>() {
            Ok(name) if !name.is_empty().unwrap_or(true) => name.clone(),
            _ => {
                let rule = "must be a string that is not empty";
                let mut problems = vec![Problem::new("name", name.repr()?, rule)];
                problems.extend(read.err().into_iter().flatten());
                return Err(config_error(py, "breaker", problems));
            }
        };
        let read = read.map_err(|problems| refused(&name, problems))?;
        let breaker = Self {
            current: Mutex::new(Current {
                core: Core::new(read.settings, ambient(py).now()),
                rules: Py::new(py, read.rules)?,
                open_for: read.open_for,
                name: name.clone().unbind(),
            }),
            memory: Arc::default(),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(breaker))
    }

    /// The name it is known by in the registry, in events and in errors.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.current.lock().name.clone_ref(py)
    }

    fn _rename(&self, py: Python<'_>, name: Py<PyString>) {
        let old = std::mem::replace(&mut self.current.lock().name, name);
        gate::next_epoch();
        old.drop_ref(py);
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let read = read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let rules = Py::new(py, read.rules)?;
        let now = ambient(py).now();
        let old = {
            let mut current = self.current.lock();
            current.core = current.core.reconfigured(read.settings, now);
            current.open_for = read.open_for;
            std::mem::replace(&mut current.rules, rules)
        };
        gate::next_epoch();
        // Outside the lock: the end of a callable may run Python code.
        old.drop_ref(py);
        Ok(())
    }

    /// `"closed"`, `"open"`, `"half_open"`, `"forced_open"`, `"disabled"` or `"metrics_only"`.
    /// Reading never moves it: a circuit whose time has come stays open until the next call.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::intern(py, self.core().state().as_str())
    }

    /// Seconds until an open circuit lets a probe in; 0.0 if it would now; None if it is forced
    /// open, which only `reset()` ends.
    #[getter]
    fn retry_after(&self, py: Python<'_>) -> Option<f64> {
        self.core().retry_after(ambient(py).now()).map(in_seconds)
    }

    /// Rejects every call from now on, until `reset()`. Calls in flight go on.
    fn force_open(&self, py: Python<'_>) {
        self.set_state(py, Core::force_open);
    }

    /// Lets every call through and judges none, until `reset()`.
    fn disable(&self, py: Python<'_>) {
        self.set_state(py, Core::disable);
    }

    /// Lets every call through, but judges them and tells when it would have opened.
    fn metrics_only(&self, py: Python<'_>) {
        self.set_state(py, Core::metrics_only);
    }

    /// Closes the circuit and forgets what led to its state. Calls in flight come too late to count.
    fn reset(&self, py: Python<'_>) {
        self.set_state(py, Core::reset);
    }

    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let core = self.core();
        let snapshot = core.snapshot(ambient(py).now());
        let counts = PyDict::new(py);
        for (name, count) in [
            ("success", snapshot.counts.success),
            ("failure", snapshot.counts.failure),
            ("slow", snapshot.counts.slow),
            ("ignored", snapshot.counts.ignored),
            ("cancelled", snapshot.counts.cancelled),
            ("late", snapshot.counts.late),
            ("rejected", snapshot.counts.rejected),
        ] {
            counts.set_item(name, count)?;
        }
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("counts", counts)?;
        facts.set_item("in_flight", snapshot.in_flight)?;
        facts.set_item("state", snapshot.state.as_str())?;
        facts.set_item("generation", snapshot.generation)?;
        facts.set_item("failure_rate", snapshot.failure_rate)?;
        facts.set_item("slow_call_rate", snapshot.slow_call_rate)?;
        facts.set_item("window_calls", snapshot.window_calls)?;
        facts.set_item("retry_after", snapshot.retry_after.map(in_seconds))?;
        facts.set_item("opened_count", snapshot.opened_count)?;
        facts.set_item("time_open", in_seconds(snapshot.time_open))?;
        Ok(facts)
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let core = self.core();
        let settings = core.settings();
        let facts = PyDict::new(py);
        facts.set_item("failure_threshold", settings.failure_threshold)?;
        facts.set_item("failure_rate", settings.failure_rate)?;
        facts.set_item("slow_call_rate", settings.slow_call_rate)?;
        facts.set_item("slow_call_duration", settings.slow_call_duration.map(in_seconds))?;
        let (unit, size) = match settings.window {
            WindowSize::Calls(calls) => ("calls", f64::from(calls)),
            WindowSize::Time(nanos) => ("seconds", in_seconds(nanos)),
        };
        facts.set_item("window", (unit, size))?;
        facts.set_item("min_calls", settings.min_calls)?;
        facts.set_item("half_open_calls", settings.half_open_calls)?;
        facts.set_item("success_threshold", settings.success_threshold)?;
        facts.set_item("half_open_max_duration", in_seconds(settings.lease))?;
        Ok(facts)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.current.try_lock() {
            Some(current) => visit.call(&current.rules),
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    #[allow(unsafe_code, reason = "the collector hands over no token of being attached")]
    fn __clear__(&self) {
        // SAFETY: the collector runs attached.
        let py = unsafe { Python::assume_attached() };
        let Ok(none) = Py::new(py, Rules::none()) else { return };
        let old = std::mem::replace(&mut self.current.lock().rules, none);
        old.drop_ref(py);
    }
}
