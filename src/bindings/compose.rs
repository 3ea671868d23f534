//! Warns of compositions that work, but seldom as they were meant.

use super::breaker::Breaker;
use super::bulkhead::Bulkhead;
use super::fallback::Fallback;
use super::hedge::Hedge;
use super::rate_limit::RateLimit;
use super::retry::Retry;
use super::timeout::Timeout;
use crate::pipeline::{Part, findings};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// As far as its place among others matters.
fn part(policy: &Bound<'_, PyAny>) -> Option<Part> {
    if let Ok(retry) = policy.cast::<Retry>() {
        return Some(retry.get().part());
    }
    if let Ok(timeout) = policy.cast::<Timeout>() {
        return Some(timeout.get().part());
    }
    if let Ok(limit) = policy.cast::<RateLimit>() {
        return Some(limit.get().part());
    }
    if let Ok(hedge) = policy.cast::<Hedge>() {
        return Some(hedge.get().part());
    }
    if let Ok(bulkhead) = policy.cast::<Bulkhead>() {
        return Some(bulkhead.get().part());
    }
    if let Ok(fallback) = policy.cast::<Fallback>() {
        return Some(fallback.get().part());
    }
    policy.cast::<Breaker>().ok().map(|breaker| breaker.get().part())
}

/// Warns of what is odd about `policies`, outermost first, of which the first `added` came around
/// the rest just now: what is odd among either of them was said when those were put together. An
/// error: the program's filters make one of a warning.
pub fn warn(
    policies: &Bound<'_, PyTuple>,
    added: usize,
    subject: &dyn Fn() -> String,
) -> PyResult<()> {
    warn_of(policies, |at, other| other < added && added <= at, subject)
}

/// As [`warn`], of policies that were all put together just now.
pub fn warn_all(policies: &Bound<'_, PyTuple>, subject: &dyn Fn() -> String) -> PyResult<()> {
    warn_of(policies, |_, _| true, subject)
}

fn warn_of(
    policies: &Bound<'_, PyTuple>,
    of: impl Fn(usize, usize) -> bool,
    subject: &dyn Fn() -> String,
) -> PyResult<()> {
    if policies.len() < 2 {
        return Ok(());
    }
    let parts: Vec<Part> = policies.iter().filter_map(|policy| part(&policy)).collect();
    let mut found = findings(&parts);
    found.retain(|finding| of(finding.at, finding.other));
    if found.is_empty() {
        return Ok(());
    }
    let py = policies.py();
    let show = |at: usize| policies.get_item(at)?.repr().map(|text| text.to_string());
    for finding in found {
        let what = finding.what.replace("{other}", &show(finding.other)?);
        let message = format!("{}: {} {what}", subject(), show(finding.at)?);
        let blame = py.import("seawall.blame")?;
        let category = py.import("seawall.errors")?.getattr("CompositionWarning")?;
        blame.call_method1(intern!(py, "warn"), (message, category))?;
    }
    Ok(())
}
