//! An answer that is not there yet.

use super::errors::store_error;
use super::inbox::Inbox;
use super::reply::Reply;
use crate::process::locks::Lock;
use crate::stores::{self, StoreError};
use pyo3::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// An answer that is not there yet. Whoever does not take it drops it: a claim is then given back.
#[pyclass(frozen, module = "seawall._core")]
pub struct Pending {
    waited_for: Lock<Option<stores::Pending>>,
    store: Arc<str>,
}

impl Pending {
    pub fn new(waited_for: stores::Pending, store: &Arc<str>) -> Self {
        Self { waited_for: Lock::new(Some(waited_for)), store: Arc::clone(store) }
    }
}

#[pymethods]
impl Pending {
    /// The number under which it will arrive in `inbox`; 0: it is there.
    fn listen(&self, inbox: &Inbox) -> u64 {
        let waited_for = self.waited_for.lock();
        let (number, waker) = inbox.expect();
        match &*waited_for {
            Some(pending) if !pending.watch(&waker) => number,
            _ => 0,
        }
    }

    /// The answer; it is not waited for any more.
    fn take(&self, py: Python<'_>) -> PyResult<Reply> {
        let pending = self.waited_for.lock().take();
        let answer = pending.map_or(Poll::Pending, |mut pending| {
            Pin::new(&mut pending).poll(&mut Context::from_waker(Waker::noop()))
        });
        match answer {
            Poll::Ready(Ok(answer)) => Ok(Reply(answer)),
            Poll::Ready(Err(error)) => Err(store_error(py, &self.store, &error)),
            Poll::Pending => Err(store_error(py, &self.store, &StoreError::TimedOut)),
        }
    }

    /// Is it there?
    #[getter]
    fn is_there(&self) -> bool {
        let waited_for = self.waited_for.lock();
        waited_for.as_ref().is_none_or(|pending| pending.is_there_within(Duration::ZERO))
    }

    /// Nobody waits for it any more.
    fn drop(&self) {
        let pending = self.waited_for.lock().take();
        drop(pending);
    }
}
