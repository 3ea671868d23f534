//! Where the answers for one event loop arrive.

use crate::process::forks;
use crate::process::locks::Lock;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Wake, Waker};

/// What the threads of stores see of it.
struct Shared {
    arrived: Lock<Arrived>,
}

struct Arrived {
    /// The waits that are over. While there are any, one byte is in the pipe, and otherwise none:
    /// neither writing it nor reading it ever blocks.
    numbers: Vec<u64>,
    reader: PipeReader,
    writer: PipeWriter,
}

struct Wait {
    inbox: Arc<Shared>,
    number: u64,
}

impl Wake for Wait {
    fn wake(self: Arc<Self>) {
        let mut arrived = self.inbox.arrived.lock();
        if arrived.numbers.is_empty() {
            // The reading end is as alive as this one.
            let _ = arrived.writer.write_all(&[1]);
        }
        arrived.numbers.push(self.number);
    }
}

/// The answers for one event loop. Its descriptor can be read when there are some.
#[pyclass(frozen, weakref, module = "seawall._core")]
pub struct Inbox {
    shared: Arc<Shared>,
    last: AtomicU64,
    generation: u32,
}

impl Inbox {
    /// The number of a wait that begins, and who ends it.
    pub fn expect(&self) -> (u64, Waker) {
        let number = self.last.fetch_add(1, Relaxed) + 1;
        (number, Waker::from(Arc::new(Wait { inbox: Arc::clone(&self.shared), number })))
    }
}

#[pymethods]
impl Inbox {
    #[new]
    fn new() -> PyResult<Self> {
        let (reader, writer) = pipe().map_err(|error| PyOSError::new_err(error.to_string()))?;
        let arrived = Lock::new(Arrived { numbers: Vec::new(), reader, writer });
        let shared = Arc::new(Shared { arrived });
        Ok(Self { shared, last: AtomicU64::new(0), generation: forks::generation() })
    }

    /// What to wait for until it can be read.
    #[cfg(unix)]
    fn fileno(&self) -> i32 {
        use std::os::fd::AsRawFd;
        self.shared.arrived.lock().reader.as_raw_fd()
    }

    /// Nothing that a loop could wait for.
    #[cfg(not(unix))]
    fn fileno(&self) -> PyResult<i32> {
        Err(pyo3::exceptions::PyNotImplementedError::new_err("no descriptor to wait for here"))
    }

    /// The waits that are over since this was asked last.
    fn take(&self) -> Vec<u64> {
        if self.is_foreign() {
            return Vec::new();
        }
        let mut arrived = self.shared.arrived.lock();
        if arrived.numbers.is_empty() {
            return Vec::new();
        }
        let _ = arrived.reader.read_exact(&mut [0]);
        std::mem::take(&mut arrived.numbers)
    }

    /// Does it belong to the process that this one was forked from?
    #[getter]
    fn is_foreign(&self) -> bool {
        self.generation != forks::generation()
    }
}
