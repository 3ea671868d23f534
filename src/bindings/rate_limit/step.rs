//! A rate limit in a plan.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::Current;
use super::events::{Said, tell};
use super::meters::{Meter, Meters};
use super::settings::Hooks;
use crate::bindings::call::Call;
use crate::bindings::clock::in_seconds;
use crate::bindings::convert::number;
use crate::bindings::failures::{classes, report};
use crate::bindings::keys::Source;
use crate::policies::rate_limit::{Cost, RateLimit as Core, Refusal as Why};
use crate::sync::Counter;
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;
use std::sync::Arc;

/// A rate limit in a plan.
pub struct Step {
    core: Core,
    cost: Cost,
    pub(super) hooks: Py<Hooks>,
    keyed: Option<Keyed>,
    pub(super) seq: Arc<Counter>,
    current: Arc<Mutex<Current>>,
    /// Must a call be looked at before it enters: for its key, or for what it costs?
    asks: bool,
}

struct Keyed {
    meters: Arc<Meters>,
    source: Source,
}

/// What was found out about a call before it enters.
#[derive(Clone, Copy)]
pub struct Found {
    /// Owned: the state of its key. NULL: there is one for all calls.
    meter: *mut ffi::PyObject,
    cost: Cost,
}

// SAFETY: the pointee is a frozen object whose words are changed by compare-and-swap.
unsafe impl Send for Found {}
// SAFETY: as above.
unsafe impl Sync for Found {}

impl Found {
    /// Gives back what it owns. Its holders run attached, and give it back once.
    #[inline(always)]
    pub fn release(&self) {
        // SAFETY: as above; NULL is nothing.
        unsafe { ffi::Py_XDECREF(self.meter) };
    }

    fn bind<'a>(&'a self, _attached: Python<'_>) -> Option<&'a Bound<'a, Meter>> {
        if self.meter.is_null() {
            return None;
        }
        // SAFETY: a `Bound` is a token of nothing and a non-null pointer to a live object; this one
        // is only borrowed, and this reference keeps it alive.
        Some(unsafe { &*(&raw const self.meter).cast::<Bound<'a, Meter>>() })
    }
}

/// A call that was not let in. Owns what was found.
pub struct Refusal {
    found: Found,
    why: Why,
}

impl Refusal {
    /// Gives back what it owns.
    pub fn release(&self) {
        self.found.release();
    }
}

impl Step {
    pub(super) fn of(
        py: Python<'_>,
        current: &Arc<Mutex<Current>>,
        meters: Option<&Arc<Meters>>,
        seq: &Arc<Counter>,
        source: Option<Source>,
    ) -> Self {
        let now = current.lock();
        let keyed = meters.zip(source);
        Self {
            asks: keyed.is_some() || now.hooks.get().cost.is_some(),
            keyed: keyed.map(|(meters, source)| Keyed { meters: Arc::clone(meters), source }),
            core: now.core.clone(),
            cost: now.core.settings().cost,
            hooks: now.hooks.clone_ref(py),
            seq: Arc::clone(seq),
            current: Arc::clone(current),
        }
    }

    /// The same limit's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        let meters = self.keyed.as_ref().map(|keyed| &keyed.meters);
        let source = self.keyed.as_ref().map(|keyed| keyed.source.clone_ref(py));
        let renewed = Self::of(py, &self.current, meters, &self.seq, source);
        // The collector may have taken the hooks apart; what calls have ready stays what it was.
        Self { asks: self.asks, ..renewed }
    }

    /// Must calls be looked at before they enter?
    #[inline(always)]
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// Finds out what `call` costs, and whose it is.
    #[inline(never)]
    pub fn find<C: Clock>(&self, py: Python<'_>, call: &Call, clock: &C) -> PyResult<Found> {
        let cost = match &self.hooks.get().cost {
            Some(ask) => self.ask_cost(ask.bind(py), call)?,
            None => self.cost,
        };
        let meter = match &self.keyed {
            Some(keyed) => {
                let key = keyed.source.key(py, call)?;
                keyed.meters.of(&key, &self.core, clock)?.into_ptr()
            }
            None => ptr::null_mut(),
        };
        Ok(Found { meter, cost })
    }

    fn ask_cost(&self, ask: &Bound<'_, PyAny>, call: &Call) -> PyResult<Cost> {
        let py = ask.py();
        if call.callee.is_null() {
            return Err(PyTypeError::new_err(format!(
                "the cost of rate limit '{}' is a callable of the arguments, and a block has none",
                self.name(py)
            )));
        }
        let answer = Source::Ask(ask.clone().unbind());
        let given = answer.key(py, call);
        answer.release(py);
        let given = given?;
        number(&given).and_then(Cost::of).ok_or_else(|| {
            PyValueError::new_err(format!(
                "cost of rate limit '{}' answered {given:?}: {}",
                self.name(py),
                crate::policies::rate_limit::COST_RULE
            ))
        })
    }

    /// Lets a call in, or not. `found`: what was found out about it, if that was asked for.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, found: Option<Found>, clock: &C) -> Result<(), Refusal> {
        let Some(found) = found else {
            return match self.core.ask(self.cost, clock) {
                Ok(()) => Ok(()),
                Err(why) => {
                    Err(self.refused(Found { meter: ptr::null_mut(), cost: self.cost }, why))
                }
            };
        };
        self.enter_found(found, clock)
    }

    #[inline(never)]
    fn enter_found<C: Clock>(&self, mut found: Found, clock: &C) -> Result<(), Refusal> {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        let mut anywhere = false;
        loop {
            let Some(meter) = found.bind(py) else {
                return match self.core.ask(found.cost, clock) {
                    Ok(()) => Ok(()),
                    Err(why) => Err(self.refused(found, why)),
                };
            };
            let answer = meter.get().core().ask(found.cost, clock);
            if anywhere || !meter.get().gone() {
                return match answer {
                    Ok(()) => {
                        found.release();
                        Ok(())
                    }
                    Err(why) => Err(self.refused(found, why)),
                };
            }
            // Let go of since it was found: what it knew was nothing.
            match self.found_again(py, meter, clock) {
                Ok(again) => {
                    found.release();
                    found.meter = again.into_ptr();
                }
                // No memory for it: the one that was let go of is a place as well.
                Err(error) => {
                    report(py, error, meter.get().key.bind(py));
                    anywhere = true;
                }
            }
        }
    }

    #[cold]
    fn found_again<'py, C: Clock>(
        &self,
        py: Python<'py>,
        meter: &Bound<'_, Meter>,
        clock: &C,
    ) -> PyResult<Bound<'py, Meter>> {
        let Some(Keyed { meters, .. }) = &self.keyed else {
            return Err(PyValueError::new_err("there is one state for all calls"));
        };
        let key = meter.get().key.bind(py);
        meters.of(key, &self.core, clock).or_else(|error| {
            // The key can't be looked up any more; where the others are is a place too.
            report(py, error, key);
            meters.shared(py, &self.core)
        })
    }

    #[cold]
    fn refused(&self, found: Found, why: Why) -> Refusal {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        tell(py, self, found.bind(py), found.cost, Said::Rejected(why.retry_after));
        Refusal { found, why }
    }

    /// The exception for a caller that was not let in.
    #[cold]
    pub fn error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        let retry_after = refusal.why.retry_after.map(in_seconds);
        let cost = refusal.found.cost.number();
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.rate_limited.bind(py);
            let error = match refusal.found.bind(py) {
                None => class.call1((self.name(py), retry_after, cost))?,
                Some(meter) => class.call1((self.name(py), retry_after, cost, &meter.get().key))?,
            };
            Ok(PyErr::from_value(error))
        };
        make().unwrap_or_else(|error| error)
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.hooks.drop_ref(py);
        if let Some(keyed) = self.keyed {
            keyed.source.release(py);
        }
        // The plan may have outlived the limit.
        if let Some(current) = Arc::into_inner(self.current) {
            let current = current.into_inner();
            current.hooks.drop_ref(py);
            current.name.drop_ref(py);
        }
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 3] {
        let [key, more] =
            self.keyed.as_ref().map_or([ptr::null_mut(); 2], |keyed| keyed.source.objects());
        [self.hooks.as_ptr(), key, more]
    }

    pub(super) fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }
}
