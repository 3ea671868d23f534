//! Clocks. The only room that reads one: everywhere else time is handed in.
//!
//! Two readings, both monotonic and on one scale: `now` is precise, `coarse` is the kernel's last
//! tick (up to 4 ms old, an eighth of the price) and good enough to pick a time bucket.

use crate::sync::{AtomicU64, Ordering::Relaxed};

/// Nanoseconds on a monotonic clock whose origin means nothing.
pub type Nanos = u64;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;

/// The longest duration a setting may name, and the longest delay: ten years of 365 days.
pub const LONGEST: Nanos = 10 * 365 * 86_400 * SECOND;

/// Nobody's clock may be later. Dates are kept in 60 bits, 36 years of a machine's uptime, and the
/// longest duration from here on still fits.
pub const LATEST: Nanos = (1 << 60) - 1 - LONGEST;

/// A number of seconds as nanoseconds, rounded to the nearest.
///
/// `None` unless it is finite, not negative and at most [`LONGEST`].
#[must_use]
pub fn seconds(number: f64) -> Option<Nanos> {
    let exact = std::time::Duration::try_from_secs_f64(number).ok()?;
    Nanos::try_from(exact.as_nanos()).ok().filter(|nanos| *nanos <= LONGEST)
}

/// A source of monotonic time.
pub trait Clock {
    /// The precise time.
    fn now(&self) -> Nanos;
    /// The time, possibly a few milliseconds behind [`Clock::now`]; never ahead of it.
    fn coarse(&self) -> Nanos;
    /// Nanoseconds since 1970, for calendars alone: it may be set back. A clock that knows no
    /// calendar began then.
    fn date(&self) -> Nanos {
        self.now()
    }
}

/// The machine's monotonic clock: one clock for all processes of a boot.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[inline]
    fn now(&self) -> Nanos {
        machine::now()
    }

    #[inline]
    fn coarse(&self) -> Nanos {
        machine::coarse()
    }

    #[inline(never)]
    fn date(&self) -> Nanos {
        Nanos::try_from(since_1970().as_nanos()).unwrap_or(LATEST)
    }
}

/// Seconds since the epoch, for people to read; never for a decision.
#[must_use]
pub fn wall() -> f64 {
    since_1970().as_secs_f64()
}

#[allow(clippy::disallowed_methods, reason = "this is the room that may")]
fn since_1970() -> std::time::Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct Manual(AtomicU64);

impl Manual {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Nanos) -> Self {
        Self(AtomicU64::new(start))
    }

    /// Moves forward. Saturates at the end of time rather than wrapping to its beginning.
    pub fn advance(&self, by: Nanos) {
        let mut at = self.0.load(Relaxed);
        while let Err(moved) =
            self.0.compare_exchange_weak(at, at.saturating_add(by), Relaxed, Relaxed)
        {
            at = moved;
        }
    }
}

impl Clock for Manual {
    fn now(&self) -> Nanos {
        self.0.load(Relaxed)
    }

    fn coarse(&self) -> Nanos {
        self.now()
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the kernel's clocks are reached through libc")]
mod machine {
    use super::{Nanos, SECOND};

    #[inline]
    fn read(clock: libc::clockid_t) -> Nanos {
        let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `at` is a valid place to write a timespec to. The call can only fail for a clock
        // the kernel does not have, and both ids used here are older than any kernel Rust supports.
        unsafe { libc::clock_gettime(clock, &raw mut at) };
        // Monotonic time starts at zero and a tv_nsec is below a second: neither is negative.
        at.tv_sec.cast_unsigned() * SECOND + at.tv_nsec.cast_unsigned()
    }

    #[inline]
    pub fn now() -> Nanos {
        read(libc::CLOCK_MONOTONIC)
    }

    #[inline]
    pub fn coarse() -> Nanos {
        #[cfg(target_os = "linux")]
        return read(libc::CLOCK_MONOTONIC_COARSE);
        #[cfg(not(target_os = "linux"))]
        now()
    }
}

#[cfg(not(unix))]
mod machine {
    use super::Nanos;
    use std::sync::OnceLock;
    use std::time::Instant;

    /// `Instant` has no absolute reading, so time counts from the first look at it.
    #[allow(clippy::disallowed_methods, reason = "this is the room that may")]
    pub fn now() -> Nanos {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        Nanos::try_from(elapsed.as_nanos()).unwrap_or(Nanos::MAX)
    }

    pub fn coarse() -> Nanos {
        now()
    }
}
