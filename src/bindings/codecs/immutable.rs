//! What may be handed out more than once.

use super::DEEPEST;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyComplex, PyDate, PyDateTime, PyDelta, PyFloat, PyFrozenSet, PyInt, PyString,
    PyTime, PyTuple, PyType,
};

/// Can nothing in `value` be changed, so that all may have the same one? Of what is not plain, no is
/// said, except of members of enums.
#[pyfunction]
#[pyo3(signature = (value, /))]
pub fn is_immutable(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    look(value, 0)
}

fn look(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
    if value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
    {
        return Ok(true);
    }
    if let Ok(items) = value.cast_exact::<PyTuple>() {
        for item in items {
            if depth >= DEEPEST || !look(&item, depth + 1)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if value.is_exact_instance_of::<PyFrozenSet>() {
        for member in value.try_iter()? {
            if depth >= DEEPEST || !look(&member?, depth + 1)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if value.is_exact_instance_of::<PyDateTime>()
        || value.is_exact_instance_of::<PyDate>()
        || value.is_exact_instance_of::<PyTime>()
        || value.is_exact_instance_of::<PyDelta>()
        || value.is_exact_instance_of::<PyComplex>()
    {
        return Ok(true);
    }
    let known = known(value.py())?;
    let class = value.get_type();
    Ok(class.is(&known.uuid)
        || class.is(&known.decimal)
        || class.is_instance(known.enum_type.bind(value.py()))?)
}

struct Known {
    uuid: Py<PyType>,
    decimal: Py<PyType>,
    enum_type: Py<PyType>,
}

fn known(py: Python<'_>) -> PyResult<&'static Known> {
    static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
    KNOWN.get_or_try_init(py, || {
        let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        Ok(Known {
            uuid: class("uuid", "UUID")?,
            decimal: class("decimal", "Decimal")?,
            enum_type: class("enum", "EnumType")?,
        })
    })
}
