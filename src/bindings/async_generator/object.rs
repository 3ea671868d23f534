//! The async generator as an object: its methods, its attributes, its life and its type.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::begin::already_running;
use super::step::{self, Step, What};
use super::{AsyncGenerator, POOL, Phase, TYPE};
use crate::bindings::deferred::{
    call_inner, collected, forwarded, forwarded_both_ways, repr, thrown,
};
use crate::bindings::native::{Blueprint, method, no_args, visit};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

/// `__anext__()`: an item.
unsafe extern "C" fn anext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with an async generator of ours.
    unsafe { Step::make(slf.cast(), What::Next, ptr::null_mut(), ptr::null_mut()) }
}

unsafe extern "C" fn asend(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with an async generator of ours and a value.
    unsafe {
        let value = if value == ffi::Py_None() { ptr::null_mut() } else { ffi::Py_NewRef(value) };
        Step::make(slf.cast(), What::Next, ptr::null_mut(), value)
    }
}

unsafe extern "C" fn athrow(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let mut arguments = collected(py, values, count);
        let ours = thrown(&mut arguments);
        ask(slf.cast(), py, What::Throw, intern!(py, "athrow"), &arguments, ours)
    }
}

unsafe extern "C" fn aclose(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached.
    unsafe {
        let py = Python::assume_attached();
        ask(slf.cast(), py, What::Close, intern!(py, "aclose"), &[], None)
    }
}

/// Asks no policy, so the inner one's awaitable may be made at once, and says what is wrong with
/// the arguments. One that was refused has nothing to throw into, or to close.
unsafe fn ask(
    slf: *mut AsyncGenerator,
    py: Python<'_>,
    what: What,
    name: &Bound<'_, PyString>,
    arguments: &[Bound<'_, PyAny>],
    thrown: Option<Bound<'_, PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: `slf` is a live async generator of ours.
    unsafe {
        if (*slf).phase == Phase::Entering {
            already_running(what).restore(py);
            return ptr::null_mut();
        }
        let inner = if (*slf).phase == Phase::Refused {
            ptr::null_mut()
        } else {
            match call_inner(py, (*slf).head.inner, name, arguments) {
                Ok(inner) => inner.map_or(ptr::null_mut(), Bound::into_ptr),
                Err(error) => {
                    error.restore(py);
                    return ptr::null_mut();
                }
            }
        };
        Step::make(slf, what, inner, thrown.map_or(ptr::null_mut(), Bound::into_ptr))
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a generator of ours; these are the references it owns.
    unsafe {
        let this = slf.cast::<AsyncGenerator>();
        for object in [ffi::Py_TYPE(slf).cast(), (*this).head.inner, (*this).held.plan().as_ptr()] {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
        (*this).held.traverse_call(visitor, arg)
    }
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with an async generator of ours.
    unsafe {
        let this = slf.cast::<AsyncGenerator>();
        AsyncGenerator::let_go(this);
        if let Some(again) = (*this).held.again() {
            again.let_go();
        }
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once.
    unsafe {
        let this = slf.cast::<AsyncGenerator>();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        if !(*this).weak.is_null() {
            ffi::PyObject_ClearWeakRefs(slf);
        }
        AsyncGenerator::let_go(this);
        ptr::drop_in_place(&raw mut (*this).held);
        POOL.give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the types and tells `collections.abc` that one is an async generator.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    step::register(py)?;
    let blueprint = Blueprint {
        name: c"seawall._core.AsyncGenerator",
        size: size_of::<AsyncGenerator>(),
        flags: 0,
        slots: vec![
            (ffi::Py_am_aiter, ffi::PyObject_SelfIter as *mut c_void),
            (ffi::Py_am_anext, anext as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![(c"__weaklistoffset__", std::mem::offset_of!(AsyncGenerator, weak))],
        getset: vec![
            forwarded(c"ag_await"),
            forwarded(c"ag_code"),
            forwarded(c"ag_frame"),
            forwarded(c"ag_running"),
            #[cfg(Py_3_12)]
            forwarded(c"ag_suspended"),
            forwarded_both_ways(c"__name__"),
            forwarded_both_ways(c"__qualname__"),
        ],
        methods: vec![
            method(c"asend", ffi::PyMethodDefPointer { PyCFunction: asend }, ffi::METH_O),
            method(
                c"athrow",
                ffi::PyMethodDefPointer { PyCFunctionFast: athrow },
                ffi::METH_FASTCALL,
            ),
            no_args(c"aclose", aclose),
        ],
    };
    // SAFETY: the slots take an `AsyncGenerator`, which begins with a `Head`, and whose size and
    // offset are given.
    let class = unsafe { blueprint.build(py)? };
    TYPE.store(class, Ordering::Relaxed);
    // SAFETY: a type just made, kept alive by TYPE for good.
    let class = unsafe { Bound::from_borrowed_ptr(py, class.cast()) };
    // Loaded in every interpreter at start-up; `collections.abc` itself need not be.
    let abc = py.import("_collections_abc")?.getattr("AsyncGenerator")?;
    abc.call_method1("register", (&class,))?;
    module.add("AsyncGenerator", class)
}
