//! The rate limit's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step`, `turn` | the limit in a plan, and what a call has of it |
//! | `settings` | what it is set up with |
//! | `flow` | one limit with those that wait at it |
//! | `meters` | the states of one that has a state for each key |
//! | `reading` | reading it |
//! | `events` | what it tells |

mod events;
mod flow;
mod meters;
mod reading;
mod settings;
mod step;
mod turn;

pub use step::Step;
pub use turn::{Asked, Found, Refusal, Turn};

use super::clock::{ambient, in_seconds};
use super::convert::declared;
use super::failures::config_error;
use super::gate;
use super::guard::Guard;
use super::keys::{KeyOf, Source};
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::rate_limit::{Moment, Per};
use crate::sync::Counter;
use crate::time::Clock;
use flow::Flow;
use meters::Meters;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use reading::Which;
use settings::{Hooks, Read, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A limit as it is configured now. What it decides by is in the core, which all handles share.
struct Current {
    /// Of one with a state for each key: their pattern, which nobody asks.
    flow: Arc<Flow>,
    hooks: Py<Hooks>,
    name: Py<PyString>,
}

/// The native part of `seawall.RateLimit`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct RateLimit {
    current: Arc<Mutex<Current>>,
    /// Of one with a state for each key; what is current is their pattern then.
    meters: Option<Arc<Meters>>,
    /// Numbers the events.
    seq: Arc<Counter>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("rate limit '{name}'"), problems)
}

/// What a limit goes by at this moment.
fn moment(clock: &impl Clock) -> Moment {
    Moment { now: clock.now(), date: clock.date() }
}

impl RateLimit {
    /// The step this limit contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>, of: KeyOf<'_, '_>) -> PyResult<Step> {
        let hooks = self.current.lock().hooks.bind(py).clone();
        let source = match (&self.meters, &hooks.get().key) {
            (Some(_), Some(key)) => Some(Source::of(key.bind(py), of)?),
            // The collector may have taken the hooks apart.
            (Some(_), None) => Some(Source::Fixed(py.None())),
            (None, _) => None,
        };
        Ok(Step::of(py, &self.current, self.meters.as_ref(), &self.seq, source))
    }

    /// Why calls of `function` don't tell their key, if they don't.
    pub fn key_problem(&self, function: &Bound<'_, PyAny>) -> Option<Problem> {
        let py = function.py();
        let key = self.current.lock().hooks.get().key.as_ref().map(|key| key.clone_ref(py))?;
        Source::problem(key.bind(py), function)
    }

    /// As far as its place among other policies matters.
    pub fn part(&self) -> Part {
        Part::RateLimit { max_wait: self.flow().core.settings().max_wait }
    }

    /// May calls wait?
    pub fn waits(&self) -> bool {
        self.flow().core.settings().max_wait > 0
    }

    /// Has it a state for each key? An error says what to do if it has not.
    pub fn keyed(&self, py: Python<'_>) -> PyResult<&Meters> {
        self.meters.as_deref().ok_or_else(|| {
            PyTypeError::new_err(format!(
                "rate limit '{}' has one state for all calls: a key= is for one made with key=",
                self.name(py)
            ))
        })
    }

    fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.current.lock().flow)
    }
}

#[pymethods]
impl RateLimit {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, Read { settings, hooks, bounds }) =
            declared("rate limit", name, read(settings))?;
        let meters = match bounds {
            Some(bounds) => Some(Arc::new(Meters::new(py, bounds)?)),
            None => None,
        };
        let current = Current {
            flow: Arc::new(Flow::new(settings)),
            hooks: Py::new(py, hooks)?,
            name: name.unbind(),
        };
        let limit = Self {
            current: Arc::new(Mutex::new(current)),
            meters,
            seq: Arc::default(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(limit))
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
        let Read { settings, hooks, bounds } =
            read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let standing = self.current.lock().hooks.bind(py).clone();
        let problems = standing.get().problems_with(py, &hooks)?;
        if !problems.is_empty() {
            return Err(refused(name.bind(py), problems));
        }
        let hooks = Py::new(py, hooks)?;
        let clock = ambient(py);
        let (flow, old) = {
            let mut current = self.current.lock();
            (Arc::clone(&current.flow), std::mem::replace(&mut current.hooks, hooks))
        };
        let meters = self.meters.as_ref().map(|meters| meters.all(py)).unwrap_or_default();
        let all = meters.iter().map(|meter| meter.get().flow()).chain([&*flow]);
        let all = all.map(|flow| (&flow.core, &flow.line));
        let woken = flow.core.reconfigure_with(settings, all, moment(&clock));
        gate::next_epoch();
        flow::ring(py, woken);
        if let (Some(meters), Some(bounds)) = (&self.meters, bounds) {
            meters.set_bounds(py, bounds, &clock);
        }
        // Outside the lock: the end of a callable may run Python code.
        old.drop_ref(py);
        Ok(())
    }

    /// Seconds until a call of cost 1 could be let in without waiting; 0.0 if it would now; None:
    /// none ever could. With a state for each key, of the one that has the longest to go; every key
    /// is looked at.
    #[getter]
    fn retry_after(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        Ok(self.seen(py, &Which::All)?.retry_after.map(in_seconds))
    }

    /// The keys that have a state of their own, in no order.
    #[getter]
    fn _keys<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        let all = self.meters.as_ref().map(|meters| meters.all(py)).unwrap_or_default();
        all.into_iter().map(|meter| meter.get().key.bind(py).clone()).collect()
    }

    #[pyo3(signature = (key=Which::All))]
    fn _snapshot<'py>(&self, py: Python<'py>, key: Which<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.facts(py, key)
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.flow().core.settings();
        let facts = PyDict::new(py);
        facts.set_item("limit", settings.limit)?;
        match settings.per {
            Per::Time(length) => facts.set_item("per", in_seconds(length)),
            Per::Calendar(unit) => facts.set_item("per", unit.as_str()),
        }?;
        facts.set_item("burst", settings.burst)?;
        facts.set_item("cost", settings.cost.number())?;
        facts.set_item("max_wait", in_seconds(settings.max_wait))?;
        Ok(facts)
    }

    /// The process was forked: the calls that waited are not here.
    fn _forked(&self, py: Python<'_>) {
        let now = ambient(py).now();
        self.flow().forked(py, now);
        for meter in self.meters.as_ref().map(|meters| meters.all(py)).unwrap_or_default() {
            meter.get().flow().forked(py, now);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(meters) = &self.meters {
            meters.traverse(&visit)?;
        }
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.current.try_lock() {
            Some(current) => visit.call(&current.hooks),
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl RateLimit {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        if let Some(meters) = &self.meters {
            meters.clear(py);
        }
        let Ok(none) = Py::new(py, Hooks::default()) else { return };
        let old = std::mem::replace(&mut self.current.lock().hooks, none);
        old.drop_ref(py);
    }
}

/// Plans may outlive the limit and know what is configured. The collector follows that from here
/// alone, so nothing that may lead back is left in it.
impl Drop for RateLimit {
    fn drop(&mut self) {
        self.let_go();
    }
}
