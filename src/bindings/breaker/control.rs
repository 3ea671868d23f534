//! A breaker as an operator sees it: reading its state, and setting it by hand.

use super::Breaker;
use super::events::tell;
use super::keyed::{Circuit, Circuits, set};
use crate::bindings::clock::{ambient, in_seconds};
use crate::policies::breaker::{Breaker as Core, Counts, Snapshot, State};
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(super) type Key<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

impl Breaker {
    /// The circuits of a keyed breaker.
    pub(super) fn circuits(&self, py: Python<'_>) -> PyResult<&Circuits> {
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

    pub(super) fn set_state(&self, py: Python<'_>, key: Key<'_, '_>, state: State) -> PyResult<()> {
        let now = ambient(py).now();
        let Some(circuits) = &self.circuits else {
            if key.is_some() {
                self.circuits(py)?;
            }
            let core = self.core();
            self.put(py, &core, None, state, now);
            return Ok(());
        };
        let pattern = self.core();
        if let Some(key) = key {
            let circuit = circuits.of(key, &pattern, &ambient(py))?;
            let core = circuit.get().like(&pattern, now);
            self.put(py, &core, Some(&circuit), state, now);
            return Ok(());
        }
        circuits.begin_in(py, state);
        for circuit in circuits.all(py) {
            let core = circuit.get().like(&pattern, now);
            self.put(py, &core, Some(&circuit), state, now);
        }
        Ok(())
    }

    fn put(
        &self,
        py: Python<'_>,
        core: &Core,
        circuit: Option<&Bound<'_, Circuit>>,
        state: State,
        now: Nanos,
    ) {
        let (rules, name) = {
            let current = self.current.lock();
            (current.rules.clone_ref(py), current.name.bind(py).clone())
        };
        if let Some(transition) = set(core, state, now) {
            let key = circuit.map(|circuit| &circuit.get().key);
            tell(py, &name, key, rules.get(), &transition);
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
        whole.retry_after = Some(0);
        for circuit in circuits.all(py) {
            let one = circuit.get().like(&pattern, now).snapshot(now);
            whole.counts += one.counts;
            whole.opened_count += one.opened_count;
            whole.time_open += one.time_open;
            whole.in_flight += one.in_flight;
            whole.window_calls += one.window_calls;
            whole.generation = whole.generation.max(one.generation);
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

    pub(super) fn seen(&self, py: Python<'_>, key: Key<'_, '_>) -> PyResult<Snapshot> {
        let now = ambient(py).now();
        match (&self.circuits, key) {
            (None, None) => Ok(self.core().snapshot(now)),
            (Some(circuits), None) => Ok(self.summary(py, circuits, now)),
            (_, Some(key)) => Ok(self.circuit(key)?.get().like(&self.core(), now).snapshot(now)),
        }
    }

    pub(super) fn facts<'py>(
        &self,
        py: Python<'py>,
        key: Key<'_, 'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let snapshot = self.seen(py, key)?;
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

/// How much a state asks to be looked at.
fn grave(state: State) -> u8 {
    match state {
        State::Closed => 0,
        State::Disabled => 1,
        State::MetricsOnly => 2,
        State::HalfOpen => 3,
        State::Open => 4,
        State::ForcedOpen => 5,
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
