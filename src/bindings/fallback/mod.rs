//! The fallback's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step` | the fallback in a plan: how calls pass it |
//! | `ending` | what follows from how a call ended: whether it is answered for, and from where |
//! | `asking` | asking a provider for an answer |
//! | `ticket` | what a call has of it |
//! | `episode` | a call that failed, while providers are asked |
//! | `contexts` | the failures of providers as the context of the call's own |
//! | `settings` | what it is set up with |
//! | `key` | what tells calls apart that have different answers |
//! | `memory` | the last good answer of each |
//! | `counts` | what became of its calls |
//! | `events` | what it tells |

mod asking;
mod contexts;
mod counts;
mod ending;
mod episode;
mod events;
mod key;
mod memory;
mod settings;
mod step;
mod ticket;

pub use step::Step;
pub use ticket::Ticket;

use super::clock::{ambient, in_seconds};
use super::convert::declared;
use super::failures::config_error;
use super::function::kind;
use super::gate;
use super::guard::Guard;
use super::keys::{KeyOf, Source};
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::fallback::{Settings, Shelf};
use crate::time::Clock;
use counts::Counts;
use memory::Memory;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use settings::{Providers, Read, none, problems_with, read, shown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A fallback as it is configured now.
struct Current {
    settings: Settings,
    providers: Py<Providers>,
    memory: Option<Py<Memory>>,
    name: Py<PyString>,
}

impl Current {
    /// Gives up what it owns.
    fn release(self, py: Python<'_>) {
        self.providers.drop_ref(py);
        if let Some(memory) = self.memory {
            memory.drop_ref(py);
        }
        self.name.drop_ref(py);
    }
}

/// The native part of `seawall.Fallback`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Fallback {
    current: Arc<Mutex<Current>>,
    counts: Arc<Counts>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("fallback '{name}'"), problems)
}

impl Fallback {
    /// The step this fallback contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>, of: KeyOf<'_, '_>) -> PyResult<Step> {
        let source = Step::source(py, &self.current, of)?;
        Ok(Step::of(py, &self.current, &self.counts, source))
    }

    /// As far as its place among other policies matters.
    #[allow(clippy::unused_self, reason = "as those of other policies")]
    pub fn part(&self) -> Part {
        Part::Fallback
    }

    fn providers<'py>(&self, py: Python<'py>) -> Bound<'py, Providers> {
        self.current.lock().providers.bind(py).clone()
    }

    /// Why it can't answer for calls of `function`.
    pub fn problems_with(&self, function: &Bound<'_, PyAny>) -> Vec<Problem> {
        let py = function.py();
        let (providers, settings) = (self.providers(py), self.current.lock().settings);
        let mut found = problems_with(&providers.get().all, &settings, function, kind(function));
        if let Some(key) = &providers.get().rules.get().key {
            found.extend(Source::problem(key.bind(py), function));
        }
        found
    }
}

#[pymethods]
impl Fallback {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, Read { settings, rules, all }) = declared("fallback", name, read(settings))?;
        let memory = match settings.stale {
            Some(_) => Some(Memory::new(py, &settings)?),
            None => None,
        };
        let providers = Py::new(py, Providers { rules: rules.object(py)?, all })?;
        let current = Current { settings, providers, memory, name: name.unbind() };
        let fallback = Self {
            current: Arc::new(Mutex::new(current)),
            counts: Arc::default(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(fallback))
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
        let Read { settings, rules, all } =
            read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let memory = {
            let current = self.current.lock();
            current.memory.as_ref().map(|memory| memory.bind(py).clone())
        };
        if settings.stale.is_some() != memory.is_some() {
            let given =
                settings.stale.map_or_else(|| "None".to_owned(), |it| in_seconds(it).to_string());
            let rule = "can't be given or taken away in place: of calls that run now nobody would \
                        know whether they are remembered. Make another fallback";
            return Err(refused(name.bind(py), vec![Problem::new("stale", given, rule)]));
        }
        let providers = Py::new(py, Providers { rules: rules.object(py)?, all })?;
        let old = {
            let mut current = self.current.lock();
            current.settings = settings;
            std::mem::replace(&mut current.providers, providers)
        };
        gate::next_epoch();
        if let Some(memory) = memory {
            memory.get().set_bounds(py, &settings, ambient(py).now());
        }
        // Outside the lock: the end of a callable may run Python code.
        old.drop_ref(py);
        Ok(())
    }

    /// The settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (providers, settings) = (self.providers(py), self.current.lock().settings);
        let facts = PyDict::new(py);
        facts.set_item("providers", shown(py, &providers.get().all)?)?;
        facts.set_item("stale", settings.stale.map(in_seconds))?;
        facts.set_item("max_keys", settings.stale.map(|_| settings.max_keys))?;
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

    /// How many answers are remembered.
    #[getter]
    fn _remembered(&self, py: Python<'_>) -> usize {
        let memory = self.current.lock().memory.as_ref().map(|memory| memory.bind(py).clone());
        memory.map_or(0, |memory| memory.get().len())
    }

    /// Remembers nothing any more.
    fn _forget(&self, py: Python<'_>) {
        let memory = self.current.lock().memory.as_ref().map(|memory| memory.bind(py).clone());
        if let Some(memory) = memory {
            memory.get().forget_all(py);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.current.try_lock() {
            Some(current) => {
                visit.call(&current.providers)?;
                visit.call(&current.memory)
            }
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Fallback {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let Ok(nobody) = none(py) else { return };
        let settings = self.current.lock().settings;
        let empty = settings.stale.and_then(|_| Memory::new(py, &settings).ok());
        let (providers, memory) = {
            let mut current = self.current.lock();
            let memory = empty.and_then(|empty| current.memory.replace(empty));
            (std::mem::replace(&mut current.providers, nobody), memory)
        };
        providers.drop_ref(py);
        if let Some(memory) = memory {
            memory.drop_ref(py);
        }
    }
}

/// Plans may outlive the fallback and know what is configured. The collector follows that from here
/// alone, so nothing that may lead back is left in it.
impl Drop for Fallback {
    fn drop(&mut self) {
        self.let_go();
    }
}
