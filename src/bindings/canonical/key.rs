//! What a key of Python's is stored as.

use super::digest;
use super::failure::Failure;
use super::value::known;
use crate::canonical::key::{hashed, is_readable};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};
use std::io::Write;

/// The bytes under which `key` is stored: UTF-8, at most 255.
#[pyfunction]
#[pyo3(signature = (key, /))]
pub fn canonical_key<'py>(key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    write_key(key, &mut out)?;
    Ok(PyBytes::new(key.py(), &out))
}

/// Writes the bytes under which `key` is stored behind others.
pub fn write_key(key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let py = key.py();
    if let Ok(text) = key.cast_exact::<PyString>() {
        if let Ok(text) = text.to_str()
            && is_readable(text)
        {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
    } else if let Ok(number) = key.cast_exact::<PyInt>() {
        if let Ok(number) = number.extract::<i64>() {
            // A vector takes all that is written.
            let _ = write!(out, "~int:{number}");
            return Ok(());
        }
    } else if key.get_type().is(&known(py)?.uuid) {
        let text = key.str()?;
        out.extend_from_slice(b"~uuid:");
        out.extend_from_slice(text.to_str()?.as_bytes());
        return Ok(());
    }
    refuse_empty(key)?;
    let digest = digest(key).map_err(|failure: Failure| failure.raised(py, "key"))?;
    out.extend_from_slice(hashed(&digest).as_bytes());
    Ok(())
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
