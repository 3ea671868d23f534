//! What the calls of an operation share, and how one begins.

use super::identity::Identity;
use super::local::{Kept, Local};
use super::ticket::Ticket;
use crate::bindings::canonical::Arguments;
use crate::bindings::codecs::pack;
use crate::bindings::context;
use crate::bindings::listeners;
use crate::bindings::stores::{Reply, Store, Terms, new_owner};
use crate::stores::Address;
use crate::stores::backend::{Answer, Op as Asked};
use crate::stores::idempotency::{Claim, Reply as Heard, Verb};
use crate::time::{Clock, Nanos, System, seconds};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::time::Duration;

/// What the calls of an operation share.
#[pyclass(frozen, module = "seawall._core")]
pub struct Calls {
    /// The operation, as Python has it.
    pub operation: Py<PyAny>,
    store: Py<Store>,
    pub local: Py<Local>,
    pub terms: Py<Terms>,
    identity: Identity,
    /// The variable that holds the run whose body a context is in.
    current: Py<PyAny>,
    /// What makes a run of a ticket.
    pub adopt: Py<PyAny>,
    /// What the usual codec asks of Python, and how much it may write.
    packs: Option<(Py<PyAny>, usize)>,
    /// What another codec writes.
    encode: Py<PyAny>,
    pub prefix: Vec<u8>,
    ttl: Nanos,
    /// A lease is renewed this often.
    pub third: f64,
    is_instant: bool,
    has_hook: bool,
}

impl Calls {
    /// Does anybody want to hear of events? Python tells them.
    pub fn is_heard(&self) -> bool {
        self.has_hook || listeners::anybody()
    }

    /// Is a step answered at once?
    pub fn is_instant(&self) -> bool {
        self.is_instant
    }

    /// Until when an operation whose claim was asked for then can't have expired.
    pub fn until(&self, asked: Nanos) -> Nanos {
        asked.saturating_add(self.ttl)
    }

    /// The answer of a store that answers at once; nothing, where it has none.
    pub fn ask(&self, op: Asked) -> Option<Heard> {
        match self.store.get().store.call(op, Duration::ZERO) {
            Ok(Answer::Reply(heard)) => Some(heard),
            _ => None,
        }
    }

    /// What the operation's codec makes of a result: its number, and what it wrote.
    pub fn written<'py>(
        &self,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(u8, Bound<'py, PyBytes>)>> {
        let py = value.py();
        let Some((lower, limit)) = &self.packs else {
            return self.encode.bind(py).call1((value,))?.extract();
        };
        match pack(value, lower.bind(py), *limit, "messagepack") {
            Ok(data) => Ok(Some((MESSAGEPACK, data))),
            Err(error) => {
                let class = py.import(intern!(py, "seawall.codecs.errors"))?;
                let class = class.getattr(intern!(py, "EncodeError"))?;
                if error.matches(py, class)? { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Has the leases of what runs looked after, if nobody does.
    pub fn watch(&self, py: Python<'_>) -> PyResult<()> {
        if self.local.get().is_slower_than(self.third) {
            self.operation.bind(py).call_method0(intern!(py, "watch"))?;
        }
        Ok(())
    }
}

/// The number of the codec that is native.
const MESSAGEPACK: u8 = 1;

#[pymethods]
impl Calls {
    #[new]
    #[pyo3(signature = (operation, current, adopt, packs, *, arguments, key, fingerprint, is_compared))]
    #[allow(clippy::too_many_arguments, reason = "each is one thing that calls share")]
    fn new(
        operation: &Bound<'_, PyAny>,
        current: Py<PyAny>,
        adopt: Py<PyAny>,
        packs: Option<(Py<PyAny>, usize)>,
        arguments: Option<Py<Arguments>>,
        key: Option<Py<PyAny>>,
        fingerprint: Option<Py<PyAny>>,
        is_compared: bool,
    ) -> PyResult<Self> {
        let store: Py<Store> = operation.getattr("native")?.extract()?;
        let settings = operation.getattr("settings")?;
        let ttl: f64 = settings.getattr("ttl")?.extract()?;
        Ok(Self {
            is_instant: store.get().store.has_instant_steps(),
            store,
            local: operation.getattr("local")?.extract()?,
            terms: operation.getattr("terms")?.extract()?,
            identity: Identity { arguments, key, fingerprint, is_compared },
            current,
            adopt,
            packs,
            encode: operation.getattr("encode")?.unbind(),
            prefix: operation.getattr("prefix")?.extract()?,
            ttl: seconds(ttl).unwrap_or_default(),
            third: operation.getattr("third")?.extract()?,
            has_hook: !settings.getattr("on_event")?.is_none(),
            operation: operation.clone().unbind(),
        })
    }

    /// Begins a call, as far as that is usual. A ticket: its body is to be run. Otherwise, where
    /// nothing was put into `found`, the result that this process remembers; and else there is
    /// something to decide about what was put there: a remembered result with the call's key and
    /// fingerprint, or a ticket that was not given yet, with what the store said, if it was asked.
    ///
    /// A ticket is in `found` before the store is asked: whatever interrupts the caller, it finds
    /// it there.
    fn begin<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
        found: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, calls) = (slf.py(), slf.get());
        let mut place = Vec::with_capacity(calls.prefix.len() + 72);
        place.extend_from_slice(&calls.prefix);
        let fingerprint = calls.identity.write(args, Some(kwargs), &mut place)?;
        let bytes = PyBytes::new(py, &place);
        if let Some(kept) = calls.local.get().look(&bytes)? {
            if let Some(value) = kept.get().shared()
                && !calls.is_heard()
                && kept.get().is_of(py, fingerprint.as_ref())
            {
                return Ok(Some(value.bind(py).clone()));
            }
            return calls.recall(py, &place, fingerprint, &kept, found);
        }
        let outer = context::current(py, &calls.current);
        let outer = outer.filter(|outer| !outer.is_none()).map(Bound::unbind);
        let owner = new_owner();
        let asked = System.now();
        let address = Address::from_joined(place);
        let ticket = Ticket::new(
            slf.clone().unbind(),
            bytes.unbind(),
            address,
            fingerprint,
            outer,
            owner,
            asked,
        );
        let ticket = Bound::new(py, ticket)?;
        found.append(&ticket)?;
        if !calls.is_instant {
            return Ok(None);
        }
        let Some(heard) = calls.ask(ticket.get().claim()) else { return Ok(None) };
        if Ticket::is_given(&ticket, &heard)? {
            return Ok(Some(ticket.into_any()));
        }
        found.append(Bound::new(py, Reply(Answer::Reply(heard)))?)?;
        Ok(None)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.operation)?;
        visit.call(&self.local)?;
        visit.call(&self.current)?;
        visit.call(&self.adopt)?;
        if let Some((lower, _)) = &self.packs {
            visit.call(lower)?;
        }
        visit.call(&self.encode)?;
        self.identity.traverse(&visit)
    }
}

impl Calls {
    /// Puts a remembered result where it is decided what follows from it.
    fn recall<'py>(
        &self,
        py: Python<'py>,
        place: &[u8],
        fingerprint: Option<[u8; 32]>,
        kept: &Bound<'py, Kept>,
        found: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        found.append(kept)?;
        found.append(PyBytes::new(py, &place[self.prefix.len()..]))?;
        found.append(fingerprint.map(|digest| PyBytes::new(py, &digest)))?;
        Ok(None)
    }

    /// The wish of an owner to run it.
    pub fn wish(&self, owner: crate::stores::record::Owner, fingerprint: Option<[u8; 32]>) -> Verb {
        Verb::Claim(Claim { owner, fingerprint, terms: self.terms.get().0 })
    }
}
