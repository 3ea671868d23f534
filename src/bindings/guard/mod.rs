//! What protects calls: the native ground of every policy and of the pipeline.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | the object: its policies, its plan, its blocks |
//! | [`once`] | one call through it |
#![allow(unsafe_code, reason = "the collector visits what a cell holds")]

mod once;

pub use once::run;

use super::block;
use super::breaker::Breaker;
use super::bulkhead::Bulkhead;
use super::cell::PlanCell;
use super::compose::warn_all;
use super::decorate::{check, protect};
use super::failures::config_error;
use super::function::{Target, refuse, target};
use super::gate;
use super::keys::KeyOf;
use super::plan::{Plan, PlanRef};
use super::rate_limit::RateLimit;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

/// Something that protects calls.
#[pyclass(frozen, subclass, weakref, module = "seawall._core")]
pub struct Guard {
    plan: PlanCell,
    /// The policies of a pipeline, outermost first. A policy's own list is itself, and is not kept:
    /// an object that holds itself is only freed by the collector.
    members: Option<Py<PyTuple>>,
    /// The key of all its calls, of policies that have a state for each.
    key: Option<Py<PyAny>>,
    /// What this is a block of.
    of: Option<Py<Guard>>,
    /// What lies inside of its hedge, once a call was made through that.
    rest: PyOnceLock<Py<Guard>>,
}

impl Guard {
    /// The ground of a single policy.
    pub fn policy() -> Self {
        Self::of(None, None, None)
    }

    fn of(members: Option<Py<PyTuple>>, key: Option<Py<PyAny>>, of: Option<Py<Self>>) -> Self {
        Self { plan: PlanCell::new(None), members, key, of, rest: PyOnceLock::new() }
    }

    /// What lies inside of its hedge, for the same key.
    pub fn inside<'a, 'py>(
        slf: &'a Bound<'py, Self>,
        policies: impl FnOnce() -> Bound<'py, PyTuple>,
    ) -> PyResult<&'a Bound<'py, Self>> {
        let py = slf.py();
        let make = || Py::new(py, slf.get().part(py, policies()));
        slf.get().rest.get_or_try_init(py, make).map(|rest| rest.bind(py))
    }

    /// Some of its policies, for the same key.
    fn part(&self, py: Python<'_>, members: Bound<'_, PyTuple>) -> Self {
        let key = self.key.as_ref().map(|key| key.clone_ref(py));
        Self::of(Some(members.unbind()), key, None)
    }

    fn build(slf: &Bound<'_, Self>) -> PyResult<PlanRef> {
        let members = Self::members(slf)?;
        match &slf.get().key {
            Some(key) => Plan::build(&members, KeyOf::Fixed(key.bind(slf.py()))),
            None => Plan::build(&members, KeyOf::Anybody),
        }
    }

    /// The plan in force.
    #[inline(always)]
    pub fn in_force(slf: &Bound<'_, Self>) -> PyResult<PlanRef> {
        match slf.get().plan.get() {
            Some(plan) if plan.gate == gate::word() => Ok(plan),
            _ => slf.get().plan.refreshed(slf.py(), || Self::build(slf)),
        }
    }

    /// Its policies, outermost first.
    pub fn members<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        match &slf.get().members {
            Some(members) => Ok(members.bind(slf.py()).clone()),
            None => PyTuple::new(slf.py(), [slf]),
        }
    }
}

#[pymethods]
impl Guard {
    #[new]
    #[pyo3(signature = (policies, subject = "pipeline"))]
    fn new(policies: Bound<'_, PyTuple>, subject: &str) -> PyResult<Self> {
        check(&policies, None, &|| subject.to_owned())?;
        warn_all(&policies, &|| subject.to_owned())?;
        Ok(Self::of(Some(policies.unbind()), None, None))
    }

    /// The same policies for calls of one key: to enter as a block, or to call through.
    ///
    /// Raises:
    ///     `TypeError`: None of them has a state for each key, or the key can't be hashed.
    #[pyo3(signature = (*, key))]
    fn block(slf: &Bound<'_, Self>, key: Bound<'_, PyAny>) -> PyResult<Self> {
        key.hash()?;
        let members = Self::members(slf)?;
        // Each that could have one says whether it has.
        let said: Vec<_> = members.iter_borrowed().filter_map(|it| keyed(&it)).collect();
        if said.iter().all(Result::is_err) {
            if let Ok([only]) = <[_; 1]>::try_from(said) {
                only?;
            }
            return Err(PyTypeError::new_err(format!(
                "no policy of {} has a state for each key: a key= is for those made with key=",
                subject(slf)
            )));
        }
        let members = Some(members.unbind());
        let of = Some(slf.clone().unbind());
        Ok(Self::of(members, Some(key.unbind()), of))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(match (&slf.get().of, &slf.get().key) {
            (Some(of), Some(key)) => {
                let py = slf.py();
                format!("<block of {} with key {}>", of.bind(py).repr()?, key.bind(py).repr()?)
            }
            _ => match &slf.get().members {
                Some(members) => format!("<Guard {}>", members.bind(slf.py()).repr()?),
                None => format!("<{}>", slf.get_type().name()?),
            },
        })
    }

    /// A copy is itself: the state of its policies is one.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// Pickled by what it is made of: policies by their names, a block by its policy and key.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        match (&slf.get().of, &slf.get().key) {
            (Some(of), Some(key)) => {
                let again = py.import("seawall._core")?.getattr("block_arrived")?;
                Ok((again, (of, key).into_pyobject(py)?.into_any()))
            }
            _ => Ok((
                slf.get_type().into_any(),
                (Self::members(slf)?,).into_pyobject(py)?.into_any(),
            )),
        }
    }

    /// The policies a call passes, outermost first.
    #[getter]
    fn policies<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        Self::members(slf)
    }

    /// Returns `function` protected. Refuses what can't be protected.
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        function: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // A method object's function goes through the subclass's own `__call__`.
        if let Ok(Target::Descriptor(wrap, function)) = target(function) {
            return wrap.call1((slf.call1((function,))?,));
        }
        if slf.get().key.is_some() {
            let rule = "can't be decorated by a block: what is decorated tells its key itself";
            let problem = refuse(function, rule);
            return Err(config_error(slf.py(), &subject(slf), vec![problem]));
        }
        protect(function, &Self::members(slf)?, &|| subject(slf))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.plan.traverse(&visit)?;
        visit.call(&self.key)?;
        visit.call(&self.of)?;
        // SAFETY: the collector runs attached, and only a pointer is read.
        let py = unsafe { Python::assume_attached() };
        self.rest.get(py).map_or(Ok(()), |rest| visit.call(rest))?;
        visit.call(&self.members)
    }

    fn __clear__(&self) {
        drop(self.plan.replace(None));
    }
}

/// Has a policy a state for each key? An error says what to do if it has not; `None`: none could.
fn keyed(policy: &Bound<'_, PyAny>) -> Option<PyResult<()>> {
    let py = policy.py();
    if let Ok(breaker) = policy.cast::<Breaker>() {
        return Some(breaker.get().circuits(py).map(drop));
    }
    if let Ok(bulkhead) = policy.cast::<Bulkhead>() {
        return Some(bulkhead.get().lanes(py).map(drop));
    }
    policy.cast::<RateLimit>().ok().map(|limit| limit.get().keyed(py).map(drop))
}

/// A block that has arrived from another process.
#[pyfunction]
#[pyo3(name = "block_arrived")]
pub fn arrived<'py>(of: &Bound<'py, Guard>, key: Bound<'py, PyAny>) -> PyResult<Guard> {
    Guard::block(of, key)
}

fn subject(guard: &Bound<'_, Guard>) -> String {
    guard.repr().map_or_else(|_| "guard".to_owned(), |text| text.to_string())
}

/// Adds the class.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Guard>()?;
    let class = module.py().get_type::<Guard>();
    once::register(&class)?;
    block::register(&class)
}
