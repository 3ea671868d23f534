//! What a key is stored as.
//!
//! A short text that a terminal shows as it is stays as it is, so that lists of records are of
//! use. Whatever else is a key begins with `~`, and a text that begins so is hashed: no two keys
//! meet.

use super::digest;
use super::failure::Failure;
use super::value::known;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};

/// The longest text that is kept as it is, in bytes.
const LONGEST: usize = 255;

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

/// A key that is a digest.
pub fn hashed(digest: &[u8; 32]) -> String {
    let mut text = String::with_capacity(67);
    text.push_str("~1:");
    text.push_str(&blake3::Hash::from_bytes(*digest).to_hex());
    text
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
    let class = py.import("seawall.errors")?.getattr(intern!(py, "IdempotencyKeyError"))?;
    let kind = if key.is_none() { "None" } else { "empty" };
    Err(PyErr::from_value(class.call1(("key", "empty", kind))?))
}

/// Letters and signs that each terminal shows, and that can't be taken for one another's order.
/// These never change: a newer Unicode would move keys.
fn is_readable(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && !text.starts_with(['~', ' '])
        && !text.ends_with(' ')
        && text.chars().all(|letter| {
            matches!(letter,
                ' '..='~'
                | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}'       // Latin
                | '\u{391}'..='\u{3a1}' | '\u{3a3}'..='\u{3ce}'     // Greek
                | '\u{400}'..='\u{481}'                              // Cyrillic
                | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' // Japanese
                | '\u{4e00}'..='\u{9fa5}'                            // Chinese
                | '\u{ac00}'..='\u{d7a3}'                            // Korean
            )
        })
}
