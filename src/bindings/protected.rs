//! The object that stands in for a decorated function.
//!
//! It forwards the interpreter's vectorcall to the function with the policies' plan around it and
//! adds no Python frame. Whatever it does not have itself it looks up on the function, so that
//! `inspect`, web frameworks and the rest see the function they expect; whatever is set on it (as
//! `functools.wraps` does) stays with it.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::call::{Arguments, Callee, HandOn, drive};
use super::cell::PlanCell;
use super::clock::ambient;
use super::coroutine;
use super::function::{Kind, function_inside, kind};
use super::gate;
use super::native::{Blueprint, PyMethod_New, no_args, visit};
use super::plan::Plan;
use crate::time::System;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A protected function.
#[repr(C)]
pub struct Protected {
    ob_base: ffi::PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    callee: Callee,
    plan: PlanCell,
    /// The policies, outermost first: what the plan is rebuilt from.
    policies: *mut ffi::PyObject,
    dict: *mut ffi::PyObject,
    weak: *mut ffi::PyObject,
    /// There is a Python function inside, and the wrapper says that it is one.
    functional: bool,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

impl Protected {
    /// Wraps `function` in `policies`, outermost first.
    pub fn wrap<'py>(
        function: &Bound<'py, PyAny>,
        policies: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let plan = Plan::build(policies)?;
        let driver: ffi::vectorcallfunc =
            if kind(function) == Kind::Coroutine { call_coroutine } else { call_plain };
        // SAFETY: the type was made for this struct; its allocator zeroes the object, so that the
        // collector may look at it at any time; each field is written once, with a reference that
        // the object then owns.
        unsafe {
            let class = TYPE.load(Ordering::Relaxed);
            let slf = ffi::PyType_GenericAlloc(class, 0).cast::<Self>();
            if slf.is_null() {
                return Err(PyErr::fetch(py));
            }
            (&raw mut (*slf).vectorcall).write(Some(driver));
            (&raw mut (*slf).plan).write(PlanCell::new(Some(plan)));
            (&raw mut (*slf).callee).write(Callee::of(function.clone().into_ptr()));
            (&raw mut (*slf).policies).write(policies.clone().into_ptr());
            (&raw mut (*slf).functional).write(function_inside(function).is_some());
            Ok(Bound::from_owned_ptr(py, slf.cast()))
        }
    }

    /// `object` as a protected function, if it is one.
    pub fn of<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a Self> {
        // SAFETY: the type cannot be subclassed, so an object of exactly this type is our struct,
        // and the borrow keeps it alive.
        unsafe {
            let is_ours = ffi::Py_TYPE(object.as_ptr()) == TYPE.load(Ordering::Relaxed);
            is_ours.then(|| &*object.as_ptr().cast::<Self>())
        }
    }

    /// The function inside.
    pub fn function<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the wrapper owns its function (None once the collector has cleared it).
        unsafe { Bound::from_borrowed_ptr(py, self.callee.object) }
    }

    /// Its policies, outermost first.
    pub fn policies<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        // SAFETY: the wrapper owns the tuple it was made with until it is freed.
        unsafe { Bound::from_borrowed_ptr(py, self.policies).cast_into_unchecked() }
    }
}

/// Follows the gate: the fast path if nothing is ambient and the plan is fresh, else the long way.
macro_rules! driver {
    ($name:ident, $long_way:ident, $run:path) => {
        unsafe extern "C" fn $name(
            slf: *mut ffi::PyObject,
            values: *const *mut ffi::PyObject,
            count: usize,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            let arguments = Arguments { values, count, names };
            // SAFETY: the interpreter calls this with one of our wrappers, attached, and keeps the
            // wrapper, and with it the callee, alive for the length of the call.
            unsafe {
                let this = &*slf.cast::<Protected>();
                match this.plan.get() {
                    Some(plan) if plan.gate == gate::word() => {
                        $run(plan, this.callee, arguments, &System, HandOn)
                    }
                    _ => $long_way(this, arguments),
                }
            }
        }

        #[cold]
        #[inline(never)]
        unsafe fn $long_way(this: &Protected, arguments: Arguments) -> *mut ffi::PyObject {
            // SAFETY: as above.
            unsafe {
                let py = Python::assume_attached();
                match this.plan.refreshed(py, || Plan::build(&this.policies(py))) {
                    Ok(plan) => $run(plan, this.callee, arguments, &ambient(py), HandOn),
                    Err(error) => {
                        error.restore(py);
                        ptr::null_mut()
                    }
                }
            }
        }
    };
}

driver!(call_plain, call_plain_long_way, drive);
driver!(call_coroutine, call_coroutine_long_way, coroutine::start);

/// `instance.method`: binds like a function does.
unsafe extern "C" fn bind(
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
        ffi::PyObject_GetAttr((*slf.cast::<Protected>()).callee.object, name)
    }
}

unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a wrapper; both objects are its own.
    unsafe {
        let this = &*slf.cast::<Protected>();
        ffi::PyUnicode_FromFormat(
            c"<%R protected by %R>".as_ptr(),
            this.callee.object,
            this.policies,
        )
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
        let function = (*this).callee.object;
        let dict = std::mem::replace(&mut (*this).dict, ptr::null_mut());
        (*this).callee = Callee { object: ffi::Py_NewRef(ffi::Py_None()), vectorcall: 0 };
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
        ffi::Py_XDECREF((*this).policies);
        ffi::Py_XDECREF((*this).dict);
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let getset = |name: &'static std::ffi::CStr, get: ffi::getter, set| ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    let blueprint = Blueprint {
        name: c"seawall._core.Protected",
        size: size_of::<Protected>(),
        flags: ffi::Py_TPFLAGS_HAVE_VECTORCALL | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR,
        slots: vec![
            (ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
            (ffi::Py_tp_descr_get, bind as *mut c_void),
            (ffi::Py_tp_getattro, getattro as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
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
    };
    // SAFETY: the slots take a `Protected`, whose size and offsets are given.
    let class = unsafe { blueprint.build(module.py())? };
    TYPE.store(class, Ordering::Relaxed);
    // SAFETY: a type just made, kept alive by TYPE for good.
    module.add("Protected", unsafe { Bound::from_borrowed_ptr(module.py(), class.cast()) })
}
