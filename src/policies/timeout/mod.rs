//! Timeouts and deadlines: who is to be stopped, and when.
//!
//! The core knows no tasks. It keeps alarms in a [`Wheel`] and says which are due; what rings, and
//! what that does, is the affair of whoever set it.

#[cfg(test)]
mod tests;
mod wheel;

pub use wheel::{GRAIN, Key, Wheel};
