//! Which key and which fingerprint a call has.

use crate::bindings::canonical::{Arguments, digest_of, write_key};
use crate::canonical::key::hashed;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// What says a call's key and its fingerprint, once, before its body begins.
pub struct Identity {
    /// The arguments as the signature binds them; nothing, where neither is made of them.
    pub arguments: Option<Py<Arguments>>,
    /// Makes the key; nothing, where it is made of the arguments.
    pub key: Option<Py<PyAny>>,
    /// Makes what the fingerprint is of.
    pub fingerprint: Option<Py<PyAny>>,
    /// Is the fingerprint made of the arguments?
    pub is_compared: bool,
}

impl Identity {
    /// Writes the key behind what stands before it; the fingerprint.
    pub fn write(
        &self,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
        out: &mut Vec<u8>,
    ) -> PyResult<Option<[u8; 32]>> {
        let py = args.py();
        let bound = || match &self.arguments {
            Some(arguments) => arguments.get().hash(args, kwargs).map(Some),
            None => Ok(None),
        };
        let mut digest = None;
        if let Some(key) = &self.key {
            write_key(&key.bind(py).call(args, kwargs)?, out)?;
        } else {
            digest = bound()?;
            if let Some(digest) = &digest {
                out.extend_from_slice(hashed(digest).as_bytes());
            }
        }
        if let Some(fingerprint) = &self.fingerprint {
            return digest_of(&fingerprint.bind(py).call(args, kwargs)?, "fingerprint").map(Some);
        }
        match digest {
            _ if !self.is_compared => Ok(None),
            None => bound(),
            found => Ok(found),
        }
    }

    /// For the garbage collection.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(arguments) = &self.arguments {
            visit.call(arguments)?;
        }
        visit.call(&self.key)?;
        visit.call(&self.fingerprint)
    }
}
