//! On which terms an operation is claimed.

use crate::error::Problem;
use crate::stores::record::OnLost;
use crate::stores::{Micros, SECOND};

/// The longest any of the times may be: ten years.
const LONGEST_DAYS: u32 = 3650;

/// Checked terms of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long an owner that is not heard of keeps others out.
    pub lease: Micros,
    /// How long an owner may renew its lease, from the claim on.
    pub max_lease: Micros,
    /// How long an end is remembered.
    pub ttl: Micros,
    /// How often an operation that is lost is claimed, the first time included.
    pub attempts: u32,
    /// What becomes of it when its owner is lost.
    pub on_lost: OnLost,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lease: 30 * SECOND,
            max_lease: 900 * SECOND,
            ttl: 86_400 * SECOND,
            attempts: 3,
            on_lost: OnLost::Takeover,
        }
    }
}

/// Terms as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Terms`")]
pub struct Draft {
    pub lease: Option<f64>,
    pub max_lease: Option<f64>,
    pub ttl: Option<f64>,
    pub attempts: Option<i64>,
    pub on_lost: Option<String>,
}

impl Draft {
    /// Terms, or every problem there is with them.
    ///
    /// A cap that was not named grows with a lease that is longer than the usual one.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Terms> {
        let before = problems.len();
        let usual = Terms::default();
        let lease = time("lease", self.lease, usual.lease, problems);
        let max_lease = time("max_lease", self.max_lease, usual.max_lease.max(lease), problems);
        let ttl = time("ttl", self.ttl, usual.ttl, problems);
        if problems.len() == before && max_lease < lease {
            let given = self.max_lease.unwrap_or_default();
            problems.push(Problem::new("max_lease", given, "must not be shorter than lease"));
        }
        let attempts = self.attempts.map_or(Some(usual.attempts), |given| {
            let attempts =
                u32::try_from(given).ok().filter(|attempts| (1..=1000).contains(attempts));
            if attempts.is_none() {
                problems.push(Problem::new("attempts", given, "must be from 1 to 1000"));
            }
            attempts
        });
        let on_lost = match self.on_lost.as_deref() {
            None => Some(usual.on_lost),
            Some("takeover") => Some(OnLost::Takeover),
            Some("quarantine") => Some(OnLost::Quarantine),
            Some(other) => {
                let rule = "must be takeover or quarantine";
                problems.push(Problem::new("on_lost", format!("{other:?}"), rule));
                None
            }
        };
        if problems.len() > before {
            return None;
        }
        Some(Terms { lease, max_lease, ttl, attempts: attempts?, on_lost: on_lost? })
    }
}

/// A time, or what is usual where there is none or a wrong one.
fn time(field: &str, given: Option<f64>, usual: Micros, problems: &mut Vec<Problem>) -> Micros {
    let Some(seconds) = given else { return usual };
    // A millisecond is less than any store needs to answer.
    if (0.001..=f64::from(LONGEST_DAYS) * 86_400.0).contains(&seconds) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and at most ten years"
        )]
        return (seconds * SECOND as f64).round() as Micros;
    }
    let rule = format!("must be from 0.001 to {} seconds", u64::from(LONGEST_DAYS) * 86_400);
    problems.push(Problem::new(field, seconds, rule));
    usual
}
