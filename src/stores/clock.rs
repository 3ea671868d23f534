//! The clock that a store on this machine shares.

use super::{LATEST, Micros};
use crate::time::{Clock, System};
use std::fmt;
use std::sync::Arc;

/// What a store on this machine reads its time from.
///
/// Monotonic time is one clock for all processes of a boot, and cannot be set; so it measures
/// leases. The date only says where a store's time begins in a new boot.
#[derive(Clone)]
pub struct Machine {
    /// Monotonic time, and the date.
    pub clock: Arc<dyn Clock + Send + Sync>,
    /// Whose monotonic time: what has the same name has the same clock. `None`: not known.
    pub boot: Option<String>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(System), boot: boot() }
    }

    /// Monotonic microseconds.
    #[must_use]
    pub fn monotonic(&self) -> Micros {
        (self.clock.now() / 1000).min(LATEST)
    }

    /// Microseconds since 1970, as the machine believes just now.
    #[must_use]
    pub fn date(&self) -> Micros {
        (self.clock.date() / 1000).min(LATEST)
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("boot", &self.boot).finish_non_exhaustive()
    }
}

/// The boot, and the namespace of time that this process is in: each may have an origin of its own.
fn boot() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// Monotonic time, shifted so that it looks like the date. Steps of the date don't move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift(pub i64);

impl Shift {
    /// So that it is now `time`.
    #[must_use]
    pub fn so_that_now_is(time: Micros, machine: &Machine) -> Self {
        Self(time.cast_signed().saturating_sub(machine.monotonic().cast_signed()))
    }

    /// The time.
    #[must_use]
    pub fn now(self, machine: &Machine) -> Micros {
        machine.monotonic().saturating_add_signed(self.0).min(LATEST)
    }
}
