//! What a bulkhead is set up with.

use crate::bindings::convert::Reader;
use crate::bindings::failures::config_error;
use crate::bindings::keys::Bounds;
use crate::error::Problem;
use crate::policies::bulkhead::{Draft, Settings};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

pub(super) struct Read {
    pub settings: Settings,
    pub on_event: Option<Py<PyAny>>,
    pub key: Option<Py<PyAny>>,
    pub bounds: Option<Bounds>,
}

/// Reads settings, or names everything that is wrong with them.
pub(super) fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let draft = Draft {
        max_concurrent: reader.count("max_concurrent"),
        max_wait: reader.seconds("max_wait"),
        max_queue: reader.count("max_queue"),
        pool: reader.word("pool"),
    };
    let on_event = reader.callable("on_event");
    let key = reader.key("key");
    let (most, idle) = (reader.count("max_keys"), reader.seconds("key_idle"));
    // Settings of the wrong kind were left out: what then follows is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    if broken.iter().any(|field| field == "max_wait") {
        found.retain(|problem| problem.field != "max_queue");
    }
    let keyed = key.is_some() || broken.iter().any(|field| field == "key");
    let bounds = Bounds::check(most, idle, keyed, &mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, on_event, key, bounds }),
        _ => Err(problems),
    }
}

/// The error that names them, of the bulkhead of this name.
pub(super) fn refused(name: &Bound<'_, PyString>, problems: Vec<Problem>) -> PyErr {
    config_error(name.py(), &format!("bulkhead '{name}'"), problems)
}
