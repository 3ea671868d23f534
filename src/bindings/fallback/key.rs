//! What tells calls apart that have different answers: the function, and all that it is called with.
//!
//! Two calls are the same only if everything is equal *and* of the same type: `1`, `1.0` and `True`
//! are equal, and a function may well answer them differently. That goes for what lies in tuples and
//! frozen sets as well. Nor is the same moment the same call in another time zone, or `Decimal("1.0")`
//! that of `Decimal("1.00")`: of such types what they look like must be equal, too.
#![allow(unsafe_code, reason = "reads arguments as the interpreter hands them over")]

use crate::bindings::call::Call;
use crate::bindings::hedge::Hedged;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyFloat, PyFrozenSet, PyFrozenSetMethods, PyInt, PyString, PyTuple,
};

/// Nobody nests arguments this deep by hand.
const DEPTH: usize = 32;

/// The key of `call`, by all that it is called with, and what that hashes to. An error: there is
/// none.
pub fn of_arguments<'py>(py: Python<'py>, call: &Call) -> PyResult<(Bound<'py, PyAny>, isize)> {
    let arguments = call.arguments;
    // SAFETY: `values` holds the positional arguments and then one for each of `names`, a tuple of
    // strings or NULL; all are alive, as is the callee.
    let (callee, names, values) = unsafe {
        let count = ffi::PyVectorcall_NARGS(arguments.count).cast_unsigned();
        let names = Bound::from_borrowed_ptr_or_opt(py, arguments.names);
        let by_name = if arguments.names.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(arguments.names).cast_unsigned()
        };
        let value = |at| Bound::from_borrowed_ptr(py, *arguments.values.add(at));
        let values: Vec<Bound<'py, PyAny>> = (0..count + by_name).map(value).collect();
        (Bound::from_borrowed_ptr(py, call.callee), names, values)
    };
    let names = names.unwrap_or_else(|| PyTuple::empty(py).into_any());
    let mut parts = Vec::with_capacity(3 + 2 * values.len());
    add(&mut parts, &function(callee), DEPTH)?;
    parts.push(names);
    for value in &values {
        add(&mut parts, value, DEPTH)?;
    }
    hashable(&PyTuple::new(py, parts)?)
}

/// The key of `call`, of which `rule`, a callable or a name, has said `said`.
pub fn of_rule<'py>(
    py: Python<'py>,
    call: &Call,
    rule: &Bound<'py, PyAny>,
    said: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, isize)> {
    // SAFETY: the callee is alive.
    let callee = unsafe { Bound::from_borrowed_ptr(py, call.callee) };
    let mut parts = Vec::with_capacity(5);
    add(&mut parts, &function(callee), DEPTH)?;
    // Another rule would say the same of other calls.
    parts.push(rule.clone());
    add(&mut parts, said, DEPTH)?;
    // As it was said, to tell of it.
    parts.push(said.clone());
    hashable(&PyTuple::new(py, parts)?)
}

/// Whose answers are remembered. What makes attempts of a function may be made anew for each call.
fn function(callee: Bound<'_, PyAny>) -> Bound<'_, PyAny> {
    match callee.cast::<Hedged>() {
        Ok(hedged) => hedged.get().function(callee.py()),
        Err(_) => callee,
    }
}

fn hashable<'py>(key: &Bound<'py, PyTuple>) -> PyResult<(Bound<'py, PyAny>, isize)> {
    Ok((key.as_any().clone(), key.hash()?))
}

/// Adds `value`, and what it takes to tell it from equal ones.
fn add<'py>(
    parts: &mut Vec<Bound<'py, PyAny>>,
    value: &Bound<'py, PyAny>,
    depth: usize,
) -> PyResult<()> {
    let py = value.py();
    let Some(depth) = depth.checked_sub(1) else {
        return Err(PyTypeError::new_err("the arguments are nested too deep to be compared"));
    };
    let class = value.get_type();
    let plain = value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_none();
    if plain {
        parts.push(value.clone());
    } else if value.is_exact_instance_of::<PyTuple>() {
        let mut inside = Vec::new();
        for part in value.cast::<PyTuple>()?.iter() {
            add(&mut inside, &part, depth)?;
        }
        parts.push(PyTuple::new(py, inside)?.into_any());
    } else if value.is_exact_instance_of::<PyFrozenSet>() {
        let mut inside = Vec::new();
        for part in value.cast::<PyFrozenSet>()?.iter() {
            let mut pair = Vec::new();
            add(&mut pair, &part, depth)?;
            inside.push(PyTuple::new(py, pair)?);
        }
        parts.push(PyFrozenSet::new(py, inside)?.into_any());
    } else if value.is_exact_instance_of::<PyFloat>() {
        // The two zeros are equal, and divide differently.
        let number: f64 = value.extract()?;
        let negative_zero = number == 0.0 && number.is_sign_negative();
        let whole = if negative_zero { class.as_any() } else { value };
        parts.push(whole.clone());
    } else {
        parts.push(value.clone());
        if let Ok(tuple) = value.cast::<PyTuple>() {
            // One with names, say: its own equality is that of any tuple.
            let mut inside = Vec::new();
            for part in tuple.iter() {
                add(&mut inside, &part, depth)?;
            }
            parts.push(PyTuple::new(py, inside)?.into_any());
        } else if value.is_instance(look_differently(py)?)? {
            parts.push(value.repr()?.into_any());
        }
    }
    parts.push(class.into_any());
    Ok(())
}

/// Types of which two can be equal, and yet not the same: by a time zone, or a fold; by their places;
/// by the sign of a zero; by what an empty range begins with.
fn look_differently(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static TYPES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let types = TYPES.get_or_try_init(py, || {
        let named = [
            ("builtins", "complex"),
            ("builtins", "range"),
            ("datetime", "datetime"),
            ("datetime", "time"),
            ("decimal", "Decimal"),
        ];
        let types: PyResult<Vec<_>> =
            named.iter().map(|(module, name)| py.import(*module)?.getattr(*name)).collect();
        PyResult::Ok(PyTuple::new(py, types?)?.into_any().unbind())
    })?;
    Ok(types.bind(py))
}
