//! The driver of a coroutine: an object that stands before the function's own coroutine, lets it in
//! at its first step and settles at its last.
//!
//! The interpreter drives it through its native slots, so no Python frame is added and none shows
//! in a traceback. A permit is taken at the first step, not when the coroutine is made: one that is
//! never awaited never took any. Closing, dropping or throwing into it reaches the inner coroutine
//! first and settles afterwards.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::call::{Arguments, Callee, Finish};
use super::failures;
use super::held::Held;
use super::native::{Blueprint, no_args, visit};
use super::outcome::Outcome;
use super::plan::PlanRef;
use super::stop;
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{
    PyBaseException, PyException, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Made, not begun: nothing has been asked of any policy.
    Fresh,
    /// Let in, and not at its end.
    Running,
    /// Returned, raised, refused or closed.
    Done,
}

/// A coroutine with a plan around it.
#[repr(C)]
pub struct Coroutine {
    ob_base: ffi::PyObject,
    inner: *mut ffi::PyObject,
    /// How the inner one's type takes a value, if it has a native way.
    send: Option<ffi::sendfunc>,
    held: Held,
    /// When the first step began; only kept for an outcome.
    began: Nanos,
    phase: Phase,
    /// Inside the inner coroutine right now.
    entered: bool,
    /// Ends in an `Outcome` instead of a result or an exception.
    captures: bool,
    /// The inner object is an awaitable whose `__await__` has not been asked yet.
    unresolved: bool,
    /// Somebody has taken a first step.
    begun: bool,
    /// Somebody asked for the iterator by name, and may keep the exception that ends it.
    by_hand: bool,
    weak: *mut ffi::PyObject,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// Calls a coroutine function. Nothing of it runs, and no policy is asked, before the first step.
///
/// # Safety
/// As [`super::call::drive`].
#[inline(always)]
pub unsafe fn start<C: Clock, F: Finish>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    _clock: &C,
    _finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises; `inner` is a new reference, given on.
    unsafe {
        let inner = callee.call(arguments);
        if inner.is_null() {
            return inner;
        }
        Coroutine::make(Held::new(plan), inner, Phase::Fresh, 0, F::CAPTURES)
    }
}

impl Coroutine {
    /// Stands before `value`, an awaitable whose call was let in already.
    ///
    /// # Safety
    /// Attached; `value` is a new reference to an awaitable.
    pub unsafe fn adopting(
        held: Held,
        value: *mut ffi::PyObject,
        began: Nanos,
        captures: bool,
    ) -> *mut ffi::PyObject {
        // SAFETY: as the caller promises.
        unsafe { Self::make(held, value, Phase::Running, began, captures) }
    }

    #[inline(always)]
    unsafe fn make(
        held: Held,
        inner: *mut ffi::PyObject,
        phase: Phase,
        began: Nanos,
        captures: bool,
    ) -> *mut ffi::PyObject {
        // SAFETY: `inner` is a new reference that the object takes over. Every field is written
        // before the collector hears of the object.
        unsafe {
            let slf = pool::take(TYPE.load(Ordering::Relaxed));
            if slf.is_null() {
                ffi::Py_DECREF(inner);
                return ptr::null_mut();
            }
            let send = native_send(inner);
            (&raw mut (*slf).inner).write(inner);
            (&raw mut (*slf).send).write(send);
            (&raw mut (*slf).held).write(held);
            (&raw mut (*slf).began).write(began);
            (&raw mut (*slf).phase).write(phase);
            (&raw mut (*slf).entered).write(false);
            (&raw mut (*slf).captures).write(captures);
            (&raw mut (*slf).unresolved).write(send.is_none());
            (&raw mut (*slf).begun).write(false);
            (&raw mut (*slf).by_hand).write(false);
            (&raw mut (*slf).weak).write(ptr::null_mut());
            ffi::PyObject_GC_Track(slf.cast());
            slf.cast()
        }
    }

    /// What must hold before the inner coroutine is stepped. An error is set if it does not.
    #[cold]
    unsafe fn prepare(
        slf: *mut Self,
        py: Python<'_>,
        value: *mut ffi::PyObject,
    ) -> Result<(), Option<*mut ffi::PyObject>> {
        let refuse = |error: PyErr| {
            failures::raise(py, error);
            Err(None)
        };
        // SAFETY: `slf` is a live coroutine that nobody else touches while we are attached.
        unsafe {
            if (*slf).entered {
                return refuse(PyValueError::new_err("coroutine already executing"));
            }
            if (*slf).phase == Phase::Done {
                return refuse(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
            }
            if (*slf).phase == Phase::Fresh {
                if value != ffi::Py_None() {
                    return refuse(PyTypeError::new_err(
                        "can't send non-None value to a just-started coroutine",
                    ));
                }
                if (*slf).captures {
                    (*slf).began = Held::now(py);
                }
                // Entering may tell listeners, and they may come back here.
                (*slf).entered = true;
                let entered = (*slf).held.enter();
                (*slf).entered = false;
                if let Err(refused) = entered {
                    (*slf).phase = Phase::Done;
                    // Closed, not dropped: an inner coroutine that never began would warn.
                    if let Err(error) = call_inner(py, (*slf).inner, intern!(py, "close"), &[]) {
                        error.write_unraisable(py, None);
                    }
                    let plan = (*slf).held.plan();
                    if (*slf).captures {
                        return Err(Some(Outcome::refused(plan.clone(), refused).into_ptr(py)));
                    }
                    return refuse(plan.error(py, &refused));
                }
                (*slf).phase = Phase::Running;
            }
            if (*slf).unresolved {
                (*slf).entered = true;
                let resolved = Self::resolve(slf, py);
                (*slf).entered = false;
                if let Err(error) = resolved {
                    error.restore(py);
                    (*slf).phase = Phase::Done;
                    (*slf).held.raised(py);
                    return Err(None);
                }
            }
        }
        Ok(())
    }

    /// Asks an awaitable for the iterator that is stepped in its place.
    unsafe fn resolve(slf: *mut Self, py: Python<'_>) -> PyResult<()> {
        // SAFETY: as in `prepare`; the awaitable's slot gives a new reference or an error.
        unsafe {
            let value = (*slf).inner;
            let slots = (*ffi::Py_TYPE(value)).tp_as_async;
            let ask = if slots.is_null() { None } else { (*slots).am_await };
            let Some(ask) = ask else {
                return Err(PyTypeError::new_err("a coroutine function returned no awaitable"));
            };
            let iterator = Bound::from_owned_ptr_or_err(py, ask(value))?;
            if ffi::PyIter_Check(iterator.as_ptr()) == 0 && native_send(iterator.as_ptr()).is_none()
            {
                return Err(PyTypeError::new_err(format!(
                    "__await__() returned non-iterator of type '{}'",
                    iterator.get_type().name()?
                )));
            }
            let iterator = iterator.into_ptr();
            (*slf).inner = iterator;
            (*slf).send = native_send(iterator);
            (*slf).unresolved = false;
            ffi::Py_DECREF(value);
        }
        Ok(())
    }

    /// The inner coroutine returned `value`, which is replaced by an outcome if one is wanted.
    #[inline(always)]
    unsafe fn returned(slf: *mut Self, value: &mut *mut ffi::PyObject) {
        // SAFETY: as in `prepare`; `value` is a new reference.
        unsafe {
            (*slf).phase = Phase::Done;
            (*slf).held.returned(*value);
            if (*slf).captures {
                *value = Self::outcome(slf, *value);
            }
        }
    }

    #[cold]
    unsafe fn outcome(slf: *mut Self, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: attached; `value` is a new reference and ours.
        unsafe {
            let py = Python::assume_attached();
            let value = Bound::from_owned_ptr(py, value).unbind();
            Outcome::returned(value, Held::now(py).saturating_sub((*slf).began)).into_ptr(py)
        }
    }

    /// The inner coroutine raised what is set. Gives an outcome if one is wanted and fits.
    #[cold]
    #[inline(never)]
    unsafe fn raised(slf: *mut Self) -> Option<*mut ffi::PyObject> {
        // SAFETY: as in `prepare`.
        unsafe {
            let py = Python::assume_attached();
            (*slf).phase = Phase::Done;
            (*slf).held.raised(py);
            if !(*slf).captures {
                return None;
            }
            let error = PyErr::fetch(py);
            if !error.is_instance_of::<PyException>(py) {
                error.restore(py);
                return None;
            }
            let took = Held::now(py).saturating_sub((*slf).began);
            Some(Outcome::raised(error, py, took).into_ptr(py))
        }
    }
}

/// Calls a method of the inner object; one that is missing is passed over as `yield from` does.
fn call_inner<'py>(
    py: Python<'py>,
    inner: *mut ffi::PyObject,
    name: &Bound<'py, PyString>,
    arguments: &[Bound<'py, PyAny>],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: attached; `inner` is alive as long as its owner.
    let inner = unsafe { Bound::from_borrowed_ptr_or_opt(py, inner) };
    let Some(inner) = inner else { return Ok(None) };
    match inner.getattr_opt(name)? {
        None => Ok(None),
        Some(method) => method.call1(PyTuple::new(py, arguments)?).map(Some),
    }
}

#[inline(always)]
unsafe fn native_send(object: *mut ffi::PyObject) -> Option<ffi::sendfunc> {
    // SAFETY: a live object has a live type, and a type's async slots are valid or NULL.
    unsafe {
        let slots = (*ffi::Py_TYPE(object)).tp_as_async;
        if slots.is_null() { None } else { (*slots).am_send }
    }
}

/// One step: what the event loop, or the awaiting frame, calls.
unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    let slf = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours, attached; `result` is writable.
    // The caller holds a reference, so the object outlives whatever the inner one runs.
    unsafe {
        *result = ptr::null_mut();
        if (*slf).phase != Phase::Running || (*slf).entered || (*slf).unresolved {
            match Coroutine::prepare(slf, Python::assume_attached(), value) {
                Ok(()) => {}
                Err(None) => return PYGEN_ERROR,
                Err(Some(outcome)) => {
                    *result = outcome;
                    return PYGEN_RETURN;
                }
            }
        }
        (*slf).begun = true;
        (*slf).entered = true;
        let sent = match (*slf).send {
            Some(send) => send((*slf).inner, value, result),
            None => ffi::PyIter_Send((*slf).inner, value, result),
        };
        (*slf).entered = false;
        match sent {
            PYGEN_NEXT => PYGEN_NEXT,
            PYGEN_RETURN => {
                Coroutine::returned(slf, &mut *result);
                if (*result).is_null() { PYGEN_ERROR } else { PYGEN_RETURN }
            }
            PYGEN_ERROR => match Coroutine::raised(slf) {
                None => PYGEN_ERROR,
                Some(outcome) => {
                    *result = outcome;
                    PYGEN_RETURN
                }
            },
        }
    }
}

unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `am_send`.
    unsafe {
        match am_send(slf, ffi::Py_None(), &raw mut value) {
            PYGEN_RETURN if (*slf.cast::<Coroutine>()).by_hand => stop::raise(value),
            PYGEN_RETURN => stop::iteration(value),
            _ => value,
        }
    }
}

unsafe extern "C" fn send(slf: *mut ffi::PyObject, sent: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `am_send`.
    unsafe {
        match am_send(slf, sent, &raw mut value) {
            PYGEN_RETURN => stop::raise(value),
            _ => value,
        }
    }
}

/// `await coroutine`: itself, unless somebody is at it already.
unsafe extern "C" fn am_await(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let this = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours.
    unsafe {
        if (*this).phase == Phase::Running && (*this).begun {
            let busy = PyRuntimeError::new_err("coroutine is being awaited already");
            busy.restore(Python::assume_attached());
            return ptr::null_mut();
        }
        ffi::Py_NewRef(slf)
    }
}

/// `coroutine.__await__()`: what Python code calls. `await` itself goes by the slot.
unsafe extern "C" fn await_by_hand(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours.
    unsafe {
        (*slf.cast::<Coroutine>()).by_hand = true;
        am_await(slf)
    }
}

unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a live object.
    unsafe { ffi::Py_NewRef(slf) }
}

unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let arguments: Vec<_> = (0..count.cast_unsigned())
            .map(|at| Bound::from_borrowed_ptr(py, *values.add(at)))
            .collect();
        match throw_in(slf.cast(), py, &arguments) {
            Ok(yielded) => yielded.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }
}

/// Throws into the inner coroutine. One that never began dies of it without asking any policy.
unsafe fn throw_in<'py>(
    slf: *mut Coroutine,
    py: Python<'py>,
    arguments: &[Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as in `Coroutine::prepare`.
    unsafe {
        if (*slf).entered {
            return Err(PyValueError::new_err("coroutine already executing"));
        }
        if (*slf).phase == Phase::Done {
            return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
        }
        if (*slf).phase == Phase::Fresh {
            (*slf).phase = Phase::Done;
        }
        (*slf).entered = true;
        let thrown = call_inner(py, (*slf).inner, intern!(py, "throw"), arguments);
        (*slf).entered = false;
        let error = match thrown {
            Ok(Some(yielded)) => return Ok(yielded),
            Ok(None) => exception_of(arguments),
            Err(error) => error,
        };
        if !(*slf).held.open() {
            return Err(error);
        }
        if error.is_instance_of::<PyStopIteration>(py) {
            let value = failures::exception(py, error).getattr(intern!(py, "value"))?;
            let mut value = value.into_ptr();
            Coroutine::returned(slf, &mut value);
            stop::raise(value);
            return Err(PyErr::fetch(py));
        }
        error.restore(py);
        match Coroutine::raised(slf) {
            None => Err(PyErr::fetch(py)),
            Some(outcome) => {
                stop::raise(outcome);
                Err(PyErr::fetch(py))
            }
        }
    }
}

/// The exception that `throw(*arguments)` means.
fn exception_of(arguments: &[Bound<'_, PyAny>]) -> PyErr {
    let value = arguments.get(1).filter(|value| !value.is_none());
    match (arguments.first(), value) {
        (Some(class), Some(value)) if !value.is_instance_of::<PyBaseException>() => {
            class.call1((value,)).map_or_else(|error| error, PyErr::from_value)
        }
        (_, Some(value)) => PyErr::from_value(value.clone()),
        (Some(one), None) => PyErr::from_value(one.clone()),
        (None, None) => PyTypeError::new_err("throw() needs an exception"),
    }
}

unsafe extern "C" fn close(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let slf = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours, attached.
    unsafe {
        let py = Python::assume_attached();
        if (*slf).entered {
            PyValueError::new_err("coroutine already executing").restore(py);
            return ptr::null_mut();
        }
        (*slf).phase = Phase::Done;
        (*slf).entered = true;
        let closed = call_inner(py, (*slf).inner, intern!(py, "close"), &[]);
        (*slf).entered = false;
        match closed {
            Ok(_) => {
                (*slf).held.ended(py, &super::step::Ended::Dropped);
                ffi::Py_NewRef(ffi::Py_None())
            }
            Err(error) => {
                error.restore(py);
                (*slf).held.raised(py);
                ptr::null_mut()
            }
        }
    }
}

/// Attributes of the inner coroutine that debuggers and tracers ask for.
unsafe extern "C" fn inner_attribute(
    slf: *mut ffi::PyObject,
    name: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours and the name given below.
    unsafe {
        let inner = (*slf.cast::<Coroutine>()).inner;
        if inner.is_null() {
            return ffi::Py_NewRef(ffi::Py_None());
        }
        ffi::PyObject_GetAttrString(inner, name.cast::<c_char>())
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
        for object in [ffi::Py_TYPE(slf).cast(), (*this).inner, (*this).held.plan().as_ptr()] {
            let met = visit(object, visitor, arg);
            if met != 0 {
                return met;
            }
        }
    }
    0
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the collector with a coroutine of ours. The inner one goes first: its
    // `finally` blocks run inside the admission, which is settled when we are freed.
    unsafe {
        let this = slf.cast::<Coroutine>();
        (*this).phase = Phase::Done;
        let inner = std::mem::replace(&mut (*this).inner, ptr::null_mut());
        ffi::Py_XDECREF(inner);
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
        ptr::drop_in_place(&raw mut (*this).held);
        stop::let_go();
        pool::give_back(slf);
        ffi::Py_DECREF(class.cast());
    }
}

/// Memory of dead coroutines, kept for the next ones.
#[cfg(not(Py_GIL_DISABLED))]
mod pool {
    use super::Coroutine;
    use pyo3::ffi;
    use std::cell::UnsafeCell;
    use std::ptr;

    const KEPT: usize = 64;

    struct Pool(UnsafeCell<([*mut ffi::PyObject; KEPT], usize)>);

    // SAFETY: only reached by the thread that holds the global lock, in the two functions below,
    // neither of which runs other code while it holds the reference.
    unsafe impl Sync for Pool {}

    static POOL: Pool = Pool(UnsafeCell::new(([ptr::null_mut(); KEPT], 0)));

    /// # Safety
    /// Attached; `class` is the coroutine type.
    #[inline(always)]
    pub unsafe fn take(class: *mut ffi::PyTypeObject) -> *mut Coroutine {
        // SAFETY: see `Pool`. An object in the pool is untracked memory of the right size, which
        // PyObject_Init gives a type and a first reference.
        unsafe {
            let (kept, count) = &mut *POOL.0.get();
            if *count == 0 {
                return ffi::PyObject_GC_New::<Coroutine>(class);
            }
            *count -= 1;
            ffi::PyObject_Init(kept[*count], class).cast()
        }
    }

    /// # Safety
    /// Attached; `dead` is a coroutine whose fields are given up and which nobody refers to.
    #[inline(always)]
    pub unsafe fn give_back(dead: *mut ffi::PyObject) {
        // SAFETY: see `Pool`.
        unsafe {
            let (kept, count) = &mut *POOL.0.get();
            if *count == KEPT {
                ffi::PyObject_GC_Del(dead.cast());
            } else {
                kept[*count] = dead;
                *count += 1;
            }
        }
    }
}

/// Without a global lock the allocator's own per-thread lists do this better.
#[cfg(Py_GIL_DISABLED)]
mod pool {
    use super::Coroutine;
    use pyo3::ffi;

    pub unsafe fn take(class: *mut ffi::PyTypeObject) -> *mut Coroutine {
        // SAFETY: `class` is the coroutine type.
        unsafe { ffi::PyObject_GC_New::<Coroutine>(class) }
    }

    pub unsafe fn give_back(dead: *mut ffi::PyObject) {
        // SAFETY: nobody refers to `dead`.
        unsafe { ffi::PyObject_GC_Del(dead.cast()) };
    }
}

/// Makes the type and tells `collections.abc` that it is a coroutine.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let method = |name: &'static CStr, pointer, flags| ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: pointer,
        ml_flags: flags,
        ml_doc: ptr::null(),
    };
    let forwarded = |name: &'static CStr| ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(inner_attribute),
        set: None,
        doc: ptr::null(),
        closure: name.as_ptr().cast_mut().cast(),
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
        getset: [
            c"cr_await",
            c"cr_frame",
            c"cr_running",
            c"cr_code",
            c"cr_origin",
            c"cr_suspended",
            c"__name__",
            c"__qualname__",
        ]
        .map(forwarded)
        .into(),
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
