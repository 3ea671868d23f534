//! Heap types made by hand.
//!
//! `#[pyclass]` has no vectorcall and no native `send`, which is what a call that costs next to
//! nothing needs. Everything cold stays with `#[pyclass]`.
#![allow(unsafe_code, reason = "types are described to the interpreter through its C API")]

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_uint, c_ulong, c_void};
use std::ptr;

unsafe extern "C" {
    /// Not declared by pyo3-ffi; public C API since Python 3.0.
    pub fn PyMethod_New(func: *mut ffi::PyObject, slf: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// Types, pools and the gate are the process's, and objects belong to one interpreter: a second one
/// would be given the first one's.
pub fn main_interpreter_only(_attached: Python<'_>) -> PyResult<()> {
    // SAFETY: attached, so there is an interpreter to ask.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if id == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "seawall works in the main interpreter of a process only, and this is a sub-interpreter",
    ))
}

/// What a native type is made of. Tables are leaked: a type lives as long as the process.
pub struct Blueprint {
    pub name: &'static CStr,
    pub size: usize,
    pub flags: c_ulong,
    pub slots: Vec<(c_int, *mut c_void)>,
    pub members: Vec<(&'static CStr, usize)>,
    pub getset: Vec<ffi::PyGetSetDef>,
    pub methods: Vec<ffi::PyMethodDef>,
}

impl Blueprint {
    /// Builds the type.
    ///
    /// # Safety
    /// Each slot holds a function of the signature the slot calls for; `size` is the size of the
    /// `#[repr(C)]` struct those functions take their object for, and every member offset lies
    /// within it.
    pub unsafe fn build(self, py: Python<'_>) -> PyResult<*mut ffi::PyTypeObject> {
        let mut slots: Vec<ffi::PyType_Slot> =
            self.slots.into_iter().map(|(slot, pfunc)| ffi::PyType_Slot { slot, pfunc }).collect();
        if !self.members.is_empty() {
            let table = self.members.into_iter().map(|(name, offset)| ffi::PyMemberDef {
                name: name.as_ptr(),
                type_code: ffi::Py_T_PYSSIZET,
                offset: offset.cast_signed(),
                flags: ffi::Py_READONLY,
                doc: ptr::null(),
            });
            slots.push(slot(ffi::Py_tp_members, leak(table)));
        }
        if !self.getset.is_empty() {
            slots.push(slot(ffi::Py_tp_getset, leak(self.getset.into_iter())));
        }
        if !self.methods.is_empty() {
            slots.push(slot(ffi::Py_tp_methods, leak(self.methods.into_iter())));
        }
        slots.push(ffi::PyType_Slot { slot: 0, pfunc: ptr::null_mut() });
        let flags = ffi::Py_TPFLAGS_DEFAULT
            | ffi::Py_TPFLAGS_HAVE_GC
            | ffi::Py_TPFLAGS_IMMUTABLETYPE
            | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION
            | self.flags;
        let mut spec = ffi::PyType_Spec {
            name: self.name.as_ptr(),
            basicsize: c_int::try_from(self.size)?,
            itemsize: 0,
            flags: c_uint::try_from(flags)?,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: the spec and its tables are complete and terminated, and the caller vouches for
        // what they point to. The interpreter copies the spec itself.
        let made = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
        if made.is_null() { Err(PyErr::fetch(py)) } else { Ok(made.cast()) }
    }
}

fn slot(slot: c_int, pfunc: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot, pfunc }
}

/// A table that ends in zeroes, as the interpreter wants it, and never moves.
fn leak<T>(rows: impl Iterator<Item = T>) -> *mut c_void {
    let mut table: Vec<std::mem::MaybeUninit<T>> = rows.map(std::mem::MaybeUninit::new).collect();
    table.push(std::mem::MaybeUninit::zeroed());
    Box::leak(table.into_boxed_slice()).as_mut_ptr().cast()
}

/// A method that takes what `flags` say.
pub fn method(
    name: &'static CStr,
    function: ffi::PyMethodDefPointer,
    flags: c_int,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: function,
        ml_flags: flags,
        ml_doc: ptr::null(),
    }
}

/// A method that takes nothing.
pub fn no_args(name: &'static CStr, function: ffi::PyCFunction) -> ffi::PyMethodDef {
    method(name, ffi::PyMethodDefPointer { PyCFunction: function }, ffi::METH_NOARGS)
}

/// Visits `object` for the collector, if there is one.
///
/// # Safety
/// Called from a `tp_traverse` with the `visit` and `arg` it was given; `object` is NULL or owned
/// by the object that is traversed.
pub unsafe fn visit(object: *mut ffi::PyObject, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: as the caller promises.
    if object.is_null() { 0 } else { unsafe { visit(object, arg) } }
}
