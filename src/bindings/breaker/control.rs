//! A breaker as an operator sees it: reading its state, and setting it by hand.

use super::Breaker;
use super::circuits::{Circuit, Circuits, set};
use super::events::tell;
use super::whole::grave;
use crate::bindings::clock::{ambient, in_seconds};
use crate::keys::Search;
use crate::policies::breaker::{Counts, Snapshot, State, Transition};
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::convert::Infallible;

/// Which of a breaker's states somebody asks for. A key that is None is one that was given.
pub(super) enum Asked<'py> {
    /// No key was given.
    All,
    Key(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Asked<'py> {
    type Error = Infallible;

    fn extract(key: Borrowed<'_, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self::Key(key.to_owned()))
    }
}

impl Breaker {
    /// The circuits of a keyed breaker.
    pub fn circuits(&self, py: Python<'_>) -> PyResult<&Circuits> {
        self.circuits.as_deref().ok_or_else(|| {
            PyTypeError::new_err(format!(
                "breaker '{}' has one circuit for all calls: a key= is for one made with key=",
                self.name(py)
            ))
        })
    }

    fn circuit<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Circuit>> {
        let py = key.py();
        self.circuits(py)?.get(key)?.ok_or_else(|| {
            PyKeyError::new_err(format!("breaker '{}' has no circuit for {key:?}", self.name(py)))
        })
    }

    pub(super) fn set_state(&self, py: Python<'_>, asked: Asked<'_>, state: State) -> PyResult<()> {
        let now = ambient(py).now();
        match (asked, &self.circuits) {
            (Asked::All, None) => {
                if let Some(transition) = set(&self.core(), state, now) {
                    self.publish(py, None, &transition);
                }
            }
            (Asked::All, Some(circuits)) => {
                circuits.whole.begin_in(state);
                for circuit in circuits.all(py) {
                    self.put(&circuit, state, now);
                }
            }
            (Asked::Key(key), _) => {
                let circuits = self.circuits(py)?;
                while !self.put(&self.own(circuits, &key, now)?, state, now) {}
            }
        }
        Ok(())
    }

    /// The circuit of `key` alone, made if need be.
    fn own<'py>(
        &self,
        circuits: &Circuits,
        key: &Bound<'py, PyAny>,
        now: Nanos,
    ) -> PyResult<Bound<'py, Circuit>> {
        let py = key.py();
        let begun = |circuit: &Bound<'_, Circuit>, began: &Transition| {
            self.publish(py, Some(circuit), began);
        };
        circuits.own(key, Search::Whole, &self.core(), now, &begun)?.ok_or_else(|| {
            PyRuntimeError::new_err(format!(
                "breaker '{}' has no room for a circuit of {key:?}: all that it keeps must stay, \
                 being open or busy, and there may be no more with max_keys={}",
                self.name(py),
                circuits.most()
            ))
        })
    }

    /// Takes `circuit` to `state`. `false`: it was let go of, and is nobody's.
    fn put(&self, circuit: &Bound<'_, Circuit>, state: State, now: Nanos) -> bool {
        let moved = set(&circuit.get().like(&self.core(), now), state, now);
        if circuit.get().gone() {
            return false;
        }
        if let Some(transition) = moved {
            circuit.get().whole.moved(&transition);
            self.publish(circuit.py(), Some(circuit), &transition);
        }
        true
    }

    fn publish(
        &self,
        py: Python<'_>,
        circuit: Option<&Bound<'_, Circuit>>,
        transition: &Transition,
    ) {
        let (rules, name) = {
            let current = self.current.lock();
            (current.rules.bind(py).clone(), current.name.bind(py).clone())
        };
        tell(py, &name, circuit, rules.get(), transition);
    }

    /// The gravest state there is, at the same cost however many keys there are.
    pub(super) fn gravest(&self) -> State {
        match &self.circuits {
            Some(circuits) => circuits.whole.gravest(),
            None => self.core().state(),
        }
    }

    /// All of it as one: counts are sums, the state is the gravest.
    fn summary(&self, py: Python<'_>, circuits: &Circuits, now: Nanos) -> Snapshot {
        let pattern = self.core();
        let past = circuits.past();
        let mut whole = pattern.snapshot(now);
        whole.counts = past.counts;
        whole.opened_count = past.opened;
        whole.time_open = past.time_open;
        whole.state = circuits.whole.rest();
        whole.retry_after = (whole.state != State::ForcedOpen).then_some(0);
        whole.generation = circuits.whole.last();
        for circuit in circuits.all(py) {
            let one = circuit.get().like(&pattern, now).snapshot(now);
            whole.counts += one.counts;
            whole.opened_count += one.opened_count;
            whole.time_open += one.time_open;
            whole.in_flight += one.in_flight;
            whole.window_calls += one.window_calls;
            if grave(one.state) > grave(whole.state) {
                whole.state = one.state;
                whole.retry_after = one.retry_after;
            } else if one.state == whole.state {
                // None: nobody knows. Else the longest.
                whole.retry_after = whole.retry_after.zip(one.retry_after).map(|(a, b)| a.max(b));
            }
        }
        whole
    }

    pub(super) fn seen(&self, py: Python<'_>, asked: &Asked<'_>) -> PyResult<Snapshot> {
        let now = ambient(py).now();
        match (&self.circuits, asked) {
            (None, Asked::All) => Ok(self.core().snapshot(now)),
            (Some(circuits), Asked::All) => Ok(self.summary(py, circuits, now)),
            (_, Asked::Key(key)) => {
                Ok(self.circuit(key)?.get().like(&self.core(), now).snapshot(now))
            }
        }
    }

    pub(super) fn facts<'py>(
        &self,
        py: Python<'py>,
        asked: Asked<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let snapshot = self.seen(py, &asked)?;
        let key = match asked {
            Asked::All => None,
            Asked::Key(key) => Some(key),
        };
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("key", key)?;
        facts.set_item("counts", counts(py, &snapshot.counts)?)?;
        facts.set_item("in_flight", snapshot.in_flight)?;
        facts.set_item("state", snapshot.state.as_str())?;
        facts.set_item("generation", snapshot.generation)?;
        facts.set_item("failure_rate", snapshot.failure_rate)?;
        facts.set_item("slow_call_rate", snapshot.slow_call_rate)?;
        facts.set_item("window_calls", snapshot.window_calls)?;
        facts.set_item("retry_after", snapshot.retry_after.map(in_seconds))?;
        facts.set_item("opened_count", snapshot.opened_count)?;
        facts.set_item("time_open", in_seconds(snapshot.time_open))?;
        Ok(facts)
    }
}

fn counts<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    for (name, count) in [
        ("success", counts.success),
        ("failure", counts.failure),
        ("slow", counts.slow),
        ("ignored", counts.ignored),
        ("cancelled", counts.cancelled),
        ("late", counts.late),
        ("rejected", counts.rejected),
    ] {
        facts.set_item(name, count)?;
    }
    Ok(facts)
}
