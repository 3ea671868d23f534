//! The retry budget's face to those who are given one, and to Python.

use super::clock::{ambient, in_seconds};
use super::convert::{Reader, declared};
use super::failures::{config_error, discard, report};
use super::listeners;
use crate::error::Problem;
use crate::policies::budget::{Budget as Core, Draft, Mode, Settings, Turn, Turned};
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A budget, for whoever was given it: good for as long as it is held, whatever the settings become.
pub struct Live {
    core: Core,
    said: Mutex<Said>,
}

/// What it is called, and who hears of it.
struct Said {
    name: Py<PyString>,
    on_event: Option<Py<PyAny>>,
}

impl Live {
    /// What counts. Its own `permit` tells nobody: see [`Live::permit`].
    #[inline]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// May a call make one further attempt? If that is the first no for a while, or the first yes
    /// after some, whoever listens is told. Nothing is locked meanwhile.
    pub fn permit<C: Clock>(&self, py: Python<'_>, clock: &C) -> bool {
        let answer = self.core.ask(clock);
        if let Some(turned) = answer.turned {
            self.tell(py, turned);
        }
        answer.permitted
    }

    /// What it is called now.
    pub fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.said.lock().name.clone_ref(py)
    }

    #[cold]
    fn tell(&self, py: Python<'_>, turned: Turned) {
        let (name, on_event) = {
            let said = self.said.lock();
            let on_event = said.on_event.as_ref().map(|listener| listener.bind(py).clone());
            (said.name.bind(py).clone(), on_event)
        };
        if on_event.is_none() && !listeners::anybody() {
            return;
        }
        let deliver = || -> PyResult<()> {
            let events = py.import("seawall.policies.budget.events")?;
            let seen = self.core.snapshot(turned.at);
            let facts = PyDict::new(py);
            facts.set_item("name", &name)?;
            facts.set_item("seq", turned.seq)?;
            facts.set_item("at", in_seconds(turned.at))?;
            facts.set_item("wall", ambient(py).wall())?;
            facts.set_item("mode", self.core.settings().mode.as_str())?;
            facts.set_item("balance", seen.balance)?;
            facts.set_item("in_flight", seen.in_flight)?;
            facts.set_item("retries_in_flight", seen.retries_in_flight)?;
            facts.set_item("refused", seen.refused)?;
            let exhausted = turned.turn == Turn::Exhausted;
            events.call_method1(intern!(py, "tell"), (on_event, exhausted, facts))?;
            Ok(())
        };
        if let Err(error) = deliver() {
            report(py, error, name.as_any());
        }
    }
}

/// The budget that was given, as itself or by its name, if there is one.
pub fn find(given: &Bound<'_, PyAny>) -> Option<Arc<Live>> {
    let py = given.py();
    let found = match given.cast::<PyString>() {
        Ok(name) => {
            let get = py.import("seawall.registry").and_then(|it| it.getattr("get"));
            match get.and_then(|get| get.call1(("budget", name))) {
                Ok(found) => found,
                Err(error) => {
                    discard(py, error);
                    return None;
                }
            }
        }
        Err(_) => given.clone(),
    };
    found.cast::<Budget>().ok().map(|budget| budget.get().live())
}

/// What is wrong with the name of a budget that there is not.
pub fn missing(given: &Bound<'_, PyAny>) -> Problem {
    let given = given.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let rule = "names no retry budget: make a seawall.RetryBudget of that name first";
    Problem::new("budget", given, rule)
}

/// The native part of `seawall.RetryBudget`.
#[pyclass(frozen, subclass, weakref, module = "seawall._core")]
pub struct Budget {
    live: Arc<Live>,
    /// Did somebody give it its name, or has it none of its own?
    named: AtomicBool,
}

impl Budget {
    /// What those who are given it hold on to. They keep the object itself as well: when that goes,
    /// its listener does.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// What counts, whatever the settings become.
    pub fn core(&self) -> Core {
        self.live.core.clone()
    }

    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let old = self.live.said.lock().on_event.take();
        if let Some(old) = old {
            old.drop_ref(py);
        }
    }
}

/// Everything a mapping of settings says, checked.
struct Read {
    settings: Settings,
    on_event: Option<Py<PyAny>>,
}

/// Reads them, or names everything that is wrong with them.
fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let draft = Draft {
        mode: reader.word("mode"),
        ratio: reader.number("ratio"),
        min_per_second: reader.number("min_per_second"),
        ttl: reader.seconds("ttl"),
        min_concurrent: reader.count("min_concurrent"),
        max_tokens: reader.count("max_tokens"),
    };
    let on_event = reader.callable("on_event");
    // A mode of the wrong kind was left out of the draft: what is said for another mode than the
    // default one is not a further problem.
    let modeless = reader.problems.iter().any(|problem| problem.field == "mode");
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    found.retain(|problem| !(modeless && problem.rule.starts_with("is for mode=")));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, on_event }),
        _ => Err(problems),
    }
}

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("budget '{name}'"), problems)
}

#[pymethods]
impl Budget {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let (name, read) = declared("budget", name, read(settings))?;
        let core = Core::new(read.settings, ambient(py).now());
        let said = Mutex::new(Said { name: name.unbind(), on_event: read.on_event });
        Ok(Self { live: Arc::new(Live { core, said }), named: AtomicBool::new(named) })
    }

    /// The name it is known by in the registry, in events and in errors.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.live.name(py)
    }

    /// Does its name say more than that it is one of many?
    #[getter]
    fn _named(&self) -> bool {
        self.named.load(Ordering::Relaxed)
    }

    fn _rename(&self, py: Python<'_>, name: Py<PyString>) {
        self.named.store(true, Ordering::Relaxed);
        let old = std::mem::replace(&mut self.live.said.lock().name, name);
        old.drop_ref(py);
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let read = read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        self.live.core.reconfigure(read.settings, ambient(py).now());
        let old = std::mem::replace(&mut self.live.said.lock().on_event, read.on_event);
        // Outside the lock: the end of a callable may run Python code.
        if let Some(old) = old {
            old.drop_ref(py);
        }
        Ok(())
    }

    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let seen = self.live.core.snapshot(ambient(py).now());
        let counts = PyDict::new(py);
        counts.set_item("calls", seen.calls)?;
        counts.set_item("retries", seen.permitted)?;
        counts.set_item("refused", seen.refused)?;
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("counts", counts)?;
        facts.set_item("in_flight", seen.in_flight)?;
        facts.set_item("retries_in_flight", seen.retries_in_flight)?;
        facts.set_item("balance", seen.balance)?;
        facts.set_item("exhausted", seen.exhausted)?;
        facts.set_item("deposited", seen.deposited)?;
        facts.set_item("withdrawn", seen.withdrawn)?;
        Ok(facts)
    }

    /// The settings of the mode in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.live.core.settings();
        let facts = PyDict::new(py);
        facts.set_item("mode", settings.mode.as_str())?;
        facts.set_item("ratio", settings.ratio())?;
        let (per_second, ttl, concurrent, tokens) = match settings.mode {
            Mode::Ratio { min_per_second, ttl, .. } => {
                (Some(min_per_second), Some(in_seconds(ttl)), None, None)
            }
            Mode::Concurrency { min_concurrent, .. } => (None, None, Some(min_concurrent), None),
            Mode::Tokens { max_tokens, .. } => (None, None, None, Some(max_tokens)),
        };
        facts.set_item("min_per_second", per_second)?;
        facts.set_item("ttl", ttl)?;
        facts.set_item("min_concurrent", concurrent)?;
        facts.set_item("max_tokens", tokens)?;
        Ok(facts)
    }

    /// A call begins.
    fn _begin(&self, py: Python<'_>) {
        self.live.core.begin(&ambient(py));
    }

    /// May it make one further attempt?
    fn _permit(&self, py: Python<'_>) -> bool {
        self.live.permit(py, &ambient(py))
    }

    /// A failure was seen that may be tried again.
    fn _failed(&self) {
        self.live.core.failed();
    }

    /// The call has succeeded.
    fn _succeeded(&self) {
        self.live.core.succeeded();
    }

    /// A further attempt has ended.
    fn _attempt_over(&self) {
        self.live.core.attempt_over();
    }

    /// The call has ended.
    fn _finish(&self) {
        self.live.core.finish();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.live.said.try_lock() {
            Some(said) => visit.call(&said.on_event),
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.let_go();
    }
}

/// Who was given the budget may hold on to what is behind it. The collector follows the listener
/// from here alone, so it goes with this.
impl Drop for Budget {
    fn drop(&mut self) {
        self.let_go();
    }
}
