//! Which value has which form.

use super::DEEPEST;
use super::containers;
use super::failure::{Why, Written};
use super::numbers;
use super::times;
use crate::canonical::Out;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDate, PyDateTime, PyDelta, PyDict, PyFloat,
    PyFrozenSet, PyInt, PyList, PySet, PyString, PyTime, PyTuple, PyType,
};

/// Writes `value`, which lies this deep.
///
/// Only exact types are looked into; what is derived from one goes by its own name.
pub fn write<O: Out>(value: &Bound<'_, PyAny>, out: &mut O, depth: usize) -> Written {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return write_text(text, b's', out);
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return numbers::int(number, out);
    }
    if value.is_none() {
        out.put(b"n");
        return Ok(());
    }
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        out.put(if truth.is_true() { b"t" } else { b"f" });
        return Ok(());
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        crate::canonical::numbers::float(number.value(), out);
        return Ok(());
    }
    if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        out.put_sized(b'b', bytes.as_bytes());
        return Ok(());
    }
    if depth >= DEEPEST {
        return Err(Why::Deep.into());
    }
    if let Ok(items) = value.cast_exact::<PyTuple>() {
        return containers::sequence(items.iter(), b"(", out, depth);
    }
    if let Ok(items) = value.cast_exact::<PyList>() {
        return containers::sequence(items.iter(), b"[", out, depth);
    }
    if let Ok(entries) = value.cast_exact::<PyDict>() {
        return containers::dict(entries, out, depth);
    }
    rare(value, out, depth)
}

fn rare<O: Out>(value: &Bound<'_, PyAny>, out: &mut O, depth: usize) -> Written {
    let known = known(value.py())?;
    let class = value.get_type();
    if class.is(&known.uuid) {
        let number: u128 = value.getattr(intern!(value.py(), "int"))?.extract()?;
        out.put(b"U");
        out.put(&number.to_be_bytes());
    } else if class.is(&known.decimal) {
        return numbers::decimal(value, out);
    } else if value.is_exact_instance_of::<PySet>() {
        return containers::set(value, b"<", out, depth);
    } else if value.is_exact_instance_of::<PyFrozenSet>() {
        return containers::set(value, b"|", out, depth);
    } else if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
        // A copy: other threads may change or resize it while it is hashed.
        out.put_sized(b'B', &bytes.to_vec());
    } else if let Ok(number) = value.cast_exact::<PyComplex>() {
        out.put(b"c");
        crate::canonical::numbers::float(number.real(), out);
        crate::canonical::numbers::float(number.imag(), out);
    } else if let Ok(time) = value.cast_exact::<PyDateTime>() {
        return times::datetime(time, out);
    } else if let Ok(date) = value.cast_exact::<PyDate>() {
        times::date(date, out);
    } else if let Ok(time) = value.cast_exact::<PyTime>() {
        return times::time(time, out);
    } else if let Ok(span) = value.cast_exact::<PyDelta>() {
        times::delta(span, out);
    } else {
        return containers::described(value, known.describe.bind(value.py()), out, depth);
    }
    Ok(())
}

/// A text. What has no UTF-8 (half of a surrogate pair) has bytes that are nobody's UTF-8.
pub fn write_text<O: Out>(text: &Bound<'_, PyString>, tag: u8, out: &mut O) -> Written {
    if let Ok(text) = text.to_str() {
        out.put_sized(tag, text.as_bytes());
        return Ok(());
    }
    let py = text.py();
    let bytes = text.call_method1(intern!(py, "encode"), ("utf-8", "surrogatepass"))?;
    out.put_sized(tag, bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes());
    Ok(())
}

/// What is imported for the rarer ones, once one is met.
pub struct Known {
    pub uuid: Py<PyType>,
    decimal: Py<PyType>,
    describe: Py<PyAny>,
}

pub fn known(py: Python<'_>) -> PyResult<&'static Known> {
    static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
    KNOWN.get_or_try_init(py, || {
        let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        Ok(Known {
            uuid: class("uuid", "UUID")?,
            decimal: class("decimal", "Decimal")?,
            describe: py.import("seawall.idempotency.described")?.getattr("describe")?.unbind(),
        })
    })
}
