//! The hedge's face to the drivers and to Python.
//!
//! A hedge is no step. It splits the plan: what lies outside of it is the plan of the call, whose
//! callee is a [`Hedged`]; what lies inside of it is the plan of each attempt. So no driver knows of
//! it, and each attempt has its own tickets.
//!
//! | file | holds |
//! |---|---|
//! | `hedged` | what stands in the place of the function: makes attempts of a call |
//! | `once` | a single call of a function that is not decorated |
//! | `race`, `judging` | one call: what is to be done next, and whose end is the call's; what it asks for that, and tells |
//! | `settings` | what it is set up with |
//! | `counts` | what became of its calls and attempts |
//! | `events` | what it tells |

mod counts;
mod events;
mod hedged;
mod judging;
mod once;
mod race;
mod settings;

pub use hedged::{Flight, Hedged, split};
pub use once::{call, observed};
use race::Paid;
pub use race::Race;

use super::budget::{self, Live};
use super::clock::{ambient, in_seconds};
use super::convert::declared;
use super::failures::config_error;
use super::function::{Kind, kind, refuse};
use super::guard::Guard;
use super::rules::Rules;
use super::timeout;
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::hedge::{Delay, Latencies, Settings};
use counts::Counts;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use settings::{Read, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A hedge as it is configured now.
pub struct Current {
    settings: Settings,
    rules: Py<Rules>,
    /// The budget, or its name, as it was given; and that, once a call has looked for it.
    given: Option<Py<PyAny>>,
    live: Option<Arc<Live>>,
    /// How long calls take, if the delay follows that.
    latencies: Option<Latencies>,
    name: Py<PyString>,
}

/// The native part of `seawall.Hedge`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Hedge {
    current: Arc<Mutex<Current>>,
    counts: Arc<Counts>,
    /// The threads of plain functions, once there was one.
    pool: PyOnceLock<Py<PyAny>>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

/// Why a hedge does not serve generator functions.
const HEDGES_NO_GENERATOR: &str = "is a generator function, whose items can't be taken back: of \
    two attempts only one may give any. Hedge what it calls";

fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("hedge '{name}'"), problems)
}

impl Hedge {
    /// As far as its place among other policies matters.
    #[allow(clippy::unused_self, reason = "as those of other policies")]
    pub fn part(&self) -> Part {
        Part::Hedge
    }

    /// Why it can't serve `function`, if it can't.
    pub fn problem(function: &Bound<'_, PyAny>) -> Option<Problem> {
        match kind(function) {
            Kind::Generator | Kind::AsyncGenerator => Some(refuse(function, HEDGES_NO_GENERATOR)),
            _ => None,
        }
    }

    /// The budget that is asked before each further attempt, if it was given one.
    pub(super) fn budget(&self, py: Python<'_>) -> PyResult<Option<Arc<Live>>> {
        let (given, name) = {
            let current = self.current.lock();
            let Some(given) = &current.given else { return Ok(None) };
            if let Some(live) = &current.live {
                return Ok(Some(Arc::clone(live)));
            }
            (given.bind(py).clone(), current.name.bind(py).clone())
        };
        let Some(live) = budget::find(&given) else {
            return Err(refused(&name, vec![budget::missing(&given)]));
        };
        let mut current = self.current.lock();
        if current.given.as_ref().is_some_and(|now| now.is(&given)) {
            current.live = Some(Arc::clone(&live));
        }
        Ok(Some(live))
    }

    fn fill_pool(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let make = py.import("seawall.policies.timeout.pool")?.getattr("Pool")?;
        let pool = make.call1((self.name(py),))?;
        pool.setattr("max_threads", self.current.lock().settings.max_threads)?;
        Ok(pool.unbind())
    }
}

#[pymethods]
impl Hedge {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, Read { settings, rules, budget }) = declared("hedge", name, read(settings))?;
        let current = Current {
            settings,
            rules: rules.object(py)?,
            given: budget,
            live: None,
            latencies: latencies(&settings, None),
            name: name.unbind(),
        };
        let hedge = Self {
            current: Arc::new(Mutex::new(current)),
            counts: Arc::default(),
            pool: PyOnceLock::new(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(hedge))
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
        let old = std::mem::replace(&mut self.current.lock().name, name.clone_ref(py));
        old.drop_ref(py);
        self.pool.get(py).map_or(Ok(()), |pool| pool.bind(py).setattr("name", name))
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let Read { settings, rules, budget } =
            read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let rules = rules.object(py)?;
        let old = {
            let mut current = self.current.lock();
            current.settings = settings;
            current.latencies = latencies(&settings, current.latencies.take());
            current.live = None;
            let rules = std::mem::replace(&mut current.rules, rules);
            (rules, std::mem::replace(&mut current.given, budget))
        };
        if let Some(pool) = self.pool.get(py) {
            pool.bind(py).setattr("max_threads", settings.max_threads)?;
        }
        // Outside the lock: the end of a callable may run Python code.
        old.0.drop_ref(py);
        if let Some(budget) = old.1 {
            budget.drop_ref(py);
        }
        Ok(())
    }

    /// A call begins, and its first attempt. What it comes to is left in `flight` as well. `shared`:
    /// somebody else tells the budget of this call.
    ///
    /// Raises what says that there is no time left, or no such budget.
    fn _begin(&self, py: Python<'_>, flight: Option<Py<Flight>>, shared: bool) -> PyResult<Race> {
        let clock = ambient(py);
        if let Some(passed) = timeout::over(&clock) {
            self.counts.rejected.bump();
            return Err(timeout::exceeded(passed.bind(py)));
        }
        let budget = self.budget(py)?;
        let budget = budget.map(|live| Paid { live, shared });
        Ok(Race::begin(py, &self.current, &self.counts, budget, flight, &clock))
    }

    /// The threads that plain functions run in. Made when they are first asked for.
    fn _threads(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let pool = self.pool.get_or_try_init(py, || self.fill_pool(py))?;
        Ok(pool.clone_ref(py))
    }

    /// As [`Hedge::_threads`], if there are any.
    #[getter]
    fn _pool(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.pool.get(py).map(|pool| pool.clone_ref(py))
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.current.lock().settings;
        let facts = PyDict::new(py);
        match settings.delay {
            Delay::Fixed(delay) => facts.set_item("delay", in_seconds(delay))?,
            Delay::Quantile(quantile) => {
                let parts = PyDict::new(py);
                parts.set_item("min_samples", quantile.min_samples)?;
                parts.set_item("window", quantile.window)?;
                parts.set_item("initial", quantile.initial.map(in_seconds))?;
                parts.set_item("min_delay", in_seconds(quantile.min_delay))?;
                parts.set_item("max_delay", quantile.max_delay.map(in_seconds))?;
                let make = py.import("seawall.policies.hedge.delays")?.getattr("quantile")?;
                facts.set_item("delay", make.call((quantile.share,), Some(&parts))?)?;
            }
        }
        facts.set_item("max_hedges", settings.max_hedges)?;
        facts.set_item("max_losers", settings.max_losers)?;
        facts.set_item("max_threads", settings.max_threads)?;
        Ok(facts)
    }

    /// What is seen of it.
    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (delay, samples) = {
            let current = self.current.lock();
            (current.delay(), current.latencies.as_ref().map_or(0, Latencies::held))
        };
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("counts", self.counts.facts(py)?)?;
        facts.set_item("in_flight", self.counts.in_flight())?;
        facts.set_item("losers", self.counts.losers.get())?;
        facts.set_item("delay", delay.map(in_seconds))?;
        facts.set_item("samples", samples)?;
        Ok(facts)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked: somebody is at it, so it is alive, and this collection need not know why.
        match self.current.try_lock() {
            Some(current) => {
                visit.call(&current.rules)?;
                visit.call(&current.given)
            }
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Current {
    /// How long after an attempt the next is started now.
    fn delay(&self) -> Option<u64> {
        match (&self.settings.delay, &self.latencies) {
            (Delay::Fixed(delay), _) => Some(*delay),
            (Delay::Quantile(rule), Some(seen)) => seen.delay(rule),
            (Delay::Quantile(_), None) => None,
        }
    }
}

/// Where the latencies are kept that `settings` ask for. Those of a window of the same size go on.
fn latencies(settings: &Settings, before: Option<Latencies>) -> Option<Latencies> {
    let Delay::Quantile(quantile) = settings.delay else { return None };
    let kept = before.filter(|kept| kept.window() == quantile.window as usize);
    let latencies = kept.unwrap_or_else(|| Latencies::new(quantile.window));
    if latencies.held() > 0 {
        latencies.work_out(quantile.share);
    }
    Some(latencies)
}

impl Hedge {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let Ok(rules) = Rules::none().object(py) else { return };
        let old = {
            let mut current = self.current.lock();
            (std::mem::replace(&mut current.rules, rules), current.given.take())
        };
        old.0.drop_ref(py);
        if let Some(budget) = old.1 {
            budget.drop_ref(py);
        }
    }
}

/// Calls may outlive the hedge and know what is configured. The collector follows that from here
/// alone, so nothing that may lead back is left in it.
impl Drop for Hedge {
    fn drop(&mut self) {
        self.let_go();
    }
}
