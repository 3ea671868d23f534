//! The hedge: a call that takes too long is made once more beside itself, and the first good answer
//! is the call's.
//!
//! | file | holds |
//! |---|---|
//! | `race` | one call: when a further attempt may start, and whose end is the call's |
//! | `latency` | how long calls take, for a delay that follows them |
//! | `settings` | what a user may ask for, checked all at once |
//! | `place` | where the words of a hedge's latencies lie |
//!
//! What must hold, in any order of ends and whatever the delays:
//!
//! - Never more attempts than one and `max_hedges`, and no attempt after the call was decided.
//! - The first good answer decides. No end that comes later changes that.
//! - While an attempt runs, no failure of another one decides.
//! - Memory is bounded, however many calls there were.

mod latency;
mod place;
mod race;
mod settings;

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

pub use latency::Latencies;
pub use place::{Place, Private, Words};
pub use race::{End, Now, Race};
pub use settings::{Delay, DelayDraft, Draft, Quantile, QuantileDraft, Settings};
