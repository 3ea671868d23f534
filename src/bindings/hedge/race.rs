//! One call of a hedge.
//!
//! Whoever runs the call asks [`Race::next`] what to do, makes attempts and tells of their ends, and
//! closes it when the call is over. What is the user's (predicates, listeners) is asked and told
//! with nothing locked. Attempts may outlive the call, and the process: an end that never comes is
//! made up for when the race is dropped.

use super::counts::Counts;
use super::events::Told;
use super::hedged::Flight;
use super::{Current, Latencies};
use crate::bindings::budget::Live;
use crate::bindings::clock::{Ambient, ambient, in_seconds};
use crate::bindings::failures::discard;
use crate::bindings::rules::Rules;
use crate::policies::hedge::{End, Now, Race as Core, Settings};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

/// The call, from its first attempt's beginning to its last attempt's end.
#[pyclass(frozen, module = "seawall._core")]
pub struct Race {
    pub(super) settings: Settings,
    delay: Option<Nanos>,
    pub(super) rules: Py<Rules>,
    pub(super) current: Arc<Mutex<Current>>,
    pub(super) counts: Arc<Counts>,
    pub(super) budget: Option<Paid>,
    pub(super) latencies: Option<Latencies>,
    flight: Option<Py<Flight>>,
    pub(super) began: Nanos,
    state: Mutex<State>,
}

/// What pays for attempts besides the first.
pub struct Paid {
    pub live: Arc<Live>,
    /// A retry around the hedge has the same, and tells it of the call.
    pub shared: bool,
}

struct State {
    core: Core,
    /// How the call ended, if it was decided.
    end: Option<End>,
    /// What the call's error is, for whoever hears that all have failed.
    error: Option<Py<PyAny>>,
    /// Of the call that waits: what wakes it.
    ring: Option<Py<PyAny>>,
    /// Something has ended since it last asked.
    news: bool,
    /// The call is over. What runs yet has lost.
    closed: bool,
    /// Losers that are counted as running.
    losers: u32,
    /// Attempts that the function was not run for.
    rejected: u32,
}

impl State {
    /// Do the ends of attempts still matter?
    fn open(&self) -> bool {
        !self.closed && self.core.decided().is_none()
    }
}

impl Race {
    pub fn begin(
        py: Python<'_>,
        current: &Arc<Mutex<Current>>,
        counts: &Arc<Counts>,
        budget: Option<Paid>,
        flight: Option<Py<Flight>>,
        clock: &Ambient,
    ) -> Self {
        let began = clock.now();
        if let Some(paid) = budget.as_ref().filter(|paid| !paid.shared) {
            paid.live.core().begin(clock);
        }
        counts.begun.bump();
        let now = current.lock();
        let delay = now.delay();
        let state = State {
            core: Core::new(now.settings.max_hedges, delay, began),
            end: None,
            error: None,
            ring: None,
            news: false,
            closed: false,
            losers: 0,
            rejected: 0,
        };
        Self {
            settings: now.settings,
            delay,
            rules: now.rules.clone_ref(py),
            current: Arc::clone(current),
            counts: Arc::clone(counts),
            budget,
            latencies: now.latencies.clone(),
            flight,
            began,
            state: Mutex::new(state),
        }
    }
}

#[pymethods]
impl Race {
    /// What is to be done: seconds to wait for an end, `inf` if nothing else is to come; 0.0: a
    /// further attempt has begun, and is to be made; -1.0: the call is decided.
    fn next(&self, py: Python<'_>) -> f64 {
        let clock = ambient(py);
        loop {
            let now = clock.now();
            {
                let mut state = self.state.lock();
                state.news = false;
                match state.core.now(now) {
                    Now::Over(_) => return -1.0,
                    Now::Wait(None) => return f64::INFINITY,
                    Now::Wait(Some(until)) => return in_seconds(until - now),
                    Now::Due => {}
                }
            }
            let refused = self.refusal(py, &clock);
            let mut state = self.state.lock();
            // Another may have ended meanwhile, in its own thread.
            if state.core.now(now) != Now::Due {
                drop(state);
                if let (None, Some(paid)) = (refused, &self.budget) {
                    paid.live.core().attempt_over();
                }
                continue;
            }
            let failed = state.core.has_failed();
            if let Some(why) = refused {
                state.core.stop();
                if state.core.decided().is_some() {
                    state.end = Some(End::Failed);
                }
                let attempts = state.core.started();
                drop(state);
                self.counts.refused(why);
                self.tell(py, &clock, attempts, &Told::Refused(why));
                continue;
            }
            state.core.start(clock.now());
            let attempts = state.core.started();
            drop(state);
            self.counts.hedges.bump();
            self.tell(py, &clock, attempts, &Told::Started { failed, delay: self.delay });
            return 0.0;
        }
    }

    /// The attempt of this number has ended: it raised `error`, or else returned `value`. True: that
    /// decided the call, and the others have lost.
    #[pyo3(signature = (number, error, value))]
    fn ended(
        &self,
        py: Python<'_>,
        number: u32,
        error: Option<Bound<'_, PyAny>>,
        value: &Bound<'_, PyAny>,
    ) -> bool {
        let clock = ambient(py);
        let raised = error.clone().map(PyErr::from_value);
        let open = self.state.lock().open();
        // Asked only while the answer matters.
        let end = if open { self.judge(py, raised.as_ref(), value) } else { End::Final };
        let now = clock.now();
        let mut before = None;
        let (decided, late) = {
            let mut state = self.state.lock();
            if !state.core.runs(number) {
                return false;
            }
            let late = !state.open();
            let core = &mut state.core;
            let turned = core.ended(number, end, now);
            if late {
                if state.losers > 0 {
                    state.losers -= 1;
                    self.counts.losers.take(1);
                }
            } else {
                state.news = true;
                state.rejected += u32::from(end == End::Rejected);
                if turned && state.core.decided().is_some() {
                    state.end = Some(match end {
                        End::Good | End::Final => end,
                        // Of several the first failure is the call's.
                        _ if state.core.has_failed() => End::Failed,
                        _ => End::Rejected,
                    });
                    self.sample(&state.core, state.end, now);
                }
                if state.core.decided() == Some(number) || state.error.is_none() {
                    before = std::mem::replace(&mut state.error, error.map(Bound::unbind));
                }
            }
            (!late && state.core.decided().is_some(), late)
        };
        if let Some(before) = before {
            before.drop_ref(py);
        }
        if let Some(paid) = &self.budget {
            if !late && end == End::Failed {
                paid.live.core().failed();
            }
            if number > 0 {
                paid.live.core().attempt_over();
            }
        }
        if late {
            self.lost(py, raised.as_ref());
        }
        if let Some(raised) = raised {
            discard(py, raised);
        }
        decided
    }

    /// Wakes the call, if it waits and something has ended.
    fn ring(&self, py: Python<'_>) {
        let ring = {
            let mut state = self.state.lock();
            if state.news { state.ring.take() } else { None }
        };
        let Some(ring) = ring else { return };
        if let Err(error) = ring.into_bound(py).call0() {
            // It can't be woken any more, as a task whose loop is closed.
            discard(py, error);
        }
    }

    /// Has `ring` called when something ends. False: something has.
    fn listen(&self, py: Python<'_>, ring: Py<PyAny>) -> bool {
        let before = {
            let mut state = self.state.lock();
            if state.news {
                return false;
            }
            state.ring.replace(ring)
        };
        if let Some(before) = before {
            before.drop_ref(py);
        }
        true
    }

    /// Whose end was the call's.
    #[getter]
    fn winner(&self) -> PyResult<u32> {
        let decided = self.state.lock().core.decided();
        decided.ok_or_else(|| PyRuntimeError::new_err("this call is not decided"))
    }

    /// How many attempts were started.
    #[getter]
    fn attempts(&self) -> u32 {
        self.state.lock().core.started()
    }

    /// Have all attempts failed, of several?
    #[getter]
    fn _all_failed(&self) -> bool {
        let state = self.state.lock();
        let failed = matches!(state.end, Some(End::Failed | End::Rejected));
        failed && state.core.started() > 1
    }

    /// What it is an attempt of, for who wants to know.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.current.lock().name.clone_ref(py)
    }

    /// The call is over, decided or not. What runs yet has lost.
    fn close(&self, py: Python<'_>) {
        let clock = ambient(py);
        let (winner, end, attempts, rejected, error, ring) = {
            let mut state = self.state.lock();
            if state.closed {
                return;
            }
            state.closed = true;
            state.core.stop();
            state.losers = state.core.running();
            self.counts.losers.add(state.losers);
            let decided = state.core.decided();
            let attempts = state.core.started();
            let (error, ring) = (state.error.take(), state.ring.take());
            (decided, state.end, attempts, state.rejected, error, ring)
        };
        let counts = &self.counts;
        counts.ended.bump();
        let good = end == Some(End::Good);
        match end {
            None => counts.cancelled.bump(),
            Some(End::Good) if winner == Some(0) => counts.first.bump(),
            Some(End::Good) => counts.hedged.bump(),
            Some(End::Final) => counts.passed.bump(),
            Some(End::Failed) => counts.failed.bump(),
            Some(End::Rejected) if attempts > rejected => counts.failed.bump(),
            Some(End::Rejected) => counts.rejected.bump(),
        }
        if let Some(paid) = self.budget.as_ref().filter(|paid| !paid.shared) {
            if good {
                paid.live.core().succeeded();
            }
            paid.live.core().finish();
        }
        if let Some(flight) = &self.flight {
            flight.get().landed(attempts - rejected, good && winner != Some(0));
        }
        match (end, winner) {
            (Some(End::Good), Some(number)) if number > 0 => {
                self.tell(py, &clock, attempts, &Told::Won(number));
            }
            (Some(End::Failed), _) => {
                let error = error.as_ref().map(|error| error.bind(py));
                self.tell(py, &clock, attempts, &Told::Failed(error));
            }
            _ => {}
        }
        for object in [error, ring].into_iter().flatten() {
            object.drop_ref(py);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rules)?;
        visit.call(&self.flight)?;
        match self.state.try_lock() {
            Some(state) => {
                visit.call(&state.error)?;
                visit.call(&state.ring)
            }
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.let_go();
    }
}

impl Race {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        let old = {
            let mut state = self.state.lock();
            [state.error.take(), state.ring.take()]
        };
        for object in old.into_iter().flatten() {
            object.drop_ref(py);
        }
    }
}

/// Attempts whose ends nobody told, as those of a loop that was closed, are over now.
impl Drop for Race {
    #[allow(unsafe_code, reason = "a drop hands over no token")]
    fn drop(&mut self) {
        // SAFETY: the end of an object runs attached.
        let py = unsafe { Python::assume_attached() };
        self.close(py);
        let state = self.state.get_mut();
        self.counts.losers.take(state.losers);
        let hedges = (1..state.core.started()).filter(|number| state.core.runs(*number)).count();
        if let Some(paid) = &self.budget {
            (0..hedges).for_each(|_| paid.live.core().attempt_over());
        }
        self.let_go();
    }
}
