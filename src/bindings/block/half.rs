//! `__enter__`, `__exit__`, `__aenter__` and `__aexit__`, as they are fetched.
//!
//! The interpreter fetches the two halves of a `with` one right after the other and runs nothing in
//! between; `ExitStack` fetches them from the class, also one right after the other. So whichever
//! comes first makes the handle and leaves it *pending*; the other one claims it. Which is first:
//!
//! | fetched from | by | first |
//! |---|---|---|
//! | a guard | `with`, up to Python 3.13 (`BEFORE_WITH`) | `__enter__` |
//! | a guard | `with`, from 3.14 on (`LOAD_SPECIAL`) | `__exit__` |
//! | a class | `ExitStack`, every version | `__enter__` |
//!
//! The first never claims. If it did, a half that somebody has fetched and kept, `callback(p.__exit__,
//! …)`, would be taken for the first half of a `with` that comes later. A second that finds nothing
//! pending stands alone: it was fetched by hand (see `loose`).

use super::{End, GUARD, Handle, Level, Way, pending};
use crate::bindings::native::Blueprint;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::Ordering;

/// The descriptor of one half.
#[repr(C)]
struct Half {
    ob_base: ffi::PyObject,
    name: &'static CStr,
    way: Way,
    end: End,
}

/// The half that a `with` statement of this interpreter fetches first from a guard.
const FIRST: End = if cfg!(Py_3_14) { End::Exit } else { End::Enter };

/// Is `object` a guard?
#[inline(always)]
pub unsafe fn is_guard(object: *mut ffi::PyObject) -> bool {
    // SAFETY: as the caller promises, a live object; the class of guards lives for good.
    unsafe { ffi::PyObject_TypeCheck(object, GUARD.load(Ordering::Relaxed)) != 0 }
}

unsafe extern "C" fn get(
    slf: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a half of ours, and an object or a class or both.
    unsafe {
        let Half { way, end, .. } = *slf.cast::<Half>();
        if object.is_null() {
            return fetch(class, way, Level::Class, end, End::Enter);
        }
        if !is_guard(object) {
            let py = Python::assume_attached();
            PyTypeError::new_err("this is for what protects calls").restore(py);
            return std::ptr::null_mut();
        }
        fetch(object, way, Level::Guard, end, FIRST)
    }
}

#[inline(always)]
unsafe fn fetch(
    from: *mut ffi::PyObject,
    way: Way,
    level: Level,
    end: End,
    first: End,
) -> *mut ffi::PyObject {
    // SAFETY: as for `get`.
    unsafe {
        if end != first {
            let claimed = pending::claim(from, way, level);
            if !claimed.is_null() {
                return claimed.cast();
            }
        }
        // May collect garbage, and so run any code, other blocks among it: only what is made is
        // left pending.
        let made = Handle::make(from, way, level, end);
        if end == first && !made.is_null() {
            pending::offer(made);
        }
        made.cast()
    }
}

unsafe extern "C" fn name(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a half of ours.
    unsafe { ffi::PyUnicode_FromString((*slf.cast::<Half>()).name.as_ptr()) }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a half of ours.
    unsafe { visit(ffi::Py_TYPE(slf).cast(), arg) }
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone.
    unsafe {
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// Gives `guard`, the class, its four halves.
pub fn register(guard: &Bound<'_, PyType>) -> PyResult<()> {
    let py = guard.py();
    let blueprint = Blueprint {
        name: c"seawall._core.BlockHalf",
        size: size_of::<Half>(),
        flags: 0,
        slots: vec![
            (ffi::Py_tp_descr_get, get as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![],
        getset: vec![ffi::PyGetSetDef {
            name: c"__name__".as_ptr(),
            get: Some(name),
            set: None,
            doc: std::ptr::null(),
            closure: std::ptr::null_mut(),
        }],
        methods: vec![],
    };
    // SAFETY: the slots take a `Half`, whose size is given.
    let class = unsafe { blueprint.build(py)? };
    let halves = [
        (c"__enter__", Way::Sync, End::Enter),
        (c"__exit__", Way::Sync, End::Exit),
        (c"__aenter__", Way::Async, End::Enter),
        (c"__aexit__", Way::Async, End::Exit),
    ];
    for (name, way, end) in halves {
        // SAFETY: the type was just made for this struct; its fields are written before anybody else
        // sees the object.
        let half = unsafe {
            let half = ffi::PyObject_GC_New::<Half>(class);
            if half.is_null() {
                return Err(PyErr::fetch(py));
            }
            (&raw mut (*half).name).write(name);
            (&raw mut (*half).way).write(way);
            (&raw mut (*half).end).write(end);
            ffi::PyObject_GC_Track(half.cast());
            Bound::from_owned_ptr(py, half.cast())
        };
        guard.setattr(name.to_string_lossy(), half)?;
    }
    Ok(())
}
