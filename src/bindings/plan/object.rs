//! The plan as an object of the interpreter's, and counted references to it.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::Plan;
use crate::bindings::native::Blueprint;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(super) static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// A counted reference to a plan.
pub struct PlanRef(*mut Plan);

// SAFETY: the pointee is immutable but for its reference count, which the interpreter keeps.
unsafe impl Send for PlanRef {}
// SAFETY: as above.
unsafe impl Sync for PlanRef {}

impl PlanRef {
    /// A further reference to the plan at `plan`.
    ///
    /// # Safety
    /// `plan` is a live plan and the thread is attached to the interpreter.
    #[inline(always)]
    pub unsafe fn borrow(plan: *mut Plan) -> Self {
        // SAFETY: as the caller promises.
        unsafe { ffi::Py_INCREF(plan.cast()) };
        Self(plan)
    }

    /// The plan as an object, for the collector.
    pub fn as_ptr(&self) -> *mut ffi::PyObject {
        self.0.cast()
    }

    /// Shows the collector this reference, for owners that are `#[pyclass]`es.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: both are one non-null pointer to a live object that its holder counts; this one
        // is only looked at.
        visit.call(unsafe { &*(&raw const self.0).cast::<Py<PyAny>>() })
    }

    /// Gives the reference away as a pointer.
    pub fn into_ptr(self) -> *mut Plan {
        let plan = self.0;
        std::mem::forget(self);
        plan
    }

    /// Takes over a reference given away by [`PlanRef::into_ptr`].
    ///
    /// # Safety
    /// `plan` came from `into_ptr` and is taken over once.
    pub unsafe fn from_ptr(plan: *mut Plan) -> Self {
        Self(plan)
    }
}

impl Clone for PlanRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps the plan alive; holders of plans are attached.
        unsafe { Self::borrow(self.0) }
    }
}

impl std::ops::Deref for PlanRef {
    type Target = Plan;

    #[inline(always)]
    fn deref(&self) -> &Plan {
        // SAFETY: this reference keeps the plan alive.
        unsafe { &*self.0 }
    }
}

impl Drop for PlanRef {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: this reference is ours to give up. Drivers and holders run attached.
        unsafe { ffi::Py_DECREF(self.0.cast()) };
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector on a plan; each step's rules are owned by this plan.
    unsafe {
        let met = visit(ffi::Py_TYPE(slf).cast(), arg);
        if met != 0 {
            return met;
        }
        for step in &(*slf.cast::<Plan>()).steps {
            for object in step.objects() {
                let met = if object.is_null() { 0 } else { visit(object, arg) };
                if met != 0 {
                    return met;
                }
            }
        }
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; the fields were written when the plan was built.
    unsafe {
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        let py = Python::assume_attached();
        for step in (&raw const (*slf.cast::<Plan>()).steps).read() {
            step.release(py);
        }
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type.
pub fn register(py: Python<'_>) -> PyResult<()> {
    let blueprint = Blueprint {
        name: c"seawall._core.Plan",
        size: size_of::<Plan>(),
        flags: 0,
        slots: vec![
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![],
        getset: vec![],
        methods: vec![],
    };
    // SAFETY: the slots take a `Plan`, whose size is given.
    TYPE.store(unsafe { blueprint.build(py)? }, Ordering::Relaxed);
    Ok(())
}
