//! A breaker's settings, as Python gives them and as the core takes them.

use crate::bindings::convert::{Duration, Reader, Window};
use crate::bindings::keys::Bounds;
use crate::bindings::rules::Rules;
use crate::error::Problem;
use crate::policies::backoff::{self, Backoff, Memory};
use crate::policies::breaker::{Draft, DraftWindow, Settings};
use crate::time::{Nanos, SECOND};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// How long the circuit stays open.
#[derive(Clone)]
pub enum OpenFor {
    Fixed(Nanos),
    /// With what it remembers of the delays since the circuit was last closed.
    Backoff(Arc<(Backoff, Mutex<Memory>)>),
    /// Ask `Rules::open_duration` about the outcome.
    Callable,
    /// Ask it for the delay of that number, and cut its answer here.
    Custom(Option<Nanos>),
}

impl OpenFor {
    /// In the place of what was in force: the same backoff goes on remembering its delays.
    pub fn in_place_of(self, before: &Self) -> Self {
        match (&self, before) {
            (Self::Backoff(new), Self::Backoff(old)) if new.0 == old.0 => before.clone(),
            _ => self,
        }
    }
}

/// Also what stands in for a callable's answer that is none.
pub const DEFAULT_OPEN: Nanos = 30 * SECOND;

/// Everything a mapping of settings says, checked.
pub struct Read {
    pub settings: Settings,
    pub open_for: OpenFor,
    pub rules: Rules,
    /// Of one with a state for each key: how many, and for how long.
    pub bounds: Option<Bounds>,
}

/// Reads them, or names everything that is wrong with them.
pub fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let open_for = reader.duration_or_backoff("open_duration");
    let draft = Draft {
        failure_threshold: reader.count("failure_threshold"),
        failure_rate: reader.number("failure_rate"),
        slow_call_rate: reader.number("slow_call_rate"),
        slow_call_duration: reader.seconds("slow_call_duration"),
        window: reader.window("window").map(|window| match window {
            Window::Calls(calls) => DraftWindow::Calls(calls),
            Window::Seconds(seconds) => DraftWindow::Seconds(seconds),
        }),
        min_calls: reader.count("min_calls"),
        open_duration: match &open_for {
            Some(Duration::Seconds(seconds)) => Some(*seconds),
            _ => None,
        },
        half_open_calls: reader.count("half_open_calls"),
        success_threshold: reader.count("success_threshold"),
        half_open_max_duration: reader.seconds("half_open_max_duration"),
    };
    let mut rules = Rules {
        on: reader.exceptions("on"),
        ignore: reader.exceptions("ignore"),
        on_result: reader.callable("on_result"),
        on_event: reader.callable("on_event"),
        open_duration: None,
        key: reader.key("key"),
    };
    let most = reader.count("max_keys");
    let idle = reader.seconds("key_idle");
    // Settings of the wrong kind were left out of the draft, where they would look absent: what
    // the draft then finds missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    let open_for = match open_for {
        None => OpenFor::Fixed(DEFAULT_OPEN),
        Some(Duration::Seconds(given)) => {
            OpenFor::Fixed(crate::time::seconds(given).unwrap_or(DEFAULT_OPEN))
        }
        Some(Duration::Backoff(draft)) => draft
            .check("open_duration", &mut found)
            .map_or(OpenFor::Fixed(DEFAULT_OPEN), |backoff| {
                OpenFor::Backoff(Arc::new((backoff, Mutex::default())))
            }),
        Some(Duration::Callable(callable)) => {
            rules.open_duration = Some(callable);
            OpenFor::Callable
        }
        Some(Duration::Custom(callable, cap)) => {
            rules.open_duration = Some(callable);
            let check = |cap| backoff::check_cap("open_duration.cap", cap, &mut found);
            OpenFor::Custom(cap.and_then(check))
        }
    };
    let bounds = Bounds::check(most, idle, rules.key.is_some(), &mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, open_for, rules, bounds }),
        _ => Err(problems),
    }
}
