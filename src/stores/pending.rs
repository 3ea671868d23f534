//! An answer that is not there yet.
//!
//! A thread waits for it, or a task polls it. Whoever does neither any more drops it; a claim that
//! was given meanwhile, or is given later, is then released, for nobody knows that he has it.

use super::backend::{Answer, Backend, Done, Op};
use super::error::StoreError;
use super::idempotency::{Hold, Reply, Verb};
use crate::process::forks;
use crate::process::locks::{Bell, Lock};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

type Result<T> = std::result::Result<T, StoreError>;

enum Slot {
    /// Nothing yet, and who polls for it.
    Open(Option<Waker>),
    Full(Result<Answer>),
    /// It was taken, or nobody wants it.
    Gone,
}

struct Shared {
    slot: Lock<Slot>,
    filled: Bell,
    backend: Arc<dyn Backend>,
    asked: Op,
}

impl Shared {
    fn fill(&self, answer: Result<Answer>) {
        let mut slot = self.slot.lock();
        match &mut *slot {
            Slot::Open(waker) => {
                let waker = waker.take();
                *slot = Slot::Full(answer);
                drop(slot);
                self.filled.ring();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Slot::Full(_) => {}
            Slot::Gone => {
                drop(slot);
                self.give_back(&answer);
            }
        }
    }

    /// Releases a claim that nobody knows of.
    fn give_back(&self, answer: &Result<Answer>) {
        if let (
            Op::Step(address, Verb::Claim(claim)),
            Ok(Answer::Reply(Reply::Owned { fence, .. })),
        ) = (&self.asked, answer)
        {
            let hold = Hold { owner: claim.owner, fence: *fence };
            let release = Op::Step(address.clone(), Verb::Release(hold));
            // If that fails as well, the lease will run out.
            self.backend.submit(release, Box::new(|_| {}));
        }
    }
}

/// An answer that may not be there yet.
pub struct Pending {
    shared: Arc<Shared>,
    generation: u32,
}

impl Pending {
    /// Asks.
    pub(super) fn ask(
        backend: &Arc<dyn Backend>,
        op: Op,
        also: impl FnOnce(&Result<Answer>) + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            slot: Lock::new(Slot::Open(None)),
            filled: Bell::default(),
            backend: Arc::clone(backend),
            asked: op.clone(),
        });
        let filled = Arc::clone(&shared);
        let done: Done = Box::new(move |answer| {
            also(&answer);
            filled.fill(answer);
        });
        backend.submit(op, done);
        Self { shared, generation: forks::generation() }
    }

    /// Blocks until it is there, for so long at most.
    ///
    /// # Errors
    /// What the store says; `TimedOut` if it says nothing.
    pub fn wait(self, patience: Duration) -> Result<Answer> {
        self.check_process()?;
        let slot = self.shared.slot.lock();
        let is_open = |slot: &mut Slot| matches!(slot, Slot::Open(_));
        let mut slot = self.shared.filled.wait_while_for(slot, patience, is_open);
        match std::mem::replace(&mut *slot, Slot::Gone) {
            Slot::Full(answer) => answer,
            Slot::Open(_) | Slot::Gone => Err(StoreError::TimedOut),
        }
    }

    /// Blocks until it is there, for so long at most; is it? It is still to be taken, by polling.
    #[must_use]
    pub fn is_there_within(&self, patience: Duration) -> bool {
        if self.check_process().is_err() {
            return true;
        }
        let slot = self.shared.slot.lock();
        let is_open = |slot: &mut Slot| matches!(slot, Slot::Open(_));
        let slot = self.shared.filled.wait_while_for(slot, patience, is_open);
        !matches!(*slot, Slot::Open(_))
    }

    /// Has `waker` woken when it is there; `true`: it is. Either way it is still to be taken, and a
    /// claim that is not taken is given back.
    #[must_use]
    pub fn watch(&self, waker: &Waker) -> bool {
        if self.check_process().is_err() {
            return true;
        }
        match &mut *self.shared.slot.lock() {
            Slot::Open(watching) => {
                *watching = Some(waker.clone());
                false
            }
            Slot::Full(_) | Slot::Gone => true,
        }
    }

    /// Whoever answers is another process, in which nobody waits here.
    fn check_process(&self) -> Result<()> {
        if self.generation == forks::generation() { Ok(()) } else { Err(StoreError::Forked) }
    }
}

impl Future for Pending {
    type Output = Result<Answer>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(forked) = self.check_process() {
            return Poll::Ready(Err(forked));
        }
        let mut slot = self.shared.slot.lock();
        match std::mem::replace(&mut *slot, Slot::Gone) {
            Slot::Full(answer) => Poll::Ready(answer),
            Slot::Open(_) => {
                *slot = Slot::Open(Some(context.waker().clone()));
                Poll::Pending
            }
            Slot::Gone => Poll::Ready(Err(StoreError::TimedOut)),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.check_process().is_err() {
            return;
        }
        let left = std::mem::replace(&mut *self.shared.slot.lock(), Slot::Gone);
        if let Slot::Full(answer) = left {
            self.shared.give_back(&answer);
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("asked", &self.shared.asked).finish_non_exhaustive()
    }
}
