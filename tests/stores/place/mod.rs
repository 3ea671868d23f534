//! A machine whose clock and date are a test's.

use seawall::stores::Micros;
use seawall::stores::clock::Machine;
use seawall::time::{Clock, Nanos};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Monotonic time and the date, each in nanoseconds.
#[derive(Debug)]
struct Hands {
    monotonic: AtomicU64,
    date: AtomicU64,
}

impl Clock for Hands {
    fn now(&self) -> Nanos {
        self.monotonic.load(SeqCst)
    }
    fn coarse(&self) -> Nanos {
        self.now()
    }
    fn date(&self) -> Nanos {
        self.date.load(SeqCst)
    }
}

/// Time that passes when it is told to.
#[derive(Clone, Debug)]
pub struct Virtual {
    hands: Arc<Hands>,
    boot: Option<String>,
}

/// 2026, in seconds.
const DATE: u64 = 1_790_000_000;

impl Virtual {
    pub fn new() -> Self {
        Self::booted("first", DATE)
    }

    /// A machine that was switched on an hour ago and believes that it is `date`, in seconds.
    pub fn booted(boot: &str, date: u64) -> Self {
        let hands = Hands {
            monotonic: AtomicU64::new(3600 * 1_000_000_000),
            date: AtomicU64::new(date * 1_000_000_000),
        };
        Self { hands: Arc::new(hands), boot: Some(boot.to_owned()) }
    }

    pub fn machine(&self) -> Machine {
        let clock: Arc<dyn Clock + Send + Sync> = Arc::<Hands>::clone(&self.hands);
        Machine { clock, boot: self.boot.clone() }
    }

    pub fn pass(&self, time: Micros) {
        self.hands.monotonic.fetch_add(time * 1000, SeqCst);
        self.hands.date.fetch_add(time * 1000, SeqCst);
    }

    pub fn set_date(&self, date: Micros) {
        self.hands.date.store(date * 1000, SeqCst);
    }
}
