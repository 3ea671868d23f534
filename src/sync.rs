//! Atomics: the standard library's, or loom's while a model is checked.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU64, Ordering};

/// Is nobody else at this process's own words while we are? True under a global lock.
pub const ALONE: bool = cfg!(all(feature = "python", not(Py_GIL_DISABLED)));

/// Replaces a word that was seen to be `seen`, or answers what it is instead.
///
/// With `alone`, the word is this process's own. Under a global lock nobody can have written it
/// since it was seen, as with [`Counter`], and a plain store does; everywhere else it is one
/// compare-and-swap.
///
/// # Errors
/// What the word is, if it is not `seen` any more.
#[inline(always)]
pub fn swap(word: &AtomicU64, seen: u64, next: u64, alone: bool) -> Result<(), u64> {
    if ALONE && alone {
        word.store(next, Ordering::Release);
        return Ok(());
    }
    word.compare_exchange(seen, next, Ordering::SeqCst, Ordering::SeqCst).map(|_| ())
}

/// A count that every holder adds to and anyone may read.
///
/// Inside an interpreter with a global lock every call is made by the thread that holds it, so
/// adding is a plain load and store there: no locked instruction on the way of a successful call.
/// Everywhere else (free-threaded Python, the core's own tests) it is a `fetch_add`.
///
/// A count decides nothing, so models leave its steps out: under loom it is the plain atomic.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Counter(std::sync::atomic::AtomicU64);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn bump(&self) {
        #[cfg(all(feature = "python", not(Py_GIL_DISABLED)))]
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        #[cfg(not(all(feature = "python", not(Py_GIL_DISABLED))))]
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds one to a count that other interpreters add to as well: always a locked instruction.
    #[inline]
    pub fn bump_shared(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count so far.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are of something. As with [`Counter`], no locked instruction under a global lock:
/// whoever changes it holds that.
#[derive(Debug)]
#[repr(transparent)]
pub struct Gauge(std::sync::atomic::AtomicUsize);

impl Gauge {
    /// There are none.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "only made for statics")]
    pub const fn new() -> Self {
        Self(std::sync::atomic::AtomicUsize::new(0))
    }

    /// One more.
    #[inline]
    pub fn up(&self) {
        if ALONE {
            self.0.store(self.get().wrapping_add(1), Ordering::Relaxed);
        } else {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One fewer.
    #[inline]
    pub fn down(&self) {
        if ALONE {
            self.0.store(self.get().wrapping_sub(1), Ordering::Relaxed);
        } else {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many.
    #[inline]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A lock for a few moves of our own, never held while anybody else's code runs: the real one, or
/// loom's while a model is checked.
#[derive(Debug)]
pub struct Mutex<T> {
    #[cfg(loom)]
    lock: loom::sync::Mutex<T>,
    #[cfg(not(loom))]
    lock: parking_lot::Mutex<T>,
}

impl<T> Mutex<T> {
    /// Free.
    pub fn new(value: T) -> Self {
        #[cfg(loom)]
        let lock = loom::sync::Mutex::new(value);
        #[cfg(not(loom))]
        let lock = parking_lot::Mutex::new(value);
        Self { lock }
    }

    /// Waits until it is free.
    #[cfg(not(loom))]
    #[inline]
    pub fn lock(&self) -> parking_lot::MutexGuard<'_, T> {
        self.lock.lock()
    }

    /// Waits until it is free.
    #[cfg(loom)]
    pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
