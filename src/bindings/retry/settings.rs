//! A retry's settings, as Python gives them and as the core takes them.

use super::delays::{Hooks, Source};
use crate::bindings::convert::Reader;
use crate::bindings::rules::{Matcher, Rules};
use crate::error::Problem;
use crate::policies::retry::{Draft, Settings};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Everything a mapping of settings says, checked.
pub struct Read {
    pub settings: Settings,
    pub rules: Rules,
    pub hooks: Hooks,
}

/// Reads them, or names everything that is wrong with them.
pub fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let py = settings.py();
    let mut reader = Reader::new(settings);
    let delays = reader.delays("backoff");
    let draft = Draft {
        attempts: reader.count("attempts"),
        max_duration: reader.seconds("max_duration"),
        max_delay: reader.seconds("max_delay"),
        nested: reader.word("nested"),
    };
    let mut rules = Rules {
        on: reader.exceptions("on"),
        ignore: reader.exceptions("ignore"),
        on_result: reader.callable("on_result"),
        on_event: reader.callable("on_event"),
        ..Rules::none()
    };
    let mut hooks = Hooks {
        before_sleep: reader.callable("before_sleep"),
        after_end: reader.callable("after_end"),
        budget: reader.budget("budget"),
        sources: Vec::new(),
        deaf: reader.flag("retry_after") == Some(false),
        wraps: reader.flag("reraise") == Some(false),
    };
    let mut found = Vec::new();
    // Settings of the wrong kind were left out: what is then missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let settings = draft.check(&mut found);
    for (class, given) in delays.into_iter().flatten() {
        hooks.sources.extend(Source::check("backoff", class, given, &mut found));
    }
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    let Some(settings) = settings.filter(|_| problems.is_empty()) else { return Err(problems) };
    if rules.on.is_none() {
        let transient = py.import("seawall.clients").and_then(|m| m.getattr("transient"));
        rules.on = transient.ok().map(|transient| Matcher::Predicate(transient.unbind()));
    }
    Ok(Read { settings, rules, hooks })
}
