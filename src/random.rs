//! Randomness, always handed in: the core never reaches for a source of its own.

use crate::process;
use rand::rngs::{ThreadRng, Xoshiro256PlusPlus};
use rand::{RngExt, SeedableRng};
use std::cell::Cell;

/// A source of uniform shares.
pub trait Random {
    /// A uniform number in `0.0..1.0`.
    fn share(&mut self) -> f64;
}

/// A source that gives the same numbers for the same seed, on every machine and in every release.
///
/// That promise is why a generator is named here: what `rand` calls its small or its standard
/// generator may change from one of its versions to the next.
#[derive(Clone, Debug)]
pub struct Seeded(Xoshiro256PlusPlus);

impl Seeded {
    /// A source at the beginning of the sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
}

impl Random for Seeded {
    fn share(&mut self) -> f64 {
        self.0.random()
    }
}

/// The thread's own source, seeded by the operating system, and seeded anew after a fork.
///
/// Without the second seeding all workers forked from one parent would jitter in step, which is
/// the stampede that jitter is there to prevent. The check is one load a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thread;

thread_local! {
    /// The process in which this thread's source was seeded; no process has the number 0.
    static SEEDED_IN: Cell<u32> = const { Cell::new(0) };
}

impl Thread {
    /// 128 bits that nobody else draws: of a generator that is fit for secrets.
    #[must_use]
    pub fn bits(self) -> u128 {
        Self::source().random()
    }

    fn source() -> ThreadRng {
        let mut source = rand::rng();
        let process = process::id();
        SEEDED_IN.with(|seeded_in| match seeded_in.get() {
            before if before == process => {}
            // The first number of this thread: `rand` has just seeded its source.
            0 => seeded_in.set(process),
            // A refusal of the operating system is no reason to fail: the next number asks again.
            _ => {
                if source.reseed().is_ok() {
                    seeded_in.set(process);
                }
            }
        });
        source
    }
}

impl Random for Thread {
    fn share(&mut self) -> f64 {
        Self::source().random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(random: &mut impl Random) -> Vec<f64> {
        (0..1000).map(|_| random.share()).collect()
    }

    /// A seed is a whole sequence, and another seed is another one.
    #[test]
    fn a_seed_decides_every_number() {
        assert_eq!(shares(&mut Seeded::new(7)), shares(&mut Seeded::new(7)));
        assert_ne!(shares(&mut Seeded::new(7)), shares(&mut Seeded::new(8)));
    }

    /// The sequence of a seed is part of the contract: recorded runs replay after an upgrade.
    #[test]
    fn the_sequence_of_a_seed_is_pinned() {
        // The first word of xoshiro256++ seeded by SplitMix64 from 0; its upper 53 bits.
        let word = 0x5317_5d61_490b_23df_u64;
        let share = (word >> 11) as f64 * (-53_f64).exp2();
        assert_eq!(Seeded::new(0).share().to_bits(), share.to_bits());
    }

    /// Both sources stay in `0.0..1.0` and are centred.
    #[test]
    fn shares_are_shares() {
        for drawn in [shares(&mut Seeded::new(1)), shares(&mut Thread)] {
            assert!(drawn.iter().all(|share| (0.0..1.0).contains(share)));
            let mean = drawn.iter().sum::<f64>() / 1000.0;
            assert!((mean - 0.5).abs() < 0.06, "mean {mean}");
        }
    }
}
