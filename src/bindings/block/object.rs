//! The handle as an object: its life and its types.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::ready::itself;
use super::wait::{am_await, am_send, iternext, methods};
use super::{Handle, State, TYPES, Way, pending, pool};
use crate::bindings::native::{Blueprint, visit};
use crate::bindings::stop;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a handle of ours.
    unsafe {
        match (*slf.cast::<Handle>()).guard {
            guard if guard.is_null() => ffi::PyUnicode_FromString(c"<block>".as_ptr()),
            guard => ffi::PyUnicode_FromFormat(c"<block of %R>".as_ptr(), guard),
        }
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a handle of ours; these are the references it owns.
    unsafe {
        let this = slf.cast::<Handle>();
        let open = (*this).is(State::Open) || (*this).is(State::Waiting);
        let plan = if open { (*(*this).held.as_ptr()).plan().as_ptr() } else { ptr::null_mut() };
        for object in [ffi::Py_TYPE(slf).cast(), (*this).guard, (*this).via, (*this).wait, plan] {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
    }
    0
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a handle of ours. An admission is settled when it is freed.
    unsafe {
        let this = slf.cast::<Handle>();
        pending::withdraw(this);
        ffi::Py_XDECREF(std::mem::replace(&mut (*this).guard, ptr::null_mut()));
        ffi::Py_XDECREF(std::mem::replace(&mut (*this).via, ptr::null_mut()));
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once.
    unsafe {
        let this = slf.cast::<Handle>();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        pending::withdraw(this);
        ffi::Py_XDECREF(std::mem::replace(&mut (*this).wait, ptr::null_mut()));
        if (*this).is(State::Open) || (*this).is(State::Waiting) {
            // Thrown away before its exit.
            ptr::drop_in_place((*this).held.as_mut_ptr());
        }
        ffi::Py_XDECREF((*this).guard);
        ffi::Py_XDECREF((*this).via);
        if (*this).way == Way::Async {
            stop::let_go();
        }
        ptr::drop_in_place(&raw mut (*this).whose);
        pool::give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the types: only that of asynchronous blocks can be awaited.
pub fn register(py: Python<'_>) -> PyResult<()> {
    for (way, name) in
        [(Way::Sync, c"seawall._core.Block"), (Way::Async, c"seawall._core.AsyncBlock")]
    {
        let mut slots = vec![
            (ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ];
        if way == Way::Async {
            slots.extend([
                (ffi::Py_am_await, am_await as *mut c_void),
                (ffi::Py_am_send, am_send as *mut c_void),
                (ffi::Py_tp_iter, itself as *mut c_void),
                (ffi::Py_tp_iternext, iternext as *mut c_void),
            ]);
        }
        let blueprint = Blueprint {
            name,
            size: size_of::<Handle>(),
            flags: ffi::Py_TPFLAGS_HAVE_VECTORCALL,
            slots,
            members: vec![(c"__vectorcalloffset__", std::mem::offset_of!(Handle, vectorcall))],
            getset: vec![],
            methods: if way == Way::Async { methods() } else { vec![] },
        };
        // SAFETY: the slots take a `Handle`, whose size and offset are given.
        TYPES[way as usize].store(unsafe { blueprint.build(py)? }, Ordering::Relaxed);
    }
    Ok(())
}
