//! The object that `__aexit__()` gives to await: it is ready, and always the same.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::READY;
use crate::bindings::native::{Blueprint, no_args};
use crate::bindings::stop;
use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_RETURN};
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

/// The object that `await` is done with at once. A new reference.
///
/// # Safety
/// Attached.
#[inline(always)]
pub unsafe fn ready() -> *mut ffi::PyObject {
    // SAFETY: made when the module was, and kept for good.
    unsafe { ffi::Py_NewRef(READY.load(Ordering::Relaxed)) }
}

pub unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a live object.
    unsafe { ffi::Py_NewRef(slf) }
}

/// Raises what is thrown: there is nowhere to throw it into.
pub unsafe extern "C" fn throw_at_once(
    _: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let given = |at: ffi::Py_ssize_t| {
            (at < count).then(|| Bound::from_borrowed_ptr(py, *values.offset(at)))
        };
        let instance = given(1).filter(PyAnyMethods::is_instance_of::<PyBaseException>);
        match instance.or_else(|| given(0)) {
            Some(error) => PyErr::from_value(error).restore(py),
            None => PyTypeError::new_err("throw() needs an exception").restore(py),
        }
        ptr::null_mut()
    }
}

/// How `send`, `throw` and `close` are spelled, which whoever steps an awaitable may call.
pub fn steps(
    send: ffi::PyCFunction,
    throw: ffi::PyCFunctionFast,
    close: ffi::PyCFunction,
) -> Vec<ffi::PyMethodDef> {
    let method = |name: &'static std::ffi::CStr, ml_meth, ml_flags| ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth,
        ml_flags,
        ml_doc: ptr::null(),
    };
    vec![
        method(c"send", ffi::PyMethodDefPointer { PyCFunction: send }, ffi::METH_O),
        method(c"throw", ffi::PyMethodDefPointer { PyCFunctionFast: throw }, ffi::METH_FASTCALL),
        no_args(c"close", close),
    ]
}

unsafe extern "C" fn send_nothing(
    _: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached.
    unsafe { stop::raise(ffi::Py_NewRef(ffi::Py_None())) }
}

unsafe extern "C" fn close_nothing(
    _: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: None is alive.
    unsafe { ffi::Py_NewRef(ffi::Py_None()) }
}

unsafe extern "C" fn at_once(_: *mut ffi::PyObject) -> *mut ffi::PyObject {
    ptr::null_mut()
}

unsafe extern "C" fn send_at_once(
    _: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: `result` is writable.
    unsafe { *result = ffi::Py_NewRef(ffi::Py_None()) };
    PYGEN_RETURN
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with the ready object.
    unsafe { visit(ffi::Py_TYPE(slf).cast(), arg) }
}

/// Makes the ready object.
pub fn register(py: Python<'_>) -> PyResult<()> {
    let blueprint = Blueprint {
        name: c"seawall._core.Ready",
        size: size_of::<ffi::PyObject>(),
        flags: 0,
        slots: vec![
            (ffi::Py_am_await, itself as *mut c_void),
            (ffi::Py_am_send, send_at_once as *mut c_void),
            (ffi::Py_tp_iter, itself as *mut c_void),
            (ffi::Py_tp_iternext, at_once as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
        ],
        members: vec![],
        getset: vec![],
        methods: steps(send_nothing, throw_at_once, close_nothing),
    };
    // SAFETY: the slots take any object.
    unsafe {
        let class = blueprint.build(py)?;
        let ready = ffi::PyObject_GC_New::<ffi::PyObject>(class);
        if ready.is_null() {
            return Err(PyErr::fetch(py));
        }
        READY.store(ready, Ordering::Relaxed);
    }
    Ok(())
}
