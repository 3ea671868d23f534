//! The wheel of an event loop, turned by one timer of that loop.
//!
//! The timer is set when the first alarm is, and again only for an earlier one or when it has gone
//! off: alarms that are taken off leave it where it is. Nothing here keeps a loop or a task alive:
//! the loop is known by a weak reference, and who set an alarm owns the task that the wheel points
//! to.
#![allow(unsafe_code, reason = "the wheel points to tasks that those who set alarms own")]

use crate::bindings::alone::Alone;
use crate::policies::timeout::{Key, Wheel};
use crate::time::{Clock, Nanos, SECOND, System};
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyWeakrefReference};
use std::collections::HashMap;

/// A task that whoever set the alarm owns.
struct Target(*mut ffi::PyObject);

// SAFETY: a pointer; it is followed by attached threads only.
unsafe impl Send for Target {}

struct Turning {
    wheel: Wheel<Target>,
    /// When the loop's timer goes off; [`Nanos::MAX`]: none is set.
    next: Nanos,
    /// That timer, weakly: it holds its loop.
    timer: Option<Py<PyAny>>,
}

/// The alarms of one loop. Called, it rings what is due: that is what the loop's timer does.
#[pyclass(frozen, module = "seawall._core")]
pub struct LoopWheel {
    turning: Alone<Turning>,
    running: Py<PyAny>,
    /// An empty context: the timer is to hold nothing of the task that happened to set it.
    context: Py<PyAny>,
}

/// The wheels of all loops, by the loops' addresses.
#[derive(Default)]
struct Wheels {
    all: HashMap<usize, Py<LoopWheel>>,
    /// The one that was asked for last: nearly every program has one loop.
    last: Option<(usize, Py<LoopWheel>)>,
}

impl Wheels {
    fn find(&mut self, py: Python<'_>, address: usize) -> Option<Py<LoopWheel>> {
        if let Some((_, wheel)) = self.last.as_ref().filter(|(of, _)| *of == address) {
            return Some(wheel.clone_ref(py));
        }
        let wheel = self.all.get(&address)?.clone_ref(py);
        self.last = Some((address, wheel.clone_ref(py)));
        Some(wheel)
    }

    /// Gives up the wheel of a loop that is gone.
    fn forget(&mut self, address: usize) -> [Option<Py<LoopWheel>>; 2] {
        let last = self.last.take_if(|(of, _)| *of == address);
        [self.all.remove(&address), last.map(|(_, wheel)| wheel)]
    }
}

fn wheels(py: Python<'_>) -> &'static Alone<Wheels> {
    static WHEELS: PyOnceLock<Alone<Wheels>> = PyOnceLock::new();
    WHEELS.get_or_init(py, || Alone::new(Wheels::default()))
}

impl LoopWheel {
    /// That of the loop which runs here.
    pub fn of(running: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        let py = running.py();
        let address = running.as_ptr() as usize;
        // SAFETY: cloning a reference runs nothing, nor does letting go of one of several.
        let known = unsafe { wheels(py).with(|wheels| wheels.find(py, address)) };
        known.map_or_else(|| Self::make(running), Ok)
    }

    #[cold]
    fn make(running: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        let py = running.py();
        let address = running.as_ptr() as usize;
        let gone = Bound::new(py, Gone(address))?;
        let running = PyWeakrefReference::new_with(running, gone).map_err(|error| {
            let message = format!("seawall can't keep time for this event loop: {error}");
            PyTypeError::new_err(message)
        })?;
        // SAFETY: attached; a new reference, or NULL with an exception.
        let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_New())? };
        let turning = Turning { wheel: Wheel::new(), next: Nanos::MAX, timer: None };
        let wheel = Py::new(
            py,
            Self {
                turning: Alone::new(turning),
                running: running.into_any().unbind(),
                context: context.unbind(),
            },
        )?;
        // SAFETY: inserting under a key that the map did not have lets go of nothing; were there
        // one after all, it is handed out and dropped here.
        let old = unsafe { wheels(py).with(|it| it.all.insert(address, wheel.clone_ref(py))) };
        drop(old);
        Ok(wheel)
    }

    /// Sets an alarm for `task` on the loop that runs here.
    ///
    /// # Safety
    /// `task` lives until the alarm is taken off.
    pub unsafe fn arm(
        slf: &Bound<'_, Self>,
        running: &Bound<'_, PyAny>,
        task: *mut ffi::PyObject,
        at: Nanos,
    ) -> PyResult<Key> {
        // SAFETY: the wheel is plain data.
        let (key, earlier) = unsafe {
            slf.get().turning.with(|turning| {
                let key = turning.wheel.arm(at, System.coarse(), Target(task));
                (key, turning.wheel.due().is_some_and(|due| due < turning.next))
            })
        };
        if earlier && let Err(error) = Self::set_timer(slf, running) {
            slf.get().disarm(key);
            return Err(error);
        }
        Ok(key)
    }

    /// Takes an alarm off.
    pub fn disarm(&self, key: Key) {
        // SAFETY: the wheel is plain data.
        unsafe { self.turning.with(|turning| turning.wheel.disarm(key)) };
    }

    /// Has it rung?
    pub fn has_rung(&self, key: Key) -> bool {
        // SAFETY: the wheel is plain data.
        unsafe { self.turning.with(|turning| turning.wheel.has_rung(key)) }
    }

    /// Sets the loop's timer to when the wheel wants to be looked at, if it ever does.
    #[cold]
    fn set_timer(slf: &Bound<'_, Self>, running: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, turning) = (slf.py(), &slf.get().turning);
        // SAFETY: moving a reference out runs nothing.
        let (due, timer) = unsafe {
            turning.with(|turning| {
                turning.next = Nanos::MAX;
                (turning.wheel.due(), turning.timer.take())
            })
        };
        if let Some(timer) = timer.and_then(|timer| timer.bind(py).call0().ok())
            && !timer.is_none()
        {
            timer.call_method0(intern!(py, "cancel"))?;
        }
        let Some(due) = due else {
            return Ok(());
        };
        let when = on_its_scale(due, running.call_method0(intern!(py, "time"))?.extract()?);
        let options = PyDict::new(py);
        options.set_item(intern!(py, "context"), slf.get().context.bind(py))?;
        let timer = running.call_method(intern!(py, "call_at"), (when, slf), Some(&options))?;
        // A timer that can't be known weakly is left to go off in vain.
        let timer = PyWeakrefReference::new(&timer).ok().map(|timer| timer.into_any().unbind());
        // SAFETY: moving references runs nothing; the old one is dropped outside.
        let old = unsafe {
            turning.with(|turning| {
                turning.next = due;
                std::mem::replace(&mut turning.timer, timer)
            })
        };
        drop(old);
        Ok(())
    }
}

#[pymethods]
impl LoopWheel {
    /// Rings what is due, and sets the timer for what comes next.
    fn __call__(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, wheel) = (slf.py(), slf.get());
        let now = System.now();
        let mut stop = Ok(());
        loop {
            // SAFETY: an alarm that is in the wheel has its task; taking a further reference runs
            // nothing.
            let task = unsafe {
                wheel.turning.with(|turning| {
                    turning.wheel.ring(now).map(|task| Bound::from_borrowed_ptr(py, task.0))
                })
            };
            let Some(task) = task else { break };
            match task.call_method0(intern!(py, "cancel")) {
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    error.write_unraisable(py, Some(&task));
                }
                Err(error) => stop = Err(error),
                Ok(_) => {}
            }
        }
        // SAFETY: the wheel is plain data.
        unsafe { wheel.turning.with(|turning| turning.wheel.trim()) };
        let running = wheel.running.bind(py).call0()?;
        if !running.is_none() {
            Self::set_timer(slf, &running)?;
        }
        stop
    }

    /// How many alarms are set, and whether the loop's timer is: for tests.
    #[getter]
    fn _state(&self) -> (usize, bool) {
        // SAFETY: the wheel is plain data.
        unsafe { self.turning.with(|turning| (turning.wheel.len(), turning.next != Nanos::MAX)) }
    }
}

/// A time of the machine's on the scale of a loop that reads `time` now. Most loops go by the same
/// clock, some of them by a reading that is a little old.
fn on_its_scale(at: Nanos, time: f64) -> f64 {
    let now = System.now();
    let (at, now) = (at as f64 / SECOND as f64, now as f64 / SECOND as f64);
    if (time - now).abs() < 1.0 { at } else { time + (at - now) }
}

/// Forgets the wheel of a loop that is no more, before another can have its address.
#[pyclass(frozen, module = "seawall._core")]
struct Gone(usize);

#[pymethods]
impl Gone {
    fn __call__(&self, py: Python<'_>, _weak: &Bound<'_, PyAny>) {
        // SAFETY: moving references out runs nothing; they are dropped outside.
        let wheel = unsafe { wheels(py).with(|wheels| wheels.forget(self.0)) };
        drop(wheel);
    }
}
