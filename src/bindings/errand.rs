//! A call that is made in a thread of a pool's.
#![allow(unsafe_code, reason = "keeps a call in the interpreter's own calling convention")]

use super::again::Again;
use super::bulkhead::Loan;
use super::call::{Arguments, Callee};
use super::failures::classes;
use parking_lot::Mutex;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

/// Why a call in another thread has no result.
pub enum Lost {
    /// It took too long.
    GivenUp(PyErr),
    /// It raised, or could not be made, or the wait for it was broken off.
    Raised(PyErr),
}

/// Has a thread of `pool` make the call, and waits for it so long. One that it gives up while it
/// runs has what `lend` gives from then on.
///
/// # Safety
/// Attached; `callee` is alive and the arguments follow the vectorcall convention.
#[cold]
pub unsafe fn elsewhere<'py>(
    pool: &Bound<'py, PyAny>,
    limit: Option<f64>,
    callee: Callee,
    arguments: Arguments,
    lend: impl FnOnce() -> Option<Loan>,
) -> Result<Bound<'py, PyAny>, Lost> {
    let py = pool.py();
    // SAFETY: as the caller promises.
    let kept = unsafe { Again::keep(callee, arguments, 0) };
    let errand = Errand {
        call: Mutex::new(Some(kept)),
        error: Mutex::new(None),
        stage: Mutex::new(Stage::Unbegun),
    };
    let errand = Bound::new(py, errand).map_err(Lost::Raised)?;
    let made = pool.call_method1(intern!(py, "run"), (&errand, limit));
    // What the call itself raised is none of the pool's errors, whatever its class.
    let raised = errand.get().error.lock().take();
    match (made, raised) {
        (Ok(_), Some(error)) => Err(Lost::Raised(error)),
        (Ok(value), None) => Ok(value),
        (Err(error), _) => {
            errand.get().give_up(lend);
            let late = classes(py)
                .is_ok_and(|known| error.is_instance(py, known.call_timeout.bind(py).as_any()));
            Err(if late { Lost::GivenUp(error) } else { Lost::Raised(error) })
        }
    }
}

/// A call to be made once, in another thread.
#[pyclass(frozen, module = "seawall._core")]
struct Errand {
    call: Mutex<Option<Again>>,
    error: Mutex<Option<PyErr>>,
    stage: Mutex<Stage>,
}

enum Stage {
    Unbegun,
    Runs,
    /// Nobody waits for it; what it still has.
    GivenUp(Loan),
    Over,
}

impl Errand {
    /// Nobody waits for it any longer. One that has not begun never will; one that runs keeps what
    /// `lend` gives.
    fn give_up(&self, lend: impl FnOnce() -> Option<Loan>) {
        let mut stage = self.stage.lock();
        match &*stage {
            Stage::Unbegun => *stage = Stage::Over,
            Stage::Runs => {
                if let Some(loan) = lend() {
                    *stage = Stage::GivenUp(loan);
                }
            }
            Stage::GivenUp(_) | Stage::Over => {}
        }
    }

    /// It begins. `false`: it is not to.
    fn begin(&self) -> bool {
        let mut stage = self.stage.lock();
        let unbegun = matches!(*stage, Stage::Unbegun);
        if unbegun {
            *stage = Stage::Runs;
        }
        unbegun
    }

    fn end(&self, py: Python<'_>) {
        let before = std::mem::replace(&mut *self.stage.lock(), Stage::Over);
        if let Stage::GivenUp(loan) = before {
            loan.give_back(py);
        }
    }
}

#[pymethods]
impl Errand {
    fn __call__(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let kept = self.call.lock().take().filter(|_| self.begin());
        // SAFETY: attached; what is called gives a new reference or NULL with an exception set.
        let made = unsafe { kept.map(|mut kept| Bound::from_owned_ptr_or_err(py, kept.make())) };
        self.end(py);
        let made =
            made.unwrap_or_else(|| Err(PyRuntimeError::new_err("this call was made already")));
        match made {
            Ok(value) => Some(value.unbind()),
            Err(error) => {
                let old = self.error.lock().replace(error);
                drop(old);
                None
            }
        }
    }
}
