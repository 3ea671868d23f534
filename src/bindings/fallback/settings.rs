//! A fallback's settings, as Python gives them and as the core takes them.

use crate::bindings::adopt::awaitable;
use crate::bindings::convert::Reader;
use crate::bindings::function::{Kind, kind};
use crate::bindings::rules::Rules;
use crate::error::Problem;
use crate::policies::fallback::{Draft, Settings};
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Somebody who answers in the place of a call that failed.
pub enum Provider {
    /// With this, always.
    Value(Py<PyAny>),
    /// By calling this, which gives what its kind says.
    Call(Py<PyAny>, Kind),
}

impl Provider {
    fn of(provider: &Bound<'_, PyAny>) -> Self {
        let owned = provider.clone().unbind();
        if provider.is_callable() { Self::Call(owned, kind(provider)) } else { Self::Value(owned) }
    }

    pub fn object(&self) -> &Py<PyAny> {
        match self {
            Self::Value(object) | Self::Call(object, _) => object,
        }
    }
}

/// What of it is the user's.
#[pyclass(frozen, module = "seawall._core")]
pub struct Providers {
    pub rules: Py<Rules>,
    pub all: Vec<Provider>,
}

#[pymethods]
impl Providers {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rules)?;
        self.all.iter().try_for_each(|provider| visit.call(provider.object()))
    }
}

/// Everything a mapping of settings says, checked.
pub struct Read {
    pub settings: Settings,
    pub rules: Rules,
    pub all: Vec<Provider>,
}

/// Reads them, or names everything that is wrong with them.
pub fn read(settings: &Bound<'_, PyDict>) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let listed = reader.listed("providers");
    let mut found = Vec::new();
    let all = providers(&listed, &mut found);
    let rules = Rules {
        on: reader.exceptions("on"),
        ignore: reader.exceptions("ignore"),
        on_result: reader.callable("on_result"),
        on_event: reader.callable("on_event"),
        key: reader.key("key"),
        ..Rules::none()
    };
    let draft = Draft {
        providers: all.len(),
        stale: reader.seconds("stale"),
        max_keys: reader.count("max_keys"),
        keyed: rules.key.is_some(),
    };
    // Settings of the wrong kind were left out of the draft, where they would look absent: what
    // the draft then finds missing is not a further problem.
    let broken: Vec<String> = reader.problems.iter().map(|problem| problem.field.clone()).collect();
    let before = found.len();
    let settings = draft.check(&mut found);
    if broken.iter().any(|field| field == "stale") {
        found.truncate(before);
    }
    found.retain(|problem| !broken.contains(&problem.field));
    reader.problems.append(&mut found);
    let problems = reader.finish();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Read { settings, rules, all }),
        _ => Err(problems),
    }
}

fn providers(listed: &[Bound<'_, PyAny>], found: &mut Vec<Problem>) -> Vec<Provider> {
    let mut all = Vec::with_capacity(listed.len());
    for (at, given) in listed.iter().enumerate() {
        let provider = Provider::of(given);
        let mut wrong = |rule: &str| found.push(problem(at, given, rule));
        if let Some(Provider::Value(_)) = all.last() {
            wrong("is never asked: the value before it always answers");
        }
        if let Provider::Value(_) = &provider
            && used_up(given)
        {
            wrong(
                "can be used once, and would be given to every call: give a function that makes it",
            );
        }
        all.push(provider);
    }
    all
}

pub fn problem(at: usize, given: &Bound<'_, PyAny>, rule: &str) -> Problem {
    let text = given.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    Problem::new(format!("providers[{at}]"), text, rule)
}

/// Is it something that is awaited, or iterated, once?
#[allow(unsafe_code, reason = "looks for its type's slots")]
pub fn used_up(value: &Bound<'_, PyAny>) -> bool {
    let object = value.as_ptr();
    // SAFETY: attached; a live object has a live type, whose slots are valid or NULL.
    unsafe {
        let slots = (*ffi::Py_TYPE(object)).tp_as_async;
        awaitable(object)
            || ffi::PyIter_Check(object) != 0
            || (!slots.is_null() && (*slots).am_anext.is_some())
    }
}

/// Why `all` can't answer for calls of `function`, which gives what `made` says.
pub fn problems_with(
    all: &[Provider],
    settings: &Settings,
    function: &Bound<'_, PyAny>,
    made: Kind,
) -> Vec<Problem> {
    let py = function.py();
    let mut found = Vec::new();
    for (at, provider) in all.iter().enumerate() {
        let rule = match (made, provider) {
            (Kind::Plain, Provider::Call(_, Kind::Coroutine)) => {
                "is a coroutine function, and what it answers for is a plain function, whose \
                 caller awaits nothing: give a plain function"
            }
            (Kind::Generator, Provider::Call(_, Kind::Coroutine | Kind::AsyncGenerator)) => {
                "is not a plain or generator function, and what it answers for is a generator \
                 function, whose caller awaits nothing"
            }
            (Kind::Generator | Kind::AsyncGenerator, Provider::Value(value))
                if !iterable(value.bind(py), made) =>
            {
                "can't be iterated, and what it answers for is a generator function: give the \
                 items, as `()`"
            }
            _ => continue,
        };
        found.push(problem(at, provider.object().bind(py), rule));
    }
    if settings.stale.is_some() && matches!(made, Kind::Generator | Kind::AsyncGenerator) {
        let text = function.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
        let rule = "is a generator function, whose items are not remembered: stale= is for \
                    functions that return";
        found.push(Problem::new("function", text, rule));
    }
    found
}

/// Can `value` be iterated by a generator of this kind?
fn iterable(value: &Bound<'_, PyAny>, made: Kind) -> bool {
    let class = value.get_type();
    let has = |name: &str| class.hasattr(name).unwrap_or(false);
    has("__iter__") || has("__getitem__") || (made == Kind::AsyncGenerator && has("__aiter__"))
}

/// The providers of a fallback that the collector has taken apart.
pub fn none(py: Python<'_>) -> PyResult<Py<Providers>> {
    Py::new(py, Providers { rules: Rules::none().object(py)?, all: Vec::new() })
}

/// As Python sees them.
pub fn shown<'py>(py: Python<'py>, all: &[Provider]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, all.iter().map(|provider| provider.object().bind(py)))
}
