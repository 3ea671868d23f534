//! Plain values to bytes.

use super::{DEEPEST, VERSION, mark};
use crate::bindings::canonical::failure::{Failure, Why, Written};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};
use rmp::encode::{
    write_array_len, write_bin, write_bool, write_ext_meta, write_f64, write_map_len, write_nil,
    write_sint, write_str, write_uint,
};

/// `value` as bytes, of which there are at most `limit`.
///
/// `lower` is asked of what is not plain. It answers the number of an extension and its bytes, or
/// the name of a class and the fields of the object.
#[pyfunction]
#[pyo3(signature = (value, lower, limit, codec, /))]
pub fn pack<'py>(
    value: &Bound<'py, PyAny>,
    lower: &Bound<'py, PyAny>,
    limit: usize,
    codec: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut writer = Writer { out: vec![VERSION], lower, limit };
    match writer.value(value, 0) {
        Ok(()) => Ok(PyBytes::new(value.py(), &writer.out)),
        Err(failure) => Err(failure.unwritten(value.py(), codec)),
    }
}

struct Writer<'a, 'py> {
    out: Vec<u8>,
    lower: &'a Bound<'py, PyAny>,
    limit: usize,
}

/// What `rmp` says of a vector, which can't fail, and of a length, which can't be so large.
fn written<T, E>(result: Result<T, E>) -> Written {
    result.map(|_| ()).map_err(|_| Why::Large.into())
}

fn short(length: usize) -> Result<u32, Failure> {
    u32::try_from(length).map_err(|_| Why::Large.into())
}

impl Writer<'_, '_> {
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        self.plain(value, depth)?;
        if self.out.len() > self.limit { Err(Why::Large.into()) } else { Ok(()) }
    }

    fn plain(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.text(text);
        }
        if let Ok(number) = value.cast_exact::<PyInt>() {
            return self.integer(number);
        }
        if value.is_none() {
            return written(write_nil(&mut self.out));
        }
        if let Ok(truth) = value.cast_exact::<PyBool>() {
            return written(write_bool(&mut self.out, truth.is_true()));
        }
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            return written(write_f64(&mut self.out, number.value()));
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            self.fits(bytes.as_bytes().len())?;
            return written(write_bin(&mut self.out, bytes.as_bytes()));
        }
        if depth >= DEEPEST {
            return Err(Why::Deep.into());
        }
        if let Ok(items) = value.cast_exact::<PyList>() {
            // A tuple: others may change the list while it is written.
            return self.sequence(&items.to_tuple(), None, depth);
        }
        if let Ok(entries) = value.cast_exact::<PyDict>() {
            return self.map(entries, false, depth);
        }
        if let Ok(items) = value.cast_exact::<PyTuple>() {
            return self.sequence(items, Some(mark::TUPLE), depth);
        }
        if value.is_exact_instance_of::<PySet>() {
            return self.sequence(&members(value)?, Some(mark::SET), depth);
        }
        if value.is_exact_instance_of::<PyFrozenSet>() {
            return self.sequence(&members(value)?, Some(mark::FROZENSET), depth);
        }
        self.lowered(value, depth)
    }

    /// Nothing that is too long is copied first.
    fn fits(&self, length: usize) -> Written {
        if length > self.limit { Err(Why::Large.into()) } else { Ok(()) }
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Written {
        if let Ok(text) = text.to_str() {
            self.fits(text.len())?;
            return written(write_str(&mut self.out, text));
        }
        let py = text.py();
        let bytes = text.call_method1(intern!(py, "encode"), ("utf-8", "surrogatepass"))?;
        self.extension(mark::SURROGATES, bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes())
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) -> Written {
        if let Ok(number) = number.extract::<i64>() {
            return written(write_sint(&mut self.out, number));
        }
        if let Ok(number) = number.extract::<u64>() {
            return written(write_uint(&mut self.out, number));
        }
        let py = number.py();
        let bits: usize = number.call_method0(intern!(py, "bit_length"))?.extract()?;
        let signed = PyDict::new(py);
        signed.set_item(intern!(py, "signed"), true)?;
        let arguments = (bits / 8 + 1, "big");
        let bytes = number.call_method(intern!(py, "to_bytes"), arguments, Some(&signed))?;
        self.extension(mark::INTEGER, bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes())
    }

    fn extension(&mut self, kind: i8, bytes: &[u8]) -> Written {
        self.fits(bytes.len())?;
        written(write_ext_meta(&mut self.out, short(bytes.len())?, kind))?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn sequence(&mut self, items: &Bound<'_, PyTuple>, kind: Option<i8>, depth: usize) -> Written {
        let length = short(items.len())?.checked_add(u32::from(kind.is_some()));
        written(write_array_len(&mut self.out, length.ok_or(Why::Large)?))?;
        if let Some(kind) = kind {
            self.extension(kind, b"")?;
        }
        for (at, item) in items.iter().enumerate() {
            let step = |failure: Failure| failure.at(format!("[{at}]"));
            self.value(&item, depth + 1).map_err(step)?;
        }
        Ok(())
    }

    fn map(&mut self, entries: &Bound<'_, PyDict>, are_fields: bool, depth: usize) -> Written {
        let entries = entries.items();
        written(write_map_len(&mut self.out, short(entries.len())?))?;
        for entry in entries.iter() {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry.extract()?;
            self.value(&key, depth + 1).map_err(|failure| failure.under(&key))?;
            self.value(&value, depth + 1).map_err(|failure| {
                if are_fields { failure.at(format!(".{key}")) } else { failure.under(&key) }
            })?;
        }
        Ok(())
    }

    fn lowered(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        let said = self.lower.call1((value,))?;
        let said = said.cast_into::<PyTuple>().map_err(PyErr::from)?;
        let (what, content) = (said.get_item(0)?, said.get_item(1)?);
        if let Ok(problem) = content.cast_exact::<PyString>() {
            return Err(Why::Unsupported(problem.to_str()?.to_owned()).into());
        }
        if let Ok(name) = what.cast_exact::<PyString>() {
            written(write_array_len(&mut self.out, 3))?;
            self.extension(mark::OBJECT, b"")?;
            self.text(name)?;
            let fields = content.cast::<PyDict>().map_err(PyErr::from)?;
            return self.map(fields, true, depth);
        }
        let kind: i8 = what.extract()?;
        if kind < mark::FIRST_LEAF {
            return Err(PyTypeError::new_err("not a number of Python's").into());
        }
        self.extension(kind, content.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes())
    }
}

/// Those of a set, which others may change while it is written.
fn members<'py>(set: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    Ok(set.py().get_type::<PyTuple>().call1((set,))?.cast_into::<PyTuple>()?)
}
