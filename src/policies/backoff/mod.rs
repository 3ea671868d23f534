//! Backoff: how long to wait before trying again.
//!
//! Delays are numbered `n = 0, 1, …`; `b` is the base. A [`Kind`] says how they grow, a [`Jitter`]
//! how they are spread so that many clients do not come back at the same moment, and a cap bounds
//! whatever comes out.
//!
//! Invariants, for every setting and every `n`: a delay is never negative, never above the cap,
//! never above [`CEILING`], and a whole number of nanoseconds; nothing overflows. Kinds that need
//! no fraction (constant, linear, fibonacci) are computed in integers.

mod delay;
mod settings;
#[cfg(test)]
mod tests;

pub use delay::{Memory, bound};
pub use settings::{BackoffDraft, JitterDraft, check_cap};

use crate::time::{LONGEST, Nanos};

/// No delay is longer, with or without a cap: ten years, as with every setting that is a time.
///
/// Later instants still fit the clocks and timers of every platform and the 60 bits of a circuit's
/// dates, so nobody who adds a delay to a time has to think about the sum.
pub const CEILING: Nanos = LONGEST;

/// How delays grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `b`, always.
    Constant,
    /// `b·(n+1)`.
    Linear,
    /// `b·fⁿ`.
    Exponential {
        /// `f`: at least 1.
        factor: f64,
    },
    /// `b·F(n+1)`, with F = 1, 1, 2, 3, 5, …
    Fibonacci,
}

/// How delays are spread; `d` is the delay that the kind gives, cap included, `U` is uniform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// `d`: every client the same.
    None,
    /// `U(0, d)`. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog.
    Full,
    /// `d/2 + U(0, d/2)`. Source: as [`Jitter::Full`].
    Equal,
    /// `U(b, 3·previous)`, the first previous being `b`. Source: as [`Jitter::Full`].
    ///
    /// It is a growth of its own, so it goes with an exponential kind of factor 2 only.
    Decorrelated,
    /// `b·(s(t) − s(previous t))/1.4` with `t = n + U(0, 1)` and `s(t) = 2ᵗ·tanh(√(4t))`: medians
    /// near `b · 0.90, 1.14, 2, 4, 8, 16, …`, without the clusters that other jitters leave.
    /// Source: Polly v8, `DelayBackoffType.Exponential` with `UseJitter`.
    ///
    /// It is a growth of its own, so it goes with an exponential kind of factor 2 only.
    Smooth,
    /// `d·(1 ± share)`, uniform. Source: resilience4j, `IntervalFunction.ofRandomized`.
    Share(
        /// In `0.0..=1.0`.
        f64,
    ),
}

/// A checked backoff. Made by [`BackoffDraft::check`] or [`Backoff::constant`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    kind: Kind,
    base: Nanos,
    cap: Option<Nanos>,
    jitter: Jitter,
}

impl Backoff {
    /// The same delay always, without jitter; at most [`CEILING`].
    #[must_use]
    pub const fn constant(base: Nanos) -> Self {
        let base = if base > CEILING { CEILING } else { base };
        Self { kind: Kind::Constant, base, cap: None, jitter: Jitter::None }
    }

    /// How the delays grow.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// `b`.
    #[must_use]
    pub const fn base(&self) -> Nanos {
        self.base
    }

    /// The cap (`max_delay`), if one was set.
    #[must_use]
    pub const fn cap(&self) -> Option<Nanos> {
        self.cap
    }

    /// How the delays are spread.
    #[must_use]
    pub const fn jitter(&self) -> Jitter {
        self.jitter
    }
}
