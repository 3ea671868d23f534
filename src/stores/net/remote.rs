//! A backend on a server: how what is asked reaches the process's runtime, and comes back.

use super::limits::Limits;
use super::notices::Notices;
use super::runtime;
use crate::process::forks::{self, Own};
use crate::stores::backend::{Answer, Backend, Done, Op};
use crate::stores::error::StoreError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tokio::time::timeout;

/// How many times as long as another a walk over many records may take.
const WALK: u32 = 30;

/// What speaks to a server, one a process and store.
pub trait Client: Send + Sync + 'static {
    /// What it is made with.
    type Settings: fmt::Debug + Send + Sync;

    /// One that has no connection yet.
    fn new(settings: &Arc<Self::Settings>, notices: &Arc<Notices>) -> Self;

    /// Answers. It may be dropped at any point where it waits: then the time for it is over.
    fn answer(&self, op: &Op) -> impl Future<Output = Result<Answer, StoreError>> + Send;

    /// Lets go of what it has open, once what is under way has ended.
    fn let_go(&self) -> impl Future<Output = ()> + Send;
}

/// A backend that asks a server.
pub struct Remote<C: Client> {
    settings: Arc<C::Settings>,
    limits: Limits,
    notices: Arc<Notices>,
    desk: Own<Arc<Desk<C>>>,
    closed: AtomicBool,
}

struct Desk<C> {
    client: C,
    waiting: AtomicUsize,
}

impl<C: Client> fmt::Debug for Remote<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<C: Client> Remote<C> {
    /// Opens nothing.
    pub fn new(settings: C::Settings, limits: Limits) -> Self {
        Self {
            settings: Arc::new(settings),
            limits,
            notices: Arc::default(),
            desk: Own::default(),
            closed: AtomicBool::new(false),
        }
    }

    fn desk(&self) -> Arc<Desk<C>> {
        let held = forks::hold();
        let desk = self.desk.get(&held, || {
            let client = C::new(&self.settings, &self.notices);
            Arc::new(Desk { client, waiting: AtomicUsize::new(0) })
        });
        Arc::clone(desk)
    }
}

impl<C: Client> Backend for Remote<C> {
    fn submit(&self, op: Op, done: Done) {
        let promise = Promise(Some(done));
        if self.closed.load(SeqCst) {
            return promise.keep(Err(StoreError::Closed));
        }
        let (limits, desk) = (self.limits, self.desk());
        let Some(place) = Place::take(&desk, limits.max_waiting) else {
            return promise.keep(Err(StoreError::Overloaded(limits.max_waiting)));
        };
        // A walk is as many questions as it needs, and each of them has the time of one.
        let most = match op {
            Op::List(..) | Op::Tally(_) | Op::Sweep(_) => limits.timeout * WALK,
            Op::Step(..) | Op::Get(_) => limits.timeout,
        };
        let task = async move {
            let answer = timeout(most, place.0.client.answer(&op)).await;
            drop(place);
            promise.keep(answer.unwrap_or(Err(StoreError::TimedOut)));
        };
        // What can't run is dropped, and says so itself.
        let _ = runtime::spawn(task);
    }

    fn notices(&self) -> Vec<String> {
        self.notices.take()
    }

    fn close(&self) {
        // Where nothing was asked there is nothing open, and no thread to be made for it.
        if !self.closed.swap(true, SeqCst)
            && let Some(desk) = self.desk.made().map(Arc::clone)
        {
            let _ = runtime::spawn(async move { desk.client.let_go().await });
        }
    }
}

impl<C: Client> Drop for Remote<C> {
    fn drop(&mut self) {
        self.close();
    }
}

/// One of the places of those who wait.
struct Place<C>(Arc<Desk<C>>);

impl<C> Place<C> {
    fn take(desk: &Arc<Desk<C>>, most: usize) -> Option<Self> {
        let one_more = |waiting| (waiting < most).then_some(waiting + 1);
        desk.waiting.fetch_update(SeqCst, SeqCst, one_more).ok()?;
        Some(Self(Arc::clone(desk)))
    }
}

impl<C> Drop for Place<C> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

/// Whoever waits is answered, whatever becomes of the task that was to do so.
struct Promise(Option<Done>);

impl Promise {
    fn keep(mut self, answer: Result<Answer, StoreError>) {
        if let Some(done) = self.0.take() {
            done(answer);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(StoreError::Failed("what was to answer ended before it had".to_owned())));
        }
    }
}
