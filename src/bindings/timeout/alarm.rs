//! One alarm of one task.
//!
//! It remembers the task when it is set. At its time the task is cancelled, as `asyncio.timeout`
//! does it: the request is counted, and taken back when the work has ended, so that code which asks
//! `cancelling()` is not misled, and a cancellation that somebody else asked for stays one.
#![allow(unsafe_code, reason = "dropped where pyo3 does not know that the thread is attached")]

use super::bell::Bell;
use super::hosts::{self, Host};
use super::loops::LoopWheel;
use crate::bindings::clock::{TestClock, test_clock};
use crate::policies::timeout::Key;
use crate::time::{Clock, LATEST, Nanos, SECOND, System};
use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{PyTraverseError, PyVisit};

/// What the end of the work has to do with its alarm.
#[derive(Debug)]
pub enum Verdict {
    /// It did not ring: result and error are what they are.
    Quiet,
    /// It rang, and the error is the cancellation that it asked for, and nobody else: the caller
    /// raises its own error from it.
    Expired,
    /// It rang, nobody else asked for a cancellation, and the work ended otherwise: it swallowed
    /// the cancellation, or failed on its way out.
    Late,
    /// It rang, and somebody else wants the task cancelled as well: that stays.
    Cancelled,
    /// It rang, and of a group of errors this is what is left without the cancellation.
    Left(PyErr),
}

/// An alarm. Dropped, it does not ring any more.
///
/// Whoever has one in an object that the collector knows shows it [`Alarm::traverse`].
pub struct Alarm {
    kind: Kind,
    at: Nanos,
}

enum Kind {
    Loop {
        wheel: Py<LoopWheel>,
        key: Option<Key>,
        task: Requested,
    },
    Test {
        bell: Py<Bell>,
        call: Option<Py<PyAny>>,
        task: Requested,
    },
    Trio(Py<PyAny>),
    /// Settled.
    Over,
}

/// A task of asyncio's, and how many had asked for its cancellation when the alarm was set.
struct Requested {
    task: Py<PyAny>,
    before: u32,
}

impl Requested {
    fn new(task: Bound<'_, PyAny>) -> PyResult<Self> {
        let before = task.call_method0(intern!(task.py(), "cancelling"))?.extract()?;
        Ok(Self { task: task.unbind(), before })
    }

    /// Takes back the request that was made when the alarm rang. Was it the only one?
    fn take_back(&self, py: Python<'_>) -> PyResult<bool> {
        let left: u32 = self.task.bind(py).call_method0(intern!(py, "uncancel"))?.extract()?;
        Ok(left <= self.before)
    }
}

impl Alarm {
    /// Sets an alarm for the task that runs here, at a time of the clock in force here.
    ///
    /// A `RuntimeError`: no task of asyncio's or trio's runs here.
    pub fn arm(py: Python<'_>, at: Nanos) -> PyResult<Self> {
        Self::arm_on(py, hosts::here(py)?, at)
    }

    /// As [`Alarm::arm`], of the task of `host`, which runs here.
    pub fn arm_on(py: Python<'_>, host: Host<'_>, at: Nanos) -> PyResult<Self> {
        let at = at.min(LATEST);
        let clock = test_clock(py);
        let kind = match host {
            Host::Asyncio { running, task } => match clock {
                None => {
                    let wheel = LoopWheel::of(&running)?.into_bound(py);
                    let task = Requested::new(task)?;
                    // SAFETY: `Kind::Loop` owns the task, and takes the alarm off before it is
                    // dropped.
                    let key = unsafe { LoopWheel::arm(&wheel, &running, task.task.as_ptr(), at)? };
                    Kind::Loop { wheel: wheel.unbind(), key: Some(key), task }
                }
                Some(clock) => {
                    let bell = Bell::new(&running, &task)?;
                    let call = Bell::hang(&bell, &clock, at)?;
                    Kind::Test { bell: bell.unbind(), call, task: Requested::new(task)? }
                }
            },
            Host::Trio => Kind::Trio(scope(py, at, clock.as_ref())?),
        };
        Ok(Self { kind, at })
    }

    /// Has it rung?
    pub fn fired(&self, py: Python<'_>) -> bool {
        match &self.kind {
            Kind::Loop { wheel, key, .. } => key.is_some_and(|key| wheel.get().has_rung(key)),
            Kind::Test { bell, .. } => bell.get().has_rung(),
            Kind::Trio(scope) => scope
                .bind(py)
                .getattr(intern!(py, "fired"))
                .and_then(|fired| fired.is_truthy())
                .unwrap_or(false),
            Kind::Over => false,
        }
    }

    /// Takes it off at the end of the work, and says what that end has to do with it.
    ///
    /// To be called once, by the task for which it was set; under trio in the order in which scopes
    /// are left. `error` is what the work raised.
    pub fn settle(&mut self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<Verdict> {
        let fired = self.fired(py);
        let verdict = match &self.kind {
            Kind::Loop { task, .. } | Kind::Test { task, .. } if fired => {
                if !task.take_back(py)? {
                    Verdict::Cancelled
                } else if error.is_some_and(|error| hosts::is_cancellation(py, error)) {
                    Verdict::Expired
                } else {
                    Verdict::Late
                }
            }
            Kind::Trio(scope) => {
                let value = error.map(|error| error.value(py));
                let (verdict, left): (u8, Option<Bound<'_, PyBaseException>>) =
                    scope.bind(py).call_method1(intern!(py, "settle"), (value,))?.extract()?;
                match (verdict, left) {
                    (_, Some(left)) => Verdict::Left(PyErr::from_value(left.into_any())),
                    (1, _) => Verdict::Expired,
                    (2, _) => Verdict::Late,
                    (3, _) => Verdict::Cancelled,
                    _ => Verdict::Quiet,
                }
            }
            _ => Verdict::Quiet,
        };
        self.take_off(py, true);
        Ok(verdict)
    }

    /// Is it the alarm of the task that runs here?
    pub fn is_of_here(&self, py: Python<'_>) -> bool {
        match (&self.kind, hosts::here(py)) {
            (
                Kind::Loop { task: mine, .. } | Kind::Test { task: mine, .. },
                Ok(Host::Asyncio { task, .. }),
            ) => mine.task.is(&task),
            (Kind::Trio(scope), Ok(Host::Trio)) => scope
                .bind(py)
                .call_method0(intern!(py, "is_of_here"))
                .and_then(|yes| yes.is_truthy())
                .unwrap_or(false),
            _ => false,
        }
    }

    /// A scope of trio's can only be left by its own task.
    pub fn can_settle(&self, py: Python<'_>) -> bool {
        !matches!(self.kind, Kind::Trio(_)) || self.is_of_here(py)
    }

    /// Keeps it from ringing until [`Alarm::resume`].
    pub fn suspend(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.fired(py) {
            return Ok(());
        }
        match &mut self.kind {
            Kind::Loop { wheel, key, .. } => {
                if let Some(key) = key.take() {
                    wheel.get().disarm(key);
                }
            }
            Kind::Test { bell, call, .. } => {
                bell.get().take_off();
                cancel(py, call.take());
            }
            Kind::Trio(scope) => {
                scope.bind(py).call_method0(intern!(py, "suspend"))?;
            }
            Kind::Over => {}
        }
        Ok(())
    }

    /// Sets it again for its time, which may have passed. By the task for which it was set.
    pub fn resume(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.fired(py) {
            return Ok(());
        }
        let Ok(host) = hosts::here(py) else {
            return Ok(()); // thrown away: there is nobody to stop any more
        };
        match (&mut self.kind, host) {
            (Kind::Loop { wheel, key, task }, Host::Asyncio { running, .. }) if key.is_none() => {
                // SAFETY: as in `arm`.
                let again = unsafe {
                    LoopWheel::arm(wheel.bind(py), &running, task.task.as_ptr(), self.at)?
                };
                *key = Some(again);
            }
            (Kind::Test { bell, call, .. }, _) if call.is_none() => {
                if let Some(clock) = test_clock(py) {
                    bell.get().put_back();
                    *call = Bell::hang(bell.bind(py), &clock, self.at)?;
                }
            }
            (Kind::Trio(scope), _) => {
                scope.bind(py).call_method0(intern!(py, "resume"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Shows the collector what this holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.kind {
            Kind::Loop { task, .. } => visit.call(&task.task),
            Kind::Test { bell, call, task } => {
                visit.call(bell)?;
                call.as_ref().map_or(Ok(()), |call| visit.call(call))?;
                visit.call(&task.task)
            }
            Kind::Trio(scope) => visit.call(scope),
            Kind::Over => Ok(()),
        }
    }

    fn take_off(&mut self, py: Python<'_>, settled: bool) {
        // First off the wheel, then the task that it points to.
        match std::mem::replace(&mut self.kind, Kind::Over) {
            Kind::Loop { wheel, key, task } => {
                if let Some(key) = key {
                    wheel.get().disarm(key);
                }
                task.task.drop_ref(py);
                wheel.drop_ref(py);
            }
            Kind::Test { bell, call, task } => {
                bell.get().take_off();
                cancel(py, call);
                task.task.drop_ref(py);
                bell.drop_ref(py);
            }
            Kind::Trio(scope) => {
                if !settled && let Err(error) = scope.bind(py).call_method0(intern!(py, "suspend"))
                {
                    error.write_unraisable(py, None);
                }
                scope.drop_ref(py);
            }
            Kind::Over => {}
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if !matches!(self.kind, Kind::Over) {
            // SAFETY: an alarm is held by objects of the interpreter, and by calls that run in it.
            let py = unsafe { Python::assume_attached() };
            self.take_off(py, false);
        }
    }
}

fn cancel(py: Python<'_>, call: Option<Py<PyAny>>) {
    if let Some(call) = call {
        if let Err(error) = call.bind(py).call_method0(intern!(py, "cancel")) {
            error.write_unraisable(py, Some(call.bind(py)));
        }
        call.drop_ref(py);
    }
}

/// A scope of trio's around what the current task does from now on.
fn scope(py: Python<'_>, at: Nanos, clock: Option<&Bound<'_, TestClock>>) -> PyResult<Py<PyAny>> {
    static SCOPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = SCOPE.import(py, "seawall.policies.timeout.trios", "Scope")?;
    let seconds = at.saturating_sub(System.now()) as f64 / SECOND as f64;
    Ok(class.call1((seconds, at, clock))?.unbind())
}
