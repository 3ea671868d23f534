//! Which driver a callable needs, and what no driver can serve.
#![allow(unsafe_code, reason = "asks whether an object is of one of the interpreter's own types")]

use super::protected::Protected;
use crate::error::Problem;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// What calling a function gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A result. If that turns out to be an awaitable, its end is the call's end.
    Plain,
    /// A coroutine, which has not begun.
    Coroutine,
    /// A generator of either sort.
    Generator,
}

const GENERATOR: u32 = 0x20;
const COROUTINE: u32 = 0x80;
/// Of a generator function that `types.coroutine` made awaitable.
const ITERABLE_COROUTINE: u32 = 0x100;
const ASYNC_GENERATOR: u32 = 0x200;

/// What calling `callable` gives, as far as can be told without calling it. Looks through bound
/// methods, `functools.partial` and the `__call__` of instances.
pub fn kind(callable: &Bound<'_, PyAny>) -> Kind {
    let mut at = callable.clone();
    // Each round takes one layer off; nobody nests this deep by hand, and a loop ends.
    for _ in 0..64 {
        if let Some(flags) = code_flags(&at) {
            return match flags {
                f if f & (COROUTINE | ITERABLE_COROUTINE) != 0 => Kind::Coroutine,
                f if f & (GENERATOR | ASYNC_GENERATOR) != 0 => Kind::Generator,
                _ => Kind::Plain,
            };
        }
        match layer_below(&at) {
            Some(below) => at = below,
            None => break,
        }
    }
    Kind::Plain
}

fn code_flags(callable: &Bound<'_, PyAny>) -> Option<u32> {
    // A bound method shows the code of its function.
    let py = callable.py();
    let code = callable.getattr_opt(intern!(py, "__code__")).ok()??;
    code.getattr(intern!(py, "co_flags")).ok()?.extract().ok()
}

fn layer_below<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = callable.py();
    if is_partial(callable) {
        return callable.getattr(intern!(py, "func")).ok();
    }
    if callable.is_instance_of::<PyType>() {
        return None;
    }
    // An instance: what its class says a call is. Classes written in C have no code to look at.
    let call = callable.get_type().getattr_opt(intern!(py, "__call__")).ok()??;
    call.hasattr(intern!(py, "__code__")).ok()?.then_some(call)
}

/// A classmethod or staticmethod object, as it stands in a class body.
fn is_method_object(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: attached; both are static types of the interpreter.
    unsafe {
        ffi::PyObject_TypeCheck(object.as_ptr(), &raw mut ffi::PyClassMethod_Type) != 0
            || ffi::PyObject_TypeCheck(object.as_ptr(), &raw mut ffi::PyStaticMethod_Type) != 0
    }
}

fn is_partial(callable: &Bound<'_, PyAny>) -> bool {
    let class = callable.get_type();
    // By name, so that `functools` is not imported for the sake of the question.
    class.module().is_ok_and(|module| module == "functools")
        && class.name().is_ok_and(|name| name == "partial")
}

/// What protecting `target` comes down to.
pub enum Target<'py> {
    /// A callable no policy is on yet.
    Callable(Bound<'py, PyAny>),
    /// One that has policies already: they and the new ones become one plan.
    Protected(Bound<'py, PyAny>),
    /// A classmethod or staticmethod object: its function is protected and wrapped again.
    Descriptor(Bound<'py, PyType>, Bound<'py, PyAny>),
}

/// Sorts `target`, or says why it can't be protected.
pub fn target<'py>(target: &Bound<'py, PyAny>) -> Result<Target<'py>, Problem> {
    let py = target.py();
    if Protected::of(target).is_some() {
        return Ok(Target::Protected(target.clone()));
    }
    if is_method_object(target) {
        return match target.getattr(intern!(py, "__func__")) {
            Ok(function) => Ok(Target::Descriptor(target.get_type(), function)),
            Err(_) => Err(refusal(target, "has no function inside")),
        };
    }
    if target.is_instance_of::<PyType>() {
        return Err(refusal(
            target,
            "is a class: protect its methods, or a function that makes it",
        ));
    }
    if !target.is_callable() {
        return Err(refusal(
            target,
            "is not callable: under a property or cached_property, put the policy below it",
        ));
    }
    if kind(target) == Kind::Generator {
        return Err(refusal(
            target,
            "is a generator function, whose work is done after the call has returned: \
             protect the calls that it makes",
        ));
    }
    Ok(Target::Callable(target.clone()))
}

fn refusal(target: &Bound<'_, PyAny>, rule: &str) -> Problem {
    let value = target.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    Problem::new("function", value, rule)
}
