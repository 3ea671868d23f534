//! Keeps a protected function from being carried to another process without its protection.
//!
//! A wrapper is pickled by its name. cloudpickle, and what is built upon it, makes a function anew
//! from code and attributes where the name leads nowhere over there; it goes by `__class__`, so it
//! takes a wrapper for the function inside, and has no hook that could say otherwise. But it pickles
//! the attributes too.

use pyo3::prelude::*;

/// The attribute of a wrapper that refuses to be pickled. Holds the name of the function.
#[pyclass(frozen, module = "seawall._core")]
pub struct Anchor(Py<PyAny>);

/// Where it stands.
const PLACE: &str = "__protected__";

impl Anchor {
    /// Gives `wrapper` one.
    pub fn drop_on(wrapper: &Bound<'_, PyAny>, name: Bound<'_, PyAny>) -> PyResult<()> {
        wrapper.setattr(PLACE, Bound::new(wrapper.py(), Self(name.unbind()))?)
    }
}

#[pymethods]
impl Anchor {
    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        let name = self.0.bind(py).repr()?;
        let message = format!(
            "{name} is protected, and carried by its name alone: define it in a module that the \
             other process can import"
        );
        let error = py.import("pickle")?.getattr("PicklingError")?.call1((message,))?;
        Err(PyErr::from_value(error))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}
