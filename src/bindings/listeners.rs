//! Does anybody want to hear of events, policies' own `on_event`s aside?

use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// One more listener, or one fewer.
#[pyfunction]
pub fn listening(on: bool) {
    if on {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
    } else {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Is there one? Nothing is built when nobody listens.
pub fn anybody() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}
