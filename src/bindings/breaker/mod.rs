//! The circuit breaker's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step` | the breaker in a plan |
//! | `settings` | what it is set up with |
//! | `probes` | the probes that a context is inside of |
//! | `events` | what it tells |

mod events;
mod probes;
mod settings;
mod step;

pub use events::listening;
pub use step::Step;

use super::clock::ambient;
use super::failures::config_error;
use super::gate;
use super::guard::Guard;
use super::rules::Rules;
use crate::error::Problem;
use crate::policies::breaker::{Breaker as Core, Transition, WindowSize};
use crate::time::{Clock, Nanos, SECOND};
use events::tell;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use settings::{OpenFor, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// A breaker as it is configured now. Its steps in plans know it too: what happens seldom looks here
/// for what is in force.
struct Current {
    core: Core,
    rules: Py<Rules>,
    open_for: OpenFor,
    name: Py<PyString>,
}

/// The native part of `seawall.CircuitBreaker`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Breaker {
    current: Arc<Mutex<Current>>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("breaker '{name}'"), problems)
}

impl Breaker {
    /// The step this breaker contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>, gate: u64) -> Step {
        Step::of(py, &self.current, gate)
    }

    fn core(&self) -> Core {
        self.current.lock().core.clone()
    }

    fn set_state(&self, py: Python<'_>, change: impl FnOnce(&Core, Nanos) -> Option<Transition>) {
        let (core, rules, name) = {
            let current = self.current.lock();
            (current.core.clone(), current.rules.clone_ref(py), current.name.bind(py).clone())
        };
        if let Some(transition) = change(&core, ambient(py).now()) {
            tell(py, &name, rules.get(), &transition);
        }
    }
}

#[pymethods]
impl Breaker {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
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
            current: Arc::new(Mutex::new(Current {
                core: Core::new(read.settings, ambient(py).now()),
                rules: read.rules.object(py)?,
                open_for: read.open_for,
                name: name.clone().unbind(),
            })),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(breaker))
    }

    /// The name it is known by in the registry, in events and in errors.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.current.lock().name.clone_ref(py)
    }

    /// Does its name say more than that it is one of many?
    #[getter]
    fn _named(&self) -> bool {
        self.named.load(Ordering::Relaxed)
    }

    fn _rename(&self, py: Python<'_>, name: Py<PyString>) {
        self.named.store(true, Ordering::Relaxed);
        let old = std::mem::replace(&mut self.current.lock().name, name);
        old.drop_ref(py);
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let read = read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let rules = read.rules.object(py)?;
        let now = ambient(py).now();
        let old = {
            let mut current = self.current.lock();
            current.core = current.core.reconfigured(read.settings, now);
            current.open_for = read.open_for.in_place_of(&current.open_for);
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
        match settings.window {
            WindowSize::Calls(calls) => facts.set_item("window", ("calls", calls)),
            WindowSize::Time(nanos) => facts.set_item("window", ("seconds", in_seconds(nanos))),
        }?;
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
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Breaker {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let Ok(none) = Rules::none().object(py) else { return };
        let old = std::mem::replace(&mut self.current.lock().rules, none);
        old.drop_ref(py);
    }
}

/// Plans may outlive the breaker and know what is configured. The collector follows that from here
/// alone, so nothing that may lead back is left in it.
impl Drop for Breaker {
    fn drop(&mut self) {
        self.let_go();
    }
}
