//! What a key of Python's is stored as.

use super::digest;
use super::failure::Failure;
use super::value::known;
use crate::canonical::key::{hashed, is_readable};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};

/// The bytes under which `key` is stored: UTF-8, at most 255.
#[pyfunction]
#[pyo3(signature = (key, /))]
pub fn canonical_key<'py>(key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = key.py();
    if let Ok(text) = key.cast_exact::<PyString>() {
        if let Ok(text) = text.to_str()
            && is_readable(text)
        {
            return Ok(PyBytes::new(py, text.as_bytes()));
        }
    } else if let Ok(number) = key.cast_exact::<PyInt>() {
        if let Ok(number) = number.extract::<i64>() {
            return Ok(PyBytes::new(py, format!("~int:{number}").as_bytes()));
        }
    } else if key.get_type().is(&known(py)?.uuid) {
        let text = key.str()?;
        return Ok(PyBytes::new(py, format!("~uuid:{}", text.to_str()?).as_bytes()));
    }
    refuse_empty(key)?;
    let digest = digest(key).map_err(|failure: Failure| failure.raised(py, "key"))?;
    Ok(PyBytes::new(py, hashed(&digest).as_bytes()))
}

/// What nobody means as a key, and what all calls that forgot theirs would share.
fn refuse_empty(key: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = key.py();
    let empty = key.is_none()
        || key.cast::<PyString>().is_ok_and(|text| text.is_empty().unwrap_or_default())
        || key.cast::<PyBytes>().is_ok_and(|bytes| bytes.as_bytes().is_empty());
    if !empty {
        return Ok(());
    }
    let class =
        py.import("seawall.idempotency.errors")?.getattr(intern!(py, "IdempotencyKeyError"))?;
    let kind = if key.is_none() { "None" } else { "empty" };
    Err(PyErr::from_value(class.call1(("key", "empty", kind))?))
}
