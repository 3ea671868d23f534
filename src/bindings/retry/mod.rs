//! The retry's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step` | the retry in a plan: how a call comes in, and how it is over |
//! | `ticket` | what a call keeps from its first attempt to its last |
//! | `again` | which ends a retry wants to see again, and when |
//! | `note` | what the error that a caller gets says of the attempts |
//! | `settings` | what it is set up with |
//! | `delays` | where the length of a wait comes from |
//! | `run` | a call that is written out as a loop |
//! | `nest` | the retries that a context is inside of |
//! | `counts` | what became of its calls |
//! | `events` | what it tells |

mod again;
mod counts;
mod delays;
mod events;
mod nest;
mod note;
mod run;
mod settings;
mod step;
mod ticket;

pub use run::Run;
pub use step::Step;
pub use ticket::Ticket;

use super::budget::{self, Live};
use super::clock::in_seconds;
use super::convert::declared;
use super::failures::config_error;
use super::gate;
use super::guard::Guard;
use super::rules::Rules;
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::retry::Settings;
use counts::Counts;
use delays::Hooks;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use settings::{Read, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A retry as it is configured now.
struct Current {
    settings: Settings,
    rules: Py<Rules>,
    hooks: Py<Hooks>,
    name: Py<PyString>,
}

/// The native part of `seawall.Retry`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Retry {
    current: Arc<Mutex<Current>>,
    counts: Arc<Counts>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("retry '{name}'"), problems)
}

impl Retry {
    /// The step this retry contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>) -> Step {
        Step::of(py, &self.current, &self.counts)
    }

    /// The budget that it was given, if there is such a one.
    pub fn budget(&self, py: Python<'_>) -> Option<Arc<Live>> {
        let hooks = self.current.lock().hooks.bind(py).clone();
        budget::find(hooks.get().budget.as_ref()?.bind(py))
    }

    /// As far as its place among other policies matters.
    pub fn part(&self) -> Part {
        Part::Retry { max_duration: self.current.lock().settings.max_duration }
    }
}

#[pymethods]
impl Retry {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, Read { settings, rules, hooks }) = declared("retry", name, read(settings))?;
        let current = Current {
            settings,
            rules: rules.object(py)?,
            hooks: Py::new(py, hooks)?,
            name: name.unbind(),
        };
        let retry = Self {
            current: Arc::new(Mutex::new(current)),
            counts: Arc::default(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(retry))
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
        let Read { settings, rules, hooks } =
            read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let (rules, hooks) = (rules.object(py)?, Py::new(py, hooks)?);
        let old = {
            let mut current = self.current.lock();
            current.settings = settings;
            let rules = std::mem::replace(&mut current.rules, rules);
            (rules, std::mem::replace(&mut current.hooks, hooks))
        };
        gate::next_epoch();
        // Outside the lock: the end of a callable may run Python code.
        old.0.drop_ref(py);
        old.1.drop_ref(py);
        Ok(())
    }

    /// Begins a call that is written out as a loop.
    fn _begin(&self, py: Python<'_>) -> PyResult<Run> {
        Run::begin(py, self.step(py))
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.current.lock().settings;
        let facts = PyDict::new(py);
        facts.set_item("attempts", settings.attempts)?;
        facts.set_item("max_duration", settings.max_duration.map(in_seconds))?;
        facts.set_item("max_delay", settings.max_delay.map(in_seconds))?;
        facts.set_item("nested", settings.nested.as_str())?;
        Ok(facts)
    }

    /// What became of its calls so far.
    fn _counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.counts.facts(py)
    }

    /// Calls let in and not ended.
    #[getter]
    fn _in_flight(&self) -> u64 {
        self.counts.in_flight()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.current.try_lock() {
            Some(current) => {
                visit.call(&current.rules)?;
                visit.call(&current.hooks)
            }
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Retry {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let (Ok(rules), Ok(hooks)) = (Rules::none().object(py), Py::new(py, Hooks::default()))
        else {
            return;
        };
        let old = {
            let mut current = self.current.lock();
            let rules = std::mem::replace(&mut current.rules, rules);
            (rules, std::mem::replace(&mut current.hooks, hooks))
        };
        old.0.drop_ref(py);
        old.1.drop_ref(py);
    }
}

/// Plans may outlive the retry and know what is configured. The collector follows that from here
/// alone, so nothing that may lead back is left in it.
impl Drop for Retry {
    fn drop(&mut self) {
        self.let_go();
    }
}
