//! Why a store gave no answer, as the errors of `seawall.stores.errors`.

use crate::stores::StoreError;
use pyo3::prelude::*;

/// The error of the store that is named so to everybody.
pub fn store_error(py: Python<'_>, store: &str, error: &StoreError) -> PyErr {
    let class = match error {
        StoreError::Unavailable(_) | StoreError::Refused(_) | StoreError::Foreign(_) => {
            "StoreUnavailableError"
        }
        StoreError::Busy(_) | StoreError::Overloaded(_) => "StoreBusyError",
        StoreError::Full(_) => "StoreFullError",
        StoreError::Corrupt(_) | StoreError::Damaged { .. } => "StoreDamagedError",
        StoreError::Newer { .. } => "StoreNewerError",
        StoreError::TimedOut => "StoreTimeoutError",
        StoreError::CutOff(_) => "StoreConnectionError",
        StoreError::Closed => "StoreClosedError",
        StoreError::Forked | StoreError::Failed(_) => "StoreError",
    };
    let make = || -> PyResult<PyErr> {
        let class = py.import("seawall.stores.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((store, error.to_string()))?))
    };
    make().unwrap_or_else(|error| error)
}
