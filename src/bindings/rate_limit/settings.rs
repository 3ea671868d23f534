//! A rate limit's settings, as Python gives them and as the core takes them.

use crate::bindings::convert::Reader;
use crate::bindings::keys::Bounds;
use crate::error::Problem;
use crate::policies::rate_limit::{Draft, Settings};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What of it is the user's code.
#[pyclass(frozen, module = "seawall._core")]
#[derive(Default)]
pub struct Hooks {
    /// What a call costs: a callable of its arguments.
    pub cost: Option<Py<PyAny>>,
    pub key: Option<Py<PyAny>>,
    pub on_event: Option<Py<PyAny>>,
}

#[pymethods]
impl Hooks {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cost)?;
        visit.call(&self.key)?;
        visit.call(&self.on_event)
    }
}

impl Hooks {
    /// Why `next` can't take the place of these.
    pub fn problems_with(&self, py: Python<'_>, next: &Self) -> PyResult<Vec<Problem>> {
        let mut problems = Vec::new();
        let same = match (&self.key, &next.key) {
            (None, None) => true,
            (Some(old), Some(new)) => old.bind(py).eq(new)?,
            _ => false,
        };
        if !same {
            let given = next.key.as_ref().map_or_else(|| "None".to_owned(), Py::to_string);
            let rule = "can't be changed: its states belong to the keys they have";
            problems.push(Problem::new("key", given, rule));
        }
        if self.cost.is_some() != next.cost.is_some() {
            let given = next.cost.as_ref().map_or_else(|| "None".to_owned(), Py::to_string);
            let rule = "can't be changed from a number to a callable, or back: calls that have \
                        begun were asked for what they cost, or not";
            problems.push(Problem::new("cost", given, rule));
        }
        Ok(problems)
    }
}

/// Everything a mapping of settings says, checked.
pub struct Read {
    pub settings: Settings,
    pub hooks: Hooks,
    /// Of one with a state for each key: how many, and for how long.
    pub bounds: Option<Bounds>,
}

/// Reads them, or names everything that is wrong with them.
pub fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let limit = reader.number("limit");
    let (per, window) = reader.seconds_or_word("per");
    let (number, cost) = reader.number_or_callable("cost");
    let draft = Draft {
        limit,
        per,
        window,
        burst: reader.number("burst"),
        cost: number,
        max_wait: reader.seconds("max_wait"),
    };
    let hooks = Hooks { cost, key: reader.key("key"), on_event: reader.callable("on_event") };
    let most = reader.count("max_keys");
    let idle = reader.seconds("key_idle");
    // Settings of the wrong kind were left out of the draft, where they would look absent: what
    // the draft then finds missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let mut found = Vec::new();
    let settings = draft.check(&mut found);
    let bounds = Bounds::check(most, idle, hooks.key.is_some(), &mut found);
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, hooks, bounds }),
        _ => Err(problems),
    }
}
