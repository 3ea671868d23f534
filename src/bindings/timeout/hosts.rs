//! Who runs the code here. Nothing is imported to ask: who was not loaded runs nothing.
#![allow(unsafe_code, reason = "the table of modules is reached through the C API")]

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
#[cfg(not(Py_3_12))]
use pyo3::types::PyDict;
use pyo3::types::PyString;

/// Who runs the current task.
pub enum Host<'py> {
    Asyncio { running: Bound<'py, PyAny>, task: Bound<'py, PyAny> },
    Trio,
}

/// The one that runs this code. A `RuntimeError`: neither does.
pub fn here(py: Python<'_>) -> PyResult<Host<'_>> {
    if let Some(trio) = loaded(py, intern!(py, "trio"))
        && in_trio_task(py, &trio)
    {
        return Ok(Host::Trio);
    }
    if let Some(asyncio) = asyncio(py)?
        && let Some(running) = asyncio.running(py)?
        && let Some(task) = asyncio.task_of(&running)?
    {
        return Ok(Host::Asyncio { running, task });
    }
    Err(PyRuntimeError::new_err(
        "seawall can cancel tasks of asyncio and trio, and neither runs this code: await it in a \
         task of one of them",
    ))
}

/// Does trio run this code?
pub fn in_trio(py: Python<'_>) -> bool {
    loaded(py, intern!(py, "trio")).is_some_and(|trio| in_trio_task(py, &trio))
}

/// The module asyncio, if a loop of its runs this code and trio does not.
pub fn asyncio_here(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    asyncio(py).ok()??.running(py).ok()??;
    if in_trio(py) { None } else { loaded(py, intern!(py, "asyncio")) }
}

/// Is `error` asyncio's cancellation?
pub fn is_cancellation(py: Python<'_>, error: &PyErr) -> bool {
    match asyncio(py) {
        Ok(Some(asyncio)) => error.matches(py, asyncio.cancelled.bind(py)).unwrap_or(false),
        _ => false,
    }
}

/// A module, if somebody has imported it.
fn loaded<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; the table of modules lives as long as the interpreter, and the answer is a
    // borrowed reference, or NULL without an exception.
    unsafe {
        let module = ffi::PyDict_GetItemWithError(ffi::PyImport_GetModuleDict(), name.as_ptr());
        Bound::from_borrowed_ptr_or_opt(py, module)
    }
}

/// Of a module that is only half imported the answer is no.
fn in_trio_task(py: Python<'_>, trio: &Bound<'_, PyAny>) -> bool {
    static ASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let ask = ASK.get_or_try_init(py, || -> PyResult<Py<PyAny>> {
        Ok(trio.getattr(intern!(py, "lowlevel"))?.getattr(intern!(py, "in_trio_task"))?.unbind())
    });
    ask.and_then(|ask| ask.bind(py).call0()?.is_truthy()).unwrap_or(false)
}

struct Asyncio {
    running: Py<PyAny>,
    /// Before 3.12 asking for the current task is a Python function around this dict.
    tasks: Py<PyAny>,
    cancelled: Py<PyAny>,
}

impl Asyncio {
    /// The loop that runs in this thread.
    fn running<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        #[cfg(Py_3_12)]
        let running = self.running.bind(py).call0()?;
        #[cfg(not(Py_3_12))]
        let running = match super::running::here(py) {
            Some(running) => running,
            None => super::running::ask(self.running.bind(py))?,
        };
        Ok((!running.is_none()).then_some(running))
    }

    /// The task that `running` runs now.
    fn task_of<'py>(&self, running: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = running.py();
        #[cfg(Py_3_12)]
        let task = self.tasks.bind(py).call1((running,))?;
        #[cfg(not(Py_3_12))]
        let Some(task) = self.tasks.bind(py).cast::<PyDict>()?.get_item(running)? else {
            return Ok(None);
        };
        Ok((!task.is_none()).then_some(task))
    }
}

fn asyncio(py: Python<'_>) -> PyResult<Option<&'static Asyncio>> {
    static ASYNCIO: PyOnceLock<Asyncio> = PyOnceLock::new();
    if let Some(asyncio) = ASYNCIO.get(py) {
        return Ok(Some(asyncio));
    }
    let Some(asyncio) = loaded(py, intern!(py, "asyncio")) else {
        return Ok(None);
    };
    #[cfg(Py_3_12)]
    let tasks = asyncio.getattr_opt("current_task")?;
    #[cfg(not(Py_3_12))]
    let tasks = match asyncio.getattr_opt("tasks")? {
        Some(tasks) => tasks.getattr_opt("_current_tasks")?,
        None => None,
    };
    let (Some(running), Some(tasks), Some(cancelled)) =
        (asyncio.getattr_opt("_get_running_loop")?, tasks, asyncio.getattr_opt("CancelledError")?)
    else {
        return Ok(None);
    };
    let found =
        Asyncio { running: running.unbind(), tasks: tasks.unbind(), cancelled: cancelled.unbind() };
    Ok(Some(ASYNCIO.get_or_init(py, || found)))
}
