//! `StopIteration`: how a coroutine returns a value to those who do not take it natively.
#![allow(unsafe_code, reason = "sets exceptions and reads one's fields through the C API")]

use pyo3::ffi;
use std::ptr;

/// What `tp_iternext` returns at the end: NULL, with `value` in a `StopIteration` unless it is None.
///
/// # Safety
/// Attached; `value` is a new reference, taken over.
#[inline(always)]
pub unsafe fn iteration(value: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe {
        if value == ffi::Py_None() {
            ffi::Py_DECREF(value);
            return ptr::null_mut();
        }
        #[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
        if reused::raise(value) {
            return ptr::null_mut();
        }
        raise(value)
    }
}

/// Raises `StopIteration(value)`. Always NULL.
///
/// # Safety
/// Attached; `value` is a new reference, taken over.
pub unsafe fn raise(value: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe {
        if value.is_null() {
            return ptr::null_mut();
        }
        if ffi::PyTuple_Check(value) != 0 || ffi::PyExceptionInstance_Check(value) != 0 {
            // Setting a class with one of these as its value would unpack the tuple or raise the
            // exception itself. The instance has to be made first.
            let stop = ffi::PyObject_CallFunctionObjArgs(
                ffi::PyExc_StopIteration,
                value,
                ptr::null_mut::<ffi::PyObject>(),
            );
            if !stop.is_null() {
                ffi::PyErr_SetObject(ffi::PyExc_StopIteration, stop);
                ffi::Py_DECREF(stop);
            }
        } else if value == ffi::Py_None() {
            ffi::PyErr_SetNone(ffi::PyExc_StopIteration);
        } else {
            ffi::PyErr_SetObject(ffi::PyExc_StopIteration, value);
        }
        ffi::Py_DECREF(value);
    }
    ptr::null_mut()
}

/// Called as a coroutine dies: a kept exception must not keep the last result alive.
#[inline(always)]
pub unsafe fn let_go() {
    #[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
    // SAFETY: attached, as every deallocation is.
    unsafe {
        reused::let_go();
    }
}

/// From 3.12 on the interpreter drives foreign awaitables by `tp_iternext` and wants an exception
/// object for every value returned. One object serves as long as nobody else got hold of it.
#[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
mod reused {
    use pyo3::ffi;
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

    static KEPT: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

    /// Raises the kept exception with `value` in it, if it can be had; takes `value` over then.
    #[inline(always)]
    pub unsafe fn raise(value: *mut ffi::PyObject) -> bool {
        // SAFETY: attached, and so alone with KEPT; it holds NULL or a StopIteration of its own.
        unsafe {
            let mut stop = KEPT.load(Relaxed);
            if !clean(stop) {
                stop = renew();
                if stop.is_null() {
                    return false;
                }
            }
            (*stop.cast::<ffi::PyStopIterationObject>()).value = value;
            ffi::Py_INCREF(stop);
            ffi::PyErr_SetRaisedException(stop);
            true
        }
    }

    /// Ours alone, and nothing left in it from the last time.
    #[inline(always)]
    unsafe fn clean(stop: *mut ffi::PyObject) -> bool {
        // SAFETY: `stop` is NULL or a StopIteration.
        unsafe {
            let fields = stop.cast::<ffi::PyStopIterationObject>();
            !stop.is_null()
                && ffi::Py_REFCNT(stop) == 1
                && (*fields).traceback.is_null()
                && (*fields).context.is_null()
                && (*fields).cause.is_null()
                && (*fields).notes.is_null()
                && (*fields).dict.is_null()
                && (*fields).value.is_null()
        }
    }

    /// Somebody kept the last one, or wrote to it: that one is theirs now.
    #[cold]
    #[inline(never)]
    unsafe fn renew() -> *mut ffi::PyObject {
        // SAFETY: attached.
        unsafe {
            let stop = ffi::PyObject_CallNoArgs(ffi::PyExc_StopIteration);
            if stop.is_null() {
                ffi::PyErr_Clear();
                return stop;
            }
            let fields = stop.cast::<ffi::PyStopIterationObject>();
            let empty = std::mem::replace(&mut (*fields).value, ptr::null_mut());
            let old = KEPT.swap(stop, Relaxed);
            ffi::Py_XDECREF(empty);
            ffi::Py_XDECREF(old);
            stop
        }
    }

    #[inline(always)]
    pub unsafe fn let_go() {
        // SAFETY: as in `raise`.
        unsafe {
            let stop = KEPT.load(Relaxed);
            if stop.is_null() || ffi::Py_REFCNT(stop) != 1 {
                return;
            }
            let fields = stop.cast::<ffi::PyStopIterationObject>();
            let value = std::mem::replace(&mut (*fields).value, ptr::null_mut());
            ffi::Py_XDECREF(value);
        }
    }
}
