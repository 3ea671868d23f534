//! What holds other values.

use super::failure::{Failure, Why, Written};
use super::value::{write, write_text};
use crate::canonical::Out;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::ops::Range;

/// One after the other.
pub fn sequence<'py, O: Out>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    opening: &[u8],
    out: &mut O,
    depth: usize,
) -> Written {
    out.put(opening);
    for (at, item) in items.enumerate() {
        write(&item, out, depth + 1).map_err(|failure| failure.at(format!("[{at}]")))?;
    }
    out.put(b".");
    Ok(())
}

/// In the order of the bytes of their keys. Keys are copied for that; values are not.
pub fn dict<O: Out>(entries: &Bound<'_, PyDict>, out: &mut O, depth: usize) -> Written {
    let mut keys = Vec::new();
    let mut sorted: Vec<(Range<usize>, Bound<'_, PyTuple>)> = Vec::with_capacity(entries.len());
    // A list, because what is written may run code that changes the dict.
    for entry in entries.items().iter() {
        let entry = entry.cast_into::<PyTuple>().map_err(PyErr::from)?;
        let key = entry.get_item(0)?;
        let from = keys.len();
        write(&key, &mut keys, depth + 1).map_err(|failure| failure.under(&key))?;
        sorted.push((from..keys.len(), entry));
    }
    in_order(&mut sorted, &keys)?;
    out.put(b"{");
    for (key, entry) in &sorted {
        out.put(&keys[key.clone()]);
        write(&entry.get_item(1)?, out, depth + 1).map_err(|failure| match entry.get_item(0) {
            Ok(key) => failure.under(&key),
            Err(error) => error.into(),
        })?;
    }
    out.put(b".");
    Ok(())
}

/// In the order of their bytes.
pub fn set<O: Out>(
    members: &Bound<'_, PyAny>,
    opening: &[u8],
    out: &mut O,
    depth: usize,
) -> Written {
    let mut written = Vec::new();
    let mut sorted = Vec::new();
    let members = members.py().get_type::<PyList>().call1((members,))?;
    for member in members.cast_into::<PyList>().map_err(PyErr::from)?.iter() {
        let from = written.len();
        write(&member, &mut written, depth + 1).map_err(|failure| failure.at("{…}".to_owned()))?;
        sorted.push((from..written.len(), ()));
    }
    in_order(&mut sorted, &written)?;
    out.put(opening);
    for (member, ()) in sorted {
        out.put(&written[member]);
    }
    out.put(b".");
    Ok(())
}

/// Sorts by the written bytes, of which none may be there twice: which came first would count.
fn in_order<T>(sorted: &mut [(Range<usize>, T)], written: &[u8]) -> Written {
    let bytes = |at: &Range<usize>| &written[at.clone()];
    sorted.sort_by(|(one, _), (other, _)| bytes(one).cmp(bytes(other)));
    if sorted.windows(2).any(|pair| bytes(&pair[0].0) == bytes(&pair[1].0)) {
        return Err(Why::Twice.into());
    }
    Ok(())
}

/// What Python code says of it: the name that it goes by, what is in it, and whether that are its
/// fields; or that there is nothing to say.
pub fn described<O: Out>(
    value: &Bound<'_, PyAny>,
    describe: &Bound<'_, PyAny>,
    out: &mut O,
    depth: usize,
) -> Written {
    let said = describe.call1((value,))?;
    if said.is_none() {
        let class = value.get_type();
        let name = class.fully_qualified_name()?;
        return Err(Why::Unsupported(name.to_string_lossy().into_owned()).into());
    }
    let said = said.cast_into::<PyTuple>().map_err(PyErr::from)?;
    let name = said.get_item(0)?.cast_into::<PyString>().map_err(PyErr::from)?;
    let content = said.get_item(1)?;
    write_text(&name, b'O', out)?;
    match content.cast_exact::<PyDict>() {
        Ok(fields) if said.get_item(2)?.extract::<bool>()? => write_fields(fields, out, depth),
        _ => write(&content, out, depth + 1),
    }
}

fn write_fields<O: Out>(fields: &Bound<'_, PyDict>, out: &mut O, depth: usize) -> Written {
    out.put(b"{");
    // They are ours, in order, and nobody else's to change.
    for entry in fields.items().iter() {
        let entry = entry.cast_into::<PyTuple>().map_err(PyErr::from)?;
        let name = entry.get_item(0)?.cast_into::<PyString>().map_err(PyErr::from)?;
        write_text(&name, b's', out)?;
        let step = |failure: Failure| failure.at(format!(".{}", name.to_string_lossy()));
        write(&entry.get_item(1)?, out, depth + 1).map_err(step)?;
    }
    out.put(b".");
    Ok(())
}
