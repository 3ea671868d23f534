//! The arguments of a call, bound as its signature says.
//!
//! They are written by name, in the order of names: how an argument was passed, and where a
//! parameter stands, make no difference. A parameter that was left to its default is written as
//! that; what has no form (a sentinel) is fine there, since it is told by not being given.

use super::failure::Failure;
use super::value::{write, write_text};
use crate::canonical::key::hashed;
use crate::canonical::{Out, Stream};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// As `inspect` numbers them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ByPlace,
    Either,
    Rest,
    ByName,
    Named,
}

struct Parameter {
    name: Py<PyString>,
    kind: Kind,
    /// Where it is among those that can be given by place.
    place: Option<usize>,
    default: Option<Py<PyAny>>,
    written_name: Vec<u8>,
    /// What is written where it was left to its default.
    written_default: Vec<u8>,
    left_out: bool,
}

/// A parameter as Python hands it over: name, kind, whether it has a default, the default, and
/// whether it is left out.
type Given<'py> = (Bound<'py, PyString>, u8, bool, Bound<'py, PyAny>, bool);

/// What a function's arguments are told by.
#[pyclass(frozen, module = "seawall._core")]
pub struct Arguments {
    /// In the order of their names.
    parameters: Vec<Parameter>,
    places: usize,
    /// `Signature.bind`, which says what does not fit.
    bind: Py<PyAny>,
}

#[pymethods]
impl Arguments {
    #[new]
    #[pyo3(signature = (parameters, bind, /))]
    fn new(parameters: Vec<Given<'_>>, bind: Py<PyAny>) -> PyResult<Self> {
        let mut places = 0;
        let mut all = Vec::with_capacity(parameters.len());
        for (name, kind, has_default, default, left_out) in parameters {
            let py = name.py();
            let kind = match kind {
                0 => Kind::ByPlace,
                1 => Kind::Either,
                2 => Kind::Rest,
                3 => Kind::ByName,
                _ => Kind::Named,
            };
            let place = matches!(kind, Kind::ByPlace | Kind::Either).then_some(places);
            places += usize::from(place.is_some());
            let mut written_name = Vec::new();
            let mut written_default = Vec::new();
            let shown = |failure: Failure| failure.raised(py, "name");
            write_text(&name, b's', &mut written_name).map_err(shown)?;
            if has_default && write(&default, &mut written_default, 0).is_err() {
                written_default = b"-".to_vec();
            }
            let default = has_default.then(|| default.unbind());
            let name = name.unbind();
            all.push(Parameter {
                name,
                kind,
                place,
                default,
                written_name,
                written_default,
                left_out,
            });
        }
        all.sort_by(|one, other| one.written_name.cmp(&other.written_name));
        Ok(Self { parameters: all, places, bind })
    }

    /// The digest of a call's arguments, 32 bytes.
    #[pyo3(signature = (args, kwargs = None, /))]
    fn digest<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(args.py(), &self.hash(args, kwargs)?))
    }

    /// The digest, and the key that it is where there is no other.
    #[pyo3(signature = (args, kwargs = None, /))]
    fn key<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let digest = self.hash(args, kwargs)?;
        let py = args.py();
        Ok((PyBytes::new(py, hashed(&digest).as_bytes()), PyBytes::new(py, &digest)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.bind)?;
        self.parameters.iter().try_for_each(|parameter| visit.call(&parameter.default))
    }
}

impl Arguments {
    /// The digest of a call's arguments.
    pub fn hash(
        &self,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<[u8; 32]> {
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        let mut out = Stream::new();
        out.put(b"A");
        let mut taken = 0;
        let mut rest = false;
        for parameter in &self.parameters {
            let value = match parameter.kind {
                Kind::Rest => {
                    rest = true;
                    Some(args.get_slice(self.places.min(args.len()), args.len()).into_any())
                }
                Kind::Named => Some(self.named(args, kwargs, &mut taken)?.into_any()),
                _ => self.given(parameter, args, kwargs, &mut taken)?,
            };
            parameter.write(value.as_ref(), args.py(), &mut out)?;
        }
        if (args.len() > self.places && !rest) || kwargs.is_some_and(|all| all.len() != taken) {
            return Err(self.misfit(args, kwargs));
        }
        out.put(b".");
        Ok(out.finish())
    }

    /// What was given for a parameter; nothing, for its default.
    #[inline]
    fn given<'py>(
        &self,
        parameter: &Parameter,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        taken: &mut usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(place) = parameter.place
            && place < args.len()
        {
            return args.get_item(place).map(Some);
        }
        if parameter.kind != Kind::ByPlace
            && let Some(kwargs) = kwargs
            && let Some(value) = kwargs.get_item(&parameter.name)?
        {
            *taken += 1;
            return Ok(Some(value));
        }
        if parameter.default.is_none() {
            return Err(self.misfit(args, kwargs));
        }
        Ok(None)
    }

    /// What was given by a name that no parameter has.
    fn named<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        taken: &mut usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = args.py();
        let Some(kwargs) = kwargs else { return Ok(PyDict::new(py)) };
        let named = kwargs.copy()?;
        for parameter in &self.parameters {
            let name = parameter.name.bind(py);
            if !matches!(parameter.kind, Kind::Either | Kind::ByName) || !named.contains(name)? {
                continue;
            }
            if parameter.place.is_some_and(|place| place < args.len()) {
                return Err(self.misfit(args, Some(kwargs)));
            }
            named.del_item(name)?;
        }
        *taken += named.len();
        Ok(named)
    }

    /// What the call itself would raise.
    fn misfit(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyErr {
        match self.bind.bind(args.py()).call(args, kwargs) {
            Err(error) => error,
            Ok(_) => pyo3::exceptions::PyTypeError::new_err(
                "the arguments do not fit the parameters that the function had when decorated",
            ),
        }
    }
}

impl Parameter {
    #[inline]
    fn write(
        &self,
        value: Option<&Bound<'_, PyAny>>,
        py: Python<'_>,
        out: &mut Stream,
    ) -> PyResult<()> {
        if self.left_out {
            return Ok(());
        }
        out.put(&self.written_name);
        let is_default = |value: &Bound<'_, PyAny>| {
            self.default.as_ref().is_some_and(|default| default.bind(py).is(value))
        };
        match value {
            Some(value) if !is_default(value) => write(value, out, 0)
                .map_err(|failure| failure.raised(py, &self.name.bind(py).to_string_lossy())),
            _ => {
                out.put(&self.written_default);
                Ok(())
            }
        }
    }
}
