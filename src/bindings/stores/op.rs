//! What a store is asked.
//!
//! An [`Op`] is made once and may be asked again: a claim has its owner from the beginning, so that
//! one whose answer was lost is given again. What an owner says next is made from its claim.

use super::address::Address;
use super::terms::Terms;
use crate::bindings::failures::config_error;
use crate::random::Thread;
use crate::stores::backend::{Op as Asked, Walk};
use crate::stores::idempotency::{Claim, Hold, Verb};
use crate::stores::record::{Fence, Owner, Payload, StateName};
use crate::stores::{self, Prefix, SECOND};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::num::NonZeroU128;
use std::sync::Arc;

/// What a store is asked.
#[pyclass(frozen, module = "seawall._core")]
pub struct Op(pub Asked);

/// A payload: none is a result that there was, and that could not be kept.
fn payload(codec: u8, data: Option<&[u8]>, limit: Option<usize>) -> Payload {
    let limit = limit.unwrap_or(stores::record::MOST_RESULT);
    data.map_or(Payload::Opaque, |data| Payload::within(limit, codec, data))
}

/// Drawn once for each call.
pub fn new_owner() -> Owner {
    Owner(NonZeroU128::new(Thread.bits()).unwrap_or(NonZeroU128::MAX))
}

impl Op {
    /// A claim by an owner of its own.
    pub fn of_owner(
        address: stores::Address,
        terms: &Terms,
        fingerprint: Option<&[u8]>,
    ) -> PyResult<Self> {
        let fingerprint = fingerprint
            .map(|digest| {
                <[u8; 32]>::try_from(digest)
                    .map_err(|_| PyValueError::new_err("a fingerprint has 32 bytes"))
            })
            .transpose()?;
        let owner = new_owner();
        let claim = Claim { owner, fingerprint, terms: terms.0 };
        Ok(Self(Asked::Step(address, Verb::Claim(claim))))
    }

    fn next(&self, verb: impl FnOnce(Owner) -> Verb) -> PyResult<Self> {
        match &self.0 {
            Asked::Step(address, Verb::Claim(claim)) => {
                Ok(Self(Asked::Step(address.clone(), verb(claim.owner))))
            }
            _ => Err(PyTypeError::new_err("only who made a claim has anything more to say")),
        }
    }
}

#[pymethods]
impl Op {
    /// The wish to run it, of an owner of its own.
    #[staticmethod]
    #[pyo3(signature = (address, terms, fingerprint = None))]
    fn claim(address: &Address, terms: &Terms, fingerprint: Option<&[u8]>) -> PyResult<Self> {
        Self::of_owner(address.0.clone(), terms, fingerprint)
    }

    /// Of a claim: its owner still runs it, for so many seconds from now.
    fn extend(&self, fence: Fence, lease: f64) -> PyResult<Self> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and at most thirty years"
        )]
        let lease = (lease.clamp(0.0, 1e9) * SECOND as f64) as u64;
        self.next(|owner| Verb::Extend(Hold { owner, fence }, lease))
    }

    /// Of a claim: it took effect. Without data, the result could not be written down.
    #[pyo3(signature = (fence, codec, data, limit = None))]
    fn complete(
        &self,
        fence: Fence,
        codec: u8,
        data: Option<&[u8]>,
        limit: Option<usize>,
    ) -> PyResult<Self> {
        self.next(|owner| Verb::Complete(Hold { owner, fence }, payload(codec, data, limit)))
    }

    /// Of a claim: it ended with an error that is to be told to who repeats it.
    #[pyo3(signature = (fence, codec, data, limit = None))]
    fn fail(
        &self,
        fence: Fence,
        codec: u8,
        data: Option<&[u8]>,
        limit: Option<usize>,
    ) -> PyResult<Self> {
        self.next(|owner| Verb::Fail(Hold { owner, fence }, payload(codec, data, limit)))
    }

    /// Of a claim: it may be run again.
    fn release(&self, fence: Fence) -> PyResult<Self> {
        self.next(|owner| Verb::Release(Hold { owner, fence }))
    }

    /// Of a claim: whether it took effect is not known.
    fn quarantine(&self, fence: Fence) -> PyResult<Self> {
        self.next(|owner| Verb::Quarantine(Hold { owner, fence }))
    }

    /// An operator knows that it took effect.
    #[staticmethod]
    fn resolve(address: &Address, codec: u8, data: Option<&[u8]>) -> Self {
        Self(Asked::Step(address.0.clone(), Verb::Resolve(payload(codec, data, None))))
    }

    /// An operator knows that it may be run again.
    #[staticmethod]
    fn reopen(address: &Address) -> Self {
        Self(Asked::Step(address.0.clone(), Verb::Reopen))
    }

    /// What is kept.
    #[staticmethod]
    fn get(address: &Address) -> Self {
        Self(Asked::Get(address.0.clone()))
    }

    /// What is kept of many, those behind `after`; `most` are looked at.
    #[staticmethod]
    #[pyo3(signature = (namespace, scope = None, state = None, after = None, most = 500))]
    fn list(
        py: Python<'_>,
        namespace: &str,
        scope: Option<&str>,
        state: Option<&str>,
        after: Option<&Address>,
        most: usize,
    ) -> PyResult<Self> {
        let state = state
            .map(|name| {
                let found = StateName::ALL.into_iter().find(|state| state.as_str() == name);
                found.ok_or_else(|| PyValueError::new_err(format!("there is no state {name:?}")))
            })
            .transpose()?;
        Ok(Self(Asked::List(walk(py, namespace, scope, after, most)?, state)))
    }

    /// How many are in which state.
    #[staticmethod]
    #[pyo3(signature = (namespace, scope = None, after = None, most = 2000))]
    fn tally(
        py: Python<'_>,
        namespace: &str,
        scope: Option<&str>,
        after: Option<&Address>,
        most: usize,
    ) -> PyResult<Self> {
        Ok(Self(Asked::Tally(walk(py, namespace, scope, after, most)?)))
    }

    /// Removes what has expired.
    #[staticmethod]
    #[pyo3(signature = (namespace, scope = None, after = None, most = 2000))]
    fn sweep(
        py: Python<'_>,
        namespace: &str,
        scope: Option<&str>,
        after: Option<&Address>,
        most: usize,
    ) -> PyResult<Self> {
        Ok(Self(Asked::Sweep(walk(py, namespace, scope, after, most)?)))
    }

    /// Who makes a claim, or says more: 16 bytes.
    #[getter]
    fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let Asked::Step(_, verb) = &self.0 else { return None };
        let owner = match verb {
            Verb::Claim(claim) => claim.owner,
            Verb::Extend(hold, _)
            | Verb::Complete(hold, _)
            | Verb::Fail(hold, _)
            | Verb::Release(hold)
            | Verb::Quarantine(hold) => hold.owner,
            Verb::Resolve(_) | Verb::Reopen => return None,
        };
        Some(PyBytes::new(py, &owner.0.get().to_be_bytes()))
    }

    /// How many bytes of a result it has to keep; None: none, or it could not be kept.
    #[getter]
    fn size(&self) -> Option<usize> {
        match &self.0 {
            Asked::Step(_, Verb::Complete(_, kept) | Verb::Fail(_, kept) | Verb::Resolve(kept)) => {
                match kept {
                    Payload::Kept { bytes, .. } => Some(Arc::as_ref(bytes).len()),
                    Payload::Opaque => None,
                }
            }
            _ => None,
        }
    }

    fn __repr__(&self) -> String {
        format!("<Op {:?}>", self.0)
    }
}

fn walk(
    py: Python<'_>,
    namespace: &str,
    scope: Option<&str>,
    after: Option<&Address>,
    most: usize,
) -> PyResult<Walk> {
    let within = Prefix::new(namespace, scope)
        .map_err(|invalid| config_error(py, "records of a store", invalid.0))?;
    Ok(Walk { within, after: after.map(|address| address.0.clone()), most })
}
