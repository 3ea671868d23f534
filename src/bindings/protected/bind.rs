//! What becomes of a wrapper that is looked up on an instance or a class: what would become of the
//! function itself.
#![allow(unsafe_code, reason = "slots of a hand-made heap type: see native.rs")]

use super::Protected;
use crate::bindings::decorate::protect;
use crate::bindings::native::PyMethod_New;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyFunction;
use std::ffi::c_ulong;
use std::ptr;

/// How a wrapper binds.
#[derive(Clone, Copy)]
pub enum Binding {
    /// As a function does: the instance comes first.
    Function,
    /// Not at all: a partial, a builtin, an object that can be called, and `__new__`.
    Nothing,
    /// To the class: the two methods that `type` makes class methods, where they are functions.
    Class,
    /// As the object inside says by a `__get__` of its own.
    Own,
}

impl Binding {
    pub const ALL: [Self; 4] = [Self::Function, Self::Nothing, Self::Class, Self::Own];

    /// How `function` binds.
    pub fn of(function: &Bound<'_, PyAny>) -> Self {
        if function.is_exact_instance_of::<PyFunction>() {
            return Self::of_function(function);
        }
        // SAFETY: a live object has a live type.
        unsafe {
            let class = ffi::Py_TYPE(function.as_ptr());
            if ffi::PyType_GetFlags(class) & ffi::Py_TPFLAGS_METHOD_DESCRIPTOR != 0 {
                Self::Function
            } else if (*class).tp_descr_get.is_none() {
                Self::Nothing
            } else {
                Self::Own
            }
        }
    }

    /// By its name: making a class, `type` looks for functions of these names and makes of them
    /// what they have to be. A wrapper it leaves as it is.
    fn of_function(function: &Bound<'_, PyAny>) -> Self {
        let name = function.getattr(intern!(function.py(), "__name__")).ok();
        match name.as_ref().and_then(|name| name.extract::<&str>().ok()) {
            Some("__new__") => Self::Nothing,
            Some("__init_subclass__" | "__class_getitem__") => Self::Class,
            _ => Self::Function,
        }
    }

    /// The type's flag: the interpreter may call with the instance first, and bind nothing.
    pub fn flags(self) -> c_ulong {
        if matches!(self, Self::Function) { ffi::Py_TPFLAGS_METHOD_DESCRIPTOR } else { 0 }
    }

    /// The type's `__get__`.
    pub fn slot(self) -> Option<ffi::descrgetfunc> {
        match self {
            Self::Function => Some(to_instance),
            Self::Nothing => None,
            Self::Class => Some(to_class),
            Self::Own => Some(as_it_says),
        }
    }
}

unsafe extern "C" fn to_instance(
    slf: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    _owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper and an instance, None or NULL.
    unsafe {
        if instance.is_null() || instance == ffi::Py_None() {
            return ffi::Py_NewRef(slf);
        }
        PyMethod_New(slf, instance)
    }
}

unsafe extern "C" fn to_class(
    slf: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper, and an instance or its class or both.
    unsafe {
        let owner = match (owner.is_null(), instance.is_null()) {
            (false, _) => owner,
            (true, false) => ffi::Py_TYPE(instance).cast(),
            (true, true) => return ffi::Py_NewRef(slf),
        };
        PyMethod_New(slf, owner)
    }
}

/// Asks the object inside. What that makes of itself is called under the same policies.
unsafe extern "C" fn as_it_says(
    slf: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // Attached through pyo3: decorating drops its types, which it would put off otherwise.
    Python::attach(|py| {
        // SAFETY: called by the interpreter with a wrapper, whose function is alive.
        let bound = unsafe {
            let this = &*slf.cast::<Protected>();
            ask(this, &Bound::from_borrowed_ptr(py, slf), instance, owner)
        };
        match bound {
            Ok(bound) => bound.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    })
}

unsafe fn ask<'py>(
    this: &Protected,
    slf: &Bound<'py, PyAny>,
    instance: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let function = this.function(py);
    // SAFETY: a live object has a live type; its slot takes what ours was given, and answers with a
    // new reference or an error.
    let bound = unsafe {
        let Some(get) = (*ffi::Py_TYPE(function.as_ptr())).tp_descr_get else {
            return Ok(slf.clone());
        };
        Bound::from_owned_ptr_or_err(py, get(function.as_ptr(), instance, owner))?
    };
    if bound.is(&function) {
        return Ok(slf.clone());
    }
    if !bound.is_callable() {
        return Ok(bound);
    }
    protect(&bound, &this.policies(py), &|| "binding".to_owned())
}
