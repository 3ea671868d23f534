//! The timeout's face to Python.

use super::counts::Counts;
use crate::bindings::clock::in_seconds;
use crate::bindings::convert::{Reader, declared};
use crate::bindings::failures::config_error;
use crate::bindings::gate;
use crate::bindings::guard::Guard;
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::timeout::{Draft, Settings};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A timeout as it is configured now.
pub struct Current {
    pub settings: Settings,
    pub on_event: Option<Py<PyAny>>,
    pub pool: Option<Py<PyAny>>,
    pub name: Py<PyString>,
}

impl Current {
    /// Gives up what it owns.
    pub fn release(self, py: Python<'_>) {
        for object in [self.on_event, self.pool].into_iter().flatten() {
            object.drop_ref(py);
        }
        self.name.drop_ref(py);
    }
}

/// The native part of `seawall.Timeout`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Timeout {
    pub(super) current: Arc<Mutex<Current>>,
    pub(super) counts: Arc<Counts>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

type Read = (Settings, Option<Py<PyAny>>);

/// Reads settings, or names everything that is wrong with them.
fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let draft = Draft {
        limit: reader.seconds("seconds"),
        pool: reader.word("pool"),
        max_threads: reader.count("max_threads"),
    };
    let on_event = reader.callable("on_event");
    // Settings of the wrong kind were left out: what is then missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok((settings, on_event)),
        _ => Err(problems),
    }
}

/// The threads that calls run in, if they are to.
fn pool(
    py: Python<'_>,
    name: &Bound<'_, PyAny>,
    settings: &Settings,
) -> PyResult<Option<Py<PyAny>>> {
    let Some(threads) = settings.threads else { return Ok(None) };
    let make = py.import("seawall.policies.timeout.pool")?.getattr("Pool")?;
    let pool = make.call1((name,))?;
    pool.setattr("max_threads", threads)?;
    Ok(Some(pool.unbind()))
}

impl Timeout {
    /// As far as its place among other policies matters.
    pub fn part(&self) -> Part {
        let settings = self.current.lock().settings;
        Part::Timeout { limit: settings.limit }
    }

    /// Does it run calls in threads of its own?
    pub fn pooled(&self) -> bool {
        self.current.lock().settings.threads.is_some()
    }
}

#[pymethods]
impl Timeout {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, (settings, on_event)) = declared("timeout", name, read(settings))?;
        let pool = pool(py, name.as_any(), &settings)?;
        let current = Current { settings, on_event, pool, name: name.unbind() };
        let timeout = Self {
            current: Arc::new(Mutex::new(current)),
            counts: Arc::default(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(timeout))
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

    fn _rename(&self, py: Python<'_>, name: Py<PyString>) -> PyResult<()> {
        self.named.store(true, Ordering::Relaxed);
        let (old, pool) = {
            let mut current = self.current.lock();
            let pool = current.pool.as_ref().map(|pool| pool.clone_ref(py));
            (std::mem::replace(&mut current.name, name.clone_ref(py)), pool)
        };
        old.drop_ref(py);
        // Plans know it by its name.
        gate::next_epoch();
        pool.map_or(Ok(()), |pool| pool.bind(py).setattr("name", name))
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let (settings, on_event) = read(settings)
            .map_err(|problems| config_error(py, &format!("timeout '{name}'"), problems))?;
        // The threads that there are go on: calls may hang in them.
        let standing = self.current.lock().pool.as_ref().map(|pool| pool.clone_ref(py));
        match (&standing, settings.threads) {
            (Some(standing), Some(threads)) => {
                standing.bind(py).setattr("max_threads", threads)?;
            }
            (None, None) => {}
            _ => {
                let given = settings.threads.map_or("None", |_| "'threads'");
                let rule = "can't be changed in place: the functions it is on were checked for \
                            what it was";
                let problems = vec![Problem::new("pool", given, rule)];
                return Err(config_error(py, &format!("timeout '{name}'"), problems));
            }
        }
        let old = {
            let mut current = self.current.lock();
            current.settings = settings;
            std::mem::replace(&mut current.on_event, on_event)
        };
        gate::next_epoch();
        // Outside the lock: the end of a callable may run Python code.
        if let Some(old) = old {
            old.drop_ref(py);
        }
        Ok(())
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.current.lock().settings;
        let facts = PyDict::new(py);
        facts.set_item("seconds", in_seconds(settings.limit))?;
        facts.set_item("pool", settings.threads.map(|_| "threads"))?;
        facts.set_item("max_threads", settings.threads)?;
        Ok(facts)
    }

    /// What became of its calls so far.
    fn _counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        for (name, counter) in [
            ("in_time", &self.counts.in_time),
            ("late", &self.counts.late),
            ("timed_out", &self.counts.timed_out),
            ("other", &self.counts.other),
        ] {
            facts.set_item(name, counter.get())?;
        }
        Ok(facts)
    }

    /// Calls let in and not ended.
    #[getter]
    fn _in_flight(&self) -> u64 {
        self.counts.in_flight()
    }

    /// The threads that calls run in; None: they run where they are called.
    #[getter]
    fn _pool(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.current.lock().pool.as_ref().map(|pool| pool.clone_ref(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.current.try_lock() {
            Some(current) => {
                visit.call(&current.on_event)?;
                visit.call(&current.pool)
            }
            None => Ok(()),
        }
    }

    /// Lets go of the listener, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Timeout {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let old = self.current.lock().on_event.take();
        if let Some(old) = old {
            old.drop_ref(py);
        }
    }
}

/// Plans may outlive the timeout and know what is configured.
impl Drop for Timeout {
    fn drop(&mut self) {
        self.let_go();
    }
}
