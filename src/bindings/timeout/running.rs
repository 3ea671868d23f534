//! The loop that runs in this thread, without asking the kernel who we are.
//!
//! Python 3.11 calls `getpid` each time that it is asked for the running loop, which takes longer
//! than all the rest of a timeout's work at a suspension. What it then looks at is a small object in
//! the thread's dict: the loop, and the process that it was made in. That object is read here once
//! it was seen to hold what Python itself had answered; where it does not, Python goes on being
//! asked. Later versions neither call the kernel nor need this.
#![allow(unsafe_code, reason = "reads an object of asyncio's own")]

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// As `Modules/_asynciomodule.c` of Python 3.11 lays it out.
#[repr(C)]
struct Holder {
    ob_base: ffi::PyObject,
    running: *mut ffi::PyObject,
    #[cfg(unix)]
    process: libc::pid_t,
}

/// The type of those objects. NULL: none has been seen.
static KNOWN: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// What the thread's dict holds; borrowed, or NULL.
fn held(py: Python<'_>) -> *mut ffi::PyObject {
    let key = intern!(py, "__asyncio_running_event_loop__");
    // SAFETY: attached; both are borrowed, and NULL comes without an exception: a string's hash and
    // comparison can't fail.
    unsafe {
        let dict = ffi::PyThreadState_GetDict();
        if dict.is_null() {
            return ptr::null_mut();
        }
        ffi::PyDict_GetItemWithError(dict, key.as_ptr())
    }
}

/// The running loop, or Python's `None` where none runs. `None`: Python must be asked.
pub fn here(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let known = KNOWN.load(Relaxed);
    let holder = held(py);
    // SAFETY: alive as long as nobody else runs in this thread.
    if known.is_null() || holder.is_null() || unsafe { ffi::Py_TYPE(holder) } != known {
        return None;
    }
    // SAFETY: of the type that was seen to be laid out so.
    unsafe {
        let holder = holder.cast::<Holder>();
        #[cfg(unix)]
        if (*holder).process.cast_unsigned() != crate::process::id() {
            return None;
        }
        Bound::from_borrowed_ptr_or_opt(py, (*holder).running)
    }
}

/// Asks Python, by `_get_running_loop`, and looks whether it is what would be found here.
#[cold]
pub fn ask<'py>(get: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let running = get.call0()?;
    let holder = held(get.py());
    if holder.is_null() || running.is_none() {
        return Ok(running);
    }
    // SAFETY: alive; read no further than its type says it reaches.
    unsafe {
        let class = ffi::Py_TYPE(holder);
        let size = size_of::<Holder>().cast_signed();
        if (*class).tp_basicsize == size
            && (*class).tp_itemsize == 0
            && (*holder.cast::<Holder>()).running == running.as_ptr()
        {
            KNOWN.store(class, Relaxed);
        }
    }
    Ok(running)
}
