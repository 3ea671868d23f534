//! What can't be written, and the way to it.

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};
use std::fmt::Write;

/// Why.
pub enum Why {
    /// There is no form for this type.
    Unsupported(String),
    /// It lies too deep.
    Deep,
    /// Two keys of one dict, or two members of a set, have one form.
    Twice,
    /// It is larger than it may be.
    Large,
    /// Something of the user's raised.
    Raised(PyErr),
}

/// A value that can't be written.
pub struct Failure(Box<Found>);

struct Found {
    why: Why,
    /// The way to it, the innermost step first.
    way: Vec<String>,
}

/// What writing comes to.
pub type Written = Result<(), Failure>;

impl From<Why> for Failure {
    fn from(why: Why) -> Self {
        Self(Box::new(Found { why, way: Vec::new() }))
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Why::Raised(error).into()
    }
}

/// Steps shown of a way; a cycle has as many as there may be.
const SHOWN: usize = 12;
/// The longest name of a step that is shown.
const LONGEST: usize = 40;

impl Failure {
    /// It lies at `step` of what is written.
    pub fn at(mut self, step: String) -> Self {
        self.0.way.push(step);
        self
    }

    /// It is, or lies in, what stands under `key`. Only what looks like a name is shown of one.
    pub fn under(self, key: &Bound<'_, PyAny>) -> Self {
        let step = if let Ok(text) = key.cast_exact::<PyString>() {
            match text.to_str() {
                Ok(name) if is_name(name) => format!("[\"{name}\"]"),
                _ => "[…]".to_owned(),
            }
        } else if let Ok(number) = key.cast_exact::<PyInt>() {
            number.extract::<i64>().map_or_else(|_| "[…]".to_owned(), |n| format!("[{n}]"))
        } else {
            "[…]".to_owned()
        };
        self.at(step)
    }

    /// As it is raised of a key or an argument; `name` is what all of it is called.
    pub fn raised(self, py: Python<'_>, name: &str) -> PyErr {
        let path = self.path(name);
        let (what, kind) = match self.0.why {
            Why::Raised(error) => return error,
            Why::Unsupported(kind) => ("unsupported", kind),
            Why::Deep => ("deep", String::new()),
            Why::Twice => ("twice", String::new()),
            Why::Large => ("large", String::new()),
        };
        raise(py, ("seawall.idempotency.errors", "IdempotencyKeyError"), (path, what, kind))
    }

    /// As it is raised of a value that is to be stored by `codec`.
    pub fn unwritten(self, py: Python<'_>, codec: &str) -> PyErr {
        let path = self.path("result");
        let problem = match self.0.why {
            Why::Raised(error) => return error,
            Why::Unsupported(problem) => format!("{path} {problem}"),
            Why::Deep => format!("{path} is nested more than 128 deep, or contains itself"),
            Why::Twice => format!("{path} has a key twice"),
            Why::Large => "it is larger than a result may be".to_owned(),
        };
        raise(py, ("seawall.codecs.errors", "EncodeError"), (codec, problem))
    }

    fn path(&self, name: &str) -> String {
        let mut path = name.to_owned();
        for step in self.0.way.iter().rev().take(SHOWN) {
            path.push_str(step);
        }
        if self.0.way.len() > SHOWN {
            let _ = write!(path, "… ({} deep)", self.0.way.len());
        }
        path
    }
}

fn raise<'py>(
    py: Python<'py>,
    (home, class): (&str, &str),
    arguments: impl PyCallArgs<'py>,
) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let class = py.import(home)?.getattr(class)?;
        Ok(PyErr::from_value(class.call1(arguments)?))
    };
    build().unwrap_or_else(|error| error)
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}
