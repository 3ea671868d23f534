//! A rate limit in a plan.
#![allow(unsafe_code, reason = "drivers run attached")]

use super::Current;
use super::events::{Said, tell};
use super::flow::{Flow, ring};
use super::meters::{Meter, Meters};
use super::settings::Hooks;
use super::turn::{Asked, Found, Place, Refusal, Turn, Waiting};
use crate::bindings::bulkhead::Bell;
use crate::bindings::call::Call;
use crate::bindings::clock::in_seconds;
use crate::bindings::convert::number;
use crate::bindings::failures::{classes, report};
use crate::bindings::keys::Source;
use crate::bindings::timeout;
use crate::bindings::wait::Wait;
use crate::policies::rate_limit::{Cost, Looked, Per, Refusal as Why};
use crate::sync::Counter;
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;
use std::sync::Arc;

/// A rate limit in a plan.
pub struct Step {
    flow: Arc<Flow>,
    cost: Cost,
    /// May calls wait?
    queues: bool,
    pub(super) hooks: Py<Hooks>,
    keyed: Option<Keyed>,
    pub(super) seq: Arc<Counter>,
    current: Arc<Mutex<Current>>,
    /// Must a call be looked at before it enters: for its key, or for what it costs?
    asks: bool,
    /// Is it a rate, by what is known here? Not a window of the calendar.
    rate: bool,
}

struct Keyed {
    meters: Arc<Meters>,
    source: Source,
}

impl Step {
    pub(super) fn of(
        py: Python<'_>,
        current: &Arc<Mutex<Current>>,
        meters: Option<&Arc<Meters>>,
        seq: &Arc<Counter>,
        source: Option<Source>,
    ) -> Self {
        let now = current.lock();
        let keyed = meters.zip(source);
        let settings = now.flow.core.settings();
        Self {
            asks: keyed.is_some() || now.hooks.get().cost.is_some(),
            keyed: keyed.map(|(meters, source)| Keyed { meters: Arc::clone(meters), source }),
            cost: settings.cost,
            rate: matches!(settings.per, Per::Time(_)),
            queues: settings.max_wait > 0,
            flow: Arc::clone(&now.flow),
            hooks: now.hooks.clone_ref(py),
            seq: Arc::clone(seq),
            current: Arc::clone(current),
        }
    }

    /// The same limit's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        let meters = self.keyed.as_ref().map(|keyed| &keyed.meters);
        let source = self.keyed.as_ref().map(|keyed| keyed.source.clone_ref(py));
        let renewed = Self::of(py, &self.current, meters, &self.seq, source);
        // The collector may have taken the hooks apart; what calls have ready stays what it was.
        Self { asks: self.asks, ..renewed }
    }

    /// Must calls be looked at before they enter?
    #[inline(always)]
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// Finds out what `call` costs, and whose it is.
    #[inline(never)]
    pub fn find<C: Clock>(&self, py: Python<'_>, call: &Call, clock: &C) -> PyResult<Found> {
        let cost = match &self.hooks.get().cost {
            Some(ask) => self.ask_cost(ask.bind(py), call)?,
            None => self.cost,
        };
        let meter = match &self.keyed {
            Some(keyed) => {
                let key = keyed.source.key(py, call)?;
                Some(keyed.meters.of(&key, &self.flow, clock)?)
            }
            None => None,
        };
        Ok(Found::new(meter, cost))
    }

    fn ask_cost(&self, ask: &Bound<'_, PyAny>, call: &Call) -> PyResult<Cost> {
        let py = ask.py();
        if call.callee.is_null() {
            return Err(PyTypeError::new_err(format!(
                "the cost of rate limit '{}' is a callable of the arguments, and a block has none",
                self.name(py)
            )));
        }
        let answer = Source::Ask(ask.clone().unbind());
        let given = answer.key(py, call);
        answer.release(py);
        let given = given?;
        number(&given).and_then(Cost::of).ok_or_else(|| {
            PyValueError::new_err(format!(
                "cost of rate limit '{}' answered {given:?}: {}",
                self.name(py),
                crate::policies::rate_limit::COST_RULE
            ))
        })
    }

    /// May it let calls wait?
    pub fn queues(&self) -> bool {
        self.queues
    }

    /// Lets a call in at once, where nothing need be known about it. `false`: see [`Step::enter`].
    ///
    /// By itself, so that little is saved on the way to the clock and back.
    #[inline(never)]
    pub fn admit<C: Clock>(&self, clock: &C) -> bool {
        if self.asks {
            return false;
        }
        let now = self.rate.then(|| clock.now());
        self.flow.core.take_from(now, self.cost, clock)
    }

    /// Lets a call in that was not at once, or lets it wait, or neither. `found`: what was found out
    /// about it, if that was asked for.
    pub fn enter<C: Clock>(&self, found: Option<Found>, clock: &C) -> Asked {
        self.enter_found(found.unwrap_or_else(|| Found::new(None, self.cost)), clock)
    }

    #[inline(never)]
    fn enter_found<C: Clock>(&self, mut found: Found, clock: &C) -> Asked {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        let mut anywhere = false;
        loop {
            let seen = found;
            let said = self.ask(py, &seen, clock);
            let gone = seen.bind(py).filter(|meter| !anywhere && meter.get().gone());
            let Some(gone) = gone else { return self.answer(py, found, said, clock) };
            // Let go of since it was found: what it knew was nothing.
            if let Ok(Some(Place { number, bell, .. })) = said {
                drop(bell);
                ring(py, gone.get().flow().leave(number, clock.now(), true));
            }
            match self.found_again(py, gone, clock) {
                Ok(again) => {
                    found.release();
                    found = Found::new(Some(again), found.cost);
                }
                // No memory for it: the one that was let go of is a place as well.
                Err(error) => {
                    report(py, error, gone.get().key.bind(py));
                    anywhere = true;
                }
            }
        }
    }

    fn flow<'a>(&'a self, py: Python<'a>, found: &'a Found) -> &'a Flow {
        found.bind(py).map_or(&*self.flow, |meter| meter.get().flow())
    }

    /// Asks the limit. `None`: the call is let in at once.
    fn ask<'py, C: Clock>(
        &self,
        py: Python<'py>,
        found: &Found,
        clock: &C,
    ) -> Result<Option<Place<'py>>, Why> {
        let flow = self.flow(py, found);
        if !self.queues {
            return flow.core.ask(found.cost, clock).map(|()| None);
        }
        if flow.core.take(found.cost, clock) {
            return Ok(None);
        }
        let now = clock.now();
        let bell = match Bound::new(py, Bell::new(now)) {
            Ok(bell) => bell,
            Err(error) => {
                report(py, error, self.name(py).as_any());
                return flow.core.ask(found.cost, clock).map(|()| None);
            }
        };
        let mut kept = Some(bell.clone().unbind());
        // At the very end of it nothing begins any more.
        let bound = timeout::time_left(py, now).map(|left| left.saturating_sub(1));
        let placed = flow.line.reserve(&flow.core, found.cost, bound, clock, &mut kept);
        drop(kept.map(|kept| kept.into_bound(py)));
        Ok(placed?.map(|placed| Place { number: placed.number, due: placed.due, bell }))
    }

    fn answer<C: Clock>(
        &self,
        py: Python<'_>,
        found: Found,
        said: Result<Option<Place<'_>>, Why>,
        clock: &C,
    ) -> Asked {
        match said {
            Ok(None) => {
                found.release();
                Asked::In
            }
            Ok(Some(place)) => {
                let (wait, cost) = (place.due.saturating_sub(clock.now()), found.cost);
                let turn = Turn::new(found, place);
                tell(py, self, turn.get().found.bind(py), cost, Said::Delayed(wait));
                Asked::Waits(turn)
            }
            Err(why) => Asked::Not(self.refused(found, why)),
        }
    }

    /// What the call waits for that has `turn`, and how long.
    pub fn wait<'py, C: Clock>(&self, py: Python<'py>, turn: Turn, clock: &C) -> Wait<'py> {
        let waiting = turn.get();
        let left = waiting.due.saturating_sub(clock.now());
        if self.hopeless(py, left, clock) {
            // A limit of time further out holds from now on: `resume` refuses it, as it does whoever is
            // woken too late.
            return Wait { bell: None, left: 0 };
        }
        Wait { bell: Some(turn.bell(py).into_any()), left }
    }

    #[allow(clippy::unused_self, reason = "it is this step's wait")]
    fn hopeless<C: Clock>(&self, py: Python<'_>, left: Nanos, clock: &C) -> bool {
        timeout::time_left(py, clock.now()).is_some_and(|time| time <= left)
    }

    /// It has waited, or was woken: it is let in, or waits on.
    pub fn resume<C: Clock>(&self, py: Python<'_>, turn: Turn, clock: &C) -> Asked {
        let now = clock.now();
        let Waiting { found, number, due, .. } = *turn.get();
        let flow = self.flow(py, &found);
        let left = due.saturating_sub(now);
        if self.hopeless(py, left, clock) {
            ring(py, flow.leave(number, now, true));
            let found = turn.end(py);
            return Asked::Not(self.refused(found, Why { retry_after: Some(left) }));
        }
        let bell = match Bound::new(py, Bell::new(now)) {
            Ok(bell) => bell,
            Err(error) => {
                report(py, error, self.name(py).as_any());
                turn.bell(py)
            }
        };
        let (looked, left) = flow.line.look(&flow.core, number, now, bell.clone().unbind());
        for bell in left.into_iter().flatten() {
            drop(bell.into_bound(py));
        }
        match looked {
            Looked::In => {
                turn.end(py).release();
                Asked::In
            }
            Looked::Until(due) => {
                turn.waits_on(py, due, bell);
                Asked::Waits(turn)
            }
        }
    }

    /// The wait was broken off.
    pub fn forsake<C: Clock>(&self, py: Python<'_>, turn: Turn, clock: &C) {
        let waiting = turn.get();
        let flow = self.flow(py, &waiting.found);
        ring(py, flow.leave(waiting.number, clock.now(), false));
        turn.end(py).release();
    }

    #[cold]
    fn found_again<'py, C: Clock>(
        &self,
        py: Python<'py>,
        meter: &Bound<'_, Meter>,
        clock: &C,
    ) -> PyResult<Bound<'py, Meter>> {
        let Some(Keyed { meters, .. }) = &self.keyed else {
            return Err(PyValueError::new_err("there is one state for all calls"));
        };
        let key = meter.get().key.bind(py);
        meters.of(key, &self.flow, clock).or_else(|error| {
            // The key can't be looked up any more; where the others are is a place too.
            report(py, error, key);
            meters.shared(py, &self.flow)
        })
    }

    #[cold]
    fn refused(&self, found: Found, why: Why) -> Refusal {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        tell(py, self, found.bind(py), found.cost, Said::Rejected(why.retry_after));
        Refusal { found, why }
    }

    /// The exception for a caller that was not let in.
    #[cold]
    pub fn error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        let retry_after = refusal.why.retry_after.map(in_seconds);
        let cost = refusal.found.cost.number();
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.rate_limited.bind(py);
            let error = match refusal.found.bind(py) {
                None => class.call1((self.name(py), retry_after, cost))?,
                Some(meter) => class.call1((self.name(py), retry_after, cost, &meter.get().key))?,
            };
            Ok(PyErr::from_value(error))
        };
        make().unwrap_or_else(|error| error)
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.hooks.drop_ref(py);
        if let Some(keyed) = self.keyed {
            keyed.source.release(py);
        }
        // The plan may have outlived the limit.
        if let Some(current) = Arc::into_inner(self.current) {
            let current = current.into_inner();
            current.hooks.drop_ref(py);
            current.name.drop_ref(py);
        }
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 3] {
        let [key, more] =
            self.keyed.as_ref().map_or([ptr::null_mut(); 2], |keyed| keyed.source.objects());
        [self.hooks.as_ptr(), key, more]
    }

    /// The limit's name.
    pub fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }
}
