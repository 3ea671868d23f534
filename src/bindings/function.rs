//! Which driver a callable needs, and what no driver can serve.
#![allow(unsafe_code, reason = "asks whether an object is of one of the interpreter's own types")]

use super::layers::hidden_generator;
use super::protected::Protected;
use crate::error::Problem;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFunction, PyType};

/// What calling a function gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A result. If that turns out to be an awaitable, its end is the call's end.
    Plain,
    /// A coroutine, which has not begun.
    Coroutine,
    /// A generator, which has not begun.
    Generator,
    /// An async generator, which has not begun.
    AsyncGenerator,
    /// What a generator function further in makes, handed out by a wrapper; and why that is none
    /// of ours.
    Hidden(&'static str),
}

impl Kind {
    /// As the flags of a code object say.
    fn of_flags(flags: u32) -> Self {
        if flags & (COROUTINE | ITERABLE_COROUTINE) != 0 {
            Self::Coroutine
        } else if flags & GENERATOR != 0 {
            Self::Generator
        } else if flags & ASYNC_GENERATOR != 0 {
            Self::AsyncGenerator
        } else {
            Self::Plain
        }
    }
}

const GENERATOR: u32 = 0x20;
const COROUTINE: u32 = 0x80;
/// Of a generator function that `types.coroutine` made awaitable.
const ITERABLE_COROUTINE: u32 = 0x100;
const ASYNC_GENERATOR: u32 = 0x200;
/// `def inside(*args, **kwargs)`, as a wrapper has it that may be around anything.
const HANDS_ON: u32 = 0x04 | 0x08 | 0x10;

/// Nobody nests this deep by hand, and a loop ends.
pub const DEPTH: usize = 64;

/// What calling `callable` gives, as far as can be told without calling it. Looks through bound
/// methods, `functools.partial` and the `__call__` of instances.
pub fn kind(callable: &Bound<'_, PyAny>) -> Kind {
    kind_within(callable, DEPTH)
}

/// As [`kind`], looking through at most `depth` wrappers.
pub fn kind_within(callable: &Bound<'_, PyAny>, depth: usize) -> Kind {
    let (layer, flags) = innermost(callable);
    match flags.map(Kind::of_flags) {
        Some(kind) if kind != Kind::Plain => kind,
        Some(_) if flags.is_some_and(|flags| flags & HANDS_ON != HANDS_ON) => Kind::Plain,
        _ => hidden_generator(&layer, depth).map_or(Kind::Plain, Kind::Hidden),
    }
}

/// What a function with this code gives, if `code` is code.
pub fn kind_of_code(code: &Bound<'_, PyAny>) -> Option<Kind> {
    let flags = code.getattr_opt(intern!(code.py(), "co_flags")).ok()??;
    flags.extract().ok().map(Kind::of_flags)
}

/// The layer of `callable` that has code, and the flags of that; or the last that there is.
fn innermost<'py>(callable: &Bound<'py, PyAny>) -> (Bound<'py, PyAny>, Option<u32>) {
    let mut at = callable.clone();
    for _ in 0..DEPTH {
        if let Some(flags) = code_flags(&at) {
            return (at, Some(flags));
        }
        match layer_below(&at) {
            Some(below) => at = below,
            None => break,
        }
    }
    (at, None)
}

/// What `inspect` takes for granted in a function. A wrapper says that it is one where a Python
/// function is inside, and has these of that where a partial or an object lies between.
pub const FUNCTION_ATTRIBUTES: [&str; 8] = [
    "__code__",
    "__defaults__",
    "__kwdefaults__",
    "__annotations__",
    "__globals__",
    "__closure__",
    "__name__",
    "__qualname__",
];

/// The Python function whose code runs when `callable` is called, if there is one.
pub fn function_inside<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let (layer, _) = innermost(callable);
    let of_method = layer.getattr_opt(intern!(layer.py(), "__func__")).ok().flatten();
    let layer = of_method.unwrap_or(layer);
    (layer.is_instance_of::<PyFunction>() || Protected::of(&layer).is_some()).then_some(layer)
}

/// Is `callable` a function, or a wrapper of ours around one: something whose attributes were put
/// there to be copied along?
pub fn shows_itself(callable: &Bound<'_, PyAny>) -> bool {
    callable.is_instance_of::<PyFunction>() || Protected::of(callable).is_some()
}

/// The code that a call of `callable` runs. A bound method shows that of its function.
pub fn code_of<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    callable.getattr_opt(intern!(callable.py(), "__code__")).ok()?
}

fn code_flags(callable: &Bound<'_, PyAny>) -> Option<u32> {
    code_of(callable)?.getattr(intern!(callable.py(), "co_flags")).ok()?.extract().ok()
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

/// Is it a `functools.partial`, or of a class derived from that?
pub fn is_partial(callable: &Bound<'_, PyAny>) -> bool {
    static PARTIAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = callable.py();
    let partial = PARTIAL.get_or_try_init(py, || -> PyResult<_> {
        Ok(py.import("functools")?.getattr("partial")?.unbind())
    });
    // By its real type: what merely says that it is one need not have its parts.
    partial.is_ok_and(|partial| {
        partial
            .bind(py)
            .cast::<PyType>()
            .is_ok_and(|partial| callable.get_type().is_subclass(partial).unwrap_or(false))
    })
}

/// Why a generator function has no outcome.
pub const GENERATOR_HAS_NO_OUTCOME: &str = "is a generator function, which has no single outcome: \
    it may be left after any item. Protect it, or use call(), and iterate";

/// Why a timeout does not serve generator functions.
pub const TIMES_NO_GENERATOR: &str = "is a generator function, whose consumer's time would count as \
    its own: put a timeout on what it calls";

/// Why a pool of threads serves plain functions only.
pub const RUNS_ONLY_PLAIN: &str = "is no plain function, which is all that a thread of pool='threads' \
    can run: what waits without blocking needs no thread (pool=None)";

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
            Err(_) => Err(refuse(target, "has no function inside")),
        };
    }
    if target.is_instance_of::<PyType>() {
        return Err(refuse(target, "is a class: protect its methods, or a function that makes it"));
    }
    if !target.is_callable() {
        // A property, a partialmethod and the like call a function once they are asked for by name.
        let descriptor = target.get_type().hasattr(intern!(py, "__get__")).unwrap_or(false);
        let rule = if descriptor {
            "is not callable: put the policy below it, on the function that it calls"
        } else {
            "is not callable"
        };
        return Err(refuse(target, rule));
    }
    match kind(target) {
        Kind::Hidden(reason) => Err(refuse(target, reason)),
        Kind::Plain | Kind::Coroutine | Kind::Generator | Kind::AsyncGenerator => {
            Ok(Target::Callable(target.clone()))
        }
    }
}

/// The problem with `target`.
pub fn refuse(target: &Bound<'_, PyAny>, rule: &str) -> Problem {
    let value = target.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    Problem::new("function", value, rule)
}
