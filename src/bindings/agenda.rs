//! What a test's clock is to call, and when.
//!
//! One short lock guards the list and the movements of its clock together: nothing is added to a
//! time that is just being passed. Nothing of Python's is made, called or let go of under it.

use crate::time::{Clock, LATEST, Manual, Nanos};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// When, and who asked first.
pub type Key = (Nanos, u64);

/// What became of a step.
pub enum Step {
    /// A call is to be made; so much of the way is left.
    Call(Py<PyAny>, Nanos),
    /// The whole way is done, and no call is due.
    Done,
    /// It would have led beyond [`LATEST`]: nothing was done.
    Beyond,
}

/// Calls in the order in which they are made.
#[derive(Default)]
pub struct Agenda {
    calls: Mutex<BTreeMap<Key, Py<PyAny>>>,
    asked: AtomicU64,
}

impl Agenda {
    /// The place of a further call at `at`: behind all that were asked for so far.
    pub fn key(&self, at: Nanos) -> Key {
        (at, self.asked.fetch_add(1, Relaxed))
    }

    /// Adds a call, or hands it back: its time has come.
    pub fn add(&self, key: Key, callback: Py<PyAny>, clock: &Manual) -> Option<Py<PyAny>> {
        let mut calls = self.calls.lock();
        if key.0 <= clock.now() {
            return Some(callback);
        }
        calls.insert(key, callback);
        None
    }

    /// Takes a call off.
    pub fn take(&self, key: Key) -> Option<Py<PyAny>> {
        self.calls.lock().remove(&key)
    }

    /// Takes all off.
    pub fn take_all(&self) -> BTreeMap<Key, Py<PyAny>> {
        std::mem::take(&mut *self.calls.lock())
    }

    /// Moves `clock` by `by`, or less far: to where the first call is due, and takes that off.
    pub fn step(&self, clock: &Manual, by: Nanos) -> Step {
        let mut calls = self.calls.lock();
        let now = clock.now();
        if now.checked_add(by).is_none_or(|to| to > LATEST) {
            return Step::Beyond;
        }
        let first = calls.first_entry().map(|first| (first.key().0.saturating_sub(now), first));
        if let Some((until, first)) = first.filter(|(until, _)| *until <= by) {
            clock.advance(until);
            Step::Call(first.remove(), by - until)
        } else {
            clock.advance(by);
            Step::Done
        }
    }

    /// Moves `clock` to where the first call is due, and takes that off.
    pub fn jump(&self, clock: &Manual) -> Option<Py<PyAny>> {
        let mut calls = self.calls.lock();
        let first = calls.first_entry()?;
        clock.advance(first.key().0.saturating_sub(clock.now()));
        Some(first.remove())
    }

    /// Is there a call whose time has come?
    pub fn is_due(&self, now: Nanos) -> bool {
        self.calls.lock().keys().next().is_some_and(|(at, _)| *at <= now)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.calls.lock().len()
    }

    /// Shows the collector what is held. Whoever holds the lock holds no part of a cycle that could
    /// be collected now.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.calls.try_lock() {
            Some(calls) => calls.values().try_for_each(|callback| visit.call(callback)),
            None => Ok(()),
        }
    }
}
