//! What a user may ask for.

use crate::error::Problem;
use crate::time::{Nanos, SECOND, seconds};

/// Shares are kept in billionths: exact to nine decimals.
pub(super) const BILLION: u64 = 1_000_000_000;

const MODES: [&str; 3] = ["ratio", "concurrency", "tokens"];
const DEFAULT_RATIO: f64 = 0.2;
const DEFAULT_PER_SECOND: f64 = 10.0;
const DEFAULT_TTL: Nanos = 10 * SECOND;
const DEFAULT_CONCURRENT: u32 = 3;
const DEFAULT_TOKENS: u32 = 100;
const SHORTEST: Nanos = SECOND / 10;
/// What was saved up for longer than this says nothing about the load of now; and counts of calls
/// fit into the bits they have.
const LONGEST: Nanos = 3_600 * SECOND;
const MOST_PER_SECOND: f64 = 1_000_000.0;
const MOST: u32 = 1_000_000;

/// How a budget decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Attempts over the last `ttl` are a share of the calls over it, and a reserve.
    Ratio {
        /// The share, in billionths.
        ratio: u64,
        /// Attempts a second that are permitted however few calls there are.
        min_per_second: f64,
        /// How long a call counts.
        ttl: Nanos,
    },
    /// Attempts in flight are a share of the calls in flight.
    Concurrency {
        /// The share, in billionths.
        ratio: u64,
        /// So many are permitted however few calls there are.
        min_concurrent: u32,
    },
    /// Attempts are permitted above half of the tokens.
    Tokens {
        /// What a success adds, in thousandths of a token.
        ratio: u64,
        /// The most there may be, and how many there are to begin with.
        max_tokens: u32,
    },
}

impl Mode {
    /// Its name, as users see it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ratio { .. } => MODES[0],
            Self::Concurrency { .. } => MODES[1],
            Self::Tokens { .. } => MODES[2],
        }
    }
}

/// Settings that have been checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How it decides, and by which numbers.
    pub mode: Mode,
}

impl Settings {
    /// The share, as a number in 0…1.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.mode {
            Mode::Ratio { ratio, .. } | Mode::Concurrency { ratio, .. } => {
                ratio as f64 / BILLION as f64
            }
            Mode::Tokens { ratio, .. } => ratio as f64 / 1e3,
        }
    }
}

/// Settings as the user wrote them: any number may be wrong. Durations are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Mode`")]
pub struct Draft {
    pub mode: Option<String>,
    pub ratio: Option<f64>,
    pub min_per_second: Option<f64>,
    pub ttl: Option<f64>,
    pub min_concurrent: Option<i64>,
    pub max_tokens: Option<i64>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let mut check = Check(problems);
        let mode = match &self.mode {
            None => Some(0),
            Some(given) => check.mode(given),
        };
        let ratio = check.ratio(self.ratio.unwrap_or(DEFAULT_RATIO), mode == Some(2));
        let per_second = check.per_second(self.min_per_second.unwrap_or(DEFAULT_PER_SECOND));
        let ttl = self.ttl.map_or(Some(DEFAULT_TTL), |given| check.ttl(given));
        let concurrent = check.count("min_concurrent", self.min_concurrent, 0, DEFAULT_CONCURRENT);
        let tokens = check.count("max_tokens", self.max_tokens, 1, DEFAULT_TOKENS);
        if let Some(mode) = mode {
            check.unused(mode, "min_per_second", 0, self.min_per_second);
            check.unused(mode, "ttl", 0, self.ttl);
            check.unused(mode, "min_concurrent", 1, self.min_concurrent);
            check.unused(mode, "max_tokens", 2, self.max_tokens);
        }
        if problems.len() > before {
            return None;
        }
        let mode = match mode? {
            0 => Mode::Ratio { ratio: ratio?, min_per_second: per_second?, ttl: ttl? },
            1 => Mode::Concurrency { ratio: ratio?, min_concurrent: concurrent? },
            _ => Mode::Tokens { ratio: ratio? / (BILLION / 1_000), max_tokens: tokens? },
        };
        Some(Settings { mode })
    }
}

/// Takes down what is wrong. What is wrong comes out as `None`.
struct Check<'a>(&'a mut Vec<Problem>);

impl Check<'_> {
    fn wrong<T>(
        &mut self,
        field: &str,
        given: impl std::fmt::Display,
        rule: impl Into<String>,
    ) -> Option<T> {
        self.0.push(Problem::new(field, given, rule));
        None
    }

    fn mode(&mut self, given: &str) -> Option<usize> {
        let found = MODES.iter().position(|mode| *mode == given);
        if found.is_none() {
            let rule = format!("must be one of {}", MODES.join(", "));
            let nearest = Problem::unknown(given, given, &MODES).nearest;
            let problem = Problem::new("mode", format!("'{given}'"), rule);
            self.0.push(Problem { nearest, ..problem });
        }
        found
    }

    /// More than 1 is refused: an average above one further attempt a call is what `attempts` of a
    /// retry are for; it would let an outage more than double the load that it is to be kept from.
    fn ratio(&mut self, given: f64, tokens: bool) -> Option<u64> {
        if !(0.0..=1.0).contains(&given) || (tokens && given == 0.0) {
            let rule = if tokens { "must be above 0 and at most 1" } else { "must be in 0…1" };
            return self.wrong("ratio", given, rule);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0…10⁹")]
        let billionths = (given * BILLION as f64).round() as u64;
        if tokens && !billionths.is_multiple_of(BILLION / 1_000) {
            return self.wrong(
                "ratio",
                given,
                "must have at most three decimals with mode='tokens'",
            );
        }
        Some(billionths)
    }

    fn per_second(&mut self, given: f64) -> Option<f64> {
        if (0.0..=MOST_PER_SECOND).contains(&given) {
            return Some(given);
        }
        let rule = format!("must be at least 0 and at most {MOST_PER_SECOND}");
        self.wrong("min_per_second", given, rule)
    }

    fn ttl(&mut self, given: f64) -> Option<Nanos> {
        let fitting = seconds(given).filter(|nanos| (SHORTEST..=LONGEST).contains(nanos));
        fitting.or_else(|| {
            let (least, most) = (SHORTEST as f64 / SECOND as f64, LONGEST / SECOND);
            self.wrong("ttl", given, format!("must be at least {least} and at most {most} seconds"))
        })
    }

    fn count(&mut self, field: &str, given: Option<i64>, least: u32, default: u32) -> Option<u32> {
        let Some(given) = given else { return Some(default) };
        let count = u32::try_from(given).ok().filter(|count| (least..=MOST).contains(count));
        count.or_else(|| {
            let rule = format!("must be a whole number from {least} to {MOST}");
            self.wrong(field, given, rule)
        })
    }

    fn unused<T: std::fmt::Display>(
        &mut self,
        mode: usize,
        field: &str,
        used_by: usize,
        given: Option<T>,
    ) {
        // A number that is wrong by itself has its problem already.
        if let Some(given) = given.filter(|_| mode != used_by)
            && !self.0.iter().any(|problem| problem.field == field)
        {
            let rule = format!("is for mode='{}', and mode is '{}'", MODES[used_by], MODES[mode]);
            self.wrong::<()>(field, given, rule);
        }
    }
}
