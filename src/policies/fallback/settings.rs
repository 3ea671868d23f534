//! What a fallback is set up with.

use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

/// Answers that are kept, unless told otherwise.
const DEFAULT_KEYS: usize = 1_000;
const MOST_KEYS: i64 = 10_000_000;

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many providers there are to ask.
    pub providers: u16,
    /// How old an answer may be that is given once more. `None`: none is remembered.
    pub stale: Option<Nanos>,
    /// How many answers are remembered.
    pub max_keys: usize,
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub providers: usize,
    pub stale: Option<f64>,
    pub max_keys: Option<i64>,
    /// Is it said what tells calls apart?
    pub keyed: bool,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let mut wrong = |field: &str, value: String, rule: String| {
            problems.push(Problem::new(field, value, rule));
        };
        if self.providers == 0 && self.stale.is_none() {
            let rule = "are missing: give a value, a callable, or stale= to answer from memory";
            wrong("providers", "()".to_owned(), rule.to_owned());
        }
        let stale = self.stale.and_then(|given| {
            let length = seconds(given).filter(|length| *length > 0);
            if length.is_none() {
                let years = LONGEST / (365 * 86_400 * SECOND);
                let rule = format!("must be more than 0 seconds, and at most {years} years");
                wrong("stale", given.to_string(), rule);
            }
            length
        });
        let mut max_keys = DEFAULT_KEYS;
        if let Some(given) = self.max_keys {
            match usize::try_from(given) {
                Ok(most) if (1..=MOST_KEYS).contains(&given) => max_keys = most,
                _ => {
                    let rule = format!("must be a whole number from 1 to {MOST_KEYS}");
                    wrong("max_keys", given.to_string(), rule);
                }
            }
        }
        if self.stale.is_none() {
            for (field, given) in [("key", self.keyed), ("max_keys", self.max_keys.is_some())] {
                if given {
                    let rule = "is of use only with stale: nothing else is remembered";
                    wrong(field, "given".to_owned(), rule.to_owned());
                }
            }
        }
        let providers = u16::try_from(self.providers).unwrap_or_else(|_| {
            let rule = format!("are too many: at most {}", u16::MAX);
            wrong("providers", self.providers.to_string(), rule);
            0
        });
        (problems.len() == before).then_some(Settings { providers, stale, max_keys })
    }
}
