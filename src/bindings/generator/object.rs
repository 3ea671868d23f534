//! The generator as an object: its attributes, its life and its type.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::steps::{am_send, close, iternext, send, throw};
use super::{Generator, POOL, TYPE};
use crate::bindings::deferred::{forwarded, forwarded_both_ways, repr};
use crate::bindings::native::{Blueprint, method, no_args, visit};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a generator of ours; these are the references it owns.
    unsafe {
        let this = slf.cast::<Generator>();
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
    // SAFETY: called by the collector with a generator of ours.
    unsafe {
        let this = slf.cast::<Generator>();
        Generator::let_go(this);
        if let Some(again) = (*this).held.again() {
            again.let_go();
        }
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once.
    unsafe {
        let this = slf.cast::<Generator>();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        if !(*this).weak.is_null() {
            ffi::PyObject_ClearWeakRefs(slf);
        }
        Generator::let_go(this);
        ptr::drop_in_place(&raw mut (*this).held);
        POOL.give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type and tells `collections.abc` that it is a generator.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let blueprint = Blueprint {
        name: c"seawall._core.Generator",
        size: size_of::<Generator>(),
        flags: 0,
        slots: vec![
            (ffi::Py_am_send, am_send as *mut c_void),
            (ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
            (ffi::Py_tp_iternext, iternext as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![(c"__weaklistoffset__", std::mem::offset_of!(Generator, weak))],
        getset: vec![
            forwarded(c"gi_code"),
            forwarded(c"gi_frame"),
            forwarded(c"gi_running"),
            forwarded(c"gi_suspended"),
            forwarded(c"gi_yieldfrom"),
            forwarded_both_ways(c"__name__"),
            forwarded_both_ways(c"__qualname__"),
        ],
        methods: vec![
            method(c"send", ffi::PyMethodDefPointer { PyCFunction: send }, ffi::METH_O),
            method(
                c"throw",
                ffi::PyMethodDefPointer { PyCFunctionFast: throw },
                ffi::METH_FASTCALL,
            ),
            no_args(c"close", close),
        ],
    };
    // SAFETY: the slots take a `Generator`, which begins with a `Head`, and whose size and offset
    // are given.
    let class = unsafe { blueprint.build(py)? };
    TYPE.store(class, Ordering::Relaxed);
    // SAFETY: a type just made, kept alive by TYPE for good.
    let class = unsafe { Bound::from_borrowed_ptr(py, class.cast()) };
    // Loaded in every interpreter at start-up; `collections.abc` itself need not be.
    let abc = py.import("_collections_abc")?.getattr("Generator")?;
    abc.call_method1("register", (&class,))?;
    module.add("Generator", class)
}
