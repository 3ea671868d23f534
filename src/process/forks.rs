//! What a fork must not cut in two.
//!
//! A child has a copy of all memory and of one thread. A lock that another thread held is held for
//! ever there, and a library that keeps its own account of file locks, as SQLite does, believes in
//! locks that the child does not have. So: whoever touches such things *holds* forks off while it
//! does, a fork waits until nobody does, and what registered itself is closed before it goes on.
//! All of it is opened again, by either side, when it is next needed.
//!
//! Nothing that is held may wait for the forking thread: no Python inside, and no sleep. The words
//! are plain atomics, so that the child finds them as they were.

use super::locks::Lock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{OnceLock, Weak};
use std::time::Duration;

/// Set while somebody forks; the rest counts those who hold it off.
const FORKING: u32 = 1 << 31;
static GATE: AtomicU32 = AtomicU32::new(0);
/// How many forks this process is away from the first.
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// Who is told before. Only touched while forks are held off, or by the one that forks alone.
static WATCHERS: Lock<Vec<Weak<dyn BeforeFork>>> = Lock::new(Vec::new());

/// Something that may not be open in two processes.
pub trait BeforeFork: Send + Sync {
    /// Closes it. Nobody holds forks off meanwhile.
    fn before_fork(&self);
}

/// While there is one of these, there is no fork.
#[derive(Debug)]
pub struct Held(());

impl Drop for Held {
    fn drop(&mut self) {
        GATE.fetch_sub(1, SeqCst);
    }
}

/// Forks are heard of from now on. Whoever makes what must not be cut says so before any thread can
/// use it; the first to hold a fork off would otherwise be the one to say so, perhaps during one.
pub fn listen() {
    unix::watch();
}

/// Holds forks off. Waits while there is one.
#[must_use]
pub fn hold() -> Held {
    listen();
    loop {
        let seen = GATE.load(SeqCst);
        if seen & FORKING == 0 && GATE.compare_exchange(seen, seen + 1, SeqCst, SeqCst).is_ok() {
            return Held(());
        }
        if seen & FORKING != 0 {
            pause();
        }
    }
}

/// Has it closed before each fork from now on, for as long as it is there.
pub fn watch(_held: &Held, watcher: Weak<dyn BeforeFork>) {
    let mut watchers = WATCHERS.lock();
    watchers.retain(|watcher| watcher.strong_count() > 0);
    watchers.push(watcher);
}

/// The same number for as long as this process has not been forked off.
#[must_use]
pub fn generation() -> u32 {
    GENERATION.load(SeqCst)
}

/// A value that each process makes for itself. What its parent had stays unused until it is dropped.
#[derive(Debug)]
pub struct Own<T>(OnceLock<Box<Link<T>>>);

#[derive(Debug)]
struct Link<T> {
    generation: u32,
    value: T,
    next: Own<T>,
}

impl<T> Default for Own<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Own<T> {
    /// One that no process has made yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// This process's, if it has made it.
    pub fn made(&self) -> Option<&T> {
        let generation = generation();
        let mut link = self.0.get()?;
        while link.generation != generation {
            link = link.next.0.get()?;
        }
        Some(&link.value)
    }

    /// This process's. Forks are held off, for none must happen while it is made.
    pub fn get(&self, _held: &Held, make: impl Fn() -> T) -> &T {
        let generation = generation();
        let mut at = self;
        loop {
            let link = at.0.get_or_init(|| {
                Box::new(Link { generation, value: make(), next: Self::default() })
            });
            if link.generation == generation {
                return &link.value;
            }
            at = &link.next;
        }
    }
}

fn pause() {
    std::thread::sleep(Duration::from_micros(50));
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "what happens at a fork is said through libc")]
mod unix {
    use super::{AtomicBool, FORKING, GATE, GENERATION, SeqCst, WATCHERS, pause};

    static WATCHED: AtomicBool = AtomicBool::new(false);

    pub fn watch() {
        if WATCHED.load(SeqCst) {
            return;
        }
        // Not a `Once`, which a fork could leave half done. To be told twice would close the gate
        // twice, so only one thread tells.
        if WATCHED.swap(true, SeqCst) {
            return;
        }
        // SAFETY: the three are functions of this library, which the interpreter never unloads.
        // The last one, which runs where only one thread is left, does nothing but write words.
        if unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) } != 0 {
            WATCHED.store(false, SeqCst);
        }
    }

    extern "C" fn before() {
        // Two threads may fork at once: the second waits for the first.
        while GATE.fetch_or(FORKING, SeqCst) & FORKING != 0 {
            pause();
        }
        while GATE.load(SeqCst) != FORKING {
            pause();
        }
        let watchers: Vec<_> =
            WATCHERS.lock().iter().filter_map(std::sync::Weak::upgrade).collect();
        for watcher in watchers {
            watcher.before_fork();
        }
    }

    extern "C" fn parent() {
        GATE.fetch_and(!FORKING, SeqCst);
    }

    extern "C" fn child() {
        GENERATION.fetch_add(1, SeqCst);
        GATE.store(0, SeqCst);
    }
}

#[cfg(not(unix))]
mod unix {
    /// No forks there.
    pub fn watch() {}
}

#[cfg(test)]
#[allow(unsafe_code, reason = "a test forks")]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    #[derive(Default)]
    struct Door {
        closed: AtomicU32,
        in_use: AtomicBool,
        cut: AtomicBool,
    }

    impl BeforeFork for Door {
        fn before_fork(&self) {
            self.closed.fetch_add(1, SeqCst);
            if self.in_use.load(SeqCst) {
                self.cut.store(true, SeqCst);
            }
        }
    }

    /// Forks while other threads are at work: each waits until nobody is, closes what is open,
    /// and both sides go on; the child has values of its own.
    #[cfg(unix)]
    #[test]
    fn nothing_is_cut_in_two() {
        let door = Arc::new(Door::default());
        let own: Own<u32> = Own::default();
        let held = hold();
        watch(&held, Arc::downgrade(&door) as Weak<dyn BeforeFork>);
        assert_eq!(*own.get(&held, std::process::id), std::process::id());
        drop(held);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    let held = hold();
                    door.in_use.store(true, SeqCst);
                    std::thread::yield_now();
                    door.in_use.store(false, SeqCst);
                    drop(held);
                }
            });
            for _ in 0..50 {
                // SAFETY: the child only touches words and then ends.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    let held = hold();
                    let is_own = *own.get(&held, std::process::id) == std::process::id();
                    let code = i32::from(!is_own || generation() == 0);
                    // SAFETY: as above.
                    unsafe { libc::_exit(code) };
                }
                let mut status = 0;
                // SAFETY: `status` is a valid place to write to.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(
                    status, 0,
                    "the child did not find the gate open and a value of its own"
                );
            }
            stop.store(true, SeqCst);
        });
        assert!(door.closed.load(SeqCst) >= 50);
        assert!(!door.cut.load(SeqCst), "a fork came while somebody was inside");
    }
}
