//! Dates and times. What knows its offset goes by its instant, as comparing it does.

use super::failure::Written;
use crate::canonical::Out;
use crate::canonical::times::days;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A date with a time: the instant, or what a calendar and a clock show.
pub fn datetime<O: Out>(time: &Bound<'_, PyDateTime>, out: &mut O) -> Written {
    let shown = days(time.get_year(), time.get_month(), time.get_day()) * DAY + of_day(time);
    match offset(time.as_any())? {
        Some(offset) => put(b'Z', shown - offset, out),
        None => put(b'N', shown, out),
    }
    Ok(())
}

/// A date.
pub fn date<O: Out>(date: &Bound<'_, PyDate>, out: &mut O) {
    put(b'A', days(date.get_year(), date.get_month(), date.get_day()), out);
}

/// A time of day.
pub fn time<O: Out>(time: &Bound<'_, PyTime>, out: &mut O) -> Written {
    match offset(time.as_any())? {
        Some(offset) => put(b'H', of_day(time) - offset, out),
        None => put(b'h', of_day(time), out),
    }
    Ok(())
}

/// A length of time.
pub fn delta<O: Out>(span: &Bound<'_, PyDelta>, out: &mut O) {
    put(b'P', i64::from(span.get_days()), out);
    let seconds = i64::from(span.get_seconds());
    put(b'p', seconds * SECOND + i64::from(span.get_microseconds()), out);
}

fn put<O: Out>(tag: u8, number: i64, out: &mut O) {
    let mut written = [tag; 9];
    written[1..].copy_from_slice(&number.to_be_bytes());
    out.put(&written);
}

fn of_day(time: &impl PyTimeAccess) -> i64 {
    let minutes = i64::from(time.get_hour()) * 60 + i64::from(time.get_minute());
    (minutes * 60 + i64::from(time.get_second())) * SECOND + i64::from(time.get_microsecond())
}

/// Microseconds east of UTC, if that is known.
fn offset(time: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    let offset = time.call_method0(intern!(time.py(), "utcoffset"))?;
    if offset.is_none() {
        return Ok(None);
    }
    let offset = offset.cast::<PyDelta>()?;
    let seconds = i64::from(offset.get_days()) * 86_400 + i64::from(offset.get_seconds());
    Ok(Some(seconds * SECOND + i64::from(offset.get_microseconds())))
}
