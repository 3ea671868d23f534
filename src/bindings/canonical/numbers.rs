//! Numbers: by their value, within their type.

use super::failure::Written;
use super::sink::Out;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt};

/// An integer of any size: two's complement, the least bytes that hold it.
pub fn int<O: Out>(number: &Bound<'_, PyInt>, out: &mut O) -> Written {
    if let Ok(number) = number.extract::<i64>() {
        small(number, b'i', out);
        return Ok(());
    }
    let py = number.py();
    let bits: usize = number.call_method0(intern!(py, "bit_length"))?.extract()?;
    let signed = PyDict::new(py);
    signed.set_item(intern!(py, "signed"), true)?;
    let arguments = (bits / 8 + 1, "big");
    let bytes = number.call_method(intern!(py, "to_bytes"), arguments, Some(&signed))?;
    out.put_sized(b'i', shortest(bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes()));
    Ok(())
}

/// One of 64 bits.
pub fn small<O: Out>(number: i64, tag: u8, out: &mut O) {
    out.put_sized(tag, shortest(&number.to_be_bytes()));
}

/// Without the leading bytes that only repeat the sign.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, second, ..] = rest
        && (*first == 0 && second & 0x80 == 0 || *first == 0xff && second & 0x80 != 0)
    {
        rest = &rest[1..];
    }
    rest
}

/// A float. Zero is one, whatever its sign, and so is what is no number.
pub fn float<O: Out>(number: f64, out: &mut O) {
    let number = if number.is_nan() {
        f64::NAN.abs()
    } else if number == 0.0 {
        0.0
    } else {
        number
    };
    let mut written = [b'd'; 9];
    written[1..].copy_from_slice(&number.to_bits().to_be_bytes());
    out.put(&written);
}

/// A decimal, by its value: 1.0 and 1.00 are one.
pub fn decimal<O: Out>(number: &Bound<'_, PyAny>, out: &mut O) -> Written {
    let text = number.str()?;
    let text = text.to_str()?;
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    out.put(b"M");
    if rest == "Infinity" {
        out.put(if negative { b"<" } else { b">" });
        return Ok(());
    }
    if rest.contains("NaN") {
        out.put(b"?");
        return Ok(());
    }
    let (mantissa, exponent) = match rest.split_once(['E', 'e']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()),
        None => (rest, Some(0)),
    };
    let Some(exponent) = exponent else {
        return Err(PyValueError::new_err("a decimal is not written as expected").into());
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        out.put(b"0");
        return Ok(());
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let exponent = exponent - length(fraction.len()) + length(zeros);
    out.put(if negative { b"-" } else { b"+" });
    small(exponent, b'e', out);
    out.put_sized(b'm', significant.as_bytes());
    Ok(())
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two numbers share bytes, and none has a byte that could be left out.
    #[test]
    fn integers_are_short_and_apart() {
        let of = |number: i64| {
            let mut out = Vec::new();
            small(number, b'i', &mut out);
            out
        };
        assert_eq!(of(0), b"i\x01\x00");
        assert_eq!(of(127), b"i\x01\x7f");
        assert_eq!(of(128), b"i\x02\x00\x80");
        assert_eq!(of(-1), b"i\x01\xff");
        assert_eq!(of(-129), b"i\x02\xff\x7f");
        assert_eq!(of(i64::MIN).len(), 10);
        let all: std::collections::HashSet<_> = (-70_000..70_000).map(of).collect();
        assert_eq!(all.len(), 140_000);
    }
}
