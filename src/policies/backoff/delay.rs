//! The formulas. Sources are named where the kinds and jitters are defined.

use super::settings::{nanos, whole};
use super::{Backoff, CEILING, Jitter, Kind};
use crate::random::Random;
use crate::time::Nanos;

/// What one run of delays remembers from each to the next; fresh for every run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// Decorrelated: the last delay. Zero before the first.
    last: Nanos,
    /// Smooth: the point of its curve that the last delay led to.
    point: f64,
}

impl Backoff {
    /// Delay number `n` of a run, counted from 0.
    ///
    /// Decorrelated and smooth jitter go from delay to delay: give them `0, 1, 2, …` with the same
    /// `memory`. The others ignore it.
    pub fn delay(&self, n: u32, memory: &mut Memory, random: &mut (impl Random + ?Sized)) -> Nanos {
        let most = self.cap.unwrap_or(CEILING);
        let delay = match self.jitter {
            Jitter::None => self.plain(n, most),
            Jitter::Full => scaled(self.plain(n, most), random.share()),
            Jitter::Equal => scaled(self.plain(n, most), f64::midpoint(1.0, random.share())),
            Jitter::Share(share) => {
                scaled(self.plain(n, most), 1.0 + share * (2.0 * random.share() - 1.0))
            }
            Jitter::Decorrelated => {
                let width = memory.last.max(self.base).saturating_mul(3) - self.base;
                memory.last = self.base.saturating_add(scaled(width, random.share())).min(most);
                memory.last
            }
            Jitter::Smooth => self.smooth(n, memory, random.share()),
        };
        delay.min(most)
    }

    /// The longest delay that can ever come out; none if only [`CEILING`] bounds it.
    #[must_use]
    pub fn longest(&self) -> Option<Nanos> {
        let constant = match (self.kind, self.jitter) {
            (Kind::Constant, Jitter::Share(share)) => Some(scaled(self.base, 1.0 + share)),
            (Kind::Constant, _) => Some(self.base),
            _ => None,
        };
        match (constant, self.cap) {
            (Some(longest), Some(cap)) => Some(longest.min(cap)),
            (longest, cap) => longest.or(cap),
        }
    }

    /// What the kind alone gives, at most `most`.
    fn plain(&self, n: u32, most: Nanos) -> Nanos {
        let delay = match self.kind {
            Kind::Constant => self.base,
            Kind::Linear => self.base.saturating_mul(u64::from(n) + 1),
            Kind::Exponential { factor } => scaled(self.base, factor.powf(f64::from(n))),
            Kind::Fibonacci => self.base.saturating_mul(fibonacci(n)),
        };
        delay.min(most)
    }

    fn smooth(&self, n: u32, memory: &mut Memory, share: f64) -> Nanos {
        let t = f64::from(n) + share;
        let point = t.exp2() * (4.0 * t).sqrt().tanh();
        // Past the range of floats the curve is flat: infinity minus infinity is no delay at all.
        let step = if point.is_finite() { point - memory.point } else { f64::INFINITY };
        memory.point = point;
        scaled(self.base, step / 1.4)
    }
}

/// A delay that another source gave (a callable, a `Retry-After`), brought under `cap`.
///
/// None if it is no delay: negative, or not a number. Infinity is the cap.
#[must_use]
pub fn bound(seconds: f64, cap: Option<Nanos>) -> Option<Nanos> {
    (seconds >= 0.0).then(|| nanos(seconds).min(cap.unwrap_or(CEILING)))
}

/// `F(n+1)`, saturating.
fn fibonacci(n: u32) -> u64 {
    let (mut this, mut next) = (1_u64, 1_u64);
    // F(94) is more than 64 bits hold.
    for _ in 0..n.min(94) {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}

/// A multiple of a delay, to the nanosecond, at most [`CEILING`]. Nothing times infinity is nothing.
fn scaled(delay: Nanos, by: f64) -> Nanos {
    whole(delay as f64 * by)
}
