//! A call that may run its body, and how that ends.

use super::calls::Calls;
use super::local::Kept;
use crate::bindings::stores::{Op, Reply};
use crate::process::locks::Lock;
use crate::stores::Address;
use crate::stores::backend::{Answer, Op as Asked};
use crate::stores::idempotency::{Hold, Reply as Heard, Verb};
use crate::stores::record::{Fence, Owner, Payload};
use crate::time::{Clock, Nanos, System};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict};

/// How far it is.
enum Stage {
    /// The store was not asked, or has not given it.
    New,
    /// Its body runs.
    Owned { fence: Fence, attempt: u32 },
    /// Its body has returned. What is kept of that; nothing yet, or nothing that could be.
    Returned { fence: Fence, attempt: u32, data: Option<(u8, Py<PyBytes>)> },
    /// Python goes on with it.
    Adopted(Py<PyAny>),
    /// There is nothing more to say.
    Over,
}

/// What a run is made of. No attempt: it was not given.
#[derive(Default)]
struct Seen {
    fence: Fence,
    attempt: u32,
    has_returned: bool,
    data: Option<(u8, Py<PyBytes>)>,
}

impl Seen {
    fn is_still(&self, stage: &Stage) -> bool {
        match stage {
            Stage::New => self.attempt == 0,
            Stage::Owned { .. } => self.attempt > 0 && !self.has_returned,
            Stage::Returned { data, .. } => {
                self.has_returned && self.data.is_some() == data.is_some()
            }
            Stage::Adopted(_) | Stage::Over => false,
        }
    }
}

/// A call that may run its body. Made by `Calls.begin`.
#[pyclass(frozen, module = "seawall._core")]
pub struct Ticket {
    calls: Py<Calls>,
    place: Py<PyBytes>,
    address: Address,
    fingerprint: Option<[u8; 32]>,
    outer: Option<Py<PyAny>>,
    owner: Owner,
    asked: Nanos,
    stage: Lock<Stage>,
}

impl Ticket {
    #[allow(clippy::too_many_arguments, reason = "a private constructor: each is a field")]
    pub fn new(
        calls: Py<Calls>,
        place: Py<PyBytes>,
        address: Address,
        fingerprint: Option<[u8; 32]>,
        outer: Option<Py<PyAny>>,
        owner: Owner,
        asked: Nanos,
    ) -> Self {
        let stage = Lock::new(Stage::New);
        Self { calls, place, address, fingerprint, outer, owner, asked, stage }
    }

    /// What claims it.
    pub fn claim(&self) -> Asked {
        Asked::Step(self.address.clone(), self.calls.get().wish(self.owner, self.fingerprint))
    }

    /// Is it given by this answer, and is there nothing more to decide or to tell? From then on it
    /// is among what runs.
    pub fn is_given(slf: &Bound<'_, Self>, heard: &Heard) -> PyResult<bool> {
        let (py, ticket) = (slf.py(), slf.get());
        let Heard::Owned { fence, attempt, .. } = *heard else { return Ok(false) };
        let calls = ticket.calls.get();
        if calls.is_heard() {
            return Ok(false);
        }
        *ticket.stage.lock() = Stage::Owned { fence, attempt };
        calls.local.get().runs(py).set_item(ticket.place.bind(py), slf)?;
        calls.watch(py)?;
        Ok(true)
    }

    /// What makes a run of it.
    fn facts<'py>(&self, py: Python<'py>, seen: &Seen) -> PyResult<Bound<'py, PyDict>> {
        let key = PyBytes::new(py, &self.place.as_bytes(py)[self.calls.get().prefix.len()..]);
        let facts = PyDict::new(py);
        facts.set_item("key", key)?;
        facts.set_item("fingerprint", self.fingerprint.map(|all| PyBytes::new(py, &all)))?;
        facts.set_item("outer", self.outer.as_ref())?;
        facts.set_item("claim", Bound::new(py, Op(self.claim()))?)?;
        facts.set_item("age", self.age())?;
        facts.set_item("fence", seen.fence)?;
        facts.set_item("attempt", seen.attempt)?;
        facts.set_item("has_returned", seen.has_returned)?;
        let data = seen.data.as_ref().map(|(codec, data)| (*codec, data.bind(py)));
        facts.set_item("data", data)?;
        Ok(facts)
    }

    /// It is not among what runs any more, unless another call here has been given it.
    fn leave(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, ticket) = (slf.py(), slf.get());
        let (all, place) = (ticket.calls.get().local.get().runs(py), ticket.place.bind(py));
        if all.get_item(place)?.is_some_and(|run| run.is(slf)) {
            all.del_item(place)?;
        }
        Ok(())
    }

    /// What to tell the store of a value that was returned; nothing, where Python goes on with it.
    fn said(&self, value: &Bound<'_, PyAny>) -> PyResult<Option<Asked>> {
        let (fence, attempt) = {
            let mut stage = self.stage.lock();
            let Stage::Owned { fence, attempt } = *stage else { return Ok(None) };
            // Said before it is written down: what interrupts that does not undo that it took
            // effect.
            *stage = Stage::Returned { fence, attempt, data: None };
            (fence, attempt)
        };
        let written = self.calls.get().written(value)?;
        let payload = written.as_ref().map_or(Payload::Opaque, |(codec, data)| Payload::Kept {
            codec: *codec,
            bytes: data.as_bytes().into(),
        });
        let data = written.map(|(codec, data)| (codec, data.unbind()));
        let mut stage = self.stage.lock();
        if !matches!(*stage, Stage::Returned { .. }) {
            // The heartbeat has adopted it while it was written down.
            return Ok(None);
        }
        *stage = Stage::Returned { fence, attempt, data };
        let hold = Hold { owner: self.owner, fence };
        Ok(Some(Asked::Step(self.address.clone(), Verb::Complete(hold, payload))))
    }

    /// Is that what the store keeps now, and is there nothing more to decide or to tell?
    fn is_settled(slf: &Bound<'_, Self>, heard: &Heard) -> PyResult<bool> {
        let (py, ticket) = (slf.py(), slf.get());
        let calls = ticket.calls.get();
        if !matches!(heard, Heard::Done) || calls.is_heard() {
            return Ok(false);
        }
        let data = {
            let mut stage = ticket.stage.lock();
            let Stage::Returned { data, .. } = &mut *stage else { return Ok(false) };
            let data = data.take();
            *stage = Stage::Over;
            data
        };
        if let Some((codec, data)) = data {
            let fingerprint = ticket.fingerprint.map(|digest| PyBytes::new(py, &digest).unbind());
            let kept = Kept::new(fingerprint, codec, data, calls.until(ticket.asked));
            calls.local.get().remember(ticket.place.bind(py), Bound::new(py, kept)?)?;
        }
        Self::leave(slf)?;
        Ok(true)
    }
}

#[pymethods]
impl Ticket {
    /// In how many seconds its lease is to be renewed.
    #[getter]
    fn beat_in(&self) -> f64 {
        self.calls.get().third - self.age()
    }

    /// For how many seconds it has been asked for.
    #[getter]
    fn age(&self) -> f64 {
        let nanos = System.now().saturating_sub(self.asked);
        std::time::Duration::from_nanos(nanos).as_secs_f64()
    }

    /// What claims it.
    #[getter]
    fn wish(&self) -> Op {
        Op(self.claim())
    }

    /// Hears the answer to that: does its body run now, and is there nothing more to decide?
    fn heard(slf: &Bound<'_, Self>, reply: &Bound<'_, Reply>) -> PyResult<bool> {
        match &reply.get().0 {
            Answer::Reply(heard) => Self::is_given(slf, heard),
            _ => Ok(false),
        }
    }

    /// Its body has returned. None: that is kept, and it is over. An `Op`: what to tell the store.
    /// A `Reply`: what the store said, from which more follows. False: Python goes on with it, and
    /// the store was told nothing.
    fn end<'py>(
        slf: &Bound<'py, Self>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, ticket) = (slf.py(), slf.get());
        let calls = ticket.calls.get();
        let python = || Ok(Some(PyBool::new(py, false).to_owned().into_any()));
        if calls.is_heard() {
            return python();
        }
        let Some(said) = ticket.said(value)? else { return python() };
        if !calls.is_instant() {
            return Ok(Some(Bound::new(py, Op(said))?.into_any()));
        }
        let Some(heard) = calls.ask(said) else { return python() };
        if Self::is_settled(slf, &heard)? {
            return Ok(None);
        }
        Ok(Some(Bound::new(py, Reply(Answer::Reply(heard)))?.into_any()))
    }

    /// Hears the answer to how it ended: is that kept, and is it over?
    fn settled(slf: &Bound<'_, Self>, reply: &Bound<'_, Reply>) -> PyResult<bool> {
        match &reply.get().0 {
            Answer::Reply(heard) => Self::is_settled(slf, heard),
            _ => Ok(false),
        }
    }

    /// The run that it is from now on: Python goes on with it. None: it is over.
    fn run<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, ticket) = (slf.py(), slf.get());
        let calls = ticket.calls.get();
        let made = loop {
            let seen = match &*ticket.stage.lock() {
                Stage::Over => return Ok(None),
                Stage::Adopted(run) => return Ok(Some(run.bind(py).clone())),
                Stage::New => Seen::default(),
                Stage::Owned { fence, attempt } => {
                    Seen { fence: *fence, attempt: *attempt, ..Seen::default() }
                }
                Stage::Returned { fence, attempt, data } => Seen {
                    fence: *fence,
                    attempt: *attempt,
                    has_returned: true,
                    data: data.as_ref().map(|(codec, data)| (*codec, data.clone_ref(py))),
                },
            };
            let facts = ticket.facts(py, &seen)?;
            let made = calls.adopt.bind(py).call1((calls.operation.bind(py), facts))?;
            let mut stage = ticket.stage.lock();
            // Python ran meanwhile: another thread may have gone on.
            if seen.is_still(&stage) {
                *stage = Stage::Adopted(made.clone().unbind());
                break made;
            }
        };
        let (all, place) = (calls.local.get().runs(py), ticket.place.bind(py));
        if all.get_item(place)?.is_some_and(|run| run.is(slf)) {
            all.set_item(place, &made)?;
        }
        Ok(Some(made))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.calls)?;
        visit.call(&self.outer)
    }
}
