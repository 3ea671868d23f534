//! The coroutine as an object: its attributes, its life and its type.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::steps::{am_await, am_send, await_by_hand, close, iternext, itself, send, throw};
use super::{Coroutine, POOL, Phase, TYPE};
use crate::bindings::native::{Blueprint, method, no_args, visit};
use crate::bindings::stop;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

/// An attribute that debuggers and tracers ask for: the inner coroutine's, or the corresponding one
/// of an inner generator. What is neither has none of them, and we answer for it.
struct Attribute {
    name: &'static CStr,
    of_generator: &'static CStr,
    own: unsafe fn(*mut Coroutine) -> *mut ffi::PyObject,
}

static ATTRIBUTES: [Attribute; 8] = [
    Attribute { name: c"cr_await", of_generator: c"gi_yieldfrom", own: none },
    Attribute { name: c"cr_frame", of_generator: c"gi_frame", own: none },
    Attribute { name: c"cr_running", of_generator: c"gi_running", own: running },
    Attribute { name: c"cr_code", of_generator: c"gi_code", own: none },
    Attribute { name: c"cr_origin", of_generator: c"cr_origin", own: none },
    Attribute { name: c"cr_suspended", of_generator: c"gi_suspended", own: suspended },
    Attribute { name: c"__name__", of_generator: c"__name__", own: name },
    Attribute { name: c"__qualname__", of_generator: c"__qualname__", own: name },
];

unsafe extern "C" fn attribute(slf: *mut ffi::PyObject, which: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours and a row of the table above.
    unsafe {
        let which = &*which.cast::<Attribute>();
        let inner = (*slf.cast::<Coroutine>()).inner;
        if !inner.is_null() {
            for name in [which.name, which.of_generator] {
                let found = ffi::PyObject_GetAttrString(inner, name.as_ptr());
                if !found.is_null() || ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
                    return found;
                }
                ffi::PyErr_Clear();
            }
        }
        (which.own)(slf.cast())
    }
}

unsafe fn none(_: *mut Coroutine) -> *mut ffi::PyObject {
    // SAFETY: None is alive.
    unsafe { ffi::Py_NewRef(ffi::Py_None()) }
}

unsafe fn running(slf: *mut Coroutine) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises, a live coroutine of ours.
    unsafe { ffi::PyBool_FromLong((*slf).entered.into()) }
}

/// An awaitable that was adopted is under way from the start: its call has been made.
unsafe fn suspended(slf: *mut Coroutine) -> *mut ffi::PyObject {
    // SAFETY: as for `running`.
    unsafe {
        let suspended = matches!((*slf).phase, Phase::Running | Phase::Outside) && !(*slf).entered;
        ffi::PyBool_FromLong(suspended.into())
    }
}

unsafe fn name(slf: *mut Coroutine) -> *mut ffi::PyObject {
    // SAFETY: as for `running`; the type of a live object is alive.
    unsafe {
        let named = if (*slf).inner.is_null() { slf.cast() } else { (*slf).inner };
        ffi::PyObject_GetAttrString(ffi::Py_TYPE(named).cast(), c"__name__".as_ptr())
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
        for object in
            [ffi::Py_TYPE(slf).cast(), (*this).inner, (*this).unbegun, (*this).held.plan().as_ptr()]
        {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
        (*this).held.traverse_call(visitor, arg)
    }
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a coroutine of ours. The inner one goes first: its
    // `finally` blocks run inside the admission, which is settled when we are freed.
    unsafe {
        let this = slf.cast::<Coroutine>();
        (*this).phase = Phase::Done;
        let inner = std::mem::replace(&mut (*this).inner, ptr::null_mut());
        ffi::Py_XDECREF(inner);
        Coroutine::let_go_of_unbegun(this);
        if let Some(again) = (*this).held.again() {
            again.let_go();
        }
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
        Coroutine::let_go_of_unbegun(this);
        ptr::drop_in_place(&raw mut (*this).held);
        stop::let_go();
        POOL.give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type and tells `collections.abc` that it is a coroutine.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let forwarded = |row: &'static Attribute| ffi::PyGetSetDef {
        name: row.name.as_ptr(),
        get: Some(attribute),
        set: None,
        doc: ptr::null(),
        closure: ptr::from_ref(row).cast_mut().cast(),
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
        getset: ATTRIBUTES.iter().map(forwarded).collect(),
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
