//! The wrapper as an object: its attributes, its life and its types.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::bind::Binding;
use super::{Protected, TYPES};
use crate::bindings::call::Callee;
use crate::bindings::function::{kind, kind_of_code};
use crate::bindings::native::{Blueprint, no_args, visit};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

/// Our own attributes and whatever was set on us; then the function's.
unsafe extern "C" fn getattro(
    slf: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper and a name.
    unsafe {
        let own = ffi::PyObject_GenericGetAttr(slf, name);
        if !own.is_null() || ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
            return own;
        }
        ffi::PyErr_Clear();
        ffi::PyObject_GetAttr((*slf.cast::<Protected>()).function, name)
    }
}

/// What decides how a function runs is the function's, as far as there is one: set on the wrapper
/// alone it would change nothing but what the wrapper shows.
unsafe extern "C" fn setattro(
    slf: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: called by the interpreter, attached, with a wrapper, a string, and a value or NULL.
    unsafe {
        let is = |other: &CStr| ffi::PyUnicode_CompareWithASCIIString(name, other.as_ptr()) == 0;
        let function = (*slf.cast::<Protected>()).function;
        if ffi::PyFunction_Check(function) == 0
            || !(is(c"__defaults__") || is(c"__kwdefaults__") || is(c"__code__"))
        {
            return ffi::PyObject_GenericSetAttr(slf, name, value);
        }
        if is(c"__code__") && !value.is_null() && of_another_kind(function, value) {
            let message = c"a protected function can't get code of another kind: protect the \
                function that has it";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr());
            return -1;
        }
        ffi::PyObject_SetAttr(function, name, value)
    }
}

/// Would another driver be needed for `function` with `code`?
unsafe fn of_another_kind(function: *mut ffi::PyObject, code: *mut ffi::PyObject) -> bool {
    // SAFETY: attached; both are alive, as the caller promises.
    unsafe {
        let py = Python::assume_attached();
        let function = Bound::from_borrowed_ptr(py, function);
        let code = Bound::from_borrowed_ptr(py, code);
        kind_of_code(&code).is_some_and(|after| after != kind(&function))
    }
}

unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper; both objects are its own.
    unsafe {
        let this = &*slf.cast::<Protected>();
        ffi::PyUnicode_FromFormat(c"<%R protected by %R>".as_ptr(), this.function, this.policies)
    }
}

/// Pickled by name, as the function itself is.
unsafe extern "C" fn reduce(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper.
    unsafe { ffi::PyObject_GetAttrString(slf, c"__qualname__".as_ptr()) }
}

/// A copy of a function is the function.
unsafe extern "C" fn copy(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper.
    unsafe { ffi::Py_NewRef(slf) }
}

unsafe extern "C" fn get_policies(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper, which owns the tuple.
    unsafe { ffi::Py_NewRef((*slf.cast::<Protected>()).policies) }
}

/// What `isinstance` goes by. Frameworks sort callables by `inspect.isfunction`: Starlette takes a
/// route that is none for an application of its own.
unsafe extern "C" fn get_class(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper; types are live objects.
    unsafe {
        let functional = (*slf.cast::<Protected>()).functional;
        let class = if functional { &raw mut ffi::PyFunction_Type } else { ffi::Py_TYPE(slf) };
        ffi::Py_NewRef(class.cast())
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visitor: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector with a wrapper; these are the references it owns.
    unsafe {
        let this = &*slf.cast::<Protected>();
        let owned = [
            ffi::Py_TYPE(slf).cast(),
            this.callee.object,
            this.function,
            this.plan.peek(),
            this.policies,
            this.dict,
        ];
        for object in owned {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
    }
    0
}

/// Lets go of what can lead back here. The policies stay: with the function gone nothing holds the
/// cycle together, and a wrapper that is called all the same finds its plan and a callee.
unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a wrapper; every reference given up was its own.
    unsafe {
        let this = slf.cast::<Protected>();
        let callee = (*this).callee.object;
        let function = std::mem::replace(&mut (*this).function, ffi::Py_NewRef(ffi::Py_None()));
        let dict = std::mem::replace(&mut (*this).dict, ptr::null_mut());
        (*this).callee = Callee { object: ffi::Py_NewRef(ffi::Py_None()), vectorcall: 0 };
        ffi::Py_XDECREF(callee);
        ffi::Py_XDECREF(function);
        ffi::Py_XDECREF(dict);
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; what the object owned is given up once.
    unsafe {
        let this = slf.cast::<Protected>();
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        if !(*this).weak.is_null() {
            ffi::PyObject_ClearWeakRefs(slf);
        }
        ptr::drop_in_place(&raw mut (*this).plan);
        ffi::Py_XDECREF((*this).callee.object);
        ffi::Py_XDECREF((*this).function);
        ffi::Py_XDECREF((*this).policies);
        ffi::Py_XDECREF((*this).dict);
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the types.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for binding in Binding::ALL {
        // SAFETY: the slots take a `Protected`, whose size and offsets are given.
        let class = unsafe { blueprint(binding).build(module.py())? };
        TYPES[binding as usize].store(class, Ordering::Relaxed);
    }
    let class = TYPES[Binding::Function as usize].load(Ordering::Relaxed);
    // SAFETY: a type just made, kept alive by TYPES for good.
    module.add("Protected", unsafe { Bound::from_borrowed_ptr(module.py(), class.cast()) })
}

fn blueprint(binding: Binding) -> Blueprint {
    let getset = |name: &'static CStr, get: ffi::getter, set| ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    let mut slots = vec![
        (ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        (ffi::Py_tp_getattro, getattro as *mut c_void),
        (ffi::Py_tp_setattro, setattro as *mut c_void),
        (ffi::Py_tp_repr, repr as *mut c_void),
        (ffi::Py_tp_traverse, traverse as *mut c_void),
        (ffi::Py_tp_clear, clear as *mut c_void),
        (ffi::Py_tp_dealloc, dealloc as *mut c_void),
    ];
    slots.extend(binding.slot().map(|get| (ffi::Py_tp_descr_get, get as *mut c_void)));
    Blueprint {
        name: c"seawall._core.Protected",
        size: size_of::<Protected>(),
        flags: ffi::Py_TPFLAGS_HAVE_VECTORCALL | binding.flags(),
        slots,
        members: vec![
            (c"__vectorcalloffset__", std::mem::offset_of!(Protected, vectorcall)),
            (c"__dictoffset__", std::mem::offset_of!(Protected, dict)),
            (c"__weaklistoffset__", std::mem::offset_of!(Protected, weak)),
        ],
        getset: vec![
            getset(
                c"__dict__",
                ffi::PyObject_GenericGetDict,
                Some(ffi::PyObject_GenericSetDict as ffi::setter),
            ),
            getset(c"__policies__", get_policies, None),
            getset(c"__class__", get_class, None),
        ],
        methods: vec![
            no_args(c"__reduce__", reduce),
            no_args(c"__copy__", copy),
            ffi::PyMethodDef { ml_flags: ffi::METH_O, ..no_args(c"__deepcopy__", copy) },
        ],
    }
}
