//! Where the key of a call comes from: a callable of its arguments, one of them by name, or a block
//! that says it itself.
#![allow(unsafe_code, reason = "reads arguments as the interpreter hands them over")]

use super::parameters::parameters;
use crate::bindings::call::Call;
use crate::error::Problem;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// What a plan is built for: who its calls go to, as far as that is known.
#[derive(Clone, Copy)]
pub enum KeyOf<'a, 'py> {
    /// Every call goes to this function.
    Function(&'a Bound<'py, PyAny>),
    /// Every call has this key.
    Fixed(&'a Bound<'py, PyAny>),
    /// Each to another.
    Anybody,
}

/// Where a plan's calls have their keys from.
pub enum Source {
    Fixed(Py<PyAny>),
    Ask(Py<PyAny>),
    Named(Named),
    /// By name, of a function that each call says anew.
    Unresolved(Py<PyString>),
}

/// An argument that has a name.
pub struct Named {
    name: Py<PyString>,
    /// Its place, if it may be given without its name.
    place: Option<usize>,
    default: Option<Py<PyAny>>,
}

impl Source {
    /// The source that `key`, a callable or a name, is for the calls of a plan.
    pub fn of(key: &Bound<'_, PyAny>, of: KeyOf<'_, '_>) -> PyResult<Self> {
        if let KeyOf::Fixed(key) = of {
            return Ok(Self::Fixed(key.clone().unbind()));
        }
        let Ok(name) = key.cast::<PyString>() else { return Ok(Self::Ask(key.clone().unbind())) };
        match of {
            KeyOf::Function(function) => Named::of(name, function).map(Self::Named),
            _ => Ok(Self::Unresolved(name.clone().unbind())),
        }
    }

    /// The problem with `key` as the source of keys for calls of `function`, if there is one.
    pub fn problem(key: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> Option<Problem> {
        let py = key.py();
        let error = Self::of(key, KeyOf::Function(function)).err()?;
        let text = key.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
        Some(Problem::new("key", text, error.value(py).to_string()))
    }

    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Fixed(key) => Self::Fixed(key.clone_ref(py)),
            Self::Ask(callable) => Self::Ask(callable.clone_ref(py)),
            Self::Unresolved(name) => Self::Unresolved(name.clone_ref(py)),
            Self::Named(named) => Self::Named(Named {
                name: named.name.clone_ref(py),
                place: named.place,
                default: named.default.as_ref().map(|default| default.clone_ref(py)),
            }),
        }
    }

    /// The key of `call`.
    #[inline]
    pub fn key<'py>(&self, py: Python<'py>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Named(named) => named.key(py, call),
            Self::Fixed(key) => Ok(key.bind(py).clone()),
            Self::Ask(_) if call.callee.is_null() => Err(names_none()),
            Self::Ask(callable) => {
                let arguments = call.arguments;
                // SAFETY: the arguments are alive and follow the vectorcall convention. The slot
                // before them belongs to our caller, so its offer of it is not passed on.
                unsafe {
                    let count = ffi::PyVectorcall_NARGS(arguments.count).cast_unsigned();
                    let key = ffi::PyObject_Vectorcall(
                        callable.as_ptr(),
                        arguments.values,
                        count,
                        arguments.names,
                    );
                    Bound::from_owned_ptr_or_err(py, key)
                }
            }
            Self::Unresolved(name) => {
                // SAFETY: the callee is alive for the length of the call; a block has none.
                let callee = unsafe { Bound::from_borrowed_ptr_or_opt(py, call.callee) };
                match callee {
                    Some(callee) => Named::of(name.bind(py), &callee)?.key(py, call),
                    None => Err(names_none()),
                }
            }
        }
    }

    /// What the collector has to know of.
    pub fn objects(&self) -> [*mut ffi::PyObject; 2] {
        let none = std::ptr::null_mut();
        match self {
            Self::Fixed(key) | Self::Ask(key) => [key.as_ptr(), none],
            Self::Unresolved(name) => [name.as_ptr(), none],
            Self::Named(named) => {
                [named.name.as_ptr(), named.default.as_ref().map_or(none, Py::as_ptr)]
            }
        }
    }

    /// Gives up what it owns: see `Step::release`.
    pub fn release(self, py: Python<'_>) {
        match self {
            Self::Fixed(key) | Self::Ask(key) => key.drop_ref(py),
            Self::Unresolved(name) => name.drop_ref(py),
            Self::Named(named) => {
                named.name.drop_ref(py);
                if let Some(default) = named.default {
                    default.drop_ref(py);
                }
            }
        }
    }
}

impl Named {
    /// Finds `name` among the parameters of `function`: those that it has. What it claims to be, or
    /// wraps, may be given other arguments than it is.
    #[cold]
    fn of(name: &Bound<'_, PyString>, function: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = name.py();
        let parameters = parameters(function)?;
        let mut places = 0;
        for parameter in &parameters {
            if parameter.name.eq(name)? {
                return Ok(Self {
                    // Interned, as the names of arguments are: compared by identity first.
                    name: PyString::intern(py, &name.to_cow()?).unbind(),
                    place: parameter.by_place.then_some(places),
                    default: parameter.default.clone().map(Bound::unbind),
                });
            }
            places += usize::from(parameter.by_place);
        }
        let known: Vec<_> = parameters.iter().map(|known| known.name.to_string()).collect();
        let mut rule = format!("must be one of the parameters of {}: ", function.repr()?);
        rule += &if known.is_empty() { "it names none".to_owned() } else { known.join(", ") };
        if function.hasattr(intern!(py, "__wrapped__"))? {
            rule += " (what it wraps may be given others: protect that, or let a callable of the \
                     arguments tell the key)";
        }
        Err(PyTypeError::new_err(rule))
    }

    #[inline]
    fn key<'py>(&self, py: Python<'py>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
        let arguments = call.arguments;
        // SAFETY: `values` holds the positional arguments and then one for each of `names`, a tuple
        // of strings or NULL; all are alive.
        unsafe {
            let count = ffi::PyVectorcall_NARGS(arguments.count).cast_unsigned();
            if let Some(place) = self.place
                && place < count
            {
                return Ok(Bound::from_borrowed_ptr(py, *arguments.values.add(place)));
            }
            if !arguments.names.is_null() {
                for at in 0..ffi::PyTuple_GET_SIZE(arguments.names) {
                    let name = ffi::PyTuple_GET_ITEM(arguments.names, at);
                    if name == self.name.as_ptr()
                        || Bound::from_borrowed_ptr(py, name).eq(self.name.bind(py))?
                    {
                        let at = count + at.cast_unsigned();
                        return Ok(Bound::from_borrowed_ptr(py, *arguments.values.add(at)));
                    }
                }
            }
        }
        match &self.default {
            Some(default) => Ok(default.bind(py).clone()),
            None => Err(PyTypeError::new_err(format!(
                "missing argument '{}', whose value is the key of this call's policy",
                self.name
            ))),
        }
    }
}

/// What a block that names no key is told.
#[cold]
fn names_none() -> PyErr {
    PyTypeError::new_err(
        "there is a state for each key, and this block names none: use block(key=…)",
    )
}
