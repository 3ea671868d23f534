//! What a bulkhead is set up with.

use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

/// Calls at once, unless told otherwise.
const DEFAULT_PERMITS: u32 = 10;
/// Waiters, unless told otherwise.
const DEFAULT_QUEUE: usize = 100;
/// More calls at once can't be counted.
pub const MOST_PERMITS: u32 = 1_000_000;
const MOST_WAITERS: usize = 1_000_000;

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many calls may run at once.
    pub max_concurrent: u32,
    /// How long a call waits for a permit; 0: it is refused at once.
    pub max_wait: Nanos,
    /// How many may wait.
    pub max_queue: usize,
    /// Calls run in threads of the bulkhead's own.
    pub pooled: bool,
}

impl Settings {
    /// How many may wait, and be it because none has the time to.
    #[must_use]
    pub fn waiters(&self) -> usize {
        if self.max_wait == 0 { 0 } else { self.max_queue }
    }
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub max_concurrent: Option<i64>,
    pub max_wait: Option<f64>,
    pub max_queue: Option<i64>,
    pub pool: Option<String>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let max_concurrent = match self.max_concurrent {
            None => DEFAULT_PERMITS,
            Some(given) => match u32::try_from(given) {
                Ok(permits) if (1..=MOST_PERMITS).contains(&permits) => permits,
                _ => {
                    let rule = format!("must be a whole number from 1 to {MOST_PERMITS}");
                    problems.push(Problem::new("max_concurrent", given, rule));
                    0
                }
            },
        };
        let max_wait = match self.max_wait {
            None => 0,
            Some(given) => seconds(given).unwrap_or_else(|| {
                let years = LONGEST / (365 * 86_400 * SECOND);
                let rule = format!("must be 0 seconds or more, and at most {years} years");
                problems.push(Problem::new("max_wait", given, rule));
                1
            }),
        };
        let max_queue = match self.max_queue {
            None => DEFAULT_QUEUE,
            Some(given) => match usize::try_from(given) {
                Ok(most) if most <= MOST_WAITERS => most,
                _ => {
                    let rule = format!("must be a whole number from 0 to {MOST_WAITERS}");
                    problems.push(Problem::new("max_queue", given, rule));
                    0
                }
            },
        };
        // Said to be 0, it is so for now: it may be changed while the program runs.
        if self.max_wait.is_none() && self.max_queue.is_some_and(|given| given > 0) {
            let rule = "is of use only with max_wait: nobody waits";
            problems.push(Problem::new("max_queue", "given", rule));
        }
        let pooled = self.pool.is_some();
        if let Some(other) = self.pool.as_deref().filter(|given| *given != "threads") {
            let rule = "must be 'threads', or None";
            problems.push(Problem::new("pool", format!("{other:?}"), rule));
        }
        let settings = Settings { max_concurrent, max_wait, max_queue, pooled };
        (problems.len() == before).then_some(settings)
    }
}
