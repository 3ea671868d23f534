//! What a store answers.

use super::address::Address;
use super::terms::seconds;
use crate::stores::backend::Answer;
use crate::stores::idempotency::{Ended, Given, Reply as Heard};
use crate::stores::record::{Fence, OnLost, Payload, Record, State, StateName};
use crate::stores::{self, Micros};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

/// What a store answers. What an answer of its kind does not have is None.
#[pyclass(frozen, module = "seawall._core")]
pub struct Reply(pub Answer);

impl Reply {
    fn heard(&self) -> Option<&Heard> {
        if let Answer::Reply(heard) = &self.0 { Some(heard) } else { None }
    }

    fn ended(&self) -> Option<&Ended> {
        match self.heard()? {
            Heard::Replay(ended) | Heard::EndedMeanwhile(ended) => Some(ended),
            _ => None,
        }
    }
}

#[pymethods]
impl Reply {
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> &'py Bound<'py, PyString> {
        match &self.0 {
            Answer::Reply(heard) => match heard {
                Heard::Owned { .. } => intern!(py, "owned"),
                Heard::InProgress { .. } => intern!(py, "in_progress"),
                Heard::Mismatch => intern!(py, "mismatch"),
                Heard::Replay(_) => intern!(py, "replay"),
                Heard::OutcomeUnknown { .. } => intern!(py, "outcome_unknown"),
                Heard::Exhausted { .. } => intern!(py, "exhausted"),
                Heard::Extended { .. } => intern!(py, "extended"),
                Heard::AtCap => intern!(py, "at_cap"),
                Heard::Done => intern!(py, "done"),
                Heard::LeaseLost => intern!(py, "lease_lost"),
                Heard::EndedMeanwhile(_) => intern!(py, "ended_meanwhile"),
                Heard::Undecidable(_) => intern!(py, "undecidable"),
            },
            Answer::Record(_) => intern!(py, "record"),
            Answer::List(..) => intern!(py, "list"),
            Answer::Tally(..) => intern!(py, "tally"),
            Answer::Swept(..) => intern!(py, "swept"),
        }
    }

    /// Of a claim that was given, or of the one under which it ended.
    #[getter]
    fn fence(&self) -> Option<Fence> {
        match self.heard()? {
            Heard::Owned { fence, .. } => Some(*fence),
            _ => self.ended().map(|ended| ended.fence),
        }
    }

    /// Which attempt a given claim is, or how many there were of an exhausted one.
    #[getter]
    fn attempt(&self) -> Option<u32> {
        match self.heard()? {
            Heard::Owned { attempt, .. } => Some(*attempt),
            Heard::Exhausted { attempts, .. } => Some(*attempts),
            _ => None,
        }
    }

    /// Until when nobody else is given the claim.
    #[getter]
    fn lease_until(&self) -> Option<Micros> {
        match self.heard()? {
            Heard::Owned { lease_until, .. } | Heard::Extended { lease_until } => {
                Some(*lease_until)
            }
            _ => None,
        }
    }

    /// How a claim came to be given.
    #[getter]
    fn given<'py>(&self, py: Python<'py>) -> Option<&'py Bound<'py, PyString>> {
        match self.heard()? {
            Heard::Owned { given, .. } => Some(match given {
                Given::New => intern!(py, "new"),
                Given::Released => intern!(py, "released"),
                Given::TakenOver => intern!(py, "taken_over"),
                Given::Again => intern!(py, "again"),
            }),
            _ => None,
        }
    }

    /// For how many seconds whoever runs it keeps others out.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        match self.heard()? {
            Heard::InProgress { retry_after } => Some(seconds(*retry_after)),
            _ => None,
        }
    }

    /// Did it end with an error?
    #[getter]
    fn failed(&self) -> Option<bool> {
        self.ended().map(|ended| ended.failed)
    }

    /// Who wrote its result. None: it could not be kept.
    #[getter]
    fn codec(&self) -> Option<u8> {
        match &self.ended()?.payload {
            Payload::Kept { codec, .. } => Some(*codec),
            Payload::Opaque => None,
        }
    }

    /// Its result, or its error. None: it could not be kept.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.ended()?.payload {
            Payload::Kept { bytes, .. } => Some(PyBytes::new(py, bytes)),
            Payload::Opaque => None,
        }
    }

    /// When it ended, or when it was noticed that its outcome is not known.
    #[getter]
    fn at(&self) -> Option<Micros> {
        match self.heard()? {
            Heard::OutcomeUnknown { since, .. } => Some(*since),
            _ => self.ended().map(|ended| ended.at),
        }
    }

    /// Is this caller the first to be told?
    #[getter]
    fn noticed(&self) -> bool {
        matches!(
            self.heard(),
            Some(
                Heard::OutcomeUnknown { noticed: true, .. }
                    | Heard::Exhausted { noticed: true, .. }
            )
        )
    }

    /// The state of a record about which nothing is to be decided; None: there is none.
    #[getter]
    fn state(&self) -> Option<&'static str> {
        match self.heard()? {
            Heard::Undecidable(state) => state.map(StateName::as_str),
            _ => None,
        }
    }

    /// The record, as a dict of its fields.
    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        match &self.0 {
            Answer::Record(Some(record)) => fields(py, record).map(Some),
            _ => Ok(None),
        }
    }

    /// The records of a list, with their addresses.
    #[getter]
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Address, Bound<'py, PyDict>)>> {
        let Answer::List(records, _) = &self.0 else { return Ok(Vec::new()) };
        let with_address = |(address, record): &(stores::Address, Record)| {
            Ok((Address(address.clone()), fields(py, record)?))
        };
        records.iter().map(with_address).collect()
    }

    /// Where a walk goes on; None: it is over.
    #[getter]
    fn next(&self) -> Option<Address> {
        match &self.0 {
            Answer::List(_, next) | Answer::Tally(_, next) | Answer::Swept(_, next) => {
                next.clone().map(Address)
            }
            _ => None,
        }
    }

    /// How many are in each state, and under `expired` those that are in none any more.
    #[getter]
    fn tally<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counted = PyDict::new(py);
        if let Answer::Tally(tally, _) = &self.0 {
            for state in StateName::ALL {
                counted.set_item(state.as_str(), tally.of(state))?;
            }
            counted.set_item("expired", tally.expired)?;
        }
        Ok(counted)
    }

    /// How many were removed.
    #[getter]
    fn swept(&self) -> Option<u64> {
        if let Answer::Swept(removed, _) = &self.0 { Some(*removed) } else { None }
    }

    fn __repr__(&self) -> String {
        match &self.0 {
            Answer::Reply(heard) => format!("<Reply {heard:?}>"),
            other => format!("<Reply {other:?}>"),
        }
    }
}

/// A record's fields; times are microseconds since 1970 on the store's clock.
fn fields<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyDict>> {
    let kept = PyDict::new(py);
    kept.set_item("state", record.state.name().as_str())?;
    kept.set_item("attempts", record.attempts)?;
    kept.set_item("fence", record.fence)?;
    let owner = record.owner.map(|owner| format!("{owner:?}"));
    kept.set_item("owner", owner)?;
    kept.set_item(
        "on_lost",
        match record.on_lost {
            OnLost::Takeover => "takeover",
            OnLost::Quarantine => "quarantine",
        },
    )?;
    kept.set_item("fingerprint", record.fingerprint.map(|digest| PyBytes::new(py, &digest)))?;
    kept.set_item("created", record.created)?;
    kept.set_item("changed", record.changed)?;
    kept.set_item("expires", record.expires)?;
    kept.set_item("ttl", record.ttl)?;
    let (lease_until, hard_deadline) = match record.state {
        State::InProgress { lease_until, hard_deadline } => {
            (Some(lease_until), Some(hard_deadline))
        }
        _ => (None, None),
    };
    kept.set_item("lease_until", lease_until)?;
    kept.set_item("hard_deadline", hard_deadline)?;
    let (codec, data) = match &record.state {
        State::Completed(Payload::Kept { codec, bytes })
        | State::Failed(Payload::Kept { codec, bytes }) => {
            (Some(*codec), Some(PyBytes::new(py, bytes)))
        }
        _ => (None, None),
    };
    kept.set_item("codec", codec)?;
    kept.set_item("data", data)?;
    Ok(kept)
}
