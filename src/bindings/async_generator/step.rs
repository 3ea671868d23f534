//! What `__anext__`, `asend`, `athrow` and `aclose` give to be awaited, as an object.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::AsyncGenerator;
use super::by_name::{close, send, throw};
use super::drive::{abandon, iternext};
use crate::bindings::deferred::Head;
use crate::bindings::native::{Blueprint, method, no_args, visit};
use crate::bindings::pool::Pool;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What is asked of the generator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An item: `__anext__`, `asend`.
    Next,
    /// What it does with an exception.
    Throw,
    /// To close.
    Close,
}

/// Where it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun; or over, which the inner awaitable knows, and says what that means.
    Idle,
    /// Begun, and the generator is at it.
    At,
    /// Begun while the generator was at another: the inner one says what that comes to, and none of
    /// it is settled.
    Astray,
    /// Over, without an inner awaitable.
    Over,
}

/// Something asked of an async generator, to be awaited once.
#[repr(C)]
pub struct Step {
    /// The inner generator's awaitable. NULL before the first step, if that may be refused.
    pub head: Head,
    pub generator: *mut AsyncGenerator,
    /// What is to be sent, or what its consumer threw. NULL: nothing.
    pub value: *mut ffi::PyObject,
    pub thrown: bool,
    pub what: What,
    pub progress: Progress,
    /// Between two attempts: the inner awaitable is what it waits for.
    pub waiting: bool,
    /// The inner awaitable is being stepped right now.
    pub entered: bool,
    /// It is suspended, and what is called here meanwhile is not inside of it.
    pub outside: bool,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static POOL: Pool = Pool::new();

impl Step {
    /// # Safety
    /// Attached; `generator` is alive, `inner` and `value` are NULL or new references, taken over.
    #[inline(always)]
    pub unsafe fn make(
        generator: *mut AsyncGenerator,
        what: What,
        inner: *mut ffi::PyObject,
        value: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: as the caller promises. Every field is written before the collector hears of it.
        unsafe {
            let slf = POOL.take::<Self>(TYPE.load(Ordering::Relaxed));
            if slf.is_null() {
                ffi::Py_XDECREF(inner);
                ffi::Py_XDECREF(value);
                return ptr::null_mut();
            }
            ffi::Py_INCREF(generator.cast());
            (&raw mut (*slf).head.inner).write(inner);
            (&raw mut (*slf).generator).write(generator);
            (&raw mut (*slf).value).write(value);
            (&raw mut (*slf).thrown).write(what == What::Throw);
            (&raw mut (*slf).what).write(what);
            (&raw mut (*slf).progress).write(Progress::Idle);
            (&raw mut (*slf).waiting).write(false);
            (&raw mut (*slf).entered).write(false);
            (&raw mut (*slf).outside).write(false);
            ffi::PyObject_GC_Track(slf.cast());
            slf.cast()
        }
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a step; these are the references it owns.
    unsafe {
        let this = slf.cast::<Step>();
        let owned =
            [ffi::Py_TYPE(slf).cast(), (*this).head.inner, (*this).generator.cast(), (*this).value];
        for object in owned {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
    }
    0
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a step, or as it dies; each reference given up was its
    // own. The generator stays alive until last.
    unsafe {
        let this = slf.cast::<Step>();
        abandon(this);
        ffi::Py_XDECREF(std::mem::replace(&mut (*this).value, ptr::null_mut()));
        let generator = std::mem::replace(&mut (*this).generator, ptr::null_mut());
        ffi::Py_XDECREF(generator.cast());
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once.
    unsafe {
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        clear(slf);
        POOL.give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type.
pub fn register(py: Python<'_>) -> PyResult<()> {
    let blueprint = Blueprint {
        name: c"seawall._core.AsyncGeneratorStep",
        size: size_of::<Step>(),
        flags: 0,
        slots: vec![
            (ffi::Py_am_await, ffi::PyObject_SelfIter as *mut c_void),
            (ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
            (ffi::Py_tp_iternext, iternext as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![],
        getset: vec![],
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
    // SAFETY: the slots take a `Step`, whose size is given.
    TYPE.store(unsafe { blueprint.build(py)? }, Ordering::Relaxed);
    Ok(())
}
