//! Numbers of Python's.

use super::failure::Written;
use crate::canonical::{Out, numbers};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt};

/// An integer of any size: two's complement, the least bytes that hold it.
pub fn int<O: Out>(number: &Bound<'_, PyInt>, out: &mut O) -> Written {
    if let Ok(number) = number.extract::<i64>() {
        numbers::int(number, b'i', out);
        return Ok(());
    }
    let py = number.py();
    let bits: usize = number.call_method0(intern!(py, "bit_length"))?.extract()?;
    let signed = PyDict::new(py);
    signed.set_item(intern!(py, "signed"), true)?;
    let arguments = (bits / 8 + 1, "big");
    let bytes = number.call_method(intern!(py, "to_bytes"), arguments, Some(&signed))?;
    out.put_sized(
        b'i',
        numbers::shortest(bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes()),
    );
    Ok(())
}

/// A decimal, by its value.
pub fn decimal<O: Out>(number: &Bound<'_, PyAny>, out: &mut O) -> Written {
    if numbers::decimal(number.str()?.to_str()?, out) {
        Ok(())
    } else {
        Err(PyValueError::new_err("a decimal is not written as expected").into())
    }
}
