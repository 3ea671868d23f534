//! One connection, made when it is first needed, and made again when it is lost.
//!
//! One at a time tries; the others wait for it, none longer than a connection may take. Between two
//! tries that fail there is a pause, which grows.

use super::backoff::Backoff;
use crate::random::{Random, Thread};
use crate::stores::error::StoreError;
use std::future::Future;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A connection that there may be.
#[derive(Debug)]
pub struct Link<C> {
    backoff: Backoff,
    patience: Duration,
    state: Mutex<State<C>>,
}

#[derive(Debug)]
struct State<C> {
    connection: Option<C>,
    /// Of the connections that were made, the present one or the last.
    number: u64,
    failures: u32,
    not_before: Option<Instant>,
}

impl<C: Clone> Link<C> {
    /// None yet. `patience` is how long one may take to be made, pauses and repeated tries included.
    #[must_use]
    pub fn new(patience: Duration, backoff: Backoff) -> Self {
        let state = State { connection: None, number: 0, failures: 0, not_before: None };
        Self { backoff, patience, state: Mutex::new(state) }
    }

    /// The connection that there is, or one that `connect` makes; and its number, by which it is
    /// [lost](Self::lose).
    ///
    /// # Errors
    /// `Unavailable` with what the last try met. What `connect` says otherwise is said at once:
    /// trying again would not help.
    pub async fn get<F>(&self, connect: impl Fn() -> F) -> Result<(u64, C), StoreError>
    where
        F: Future<Output = Result<C, StoreError>>,
    {
        let deadline = Instant::now() + self.patience;
        let mut met = None;
        loop {
            let Ok(mut state) = timeout_at(deadline, self.state.lock()).await else {
                return Err(self.unavailable(met));
            };
            if let Some(connection) = &state.connection {
                return Ok((state.number, connection.clone()));
            }
            if let Some(at) = state.not_before.filter(|at| *at > Instant::now()) {
                // Not under the lock: whoever has less patience must not wait behind this one.
                drop(state);
                if at > deadline {
                    return Err(self.unavailable(met));
                }
                sleep_until(at).await;
                continue;
            }
            match timeout_at(deadline, connect()).await {
                Ok(Ok(connection)) => {
                    state.connection = Some(connection.clone());
                    state.number += 1;
                    (state.failures, state.not_before) = (0, None);
                    return Ok((state.number, connection));
                }
                failed => {
                    state.failures = state.failures.saturating_add(1);
                    let pause = self.backoff.pause(state.failures, Thread.share());
                    state.not_before = Some(Instant::now() + pause);
                    match failed {
                        Ok(Err(StoreError::Unavailable(said))) => met = Some(said),
                        Ok(Err(other)) => return Err(other),
                        _ => return Err(self.unavailable(met)),
                    }
                }
            }
        }
    }

    /// This one is of no use any more. What was made since stays.
    pub async fn lose(&self, number: u64) {
        let mut state = self.state.lock().await;
        if state.number == number {
            state.connection = None;
        }
    }

    /// Lets go of it, whichever it is.
    pub async fn let_go(&self) {
        self.state.lock().await.connection = None;
    }

    fn unavailable(&self, met: Option<String>) -> StoreError {
        let late = || format!("no connection within {} s", self.patience.as_secs_f64());
        StoreError::Unavailable(met.unwrap_or_else(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::Mutex as Plain;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use tokio::runtime::Builder;

    /// In time that passes by itself when nothing else is to be done.
    fn run<T>(test: impl Future<Output = T>) -> T {
        Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(test)
    }

    fn link() -> Link<u32> {
        Link::new(Duration::from_secs(5), Backoff::default())
    }

    fn refused() -> impl Future<Output = Result<u32, StoreError>> {
        std::future::ready(Err(StoreError::Unavailable("refused".to_owned())))
    }

    /// It is tried again, with pauses that grow, until the time for it is over; then what was met is
    /// said.
    #[test]
    fn a_server_that_is_gone_is_tried_for_so_long() {
        run(async {
            let (link, tries) = (link(), Plain::new(Vec::new()));
            let start = Instant::now();
            let said = link
                .get(|| {
                    tries.lock().unwrap().push(start.elapsed());
                    refused()
                })
                .await;
            assert_eq!(said, Err(StoreError::Unavailable("refused".to_owned())));
            assert!(start.elapsed() <= Duration::from_secs(5), "{:?}", start.elapsed());
            let tries = tries.into_inner().unwrap();
            assert!((8..25).contains(&tries.len()), "{tries:?}");
            assert!(tries[tries.len() - 1] > Duration::from_secs(3), "{tries:?}");
        });
    }

    /// One that hangs takes no longer than one may take, for nobody who waits.
    #[test]
    fn a_server_that_hangs_is_waited_for_so_long() {
        run(async {
            let link = Arc::new(link());
            let start = Instant::now();
            let waiting = [(); 3].map(|()| {
                let link = Arc::clone(&link);
                tokio::spawn(async move { link.get(std::future::pending).await })
            });
            for waits in waiting {
                let said = waits.await.unwrap();
                assert!(matches!(said, Err(StoreError::Unavailable(_))), "{said:?}");
            }
            assert_eq!(start.elapsed(), Duration::from_secs(5));
        });
    }

    /// Those who wait share one connection; when it is lost, the next is made once, and whoever
    /// loses the old one late does not lose the new one.
    #[test]
    fn one_is_made_and_made_again() {
        run(async {
            let (link, made) = (Arc::new(link()), Arc::new(AtomicU32::new(0)));
            let get = || {
                let (link, made) = (Arc::clone(&link), Arc::clone(&made));
                tokio::spawn(async move {
                    let connect = || async {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        Ok(made.fetch_add(1, SeqCst))
                    };
                    link.get(connect).await.unwrap()
                })
            };
            let (one, two) = (get(), get());
            let (number, first) = one.await.unwrap();
            assert_eq!((number, first), two.await.unwrap());
            link.lose(number).await;
            let (_, second) = get().await.unwrap();
            link.lose(number).await;
            assert_eq!((first, second, get().await.unwrap().1), (0, 1, 1));
            assert_eq!(made.load(SeqCst), 2);
        });
    }

    /// What another try can't mend is said at once.
    #[test]
    fn what_is_no_ones_absence_is_said_at_once() {
        run(async {
            let (link, start) = (link(), Instant::now());
            let foreign = StoreError::Foreign("a web server".to_owned());
            let said = link.get(async || Err::<u32, _>(foreign.clone())).await;
            assert_eq!((said, start.elapsed()), (Err(foreign.clone()), Duration::ZERO));
        });
    }
}
