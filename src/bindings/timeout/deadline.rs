//! A deadline: when it passes, those around it, and the alarm that it may have set.

use super::alarm::{Alarm, Verdict};
use super::here::{ALIVE, innermost, variable};
use super::hosts::Host;
use crate::bindings::alone::Alone;
use crate::bindings::clock::ambient;
use crate::bindings::context::set;
use crate::bindings::convert;
use crate::bindings::failures::{config_error, discard};
use crate::error::Problem;
use crate::time::{self, Clock, LATEST, Nanos, SECOND};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Was there ever a shield in the process? Most programs have none to look for.
static WALLS: AtomicBool = AtomicBool::new(false);

/// A time by which work is to be done, and where it was set.
#[pyclass(frozen, module = "seawall._core")]
pub struct Deadline {
    at: Nanos,
    /// `None`: nothing is bounded inside, and what is outside stays known.
    limit: Option<Nanos>,
    began: Nanos,
    name: Option<Py<PyAny>>,
    /// Where it was set: the code and the line, put into words only if somebody asks.
    place: Option<(Py<PyAny>, u32)>,
    pub(super) outer: Option<Py<Deadline>>,
    /// The outer one that is earlier than this.
    earlier: Option<Py<Deadline>>,
    alarm: Alone<Option<Alarm>>,
    entered: AtomicBool,
    /// The call that it bounded has ended: it bounds nothing any more.
    pub(super) over: AtomicBool,
}

impl Deadline {
    /// When the time is over, on the clock in force here.
    pub fn at(&self) -> Nanos {
        self.at
    }

    /// The one that bounds the work inside: the earliest around.
    pub fn nearest<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, Self>> {
        let deadline = slf.get();
        deadline.limit?;
        let Some(earlier) = deadline.earlier.as_ref().map(|it| it.bind(slf.py())) else {
            return Some(slf.clone());
        };
        if !earlier.get().over.load(Relaxed) {
            return Some(earlier.clone());
        }
        let outer =
            |of: &Bound<'py, Self>| of.get().outer.as_ref().map(|it| it.bind(of.py()).clone());
        let (mut nearest, mut next) = (slf.clone(), outer(slf));
        while let Some(one) = next.filter(|one| one.get().limit.is_some()) {
            next = outer(&one);
            if !one.get().over.load(Relaxed) && one.get().at <= nearest.get().at {
                nearest = one;
            }
        }
        Some(nearest)
    }

    fn make(
        py: Python<'_>,
        limit: Option<Nanos>,
        name: Option<Py<PyAny>>,
        place: Option<(Py<PyAny>, u32)>,
    ) -> Self {
        let began = ambient(py).now();
        let at = limit.map_or(LATEST, |limit| began.saturating_add(limit).min(LATEST));
        let outer = innermost(py);
        let earlier = outer
            .as_ref()
            .and_then(Self::nearest)
            .filter(|outer| outer.get().at <= at)
            .map(Bound::unbind);
        let outer = outer.map(Bound::unbind);
        let (alarm, entered) = (Alone::new(None), AtomicBool::new(false));
        let over = AtomicBool::new(false);
        Self { at, limit, began, name, place, outer, earlier, alarm, entered, over }
    }

    /// The deadline that a timeout sets at `at`, `limit` after its call began, inside of `outer`.
    pub fn bounded<'py>(
        py: Python<'py>,
        at: Nanos,
        limit: Nanos,
        name: Py<PyAny>,
        outer: Option<Bound<'py, Self>>,
    ) -> PyResult<Bound<'py, Self>> {
        let earlier = outer
            .as_ref()
            .and_then(Self::nearest)
            .filter(|outer| outer.get().at <= at)
            .map(Bound::unbind);
        let deadline = Self {
            at,
            limit: Some(limit),
            began: at.saturating_sub(limit),
            name: Some(name),
            place: None,
            outer: outer.map(Bound::unbind),
            earlier,
            alarm: Alone::new(None),
            // The context may know it only by one inside of it.
            entered: AtomicBool::new(true),
            over: AtomicBool::new(false),
        };
        ALIVE.up();
        Bound::new(py, deadline)
    }

    /// Makes it the one of this context.
    pub fn enter(slf: &Bound<'_, Self>) {
        if let Err(error) = Self::_enter(slf) {
            discard(slf.py(), error);
        }
    }

    /// The context is outside of it from now on; nothing, where it is not the innermost here.
    pub fn leave(slf: &Bound<'_, Self>) {
        let py = slf.py();
        if !innermost(py).is_some_and(|here| here.is(slf)) {
            return;
        }
        let left = match &slf.get().outer {
            Some(outer) => set(py, variable(py), outer.bind(py).as_any()),
            None => set(py, variable(py), &py.None().into_bound(py)),
        };
        if let Err(error) = left {
            discard(py, error);
        }
    }

    /// Does the context lie behind a shield inside of it?
    pub fn shielded(slf: &Bound<'_, Self>) -> bool {
        if !WALLS.load(Relaxed) {
            return false;
        }
        let mut next = innermost(slf.py());
        while let Some(one) = next.filter(|one| !one.is(slf)) {
            if one.get().limit.is_none() {
                return true;
            }
            next = one.get().outer.as_ref().map(|outer| outer.bind(slf.py()).clone());
        }
        false
    }

    /// The call that it bounded has ended. The context goes on to name it, as others may that were
    /// copied from it: nobody believes that any more, and to take it out would cost as much as to
    /// put it in.
    pub fn finish(&self) {
        let over = self.over.load(Relaxed);
        self.over.store(true, Relaxed);
        if !over && self.entered.load(Relaxed) {
            ALIVE.down();
        }
    }

    /// Has the current task cancelled at `at`.
    pub fn arm_at(&self, py: Python<'_>, host: Host<'_>, at: Nanos) -> PyResult<()> {
        drop(self.swap(Some(Alarm::arm_on(py, host, at)?)));
        Ok(())
    }

    /// Takes the alarm off, and says what it has to do with the end of the work.
    pub fn settle_alarm(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<Verdict> {
        match self.swap(None) {
            Some(mut alarm) => alarm.settle(py, error),
            None => Ok(Verdict::Quiet),
        }
    }

    /// As [`Deadline::settle_alarm`], of work that was thrown away, by its task or by another.
    pub fn end_alarm(&self, py: Python<'_>) -> PyResult<()> {
        match self.swap(None) {
            Some(mut alarm) if alarm.can_settle(py) => alarm.settle(py, None).map(drop),
            _ => Ok(()),
        }
    }

    #[allow(unsafe_code, reason = "see `Alone`")]
    fn swap(&self, alarm: Option<Alarm>) -> Option<Alarm> {
        // SAFETY: moving it runs nothing.
        unsafe { self.alarm.with(|kept| std::mem::replace(kept, alarm)) }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if *self.entered.get_mut() && !*self.over.get_mut() {
            ALIVE.down();
        }
    }
}

#[pymethods]
impl Deadline {
    /// So many seconds from now. Negative ones are over already.
    ///
    /// A `ConfigError`: it is no time, or longer than ten years.
    #[new]
    #[pyo3(signature = (limit, name = None, code = None, line = 0))]
    fn new(
        limit: &Bound<'_, PyAny>,
        name: Option<Py<PyAny>>,
        code: Option<Py<PyAny>>,
        line: u32,
    ) -> PyResult<Self> {
        let py = limit.py();
        let wrong = |rule: &str| {
            let value = limit.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
            config_error(py, "deadline", vec![Problem::new("seconds", value, rule)])
        };
        let Some(number) = convert::seconds(limit) else {
            return Err(wrong("must be seconds or a timedelta"));
        };
        let Some(nanos) = time::seconds(number.max(0.0)).filter(|_| !number.is_nan()) else {
            return Err(wrong("must be a time of at most ten years"));
        };
        Ok(Self::make(py, Some(nanos), name, code.map(|code| (code, line))))
    }

    /// One inside of which nothing is bounded.
    #[staticmethod]
    fn _wall(py: Python<'_>) -> Self {
        Self::make(py, None, None, None)
    }

    /// Makes it the one of this context; answers the token that undoes it.
    fn _enter<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if !slf.get().entered.load(Relaxed) && !slf.get().entered.swap(true, Relaxed) {
            ALIVE.up();
            if slf.get().limit.is_none() {
                WALLS.store(true, Relaxed);
            }
        }
        set(slf.py(), variable(slf.py()), slf.as_any())
    }

    /// Has the current task cancelled when the nearest deadline passes.
    fn _arm(slf: &Bound<'_, Self>) -> PyResult<()> {
        let at = Self::nearest(slf).map_or(LATEST, |nearest| nearest.get().at);
        let alarm = Alarm::arm(slf.py(), at)?;
        drop(slf.get().swap(Some(alarm)));
        Ok(())
    }

    /// Takes the alarm off. Answers what it has to do with the end of the work: 0 nothing, 1 the
    /// cancellation is its own, 2 it rang and the work ended otherwise, 3 somebody else has asked
    /// for a cancellation as well; and what is left of a group of errors.
    #[pyo3(signature = (error))]
    fn _settle(
        &self,
        py: Python<'_>,
        error: Option<Bound<'_, PyBaseException>>,
    ) -> PyResult<(u8, Option<PyErr>)> {
        let Some(mut alarm) = self.swap(None) else {
            return Ok((0, None));
        };
        let error = error.map(|error| PyErr::from_value(error.into_any()));
        Ok(match alarm.settle(py, error.as_ref())? {
            Verdict::Quiet => (0, None),
            Verdict::Expired => (1, None),
            Verdict::Late => (2, None),
            Verdict::Cancelled => (3, None),
            Verdict::Left(error) => (1, Some(error)),
        })
    }

    /// Keeps the alarms of the current task from ringing, its own and those of the deadlines
    /// around; answers whose they are.
    fn _suspend<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<Bound<'py, Self>>> {
        let py = slf.py();
        let mut suspended = Vec::new();
        let mut next = Some(slf.clone());
        while let Some(deadline) = next {
            next = deadline.get().outer.as_ref().map(|outer| outer.bind(py).clone());
            if let Some(mut alarm) = deadline.get().swap(None) {
                let mine = alarm.is_of_here(py);
                let done = if mine { alarm.suspend(py) } else { Ok(()) };
                drop(deadline.get().swap(Some(alarm)));
                done?;
                if mine {
                    suspended.push(deadline);
                }
            }
        }
        Ok(suspended)
    }

    /// Has its alarm ring again.
    fn _resume(&self, py: Python<'_>) -> PyResult<()> {
        let Some(mut alarm) = self.swap(None) else {
            return Ok(());
        };
        let done = alarm.resume(py);
        drop(self.swap(Some(alarm)));
        done
    }

    /// Has its alarm rung?
    #[getter]
    fn _fired(&self, py: Python<'_>) -> bool {
        self.swap(None).is_some_and(|alarm| {
            let fired = alarm.fired(py);
            drop(self.swap(Some(alarm)));
            fired
        })
    }

    /// The one that bounds the work inside: itself, or one around that is earlier.
    #[getter]
    fn _nearest<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, Self>> {
        Self::nearest(slf)
    }

    /// When it passes, in nanoseconds of the clock that it was set by.
    #[getter]
    fn _at(&self) -> Nanos {
        self.at
    }

    /// Seconds from when it was set to when it passes.
    #[getter]
    fn limit(&self) -> Option<f64> {
        self.limit.map(in_seconds)
    }

    /// Its name, if it was given one.
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.name.as_ref().map(|name| name.clone_ref(py))
    }

    /// The code and the line that set it.
    #[getter]
    fn _place(&self, py: Python<'_>) -> Option<(Py<PyAny>, u32)> {
        self.place.as_ref().map(|(code, line)| (code.clone_ref(py), *line))
    }

    /// Seconds since it was set, by the clock in force here.
    #[getter]
    fn elapsed(&self, py: Python<'_>) -> f64 {
        in_seconds(ambient(py).now().saturating_sub(self.began))
    }

    /// Seconds left, by the clock in force here; 0.0: it has passed.
    #[getter]
    pub fn remaining(&self, py: Python<'_>) -> f64 {
        in_seconds(self.at.saturating_sub(ambient(py).now()))
    }

    /// Has it passed, by the clock in force here?
    #[getter]
    fn expired(&self, py: Python<'_>) -> bool {
        ambient(py).now() >= self.at
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for other in [&self.outer, &self.earlier].into_iter().flatten() {
            visit.call(other)?;
        }
        if let Some(name) = &self.name {
            visit.call(name)?;
        }
        if let Some((code, _)) = &self.place {
            visit.call(code)?;
        }
        #[allow(unsafe_code, reason = "see `Alone`")]
        // SAFETY: the collector's visits run nothing.
        unsafe {
            self.alarm.with(|alarm| alarm.as_ref().map_or(Ok(()), |alarm| alarm.traverse(&visit)))
        }
    }

    fn __clear__(&self) {
        drop(self.swap(None));
    }
}

fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}
