//! The named parameters that a callable really has.

use crate::bindings::function::DEPTH;
use crate::bindings::hedge::Hedged;
use crate::bindings::protected::Protected;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFunction, PyTuple};

/// One that can be given by name or by place, `*args` and `**kwargs` aside.
pub struct Parameter<'py> {
    pub name: Bound<'py, PyAny>,
    pub by_place: bool,
    pub default: Option<Bound<'py, PyAny>>,
}

/// Those of `callable`, in order. A Python function is what its code says, whatever it says of
/// itself in `__signature__` and `__wrapped__`.
pub fn parameters<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Vec<Parameter<'py>>> {
    let py = callable.py();
    let mut at = callable.clone();
    let mut bound = 0;
    for _ in 0..DEPTH {
        if let Some(protected) = Protected::of(&at) {
            at = protected.function(py);
        } else if let Ok(hedged) = at.cast::<Hedged>() {
            at = hedged.get().function(py);
        } else if at.is_instance_of::<PyFunction>() {
            return of_code(&at, bound);
        } else if is_method(&at)? {
            at = at.getattr(intern!(py, "__func__"))?;
            bound += 1;
        } else {
            break;
        }
    }
    let mut all = of_signature(&at)?;
    // What a method is bound to comes first.
    all.drain(..bound.min(all.len()));
    Ok(all)
}

fn is_method(callable: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = callable.py().import("types")?.getattr("MethodType")?;
    callable.is_instance(&class)
}

fn of_code<'py>(function: &Bound<'py, PyAny>, bound: usize) -> PyResult<Vec<Parameter<'py>>> {
    let py = function.py();
    let code = function.getattr(intern!(py, "__code__"))?;
    let places: usize = code.getattr(intern!(py, "co_argcount"))?.extract()?;
    let keywords: usize = code.getattr(intern!(py, "co_kwonlyargcount"))?.extract()?;
    let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
    let defaults = function.getattr(intern!(py, "__defaults__"))?;
    let defaults = defaults.cast_into::<PyTuple>().unwrap_or_else(|_| PyTuple::empty(py));
    let by_name = function.getattr(intern!(py, "__kwdefaults__"))?;
    let by_name = by_name.cast_into::<PyDict>().unwrap_or_else(|_| PyDict::new(py));
    let without = places.saturating_sub(defaults.len());
    let mut all = Vec::with_capacity(places + keywords);
    for (at, name) in names.iter().take(places + keywords).enumerate().skip(bound) {
        let by_place = at < places;
        let default = match at.checked_sub(without) {
            _ if !by_place => by_name.get_item(&name)?,
            Some(at) => Some(defaults.get_item(at)?),
            None => None,
        };
        all.push(Parameter { name, by_place, default });
    }
    Ok(all)
}

fn of_signature<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Vec<Parameter<'py>>> {
    let py = callable.py();
    let inspect = py.import("inspect")?;
    let own = PyDict::new(py);
    own.set_item("follow_wrapped", false)?;
    let signature = inspect.call_method(intern!(py, "signature"), (callable,), Some(&own))?;
    let kinds = inspect.getattr("Parameter")?;
    let empty = kinds.getattr("empty")?;
    let mut all = Vec::new();
    for parameter in signature.getattr("parameters")?.call_method0("values")?.try_iter()? {
        let parameter = parameter?;
        let kind = parameter.getattr("kind")?;
        let is = |name: &str| -> PyResult<bool> { kind.eq(kinds.getattr(name)?) };
        let by_place = is("POSITIONAL_ONLY")? || is("POSITIONAL_OR_KEYWORD")?;
        if by_place || is("KEYWORD_ONLY")? {
            let default = parameter.getattr("default")?;
            let default = (!default.is(&empty)).then_some(default);
            all.push(Parameter { name: parameter.getattr("name")?, by_place, default });
        }
    }
    Ok(all)
}
