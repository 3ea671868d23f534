//! What wakes one that waits for a permit.

use crate::bindings::failures::report;
use crate::policies::bulkhead::Bulkhead;
use crate::time::Nanos;
use parking_lot::Mutex;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// The state of a bulkhead, or of one of its keys.
pub type Core = Bulkhead<Py<Bell>>;

/// Rings once, for the one that waits. Made for each wait, by whatever it is that lets wait.
#[pyclass(frozen, module = "seawall._core")]
pub struct Bell {
    number: AtomicU64,
    /// Since when it is waited for.
    pub began: Nanos,
    state: Mutex<State>,
}

enum State {
    /// Nobody listens yet.
    Still,
    Listened(Py<PyAny>),
    Rung,
    /// Whoever waited can't be woken any more: what it was to have has gone to another.
    Dead,
}

impl Bell {
    pub fn new(began: Nanos) -> Self {
        Self { number: AtomicU64::new(0), began, state: Mutex::new(State::Still) }
    }

    /// Its number in the queue.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    pub fn set_number(&self, number: u64) {
        self.number.store(number, Ordering::Relaxed);
    }

    /// Is there nobody any more whom it could wake?
    pub fn dead(&self) -> bool {
        matches!(*self.state.lock(), State::Dead)
    }

    /// Wakes who waits. `false`: it can't be woken any more, as a task whose loop is closed.
    pub fn ring(&self, py: Python<'_>) -> bool {
        let before = std::mem::replace(&mut *self.state.lock(), State::Rung);
        let State::Listened(ring) = before else { return true };
        let ring = ring.into_bound(py);
        match ring.call0() {
            Ok(_) => true,
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let before = std::mem::replace(&mut *self.state.lock(), State::Dead);
                drop(before);
                crate::bindings::failures::discard(py, error);
                false
            }
            Err(error) => {
                report(py, error, &ring);
                true
            }
        }
    }
}

#[pymethods]
impl Bell {
    /// Has `ring` called when it rings, by whichever thread. False: it has rung.
    fn listen(&self, ring: Py<PyAny>) -> bool {
        let mut state = self.state.lock();
        if !matches!(*state, State::Still) {
            return false;
        }
        *state = State::Listened(ring);
        true
    }

    /// Has it rung?
    #[getter]
    fn rung(&self) -> bool {
        matches!(*self.state.lock(), State::Rung)
    }
}

/// Gives a permit back, and wakes who gets it.
#[cold]
#[inline(never)]
pub fn give_back(py: Python<'_>, core: &Core, permit: crate::policies::bulkhead::Permit) {
    let mut next = core.exit(permit);
    while let Some(bell) = next {
        let bell = bell.into_bound(py);
        if bell.get().ring(py) {
            return;
        }
        // Its permit goes on to the one behind.
        next = core.exit(permit);
    }
}

/// Wakes those that were let in.
pub fn wake(py: Python<'_>, core: &Core, bells: Vec<Py<Bell>>) {
    for bell in bells {
        let bell = bell.into_bound(py);
        if !bell.get().ring(py) {
            give_back(py, core, core.permit());
        }
    }
}
