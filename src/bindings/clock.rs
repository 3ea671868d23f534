//! Which clock a call reads: the machine's, or a test's.

use super::agenda::{Agenda, Key, Step};
use super::context::{current, new_variable, reset, set};
use super::gate;
use crate::time::{self, Clock, LATEST, Manual, Nanos, SECOND, System};
use pyo3::exceptions::{PyException, PyOverflowError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyTraverseError, PyVisit};
use std::sync::Arc;

/// Nanoseconds as Python has them.
pub fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

/// The clock in force here: in this task, in this thread.
pub enum Ambient {
    System,
    Test(Arc<Reading>),
}

impl Ambient {
    /// Seconds since the epoch, for people to read. A test's clock takes its wall clock along.
    pub fn wall(&self) -> f64 {
        match self {
            Self::System => time::wall(),
            Self::Test(clock) => {
                clock.wall + (clock.clock.now() - clock.start) as f64 / SECOND as f64
            }
        }
    }
}

impl Clock for Ambient {
    fn now(&self) -> Nanos {
        match self {
            Self::System => System.now(),
            Self::Test(clock) => clock.clock.now(),
        }
    }

    fn coarse(&self) -> Nanos {
        match self {
            Self::System => System.coarse(),
            Self::Test(clock) => clock.clock.coarse(),
        }
    }

    fn date(&self) -> Nanos {
        match self {
            Self::System => System.date(),
            Self::Test(clock) => {
                // Before 1970 there is nothing.
                let start = std::time::Duration::try_from_secs_f64(clock.wall).unwrap_or_default();
                let start = Nanos::try_from(start.as_nanos()).unwrap_or(LATEST);
                start.saturating_add(clock.clock.now() - clock.start)
            }
        }
    }
}

/// A test's clock and where it started, on both scales.
pub struct Reading {
    clock: Manual,
    start: Nanos,
    wall: f64,
}

/// The clock of the current context. Looks at a context variable only when some test clock is on.
pub fn ambient(py: Python<'_>) -> Ambient {
    match test_clock(py) {
        Some(clock) => Ambient::Test(Arc::clone(&clock.get().reading)),
        None => Ambient::System,
    }
}

/// Seconds since the epoch by the clock of the current context.
#[pyfunction]
pub fn wall(py: Python<'_>) -> f64 {
    ambient(py).wall()
}

/// The test clock of the current context, if there is one.
#[pyfunction]
pub fn test_clock(py: Python<'_>) -> Option<Bound<'_, TestClock>> {
    if !gate::ambient(gate::word()) {
        return None;
    }
    current(py, variable(py))?.cast_into::<TestClock>().ok()
}

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_clock"))
}

/// A clock that stands still until it is told to move. Entered, it is the clock of the current
/// context: of this task and the tasks it starts, or of this thread.
///
/// It owns the time and the list of what is to be called when. Who moves it, and when, is Python's
/// to say, and so is how a sleeper is woken.
#[pyclass(frozen, subclass, module = "seawall._core")]
pub struct TestClock {
    reading: Arc<Reading>,
    agenda: Agenda,
}

#[pymethods]
impl TestClock {
    /// Starts at the machine's own time, so that state made before entering keeps its meaning.
    #[new]
    fn new() -> Self {
        let start = System.now();
        let reading = Reading { clock: Manual::new(start), start, wall: time::wall() };
        Self { reading: Arc::new(reading), agenda: Agenda::default() }
    }

    /// Seconds this clock has been moved so far.
    #[getter]
    fn elapsed(&self) -> f64 {
        (self.reading.clock.now() - self.reading.start) as f64 / SECOND as f64
    }

    /// The time, in nanoseconds on the scale of the machine's monotonic clock.
    #[getter]
    fn _now(&self) -> Nanos {
        self.reading.clock.now()
    }

    /// How many calls wait for their time.
    #[getter]
    fn _calls(&self) -> usize {
        self.agenda.len()
    }

    /// Calls `callback` when the clock comes to `nanos`, on the thread that moves it: in the order
    /// of time, at one time in the order of asking. At once, if it has come there already.
    pub fn _call_at<'py>(
        slf: &Bound<'py, Self>,
        nanos: Nanos,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Call>> {
        let (py, clock) = (slf.py(), slf.get());
        if nanos > LATEST {
            return Err(beyond());
        }
        let key = clock.agenda.key(nanos);
        let call = Bound::new(py, Call { clock: slf.clone().unbind(), key })?;
        if let Some(due) = clock.agenda.add(key, callback.unbind(), &clock.reading.clock) {
            make(&due.into_bound(py))?;
        } else if let Err(error) = slf.call_method0(pyo3::intern!(py, "_expect")) {
            call.get().cancel();
            return Err(error);
        }
        Ok(call)
    }

    /// Told after each call that was added. A clock that moves by itself looks at who is to wait.
    #[allow(clippy::unused_self, reason = "it is there to be overridden")]
    fn _expect(&self) {}

    /// One step on the way `nanos` forward: to the next call, which is made. Answers how far it is
    /// from there; `None`: it is all done, and no call is due.
    ///
    /// A step is a distance, not a place, so that moves by several threads, or by what is called,
    /// add up.
    fn _advance(&self, py: Python<'_>, nanos: Nanos) -> PyResult<Option<Nanos>> {
        match self.agenda.step(&self.reading.clock, nanos) {
            Step::Call(callback, left) => make(&callback.into_bound(py)).map(|()| Some(left)),
            Step::Done => Ok(None),
            Step::Beyond => Err(beyond()),
        }
    }

    /// Moves to the next call, and makes it. False: there is none.
    fn _jump(&self, py: Python<'_>) -> PyResult<bool> {
        match self.agenda.jump(&self.reading.clock) {
            Some(callback) => make(&callback.into_bound(py)).map(|()| true),
            None => Ok(false),
        }
    }

    /// Whether the next call is one of this moment.
    #[getter]
    fn _due(&self) -> bool {
        self.agenda.is_due(self.reading.clock.now())
    }

    /// Makes it the one of this context; answers the token that undoes it.
    fn _enter<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let token = set(py, variable(py), slf.as_any())?;
        gate::clock_on();
        Ok(token)
    }

    /// Undoes an entry. A `ValueError` means that it was another context's.
    #[staticmethod]
    fn _exit(py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        reset(py, variable(py), token)?;
        gate::clock_off();
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.agenda.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.agenda.take_all());
    }
}

/// Makes a call. One that fails is reported, and the clock goes on; only what stops a program
/// (`KeyboardInterrupt`, `SystemExit`) stops the clock as well.
fn make(callback: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = callback.py();
    match callback.call0() {
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, Some(callback));
            Ok(())
        }
        made => made.map(drop),
    }
}

fn beyond() -> PyErr {
    PyOverflowError::new_err("beyond the latest time that fits")
}

/// A call that a test clock is to make.
#[pyclass(frozen, module = "seawall._core", name = "TestClockCall")]
pub struct Call {
    clock: Py<TestClock>,
    key: Key,
}

#[pymethods]
impl Call {
    /// Takes it off the list. False: it was made, is being made, or was taken off already.
    pub fn cancel(&self) -> bool {
        let taken = self.clock.get().agenda.take(self.key);
        taken.is_some()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock)
    }
}
