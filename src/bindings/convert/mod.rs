//! Settings as Python says them: numbers, durations, classes, callables. Whatever is of the wrong
//! kind becomes a problem beside all the others; nothing is raised half-way.

mod spans;

pub use spans::{Duration, Window};

use super::budget::Budget;
use super::failures::config_error;
use super::function::{Kind, kind};
use super::rules::Matcher;
use crate::error::Problem;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyDelta, PyDeltaAccess, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple, PyType,
};

/// Reads one mapping of settings and collects what is wrong with it.
///
/// `None` and absence are the same thing everywhere: the default.
pub struct Reader<'a, 'py> {
    settings: &'a Bound<'py, PyDict>,
    known: Vec<&'static str>,
    pub problems: Vec<Problem>,
}

impl<'a, 'py> Reader<'a, 'py> {
    pub fn new(settings: &'a Bound<'py, PyDict>) -> Self {
        Self { settings, known: Vec::new(), problems: Vec::new() }
    }

    /// What was given, unless that is `None`.
    pub fn get(&mut self, field: &'static str) -> Option<Bound<'py, PyAny>> {
        self.known.push(field);
        self.settings.get_item(field).ok()?.filter(|value| !value.is_none())
    }

    /// It breaks `rule`.
    pub fn wrong<T>(&mut self, field: &str, value: &Bound<'_, PyAny>, rule: &str) -> Option<T> {
        self.problems.push(Problem::new(field, text(value), rule));
        None
    }

    /// A whole number.
    pub fn count(&mut self, field: &'static str) -> Option<i64> {
        let value = self.get(field)?;
        whole(&value).or_else(|| self.wrong(field, &value, "must be a whole number"))
    }

    /// A name of something.
    pub fn word(&mut self, field: &'static str) -> Option<String> {
        let value = self.get(field)?;
        match value.cast::<PyString>() {
            Ok(word) => Some(word.to_string()),
            Err(_) => self.wrong(field, &value, "must be a string"),
        }
    }

    /// A number.
    pub fn number(&mut self, field: &'static str) -> Option<f64> {
        let value = self.get(field)?;
        number(&value).or_else(|| self.wrong(field, &value, "must be a number"))
    }

    /// Yes or no.
    pub fn flag(&mut self, field: &'static str) -> Option<bool> {
        let value = self.get(field)?;
        match value.cast::<PyBool>() {
            Ok(flag) => Some(flag.is_true()),
            Err(_) => self.wrong(field, &value, "must be True or False"),
        }
    }

    /// A length of time, in seconds.
    pub fn seconds(&mut self, field: &'static str) -> Option<f64> {
        let value = self.get(field)?;
        seconds(&value).or_else(|| self.wrong(field, &value, DURATION))
    }

    /// A length of time, in seconds, or the name of one.
    pub fn seconds_or_word(&mut self, field: &'static str) -> (Option<f64>, Option<String>) {
        let Some(value) = self.get(field) else { return (None, None) };
        match value.cast::<PyString>() {
            Ok(word) => (None, Some(word.to_string())),
            Err(_) => (seconds(&value).or_else(|| self.wrong(field, &value, DURATION)), None),
        }
    }

    /// A number, or a callable that answers one.
    pub fn number_or_callable(&mut self, field: &'static str) -> (Option<f64>, Option<Py<PyAny>>) {
        let Some(value) = self.get(field) else { return (None, None) };
        match number(&value) {
            Some(number) => (Some(number), None),
            None if value.is_callable() => (None, self.plain(field, &value)),
            None => (None, self.wrong(field, &value, "must be a number, or a callable")),
        }
    }

    /// One attribute of a setting that has several; None if it is absent or None.
    pub fn part<T>(
        &mut self,
        field: &str,
        whole: &Bound<'py, PyAny>,
        name: &str,
        rule: &str,
        convert: fn(&Bound<'_, PyAny>) -> Option<T>,
    ) -> Option<T> {
        let part = whole.getattr_opt(name).ok()??;
        if part.is_none() {
            return None;
        }
        convert(&part).or_else(|| self.wrong(&format!("{field}.{name}"), &part, rule))
    }

    /// Exception classes, or a predicate of the exception.
    pub fn exceptions(&mut self, field: &'static str) -> Option<Matcher> {
        const RULE: &str = "must be subclasses of Exception, or a predicate of the exception";
        let py = self.settings.py();
        let value = self.get(field)?;
        let several = value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PySet>()
            || value.is_instance_of::<PyFrozenSet>();
        let listed: Vec<Bound<'py, PyAny>> = if several {
            value.try_iter().ok()?.filter_map(Result::ok).collect()
        } else if value.is_instance_of::<PyType>() {
            vec![value.clone()]
        } else if value.is_callable() {
            return self.plain(field, &value).map(Matcher::Predicate);
        } else {
            return self.wrong(field, &value, RULE);
        };
        let exception = py.get_type::<PyException>();
        let fits = |class: &Bound<'py, PyAny>| {
            class.cast::<PyType>().is_ok_and(|class| class.is_subclass(&exception).unwrap_or(false))
        };
        if !listed.iter().all(fits) {
            return self.wrong(field, &value, RULE);
        }
        if listed.is_empty() {
            return Some(Matcher::Classes(PyTuple::empty(py).unbind()));
        }
        PyTuple::new(py, listed).ok().map(|classes| Matcher::Classes(classes.unbind()))
    }

    /// A callable whose answer is there when it returns: a coroutine would be taken for a yes.
    fn plain(&mut self, field: &str, value: &Bound<'py, PyAny>) -> Option<Py<PyAny>> {
        if kind(value) == Kind::Plain {
            Some(value.clone().unbind())
        } else {
            self.wrong(field, value, "must be a plain function: nobody would await its answer")
        }
    }

    /// Several, of any sort.
    pub fn listed(&mut self, field: &'static str) -> Vec<Bound<'py, PyAny>> {
        let Some(value) = self.get(field) else { return Vec::new() };
        let listed = value.cast::<PyTuple>().ok().map(|listed| listed.iter().collect());
        listed.or_else(|| self.wrong(field, &value, "must be a tuple")).unwrap_or_default()
    }

    /// Something that can be called.
    pub fn callable(&mut self, field: &'static str) -> Option<Py<PyAny>> {
        let value = self.get(field)?;
        if value.is_callable() {
            self.plain(field, &value)
        } else {
            self.wrong(field, &value, "must be callable")
        }
    }

    /// A retry budget, or the name of one.
    pub fn budget(&mut self, field: &'static str) -> Option<Py<PyAny>> {
        let value = self.get(field)?;
        let named = value.cast::<PyString>().is_ok_and(|name| !name.is_empty().unwrap_or(true));
        if named || value.cast::<Budget>().is_ok() {
            return Some(value.unbind());
        }
        self.wrong(field, &value, "must be a seawall.RetryBudget, or the name of one")
    }

    /// Which of a policy's states a call belongs to.
    pub fn key(&mut self, field: &'static str) -> Option<Py<PyAny>> {
        let value = self.get(field)?;
        if value.cast::<PyString>().is_ok_and(|name| !name.is_empty().unwrap_or(true)) {
            Some(value.unbind())
        } else if value.is_callable() {
            self.plain(field, &value)
        } else {
            self.wrong(field, &value, "must be a callable of the arguments, or the name of one")
        }
    }

    /// Every name that was not asked for is a problem. Call last.
    pub fn finish(mut self) -> Vec<Problem> {
        // The core's rules speak of the numbers that it was given: shown is what was written.
        let settings = self.settings;
        for problem in &mut self.problems {
            let (name, part) = problem.field.split_once('.').unwrap_or((&problem.field, ""));
            let whole = settings.get_item(name).ok().flatten();
            let given = match part {
                "" => whole,
                _ => whole.and_then(|whole| whole.getattr(part).ok()),
            };
            if let Some(given) =
                given.filter(|it| !it.is_none() && !it.is_instance_of::<PyString>())
            {
                problem.value = text(&given);
            }
        }
        for (name, value) in self.settings.iter() {
            let name = name.to_string();
            if !self.known.contains(&name.as_str()) {
                self.problems.push(Problem::unknown(&name, text(&value), &self.known));
            }
        }
        self.problems
    }
}

/// The name of a policy of some `kind`, and its settings as they were `read`.
///
/// # Errors
/// Names everything that is wrong with either.
pub fn declared<'py, T>(
    kind: &str,
    name: &Bound<'py, PyAny>,
    read: Result<T, Vec<Problem>>,
) -> PyResult<(Bound<'py, PyString>, T)> {
    let py = name.py();
    match name.cast::<PyString>() {
        Ok(name) if !name.is_empty().unwrap_or(true) => {
            let refused = |problems| config_error(py, &format!("{kind} '{name}'"), problems);
            Ok((name.clone(), read.map_err(refused)?))
        }
        _ => {
            let rule = "must be a string that is not empty";
            let mut problems = vec![Problem::new("name", name.repr()?, rule)];
            problems.extend(read.err().into_iter().flatten());
            Err(config_error(py, kind, problems))
        }
    }
}

/// What a length of time has to be.
pub const DURATION: &str = "must be seconds or a timedelta";

fn text(value: &Bound<'_, PyAny>) -> String {
    const MOST: usize = 100;
    // Not everything can be shown: a whole number may have more digits than Python writes.
    let unseen =
        || value.get_type().name().map_or_else(|_| "?".to_owned(), |name| format!("<{name}>"));
    let text = value.repr().map_or_else(|_| unseen(), |text| text.to_string());
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// A whole number: no truth.
pub fn whole(value: &Bound<'_, PyAny>) -> Option<i64> {
    if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyFloat>() {
        return None;
    }
    match value.extract::<i64>() {
        Ok(number) => Some(number),
        // Too large for the type is still a whole number: the rule on its size speaks.
        Err(_) if value.is_instance_of::<PyInt>() => {
            Some(if value.lt(0).unwrap_or(false) { i64::MIN } else { i64::MAX })
        }
        Err(_) => None,
    }
}

/// A number: neither a truth nor a text.
pub fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyString>() {
        return None;
    }
    value.extract().ok()
}

/// Seconds, from a number or a `timedelta`.
pub fn seconds(value: &Bound<'_, PyAny>) -> Option<f64> {
    // Numbers first: asking for a timedelta imports `datetime`.
    if let Some(plain) = number(value) {
        return Some(plain);
    }
    if let Ok(delta) = value.cast::<PyDelta>() {
        let whole = f64::from(delta.get_days()) * 86_400.0 + f64::from(delta.get_seconds());
        return Some(whole + f64::from(delta.get_microseconds()) / 1e6);
    }
    None
}
