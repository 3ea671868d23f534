//! Where a plan in force is kept.
#![allow(unsafe_code, reason = "counts references to plans: see plan.rs")]

use super::gate;
use super::plan::{Plan, PlanRef};
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::ptr;
#[cfg(not(Py_GIL_DISABLED))]
use std::sync::atomic::{AtomicPtr, Ordering};

/// A place that holds the plan in force and hands out references to it.
///
/// With a global lock, reading the pointer and counting the reference is one step as far as any
/// other thread can see. Without one, a reader could be overtaken between the two by a thread that
/// replaces the plan and frees it; there the cell has a lock of its own.
pub struct PlanCell {
    #[cfg(not(Py_GIL_DISABLED))]
    plan: AtomicPtr<Plan>,
    #[cfg(Py_GIL_DISABLED)]
    plan: parking_lot::Mutex<*mut Plan>,
}

#[cfg(not(Py_GIL_DISABLED))]
impl PlanCell {
    pub fn new(plan: Option<PlanRef>) -> Self {
        Self { plan: AtomicPtr::new(plan.map_or(ptr::null_mut(), PlanRef::into_ptr)) }
    }

    #[inline(always)]
    pub fn get(&self) -> Option<PlanRef> {
        let plan = self.plan.load(Ordering::Relaxed);
        // SAFETY: the cell owns a reference to what it points to, and nobody can take it away
        // before this thread lets go of the global lock.
        (!plan.is_null()).then(|| unsafe { PlanRef::borrow(plan) })
    }

    /// Puts `plan` in and hands back what was there.
    pub fn replace(&self, plan: Option<PlanRef>) -> Option<PlanRef> {
        let plan = plan.map_or(ptr::null_mut(), PlanRef::into_ptr);
        let old = self.plan.swap(plan, Ordering::AcqRel);
        // SAFETY: the cell's own reference passes to the caller.
        (!old.is_null()).then(|| unsafe { PlanRef::from_ptr(old) })
    }

    /// The pointer itself, for the collector.
    pub fn peek(&self) -> *mut ffi::PyObject {
        self.plan.load(Ordering::Relaxed).cast()
    }
}

#[cfg(Py_GIL_DISABLED)]
impl PlanCell {
    pub fn new(plan: Option<PlanRef>) -> Self {
        Self { plan: parking_lot::Mutex::new(plan.map_or(ptr::null_mut(), PlanRef::into_ptr)) }
    }

    pub fn get(&self) -> Option<PlanRef> {
        let plan = self.plan.lock();
        // SAFETY: the cell owns a reference, and the lock keeps it in place until ours is counted.
        (!plan.is_null()).then(|| unsafe { PlanRef::borrow(*plan) })
    }

    /// Puts `plan` in and hands back what was there.
    pub fn replace(&self, plan: Option<PlanRef>) -> Option<PlanRef> {
        let plan = plan.map_or(ptr::null_mut(), PlanRef::into_ptr);
        let old = std::mem::replace(&mut *self.plan.lock(), plan);
        // SAFETY: the cell's own reference passes to the caller.
        (!old.is_null()).then(|| unsafe { PlanRef::from_ptr(old) })
    }

    /// The pointer itself, for the collector, which runs while every other thread stands still.
    pub fn peek(&self) -> *mut ffi::PyObject {
        // SAFETY: the world is stopped: nobody writes.
        unsafe { (*self.plan.data_ptr()).cast() }
    }
}

#[cfg(Py_GIL_DISABLED)]
// SAFETY: the raw pointer is only reached under the lock.
unsafe impl Send for PlanCell {}
#[cfg(Py_GIL_DISABLED)]
// SAFETY: as above.
unsafe impl Sync for PlanCell {}

impl Drop for PlanCell {
    fn drop(&mut self) {
        drop(self.replace(None));
    }
}

impl PlanCell {
    /// Shows the collector the plan in force, for owners that are `#[pyclass]`es.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let plan = self.peek();
        // SAFETY: a reference is a non-null pointer to its object, and its absence is NULL; this
        // one is only looked at, while the cell that owns it is borrowed.
        visit.call(unsafe { &*(&raw const plan).cast::<Option<Py<PyAny>>>() })
    }

    /// The plan in force: built by `build` if there is none, and anew if one of its policies was
    /// reconfigured since.
    pub fn refreshed(
        &self,
        py: Python<'_>,
        build: impl FnOnce() -> PyResult<PlanRef>,
    ) -> PyResult<PlanRef> {
        let plan = match self.get() {
            Some(plan) if plan.gate == gate::epoch(gate::word()) => return Ok(plan),
            Some(plan) => plan.renewed(py)?,
            None => build()?,
        };
        // The old plan goes only after the new one is in place: its end may run Python code.
        drop(self.replace(Some(plan.clone())));
        Ok(plan)
    }
}
