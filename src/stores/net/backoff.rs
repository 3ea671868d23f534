//! How long nobody tries to connect after one who failed.

use std::time::Duration;

/// Pauses that double, up to a longest, each shortened by chance to as little as half of it: those
/// who lost the same server don't come back in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure, unshortened.
    pub first: Duration,
    /// The longest, unshortened.
    pub last: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(20), last: Duration::from_secs(1) }
    }
}

impl Backoff {
    /// The pause after so many failures in a row; none after none. `share` is a uniform number in
    /// `0.0..1.0`.
    #[must_use]
    pub fn pause(&self, failures: u32, share: f64) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let doubled = self.first.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        doubled.min(self.last).mul_f64(0.5 + share.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, Seeded};

    /// Each pause is between half and the whole of what doubles up to the longest, and pauses differ.
    #[test]
    fn pauses_double_and_are_jittered() {
        let backoff = Backoff::default();
        let mut random = Seeded::new(1);
        assert_eq!(backoff.pause(0, 0.9), Duration::ZERO);
        for failures in 1..200 {
            let most = backoff.first.as_secs_f64() * 2_f64.powi(failures - 1);
            let most = most.min(backoff.last.as_secs_f64());
            let pauses: Vec<_> = (0..20)
                .map(|_| backoff.pause(failures.cast_unsigned(), random.share()).as_secs_f64())
                .collect();
            assert!(pauses.iter().all(|pause| (most / 2.0..=most).contains(pause)), "{pauses:?}");
            assert!(pauses.iter().any(|pause| (pause - pauses[0]).abs() > most / 100.0));
        }
    }
}
