//! How long calls take: a quantile of the last so many, in bounded memory.
//!
//! A ring remembers the bucket of each of the last samples, a histogram how many lie in each bucket.
//! Buckets are a sixteenth of an octave wide, as in an HDR histogram with four bits: what is
//! answered is a bucket's upper end, at most 1/16 above the quantile itself and never below it.
//!
//! Only *first* attempts are samples. One that answered gives its latency. One that lost gives how
//! long it had run by then: its latency is longer than that, and that is longer than the delay.
//! Without those samples every hedge that wins would hide a slow attempt, the quantile would fall,
//! and more and more calls would be hedged. Further attempts are none: those that lose against the
//! first are cut off below the quantile.
//!
//! No lock: a sample takes its place by one swap, whoever was there before is taken off the count
//! by the one that replaced it. While several do so at once the counts may be off by those.

use super::place::{Place, Private, Words};
use super::settings::Quantile;
use crate::sync::Ordering;
use crate::time::Nanos;

/// The finest step: 1024 ns.
const UNIT_BITS: u32 = 10;
/// Buckets in an octave: 2 to this.
const FINE_BITS: u32 = 4;
const FINE: usize = 1 << FINE_BITS;
/// Longer than 2^40 units, 13 days, counts as that.
const OCTAVES: u32 = 40 - FINE_BITS;
pub(super) const BUCKETS: usize = (OCTAVES as usize + 1) * FINE;
/// The quantile is worked out so often while the ring is filled once.
const UPDATES: u64 = 64;

/// The latencies of the last calls.
#[derive(Clone, Debug)]
pub struct Latencies<P: Place = Private> {
    place: P,
}

impl Latencies {
    /// Of none.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { place: Private::of(window.max(1) as usize) }
    }
}

impl<P: Place> Latencies<P> {
    /// Over words that exist already; see [`Words::of`].
    #[must_use]
    pub fn over(place: P) -> Self {
        Self { place }
    }

    /// How many are counted, bucket by bucket: as many as are held, unless some are just coming.
    #[must_use]
    pub fn counted(&self) -> u64 {
        let buckets = self.place.words().buckets.iter();
        buckets.map(|count| count.load(Ordering::Acquire)).sum()
    }

    /// How many samples it holds at most.
    #[must_use]
    pub fn window(&self) -> usize {
        self.place.words().samples.len()
    }

    /// How many it holds.
    #[must_use]
    pub fn held(&self) -> u64 {
        let taken = self.place.words().taken.load(Ordering::Acquire);
        taken.min(self.window() as u64)
    }

    /// A first attempt took so long.
    pub fn record(&self, latency: Nanos, rule: &Quantile) {
        let words = self.place.words();
        let bucket = bucket(latency);
        let number = words.taken.fetch_add(1, Ordering::AcqRel);
        let size = words.samples.len() as u64;
        // In this order no count is ever too low.
        words.buckets[bucket].fetch_add(1, Ordering::AcqRel);
        let slot = &words.samples[usize::try_from(number % size).unwrap_or(0)];
        let before = slot.swap(bucket as u64 + 1, Ordering::AcqRel);
        if let Some(before) = before.checked_sub(1).and_then(|it| usize::try_from(it).ok()) {
            words.buckets[before].fetch_sub(1, Ordering::AcqRel);
        }
        let taken = number + 1;
        let least = u64::from(rule.min_samples);
        if taken == least || (taken > least && taken.is_multiple_of((size / UPDATES).max(1))) {
            self.work_out(rule.share);
        }
    }

    /// Works the quantile out anew.
    pub fn work_out(&self, share: f64) {
        let words = self.place.words();
        let held = self.held();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count of at most 100 000"
        )]
        let rank = ((share * held as f64).ceil() as u64).clamp(1, held.max(1));
        words.quantile.store(quantile(words, rank), Ordering::Release);
    }

    /// The delay that follows from the samples, if there are enough.
    #[must_use]
    pub fn delay(&self, rule: &Quantile) -> Option<Nanos> {
        let words = self.place.words();
        let enough = words.taken.load(Ordering::Acquire) >= u64::from(rule.min_samples);
        let seen = words.quantile.load(Ordering::Acquire);
        let known = (enough && seen != 0).then_some(seen).or(rule.initial)?;
        Some(known.max(rule.min_delay).min(rule.max_delay.unwrap_or(Nanos::MAX)))
    }
}

/// The upper end of the bucket in which the sample of this rank lies.
fn quantile(words: &Words, rank: u64) -> Nanos {
    let mut below = 0;
    let mut last = 0;
    for (at, count) in words.buckets.iter().enumerate() {
        let count = count.load(Ordering::Acquire);
        if count == 0 {
            continue;
        }
        last = at;
        below += count;
        if below >= rank {
            break;
        }
    }
    upper(last)
}

/// Which bucket it lies in.
fn bucket(latency: Nanos) -> usize {
    let units = (latency >> UNIT_BITS).min((1 << (OCTAVES + FINE_BITS)) - 1);
    // Below 2^40, which fits.
    let whole = usize::try_from(units).unwrap_or(usize::MAX);
    if whole < FINE {
        return whole;
    }
    let octave = units.ilog2() - FINE_BITS;
    let fine = (whole >> octave) & (FINE - 1);
    (octave as usize + 1) * FINE + fine
}

/// The first latency beyond a bucket.
fn upper(bucket: usize) -> Nanos {
    let (octave, fine) = (bucket / FINE, bucket % FINE);
    let units = match octave.checked_sub(1) {
        None => fine + 1,
        Some(octave) => (FINE + fine + 1) << octave,
    };
    (units as Nanos) << UNIT_BITS
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::{BUCKETS, bucket, upper};

    /// Every latency is in a bucket whose upper end is above it, by at most a sixteenth and a unit.
    #[test]
    fn buckets_are_narrow() {
        for exponent in 0..49 {
            for part in 0..97_u64 {
                let latency = (1 << exponent) + ((1 << exponent) * part) / 97;
                let at = bucket(latency);
                assert!(at < BUCKETS, "{latency}");
                let above = upper(at) - latency;
                assert!(upper(at) > latency && above <= latency / 16 + 1024, "{latency}: {above}");
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
