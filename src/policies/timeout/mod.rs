//! Timeouts and deadlines: who is to be stopped, and when.
//!
//! The core knows no tasks. It keeps alarms in a [`Wheel`] and says which are due; what rings, and
//! what that does, is the affair of whoever set it.

mod settings;
#[cfg(test)]
mod tests;
mod wheel;

pub use settings::{DEFAULT_THREADS, Draft, Settings};
pub use wheel::{GRAIN, Key, Wheel};
