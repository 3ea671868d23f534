//! Settings that are made of several: windows, and how long to wait.

use super::{DURATION, Reader, number, seconds, whole};
use crate::policies::backoff::{BackoffDraft, JitterDraft};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// An open duration as it was given.
pub enum Duration {
    Seconds(f64),
    Backoff(BackoffDraft),
    /// A callable of the outcome.
    Callable(Py<PyAny>),
    /// A custom backoff: a callable of the number of the delay, cut at these seconds.
    Custom(Py<PyAny>, Option<f64>),
}

/// A window as it was given.
pub enum Window {
    Calls(i64),
    Seconds(f64),
}

impl<'py> Reader<'_, 'py> {
    /// A `seawall.calls(…)` or `seawall.seconds(…)`.
    pub fn window(&mut self, field: &'static str) -> Option<Window> {
        const RULE: &str = "must be seawall.calls(n) or seawall.seconds(n)";
        let py = self.settings.py();
        let value = self.get(field)?;
        let part = |name| value.getattr_opt(name).ok().flatten();
        let (Some(unit), Some(size)) = (part(intern!(py, "unit")), part(intern!(py, "size")))
        else {
            return self.wrong(field, &value, RULE);
        };
        if unit.eq("calls").unwrap_or(false) {
            match whole(&size) {
                Some(size) => Some(Window::Calls(size)),
                None => self.wrong(field, &value, "must count a whole number of calls"),
            }
        } else if unit.eq("seconds").unwrap_or(false) {
            match seconds(&size) {
                Some(size) => Some(Window::Seconds(size)),
                None => self.wrong(field, &value, DURATION),
            }
        } else {
            self.wrong(field, &value, RULE)
        }
    }

    /// Seconds, a backoff, or a callable.
    pub fn duration_or_backoff(&mut self, field: &'static str) -> Option<Duration> {
        let value = self.get(field)?;
        self.delay(field, &value)
    }

    /// As [`Reader::duration_or_backoff`], or several by the class of the exception they are for.
    pub fn delays(&mut self, field: &'static str) -> Option<Vec<(Option<Py<PyAny>>, Duration)>> {
        let value = self.get(field)?;
        let Ok(several) = value.cast::<PyDict>() else {
            return self.delay(field, &value).map(|delay| vec![(None, delay)]);
        };
        let exception = self.settings.py().get_type::<PyException>();
        let mut found = Vec::new();
        for (class, delay) in several.iter() {
            let fits = class.cast::<PyType>();
            if !fits.is_ok_and(|class| class.is_subclass(&exception).unwrap_or(false)) {
                let rule = "has a key that is no subclass of Exception: a mapping goes from those \
                            to backoffs";
                self.wrong::<()>(field, &value, rule);
                continue;
            }
            let name = class.cast::<PyType>().ok().and_then(|class| class.name().ok());
            let part = format!("{field}[{}]", name.map_or_else(String::new, |n| n.to_string()));
            if let Some(delay) = self.delay(&part, &delay) {
                found.push((Some(class.unbind()), delay));
            }
        }
        Some(found)
    }

    fn delay(&mut self, field: &str, value: &Bound<'py, PyAny>) -> Option<Duration> {
        if let Some(seconds) = seconds(value) {
            return Some(Duration::Seconds(seconds));
        }
        let py = self.settings.py();
        if let Ok(Some(kind)) = value.getattr_opt(intern!(py, "kind")) {
            return self.backoff(field, value, &kind);
        }
        if value.is_callable() {
            return self.plain(field, value).map(Duration::Callable);
        }
        self.wrong(field, value, "must be seconds, a timedelta, a backoff or a callable")
    }

    fn backoff(
        &mut self,
        field: &str,
        value: &Bound<'py, PyAny>,
        kind: &Bound<'py, PyAny>,
    ) -> Option<Duration> {
        let before = self.problems.len();
        let default = BackoffDraft::default();
        let custom = kind.eq("custom").unwrap_or(false);
        let base = self.part(field, value, "base", DURATION, seconds);
        let factor = self.part(field, value, "factor", "must be a number", number);
        let cap = self.part(field, value, "cap", DURATION, seconds);
        let jitter =
            self.part(field, value, "jitter", "must be a jitter's name or a share", jitter);
        let too_short = "must be more than 0 seconds";
        // Jitter and growth are multiples of the base, and nothing is longer than the cap.
        for (name, given) in [("base", base.filter(|_| !custom)), ("cap", cap)] {
            if given.is_some_and(|seconds| (0.0..0.5e-9).contains(&seconds)) {
                let part = value.getattr(name).unwrap_or_else(|_| value.clone());
                self.wrong::<()>(&format!("{field}.{name}"), &part, too_short);
            }
        }
        if custom {
            return match value.getattr("callable") {
                Ok(callable) if callable.is_callable() => {
                    Some(Duration::Custom(callable.unbind(), cap))
                }
                Ok(other) => self.wrong(&format!("{field}.callable"), &other, "must be callable"),
                Err(_) => self.wrong(field, value, "is no backoff: it has no callable"),
            };
        }
        // What stands in for a wrong part must be right with whatever the others are.
        let base_unless_given = if self.problems.len() > before { 0.0 } else { default.base };
        Some(Duration::Backoff(BackoffDraft {
            kind: kind.to_string(),
            base: base.unwrap_or(base_unless_given),
            factor: factor.unwrap_or(default.factor),
            cap,
            jitter: jitter.unwrap_or(default.jitter),
        }))
    }
}

fn jitter(value: &Bound<'_, PyAny>) -> Option<JitterDraft> {
    match value.cast::<PyString>() {
        Ok(name) => Some(JitterDraft::Named(name.to_string())),
        Err(_) => number(value).map(JitterDraft::Share),
    }
}
