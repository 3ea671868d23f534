//! A hedge's settings, as Python gives them and as the core takes them.

use crate::bindings::convert::{DURATION, Reader, number, seconds, whole};
use crate::bindings::rules::Rules;
use crate::error::Problem;
use crate::policies::hedge::{DelayDraft, Draft, QuantileDraft, Settings};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Everything a mapping of settings says, checked.
pub struct Read {
    pub settings: Settings,
    pub rules: Rules,
    pub budget: Option<Py<PyAny>>,
}

/// Reads them, or names everything that is wrong with them.
pub fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let delay = delay(&mut reader);
    let draft = Draft {
        delay,
        max_hedges: reader.count("max_hedges"),
        max_losers: reader.count("max_losers"),
        max_threads: reader.count("max_threads"),
    };
    let rules = Rules {
        on: reader.exceptions("on"),
        ignore: reader.exceptions("ignore"),
        on_result: reader.callable("on_result"),
        on_event: reader.callable("on_event"),
        ..Rules::none()
    };
    let budget = reader.budget("budget");
    // Settings of the wrong kind were left out: what then follows is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, rules, budget }),
        _ => Err(problems),
    }
}

/// When a further attempt starts: seconds, or a `seawall.quantile(…)`.
fn delay(reader: &mut Reader<'_, '_>) -> Option<DelayDraft> {
    const FIELD: &str = "delay";
    const WHOLE: &str = "must be a whole number";
    let value = reader.get(FIELD)?;
    if let Some(seconds) = seconds(&value) {
        return Some(DelayDraft::Seconds(seconds));
    }
    if !value.hasattr("share").unwrap_or(false) {
        return reader.wrong(FIELD, &value, "must be seconds, a timedelta or seawall.quantile(…)");
    }
    let share = reader.part(FIELD, &value, "share", "must be a number", number);
    let mut count = |name| reader.part(FIELD, &value, name, WHOLE, whole);
    let (min_samples, window) = (count("min_samples"), count("window"));
    let mut length = |name| reader.part(FIELD, &value, name, DURATION, seconds);
    Some(DelayDraft::Quantile(QuantileDraft {
        share,
        min_samples,
        window,
        initial: length("initial"),
        min_delay: length("min_delay"),
        max_delay: length("max_delay"),
    }))
}
