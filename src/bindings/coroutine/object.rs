//! The coroutine as an object: its attributes, its life and its type.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::steps::{am_await, am_send, await_by_hand, close, iternext, itself, send, throw};
use super::{Coroutine, Phase, TYPE, pool};
use crate::bindings::native::{Blueprint, no_args, visit};
use crate::bindings::stop;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

/// Attributes of the inner coroutine that debuggers and tracers ask for.
unsafe extern "C" fn inner_attribute(
    slf: *mut ffi::PyObject,
    name: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours and the name given below.
    unsafe {
        let inner = (*slf.cast::<Coroutine>()).inner;
        if inner.is_null() {
            return ffi::Py_NewRef(ffi::Py_None());
        }
        ffi::PyObject_GetAttrString(inner, name.cast::<c_char>())
    }
}

unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours.
    unsafe {
        let inner = (*slf.cast::<Coroutine>()).inner;
        if inner.is_null() {
            return ffi::PyUnicode_FromString(c"<protected coroutine>".as_ptr());
        }
        ffi::PyUnicode_FromFormat(c"<protected %R>".as_ptr(), inner)
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a coroutine of ours; these are the references it owns.
    unsafe {
        let this = slf.cast::<Coroutine>();
        for object in [ffi::Py_TYPE(slf).cast(), (*this).inner, (*this).held.plan().as_ptr()] {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
    }
    0
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a coroutine of ours. The inner one goes first: its
    // `finally` blocks run inside the admission, which is settled when we are freed.
    unsafe {
        let this = slf.cast::<Coroutine>();
        (*this).phase = Phase::Done;
        let inner = std::mem::replace(&mut (*this).inner, ptr::null_mut());
        ffi::Py_XDECREF(inner);
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once, the inner
    // coroutine before the admission (see `clear`).
    unsafe {
        let this = slf.cast::<Coroutine>();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        if !(*this).weak.is_null() {
            ffi::PyObject_ClearWeakRefs(slf);
        }
        ffi::Py_XDECREF(std::mem::replace(&mut (*this).inner, ptr::null_mut()));
        ptr::drop_in_place(&raw mut (*this).held);
        stop::let_go();
        pool::give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type and tells `collections.abc` that it is a coroutine.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let method = |name: &'static CStr, pointer, flags| ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: pointer,
        ml_flags: flags,
        ml_doc: ptr::null(),
    };
    let forwarded = |name: &'static CStr| ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(inner_attribute),
        set: None,
        doc: ptr::null(),
        closure: name.as_ptr().cast_mut().cast(),
    };
    let blueprint = Blueprint {
        name: c"seawall._core.Coroutine",
        size: size_of::<Coroutine>(),
        flags: 0,
        slots: vec![
            (ffi::Py_am_await, am_await as *mut c_void),
            (ffi::Py_am_send, am_send as *mut c_void),
            (ffi::Py_tp_iter, itself as *mut c_void),
            (ffi::Py_tp_iternext, iternext as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![(c"__weaklistoffset__", std::mem::offset_of!(Coroutine, weak))],
        getset: [
            c"cr_await",
            c"cr_frame",
            c"cr_running",
            c"cr_code",
            c"cr_origin",
            c"cr_suspended",
            c"__name__",
            c"__qualname__",
        ]
        .map(forwarded)
        .into(),
        methods: vec![
            method(c"send", ffi::PyMethodDefPointer { PyCFunction: send }, ffi::METH_O),
            method(
                c"throw",
                ffi::PyMethodDefPointer { PyCFunctionFast: throw },
                ffi::METH_FASTCALL,
            ),
            no_args(c"close", close),
            ffi::PyMethodDef {
                ml_flags: ffi::METH_NOARGS | ffi::METH_COEXIST,
                ..no_args(c"__await__", await_by_hand)
            },
        ],
    };
    // SAFETY: the slots take a `Coroutine`, whose size and offset are given.
    let class = unsafe { blueprint.build(py)? };
    TYPE.store(class, Ordering::Relaxed);
    // SAFETY: a type just made, kept alive by TYPE for good.
    let class = unsafe { Bound::from_borrowed_ptr(py, class.cast()) };
    // Loaded in every interpreter at start-up; `collections.abc` itself need not be.
    let abc = py.import("_collections_abc")?.getattr("Coroutine")?;
    abc.call_method1("register", (&class,))?;
    module.add("Coroutine", class)
}
