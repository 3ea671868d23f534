//! What a retry is set up with.

use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

/// Attempts of a call, the first included, unless told otherwise.
pub const DEFAULT_ATTEMPTS: u32 = 3;

/// No wait that somebody else asked for is longer, where the settings bound none: a mistaken or
/// hostile answer is to hold nobody for a day.
pub const MOST_TOLD: Nanos = 60 * SECOND;

const MOST_ATTEMPTS: u32 = 1_000_000_000;

/// What a retry does inside of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nested {
    /// One attempt, while the outer one has attempts left: together they make as many as the outer.
    #[default]
    Inherit,
    /// As if it were alone: attempts multiply.
    Independent,
    /// It refuses the call.
    Refuse,
}

impl Nested {
    /// As the user writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inherit => "inherit",
            Self::Independent => "independent",
            Self::Refuse => "refuse",
        }
    }
}

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often the function is called at most, the first time included.
    pub attempts: u32,
    /// No attempt starts later than this after the first.
    pub max_duration: Option<Nanos>,
    /// No wait is longer, whoever asked for it.
    pub max_delay: Option<Nanos>,
    /// What it does inside of another retry.
    pub nested: Nested,
}

impl Settings {
    /// The longest wait that somebody else may ask for, after a backoff that has no cap.
    #[must_use]
    pub const fn most_told(&self) -> Nanos {
        match self.max_delay {
            Some(most) => most,
            None => MOST_TOLD,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts: DEFAULT_ATTEMPTS,
            max_duration: None,
            max_delay: None,
            nested: Nested::Inherit,
        }
    }
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub attempts: Option<i64>,
    pub max_duration: Option<f64>,
    pub max_delay: Option<f64>,
    pub nested: Option<String>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let attempts = self.attempts.map_or(Some(DEFAULT_ATTEMPTS), |given| {
            let attempts = u32::try_from(given).ok().filter(|n| (1..=MOST_ATTEMPTS).contains(n));
            if attempts.is_none() {
                let rule = format!("must be a whole number from 1 to {MOST_ATTEMPTS}");
                problems.push(Problem::new("attempts", given, rule));
            }
            attempts
        });
        let max_duration = time("max_duration", self.max_duration, problems);
        let max_delay = time("max_delay", self.max_delay, problems);
        let nested = match self.nested.as_deref() {
            None | Some("inherit") => Nested::Inherit,
            Some("independent") => Nested::Independent,
            Some("refuse") => Nested::Refuse,
            Some(other) => {
                let known = ["inherit", "independent", "refuse"];
                let rule = format!("must be one of {}", known.join(", "));
                problems.push(Problem {
                    nearest: Problem::unknown(other, other, &known).nearest,
                    ..Problem::new("nested", format!("{other:?}"), rule)
                });
                Nested::Inherit
            }
        };
        if problems.len() > before {
            return None;
        }
        Some(Settings { attempts: attempts?, max_duration, max_delay, nested })
    }
}

fn time(field: &str, given: Option<f64>, problems: &mut Vec<Problem>) -> Option<Nanos> {
    let given = given?;
    let nanos = seconds(given).filter(|_| given > 0.0).map(|nanos| nanos.max(1));
    if nanos.is_none() {
        let years = LONGEST / (365 * 86_400 * SECOND);
        let rule = format!("must be more than 0 seconds and at most {years} years");
        problems.push(Problem::new(field, given, rule));
    }
    nanos
}
