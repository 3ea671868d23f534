//! The objects of the interpreter's that are a step's.

use super::Step;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

impl Step {
    /// Gives up what this step owns. Not left to `Drop`, which does not know that the thread is
    /// attached when the interpreter frees a plan, and would put it off.
    pub fn release(self, py: Python<'_>) {
        match self {
            Self::Breaker(step) => step.release(py),
            Self::KeyedBreaker(keyed) => keyed.release(py),
            Self::RateLimit(limit) => limit.release(py),
            Self::Retry(retry) => retry.release(py),
            Self::Timeout(timeout) => timeout.release(py),
            Self::Bulkhead(bulkhead) => bulkhead.release(py),
            Self::Fallback(fallback) => fallback.release(py),
        }
    }

    /// The Python objects that it owns, for the collector. NULL: none.
    pub fn objects(&self) -> [*mut ffi::PyObject; 4] {
        let none = ptr::null_mut();
        match self {
            Self::Breaker(step) => [step.rules.as_ptr(), none, none, none],
            Self::KeyedBreaker(keyed) => {
                let [key, more] = keyed.objects();
                [keyed.step().rules.as_ptr(), key, more, none]
            }
            Self::RateLimit(limit) => {
                let [hooks, key, more] = limit.objects();
                [hooks, key, more, none]
            }
            Self::Retry(retry) => {
                let [rules, hooks] = retry.objects();
                [rules, hooks, none, none]
            }
            Self::Timeout(timeout) => {
                let [listener, pool] = timeout.objects();
                [listener, pool, none, none]
            }
            Self::Bulkhead(bulkhead) => bulkhead.objects(),
            Self::Fallback(fallback) => fallback.objects(),
        }
    }
}
