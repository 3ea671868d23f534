//! The probes that the current context is inside of.
//!
//! A call made inside of a probe, of the same breaker, is part of the probe: see
//! [`Breaker::ride`](crate::policies::breaker::Breaker::ride). What is inside of what, the context
//! knows: it goes with a task into the tasks it starts, and with `asyncio.to_thread` into a thread.
//!
//! An entry is only ever believed while the probe's lease stands, so that one which is left behind,
//! because its probe came to an end in another context, does no harm.

use crate::bindings::context::{current, new_variable, set};
use crate::bindings::failures::discard;
use crate::policies::breaker::{Breaker, Ticket};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Each with its circuit; the innermost last.
#[pyclass(frozen, module = "seawall._core")]
struct Probes(Vec<(usize, Ticket)>);

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_probes"))
}

fn with<T>(py: Python<'_>, look: impl FnOnce(&[(usize, Ticket)]) -> T) -> T {
    match current(py, variable(py)) {
        Some(probes) => match probes.cast::<Probes>() {
            Ok(probes) => look(&probes.get().0),
            Err(_) => look(&[]),
        },
        None => look(&[]),
    }
}

fn replace(py: Python<'_>, probes: Vec<(usize, Ticket)>) {
    let stored = Bound::new(py, Probes(probes))
        .and_then(|probes| set(py, variable(py), probes.as_any()).map(drop));
    // No memory. A call inside will be refused, as it would be without all this.
    if let Err(error) = stored {
        discard(py, error);
    }
}

/// The context is inside of `probe` from now on.
pub fn enter(py: Python<'_>, core: &Breaker, probe: Ticket) {
    let id = core.identity();
    let mut probes = with(py, <[_]>::to_vec);
    probes.retain(|(circuit, _)| *circuit != id);
    probes.push((id, probe));
    replace(py, probes);
}

/// The context is not inside of `probe` any more.
pub fn leave(py: Python<'_>, core: &Breaker, probe: Ticket) {
    let id = core.identity();
    let inside = |known: &(usize, Ticket)| known.0 == id && known.1.same(&probe);
    if with(py, |probes| probes.iter().any(inside)) {
        let mut probes = with(py, <[_]>::to_vec);
        probes.retain(|known| !inside(known));
        replace(py, probes);
    }
}

/// A ticket for a call that is made inside of a probe of the same circuit.
pub fn ride(py: Python<'_>, core: &Breaker) -> Option<Ticket> {
    let id = core.identity();
    let probe = with(py, |probes| {
        probes.iter().find(|(circuit, _)| *circuit == id).map(|(_, probe)| *probe)
    })?;
    core.ride(&probe)
}
