//! Compositions: what is wrong, or odd, about policies in a given order.
//!
//! What can't work is refused where policies are put on a function. What works, but seldom as it
//! was meant, is said here, with the reason: each [`Finding`] is a warning.

#[cfg(test)]
mod tests;

use crate::time::{Nanos, SECOND};

/// One policy of a composition, as far as its place among the others matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// A circuit breaker; the length of its window, if that is a time.
    Breaker {
        /// How far back its rates look.
        window: Option<Nanos>,
    },
    /// A retry.
    Retry {
        /// From when on it starts no attempt.
        max_duration: Option<Nanos>,
    },
    /// A limit of time.
    Timeout {
        /// How long.
        limit: Nanos,
    },
    /// A limit of calls at once.
    Bulkhead,
    /// A limit of calls over time.
    RateLimit {
        /// How long a call may wait for its time.
        max_wait: Nanos,
    },
    /// What makes a slow call once more beside itself.
    Hedge,
    /// What answers in the place of a call that failed.
    Fallback,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which policy it is about.
    pub at: usize,
    /// And which other one.
    pub other: usize,
    /// What, and why it matters: a clause that follows the policy's name. `{other}` stands for the
    /// other one's.
    pub what: String,
}

/// Everything odd about `parts`, outermost first.
#[must_use]
pub fn findings(parts: &[Part]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        for (other, outer) in parts.iter().enumerate().take(at) {
            if let Some(what) = inside(*part, *outer, &parts[other + 1..at]) {
                found.push(Finding { at, other, what });
            }
        }
    }
    found
}

/// What is odd about `part` somewhere inside of `outer`, with `between` between the two.
fn inside(part: Part, outer: Part, between: &[Part]) -> Option<String> {
    let retried = between.iter().any(|part| matches!(part, Part::Retry { .. }));
    match (part, outer) {
        (Part::Retry { .. }, Part::Retry { .. }) => Some(
            "is inside of {other}: while that has attempts left, this one makes one attempt; take \
             one of the two away, or say that they are to multiply (nested='independent')"
                .into(),
        ),
        (Part::Retry { .. }, Part::Breaker { .. }) => Some(
            "is inside of {other}, which sees one failure where the service was called several \
             times, and opens late: put the breaker inside of the retry"
                .into(),
        ),
        (Part::Retry { .. }, Part::Bulkhead) => Some(
            "is inside of {other}, whose permit is held while the retry sleeps: put the bulkhead \
             inside of the retry"
                .into(),
        ),
        (Part::Retry { .. }, Part::RateLimit { .. }) => Some(
            "is inside of {other}, which counts one call where the service is called several \
             times: put the rate limit inside of the retry"
                .into(),
        ),
        (Part::Hedge, Part::Breaker { .. }) => Some(
            "is inside of {other}, which does not see the slow and the failed attempts that another \
             made good: put the breaker inside of the hedge"
                .into(),
        ),
        (Part::Hedge, Part::Bulkhead) => Some(
            "is inside of {other}, which counts one call where several attempts run, and not those \
             that have lost and still run: put the bulkhead inside of the hedge"
                .into(),
        ),
        (Part::Hedge, Part::RateLimit { .. }) => Some(
            "is inside of {other}, which counts one call where the service is called several \
             times: put the rate limit inside of the hedge"
                .into(),
        ),
        (Part::Hedge, Part::Hedge) => Some(
            "is inside of {other}: each attempt of that has attempts of this one's, and their \
             numbers multiply; take one of the two away, or raise max_hedges of the other"
                .into(),
        ),
        (Part::Retry { .. }, Part::Hedge) => Some(
            "is inside of {other}, each of whose attempts it repeats: put the hedge inside of the \
             retry, which then repeats what no attempt made good"
                .into(),
        ),
        (Part::RateLimit { max_wait }, Part::Hedge) if max_wait > 0 => Some(
            "is inside of {other}, which takes a call that waits for its time for a slow one: put \
             the hedge inside of the rate limit, or let nothing wait (max_wait=0)"
                .into(),
        ),
        (Part::RateLimit { max_wait }, Part::Bulkhead) if max_wait > 0 => Some(
            "is inside of {other}, whose permit is held while a call waits for its time: put the \
             bulkhead inside of the rate limit"
                .into(),
        ),
        (Part::RateLimit { max_wait }, Part::Timeout { limit }) if max_wait >= limit => {
            Some(format!(
                "lets a call wait {} s to be let in, as long as {{other}} lets it take ({} s): make \
                 max_wait shorter",
                seconds(max_wait),
                seconds(limit)
            ))
        }
        (Part::Timeout { limit }, Part::Timeout { limit: total }) if limit >= total => {
            let whose = if retried { "an attempt's limit" } else { "the inner limit" };
            Some(format!(
                "is {whose} of {} s inside of {{other}}'s {} s, and is never reached: make it well \
                 shorter than the total",
                seconds(limit),
                seconds(total)
            ))
        }
        (Part::Timeout { limit }, Part::Retry { max_duration: Some(total) }) if limit >= total => {
            Some(format!(
                "lets one attempt take {} s, as long as all of {{other}}'s may take together \
                 ({} s): make it shorter, or max_duration longer",
                seconds(limit),
                seconds(total)
            ))
        }
        (Part::Timeout { limit }, Part::Breaker { window: Some(window) })
            if window < limit.saturating_mul(2) =>
        {
            Some(format!(
                "lets a call take {} s, but the window of {{other}} is {} s: a slow call's outcome \
                 is nearly forgotten when it comes; make the window at least twice as long",
                seconds(limit),
                seconds(window)
            ))
        }
        (Part::Fallback, _) => Some(
            "is inside of {other}, which takes its answer for the service's own: put the fallback \
             outermost"
                .into(),
        ),
        _ => None,
    }
}

fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}
