//! Where records are found.

use super::op::Op;
use super::terms::Terms;
use crate::bindings::failures::config_error;
use crate::error::Invalid;
use crate::stores::{self, Prefix};
use pyo3::prelude::*;

/// Where a record is found.
#[pyclass(frozen, eq, hash, module = "seawall._core")]
#[derive(PartialEq, Eq, Hash)]
pub struct Address(pub stores::Address);

#[pymethods]
impl Address {
    #[new]
    fn new(py: Python<'_>, namespace: &str, scope: &str, key: &[u8]) -> PyResult<Self> {
        let address = stores::Address::new(namespace, scope, key);
        address.map(Self).map_err(|invalid| refused(py, invalid))
    }

    #[getter]
    fn namespace(&self) -> &str {
        self.0.namespace()
    }

    #[getter]
    fn scope(&self) -> &str {
        self.0.scope()
    }

    #[getter]
    fn key(&self) -> &[u8] {
        self.0.key()
    }

    fn __repr__(&self) -> String {
        format!("<Address {:?}>", self.0)
    }
}

/// Where the records of one operation are: the part of their addresses that is the same.
#[pyclass(frozen, module = "seawall._core")]
pub struct Scope(Prefix);

#[pymethods]
impl Scope {
    #[new]
    fn new(py: Python<'_>, namespace: &str, scope: &str) -> PyResult<Self> {
        Prefix::new(namespace, Some(scope)).map(Self).map_err(|invalid| refused(py, invalid))
    }

    /// That of a key.
    fn address(&self, py: Python<'_>, key: &[u8]) -> PyResult<Address> {
        self.0.address(key).map(Address).map_err(|invalid| refused(py, invalid))
    }

    /// As `Op.claim`, at the address of a key.
    #[pyo3(signature = (key, terms, fingerprint = None))]
    fn claim(
        &self,
        py: Python<'_>,
        key: &[u8],
        terms: &Bound<'_, Terms>,
        fingerprint: Option<&[u8]>,
    ) -> PyResult<Op> {
        let address = self.0.address(key).map_err(|invalid| refused(py, invalid))?;
        Op::of_owner(address, terms.get(), fingerprint)
    }
}

fn refused(py: Python<'_>, invalid: Invalid) -> PyErr {
    config_error(py, "address of a record", invalid.0)
}
