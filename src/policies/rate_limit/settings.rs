//! What a rate limit is set up with.

use super::calendar::Unit;
use super::cost::{Cost, THOUSANDTHS};
use super::gcra::{TICKS, scaled};
use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

/// What a call costs, unless told otherwise.
pub const DEFAULT_COST: Cost = Cost::ONE;

/// The highest rate there may be: beyond, a nanosecond's sixteenth is too coarse.
const MOST_PER_SECOND: f64 = 1e8;

/// What the limit is a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Any stretch so long, beyond what the burst allows.
    Time(Nanos),
    /// Each window of the calendar.
    Calendar(Unit),
}

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How many.
    pub limit: f64,
    /// In what.
    pub per: Per,
    /// How many at once, of a rate. Of a calendar's window: the limit.
    pub burst: f64,
    /// What a call costs that does not say it itself.
    pub cost: Cost,
    /// How long a call may wait to be let in.
    pub max_wait: Nanos,
    pub(super) interval: u64,
    pub(super) capacity: u64,
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub limit: Option<f64>,
    pub per: Option<f64>,
    /// In the place of `per`: the name of a window of the calendar.
    pub window: Option<String>,
    pub burst: Option<f64>,
    pub cost: Option<f64>,
    pub max_wait: Option<f64>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let limit = self.limit(problems);
        let per = self.per(problems);
        let burst = self.burst(limit, per, problems);
        let cost = self.cost.map_or(Some(DEFAULT_COST), |cost| {
            let checked = Cost::of(cost);
            if checked.is_none() {
                problems.push(Problem::new("cost", cost, COST));
            }
            checked
        });
        let max_wait = self.max_wait.map_or(Some(0), |given| {
            let checked = seconds(given);
            if checked.is_none() {
                let years = LONGEST / (365 * 86_400 * SECOND);
                let rule = format!("must be from 0 seconds to {years} years");
                problems.push(Problem::new("max_wait", given, rule));
            }
            checked
        });
        if let (Some(cost), Some(most)) = (cost, burst)
            && cost.number() > most
        {
            let what = if matches!(per, Some(Per::Calendar(_))) { "limit" } else { "burst" };
            let rule = format!("is more than the {what}, {most}: no call would ever be let in");
            problems.push(Problem::new("cost", cost.number(), rule));
        }
        let (interval, capacity) = match (limit, per, burst) {
            (Some(limit), Some(Per::Time(length)), Some(burst)) => {
                rate(limit, length, burst, problems)?
            }
            _ => (0, 0),
        };
        if problems.len() > before {
            return None;
        }
        Some(Settings {
            limit: limit?,
            per: per?,
            burst: burst?,
            cost: cost?,
            max_wait: max_wait?,
            interval,
            capacity,
        })
    }

    fn limit(&self, problems: &mut Vec<Problem>) -> Option<f64> {
        let Some(limit) = self.limit else {
            problems.push(Problem::new("limit", "None", "must be given"));
            return None;
        };
        if limit > 0.0 && Cost::of(limit).is_some() {
            return Some(limit);
        }
        let rule = "must be more than 0 and at most 1000000000";
        problems.push(Problem::new("limit", limit, rule));
        None
    }

    fn per(&self, problems: &mut Vec<Problem>) -> Option<Per> {
        if let Some(name) = &self.window {
            let unit = Unit::ALL.into_iter().find(|unit| unit.as_str() == name);
            if unit.is_none() {
                let names = Unit::ALL.map(|unit| format!("'{}'", unit.as_str())).join(", ");
                let rule = format!("must be seconds, a timedelta, or one of {names}");
                let mut problem = Problem::new("per", format!("'{name}'"), rule);
                problem.nearest = Problem::unknown(name, "", &Unit::ALL.map(Unit::as_str)).nearest;
                problems.push(problem);
            }
            return unit.map(Per::Calendar);
        }
        let given = self.per.unwrap_or(1.0);
        let length = seconds(given).filter(|nanos| *nanos > 0);
        if length.is_none() {
            let years = LONGEST / (365 * 86_400 * SECOND);
            let rule = format!("must be more than 0 seconds and at most {years} years");
            problems.push(Problem::new("per", given, rule));
        }
        length.map(Per::Time)
    }

    fn burst(
        &self,
        limit: Option<f64>,
        per: Option<Per>,
        problems: &mut Vec<Problem>,
    ) -> Option<f64> {
        match (self.burst, per) {
            (Some(given), Some(Per::Calendar(_))) => {
                let rule = "is of use only with a rate: a window of the calendar has its limit";
                problems.push(Problem::new("burst", given, rule));
                None
            }
            (Some(given), _) if !(1.0..=Cost::MOST).contains(&given) => {
                let rule = "must be from 1 to 1000000000";
                problems.push(Problem::new("burst", given, rule));
                None
            }
            (Some(given), _) => Some(given),
            (None, Some(Per::Calendar(_))) => limit,
            (None, _) => limit.map(|limit| limit.max(1.0)),
        }
    }
}

/// What a wrong cost is told.
pub const COST: &str = "must be a number from 0 to 1000000000";

/// The interval and the capacity of a rate.
fn rate(limit: f64, length: Nanos, burst: f64, problems: &mut Vec<Problem>) -> Option<(u64, u64)> {
    if limit > MOST_PER_SECOND * (length as f64 / SECOND as f64) {
        let rule = "is more than 100000000 a second, which nobody could tell from no limit";
        problems.push(Problem::new("limit", limit, rule));
        return None;
    }
    let interval = ((length << TICKS) as f64 / limit).ceil();
    let too_slow = || {
        let years = LONGEST / (365 * 86_400 * SECOND);
        let rule = format!("takes more than {years} years to come back at this rate");
        Problem::new("burst", burst, rule)
    };
    if interval >= (LONGEST << TICKS) as f64 {
        problems.push(too_slow());
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and checked above"
    )]
    let interval = interval as u64;
    let burst = Cost::of(burst)?;
    let capacity =
        scaled(interval, burst.0, THOUSANDTHS).filter(|ticks| *ticks <= LONGEST << TICKS);
    if capacity.is_none() {
        problems.push(too_slow());
    }
    Some((interval, capacity?))
}
