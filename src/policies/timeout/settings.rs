//! What a timeout is set up with.

use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

/// Threads of a pool at once, unless told otherwise.
pub const DEFAULT_THREADS: u32 = 256;

const MOST_THREADS: u32 = 100_000;

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a call may take.
    pub limit: Nanos,
    /// Calls run in threads of the timeout's own, and so many of these there may be at once.
    pub threads: Option<u32>,
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub limit: Option<f64>,
    pub pool: Option<String>,
    pub max_threads: Option<i64>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let given = self.limit.unwrap_or(0.0);
        let limit = seconds(given).filter(|_| given > 0.0).map(|nanos| nanos.max(1));
        match (self.limit, limit) {
            (None, _) => problems.push(Problem::new("seconds", "None", "must be given")),
            (Some(given), None) => {
                let years = LONGEST / (365 * 86_400 * SECOND);
                let rule = format!("must be more than 0 seconds and at most {years} years");
                problems.push(Problem::new("seconds", given, rule));
            }
            (Some(_), Some(_)) => {}
        }
        let pooled = match self.pool.as_deref() {
            None => false,
            Some("threads") => true,
            Some(other) => {
                let rule = "must be 'threads', or None";
                problems.push(Problem::new("pool", format!("{other:?}"), rule));
                false
            }
        };
        let threads = self.max_threads.map_or(Some(DEFAULT_THREADS), |given| {
            let threads = u32::try_from(given).ok().filter(|n| (1..=MOST_THREADS).contains(n));
            if threads.is_none() {
                let rule = format!("must be a whole number from 1 to {MOST_THREADS}");
                problems.push(Problem::new("max_threads", given, rule));
            }
            threads
        });
        if self.max_threads.is_some() && !pooled && self.pool.is_none() {
            problems.push(Problem::new("max_threads", "given", "goes with pool='threads'"));
        }
        if problems.len() > before {
            return None;
        }
        Some(Settings { limit: limit?, threads: if pooled { threads } else { None } })
    }
}
