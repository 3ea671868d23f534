//! What lies inside a callable, behind layers that hand the call on.

use super::function::{Kind, code_of, is_partial, kind};
use super::protected::Protected;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyFunction, PyType};

/// Nobody nests this deep by hand, and a loop ends.
pub const DEPTH: usize = 64;

/// The policies of the protected functions that a call of `callable` comes to.
///
/// `__wrapped__` is followed: what it leads to is as a rule what is called. If it is not, the
/// refusal that follows says what is wrong; calls that are counted twice would say nothing.
pub fn policies_inside<'py>(callable: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let mut found = Vec::new();
    let mut at = callable.clone();
    for _ in 0..DEPTH {
        let next = match Protected::of(&at) {
            Some(protected) => {
                found.extend(protected.policies(at.py()).iter());
                Some(protected.function(at.py()))
            }
            None => below(&at),
        };
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    found
}

/// What `callable` hands its calls on to.
fn below<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = callable.py();
    if is_partial(callable) {
        return callable.getattr(intern!(py, "func")).ok();
    }
    let attribute = |name| callable.getattr_opt(name).ok().flatten();
    if let Some(function) = attribute(intern!(py, "__func__")) {
        return Some(function);
    }
    if let Some(wrapped) = attribute(intern!(py, "__wrapped__")) {
        return Some(wrapped);
    }
    if callable.is_instance_of::<PyType>()
        || callable.is_instance_of::<PyFunction>()
        || callable.is_instance_of::<PyCFunction>()
    {
        return None;
    }
    callable.get_type().getattr_opt(intern!(py, "__call__")).ok().flatten()
}

const CONTEXT_MANAGER: &str = "makes a context manager out of a generator function, whose work is \
    done after the call has returned: protect the calls that it makes";
const HANDED_OUT: &str = "hands out what a generator function makes, whose work is done after the \
    call has returned: protect the calls that it makes";

/// Wrappers that call a generator function and hand its generator on, of the standard library.
struct Known {
    context_managers: [Py<PyAny>; 2],
    dispatch: Py<PyAny>,
    cache: Py<PyType>,
}

fn known(py: Python<'_>) -> Option<&'static Known> {
    static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
    KNOWN
        .get_or_try_init(py, || -> PyResult<_> {
            let anything = py.import("builtins")?.getattr("len")?;
            // All functions that one `def` makes have one code object.
            let code = |module: &str, wrapper: &str| -> PyResult<Py<PyAny>> {
                let made = py.import(module)?.call_method1(wrapper, (&anything,))?;
                Ok(made.getattr(intern!(py, "__code__"))?.unbind())
            };
            let cached = py.import("functools")?.call_method1("lru_cache", (&anything,))?;
            Ok(Known {
                context_managers: [
                    code("contextlib", "contextmanager")?,
                    code("contextlib", "asynccontextmanager")?,
                ],
                dispatch: code("functools", "singledispatch")?,
                cache: cached.get_type().unbind(),
            })
        })
        .ok()
}

/// Why protecting `callable`, which is no generator function itself, would protect nothing: it is
/// one of the wrappers known to hand a generator on. What any other function does with a generator
/// can't be told from outside; it may well consume it, so it is taken at its word.
pub fn hidden_generator(callable: &Bound<'_, PyAny>) -> Option<&'static str> {
    hidden(callable, DEPTH)
}

fn hidden(callable: &Bound<'_, PyAny>, depth: usize) -> Option<&'static str> {
    let py = callable.py();
    let known = known(py)?;
    let depth = depth.checked_sub(1)?;
    let hands_out = |inside: &Bound<'_, PyAny>| {
        if kind(inside) == Kind::Generator { Some(HANDED_OUT) } else { hidden(inside, depth) }
    };
    if let Some(code) = code_of(callable) {
        if known.context_managers.iter().any(|helper| code.is(helper)) {
            return Some(CONTEXT_MANAGER);
        }
        if !code.is(&known.dispatch) {
            return None;
        }
        let registry = callable.getattr(intern!(py, "registry")).ok()?;
        let implementations = registry.call_method0(intern!(py, "values")).ok()?;
        return implementations.try_iter().ok()?.flatten().find_map(|inside| hands_out(&inside));
    }
    if callable.get_type().is(&known.cache) {
        return hands_out(&callable.getattr(intern!(py, "__wrapped__")).ok()?);
    }
    if is_partial(callable) {
        return hidden(&callable.getattr(intern!(py, "func")).ok()?, depth);
    }
    if let Some(function) = callable.getattr_opt(intern!(py, "__func__")).ok()? {
        return hidden(&function, depth);
    }
    if callable.is_instance_of::<PyType>() || callable.is_instance_of::<PyCFunction>() {
        return None;
    }
    let call = callable.get_type().getattr_opt(intern!(py, "__call__")).ok()??;
    if call.is_instance_of::<PyFunction>() || call.get_type().is(&known.cache) {
        return hidden(&call, depth);
    }
    None
}
