//! What lies inside a callable, behind layers that hand the call on.

use super::function::{DEPTH, Kind, code_of, is_partial, kind_within};
use super::protected::Protected;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyFunction, PyType};

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
    done after the call has returned: protect the generator function itself";
const HANDED_OUT: &str = "hands out what a generator function makes, whose work is done after the \
    call has returned: protect the generator function itself";

/// Wrappers that call a generator function and hand its generator on, of the standard library.
struct Known {
    context_managers: [Py<PyAny>; 2],
    dispatch: Py<PyAny>,
    cache: Py<PyType>,
    method: Py<PyType>,
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
                method: py.import("types")?.getattr("MethodType")?.cast_into::<PyType>()?.unbind(),
            })
        })
        .ok()
}

/// Why protecting `layer`, which is no generator function itself, would protect nothing: it is one
/// of the wrappers known to hand a generator on. What any other function does with a generator
/// can't be told from outside; it may well consume it, so it is taken at its word.
pub fn hidden_generator(layer: &Bound<'_, PyAny>, depth: usize) -> Option<&'static str> {
    let py = layer.py();
    let depth = depth.checked_sub(1)?;
    let known = known(py)?;
    let hands_out = |inside: &Bound<'_, PyAny>| match kind_within(inside, depth) {
        Kind::Generator | Kind::AsyncGenerator => Some(HANDED_OUT),
        Kind::Hidden(reason) => Some(reason),
        Kind::Plain | Kind::Coroutine => None,
    };
    let class = layer.get_type();
    if class.is(&known.cache) {
        return hands_out(&layer.getattr(intern!(py, "__wrapped__")).ok()?);
    }
    if class.is(&known.method) {
        let function = layer.getattr(intern!(py, "__func__")).ok()?;
        // A function's method shows code, and that of the function: it is no layer of its own.
        if function.get_type().is(&known.cache) {
            return hidden_generator(&function, depth);
        }
    }
    if layer.is_instance_of::<PyCFunction>() {
        return None;
    }
    let code = code_of(layer)?;
    if known.context_managers.iter().any(|helper| code.is(helper)) {
        return Some(CONTEXT_MANAGER);
    }
    if !code.is(&known.dispatch) {
        return None;
    }
    let registry = layer.getattr(intern!(py, "registry")).ok()?;
    let implementations = registry.call_method0(intern!(py, "values")).ok()?;
    implementations.try_iter().ok()?.flatten().find_map(|inside| hands_out(&inside))
}
