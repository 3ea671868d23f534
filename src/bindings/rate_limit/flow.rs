//! One limit, with those that wait at it.

use crate::bindings::bulkhead::Bell;
use crate::policies::rate_limit::{Line, RateLimit as Core, Settings};
use crate::time::Nanos;
use pyo3::prelude::*;

/// The limit, and its line.
pub struct Flow {
    pub core: Core,
    pub line: Line<Py<Bell>>,
}

impl Flow {
    pub fn new(settings: Settings) -> Self {
        Self { core: Core::new(settings), line: Line::default() }
    }

    /// Another one, which goes by the same settings, also when they change.
    pub fn another(&self) -> Self {
        Self { core: self.core.another(), line: Line::default() }
    }

    /// One that waits leaves: see [`Line::leave`].
    pub fn leave(&self, number: u64, now: Nanos, refused: bool) -> Vec<Py<Bell>> {
        self.line.leave(&self.core, number, now, refused)
    }

    /// The process was forked: nobody waits here.
    pub fn forked(&self, py: Python<'_>, now: Nanos) {
        for bell in self.line.forked(&self.core, now) {
            drop(bell.into_bound(py));
        }
    }
}

/// Wakes those whose time has changed. One that can't be woken any more has nobody waiting for it.
#[cold]
pub fn ring(py: Python<'_>, woken: Vec<Py<Bell>>) {
    for bell in woken {
        let bell = bell.into_bound(py);
        bell.get().ring(py);
    }
}
