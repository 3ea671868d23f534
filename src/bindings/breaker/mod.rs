//! The circuit breaker's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step` | the breaker in a plan |
//! | `settings` | what it is set up with |
//! | `keyed` | one with a circuit for each key, in a plan |
//! | `circuits`, `whole` | its circuits, and what they are together |
//! | `control` | reading it, and setting it by hand |
//! | `probes` | the probes that a context is inside of |
//! | `events` | what it tells |

mod circuits;
mod control;
mod events;
mod keyed;
mod probes;
mod settings;
mod step;
mod whole;

pub use keyed::{CircuitRef, Keyed};
pub use step::{Step, Which};

use super::clock::{ambient, in_seconds};
use super::convert::declared;
use super::failures::config_error;
use super::gate;
use super::guard::Guard;
use super::keys::{KeyOf, Source};
use super::rules::Rules;
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::breaker::{Breaker as Core, State, WindowSize};
use crate::time::Clock;
use circuits::Circuits;
use control::Asked;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use settings::{OpenFor, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Of one with a state for each key; what is current is their pattern then.
    circuits: Option<Arc<Circuits>>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("breaker '{name}'"), problems)
}

impl Breaker {
    /// The step this breaker contributes to a plan that is built now.
    pub fn step(
        &self,
        py: Python<'_>,
        gate: u64,
        of: KeyOf<'_, '_>,
    ) -> PyResult<crate::bindings::step::Step> {
        let step = Step::of(py, &self.current, gate);
        let Some(circuits) = &self.circuits else {
            return Ok(crate::bindings::step::Step::Breaker(step));
        };
        let key = step.rules.get().key.as_ref().map(|key| key.bind(py).clone());
        // The collector may have taken the rules apart.
        let key = key.unwrap_or_else(|| py.None().into_bound(py));
        let keyed = Keyed::of(step, circuits, Source::of(&key, of)?);
        Ok(crate::bindings::step::Step::KeyedBreaker(Box::new(keyed)))
    }

    /// Why calls of `function` don't tell their key, if they don't.
    pub fn key_problem(&self, function: &Bound<'_, PyAny>) -> Option<Problem> {
        let py = function.py();
        let key = self.current.lock().rules.get().key.as_ref().map(|key| key.clone_ref(py))?;
        Source::problem(key.bind(py), function)
    }

    /// As far as its place among other policies matters.
    pub fn part(&self) -> Part {
        let window = match self.core().settings().window {
            WindowSize::Time(length) => Some(length),
            WindowSize::Calls(_) => None,
        };
        Part::Breaker { window }
    }

    /// Has it a state for each key?
    pub fn keyed(&self) -> bool {
        self.circuits.is_some()
    }

    fn core(&self) -> Core {
        self.current.lock().core.clone()
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
        let (name, read) = declared("breaker", name, read(settings))?;
        let now = ambient(py).now();
        let core = Core::new(read.settings, now);
        let circuits = match read.bounds {
            Some(bounds) => Some(Arc::new(Circuits::new(py, bounds)?)),
            None => None,
        };
        let breaker = Self {
            circuits,
            current: Arc::new(Mutex::new(Current {
                core,
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
        let key = self.current.lock().rules.get().key.as_ref().map(|key| key.clone_ref(py));
        let same = match (&key, &read.rules.key) {
            (None, None) => true,
            (Some(old), Some(new)) => old.bind(py).eq(new)?,
            _ => false,
        };
        if !same {
            let problem = Problem::new(
                "key",
                read.rules.key.map_or_else(|| "None".to_owned(), |key| key.to_string()),
                "can't be changed: its states belong to the keys they have",
            );
            return Err(refused(name.bind(py), vec![problem]));
        }
        let rules = read.rules.object(py)?;
        let now = ambient(py).now();
        let old = {
            let mut current = self.current.lock();
            current.core = current.core.reconfigured(read.settings, now);
            current.open_for = read.open_for.in_place_of(&current.open_for);
            std::mem::replace(&mut current.rules, rules)
        };
        gate::next_epoch();
        if let (Some(circuits), Some(bounds)) = (&self.circuits, read.bounds) {
            circuits.set_bounds(py, bounds, now);
        }
        // Outside the lock: the end of a callable may run Python code.
        old.drop_ref(py);
        Ok(())
    }

    /// `"closed"`, `"open"`, `"half_open"`, `"forced_open"`, `"disabled"` or `"metrics_only"`.
    /// Reading never moves it: a circuit whose time has come stays open until the next call. With
    /// a state for each key, the gravest of them; it is known without looking at every key.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::intern(py, self.gravest().as_str())
    }

    /// Seconds until an open circuit lets a probe in; 0.0 if it would now; None if it is forced
    /// open, which only `reset()` ends. With a state for each key, of the gravest state, and the
    /// longest: while one is open, every key is looked at.
    #[getter]
    fn retry_after(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        if self.circuits.is_none() {
            return Ok(self.core().retry_after(ambient(py).now()).map(in_seconds));
        }
        match self.gravest() {
            State::ForcedOpen => Ok(None),
            State::Open => Ok(self.seen(py, &Asked::All)?.retry_after.map(in_seconds)),
            _ => Ok(Some(0.0)),
        }
    }

    /// Rejects every call from now on, until `reset()`. Calls in flight go on.
    ///
    /// Args:
    ///     key: Of a breaker with a state for each key, only calls of this one; None: of calls
    ///         without a key. Left out: every key's, also those that are yet to come.
    ///
    /// Raises:
    ///     `TypeError`: A key is given, and there is one state for all calls.
    ///     `RuntimeError`: The key has no state of its own, and there is no room for one.
    #[pyo3(signature = (*, key=Asked::All))]
    fn force_open(&self, py: Python<'_>, key: Asked<'_>) -> PyResult<()> {
        self.set_state(py, key, State::ForcedOpen)
    }

    /// Lets every call through and judges none, until `reset()`.
    ///
    /// Args:
    ///     key: See `force_open`, also for what is raised.
    #[pyo3(signature = (*, key=Asked::All))]
    fn disable(&self, py: Python<'_>, key: Asked<'_>) -> PyResult<()> {
        self.set_state(py, key, State::Disabled)
    }

    /// Lets every call through, but judges them and tells when it would have opened.
    ///
    /// Args:
    ///     key: See `force_open`, also for what is raised.
    #[pyo3(signature = (*, key=Asked::All))]
    fn metrics_only(&self, py: Python<'_>, key: Asked<'_>) -> PyResult<()> {
        self.set_state(py, key, State::MetricsOnly)
    }

    /// Closes the circuit and forgets what led to its state. Calls in flight come too late to count.
    ///
    /// Args:
    ///     key: See `force_open`, also for what is raised.
    #[pyo3(signature = (*, key=Asked::All))]
    fn reset(&self, py: Python<'_>, key: Asked<'_>) -> PyResult<()> {
        self.set_state(py, key, State::Closed)
    }

    /// The keys that have a state of their own, in no order.
    #[getter]
    fn _keys<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        let all = self.circuits.as_ref().map(|circuits| circuits.all(py)).unwrap_or_default();
        all.into_iter().map(|circuit| circuit.get().key.bind(py).clone()).collect()
    }

    #[pyo3(signature = (key=Asked::All))]
    fn _snapshot<'py>(&self, py: Python<'py>, key: Asked<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.facts(py, key)
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
        if let Some(circuits) = &self.circuits {
            circuits.traverse(&visit)?;
        }
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
        if let Some(circuits) = &self.circuits {
            circuits.clear(py);
        }
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
