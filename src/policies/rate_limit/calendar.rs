//! A limit for each window of the calendar, in UTC: so many a minute, a day, a month.
//!
//! The word is the number of a window, in 24 bits, and what was taken of it, in thousandths, in 40.
//! Zero is a limit that nobody has asked yet. A window's number is that of the calendar without its
//! higher bits: a limit that was not asked for as long as it takes them to come round again (194
//! days of seconds, 31 years of minutes) may meet its old count once.
//!
//! The clock of the calendar may be set back. What was taken of a window that is yet to come counts
//! for it, as where time was reserved in it, but no further than callers may wait: a date that was
//! wrong by more is forgotten.

use super::cost::{Cost, THOUSANDTHS};
use super::{Decision, Refusal};
use crate::time::{Nanos, SECOND};

const COUNT: u32 = 40;
const MOST: u64 = (1 << COUNT) - 1;
const NUMBERS: u64 = 1 << (64 - COUNT);
const DAY: Nanos = 86_400 * SECOND;

/// What a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of the clock.
    Second,
    /// Of the clock.
    Minute,
    /// Of the clock.
    Hour,
    /// From midnight on.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// What it is called.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn length(self) -> Nanos {
        match self {
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3_600 * SECOND,
            Self::Day => DAY,
            // Months have no length of their own, and go by days.
            Self::Week | Self::Month => 7 * DAY,
        }
    }

    /// The number of the window that `date` lies in.
    pub(super) fn number(self, date: Nanos) -> u64 {
        match self {
            // The first of January 1970 was a Thursday.
            Self::Week => (date + 3 * DAY) / (7 * DAY),
            Self::Month => month_of(date / DAY),
            _ => date / self.length(),
        }
    }

    /// When the window of that number begins.
    pub(super) fn begins(self, number: u64) -> Nanos {
        match self {
            Self::Week => (number * 7 * DAY).saturating_sub(3 * DAY),
            Self::Month => first_of(number).saturating_mul(DAY),
            _ => number.saturating_mul(self.length()),
        }
    }
}

/// The month, counted from year 0 on, of a day, counted from 1970 on. Years begin in March: then
/// the day that comes every four years is the last (after H. Hinnant's *chrono-compatible low-level
/// date algorithms*).
fn month_of(day: u64) -> u64 {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + march + 2
}

/// The first day of such a month.
fn first_of(month: u64) -> u64 {
    let month = month.saturating_sub(2);
    let (year, march) = (month / 12, month % 12);
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * march + 2) / 5;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).saturating_sub(719_468)
}

/// So many, in thousandths, a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub unit: Unit,
    pub limit: u64,
    /// So many windows ahead may have been reserved: by the callers that may wait longest, whoever
    /// looks at the word.
    pub reach: u64,
}

/// More than anybody waits.
pub(super) const REACH: u64 = (1 << 40) - 1;

/// A word, in the light of a date.
struct Seen {
    /// The window under way.
    here: u64,
    /// The one that counts: that, or one yet to come.
    window: u64,
    /// What was taken of it.
    used: u64,
}

impl Calendar {
    /// Windows that begin up to `patience` from now may have been reserved, as may those in reach.
    fn see(&self, word: u64, date: Nanos, patience: Nanos) -> Seen {
        let here = self.unit.number(date);
        if word == 0 {
            return Seen { here, window: here, used: 0 };
        }
        let ahead = (word >> COUNT).wrapping_sub(here) % NUMBERS;
        let most = self.unit.number(date.saturating_add(patience)).saturating_sub(here);
        let most = most.max(self.reach);
        if ahead > most {
            return Seen { here, window: here, used: 0 };
        }
        Seen { here, window: here + ahead, used: word & MOST }
    }

    fn word(window: u64, used: u64) -> u64 {
        ((window % NUMBERS) << COUNT) | used.min(MOST)
    }

    /// Aside, so that a rate, which most limits are, is decided in few instructions.
    #[inline(never)]
    pub(super) fn decide(&self, word: u64, date: Nanos, cost: Cost, patience: Nanos) -> Decision {
        if cost.0 == 0 {
            return Decision::Take { word, wait: 0 };
        }
        if cost.0 > self.limit {
            return Decision::Refuse(Refusal { retry_after: None });
        }
        let Seen { here, window, used } = self.see(word, date, patience);
        let fits = used.saturating_add(cost.0) <= self.limit;
        let (window, used) = if fits { (window, used + cost.0) } else { (window + 1, cost.0) };
        let wait = if window == here { 0 } else { self.unit.begins(window).saturating_sub(date) };
        if wait <= patience {
            Decision::Take { word: Self::word(window, used), wait }
        } else {
            Decision::Refuse(Refusal { retry_after: Some(wait) })
        }
    }

    pub(super) fn give_back(word: u64, given: u64, cost: Cost) -> Option<u64> {
        let same = word >> COUNT == given >> COUNT;
        if same { word.checked_sub(cost.0.min(word & MOST)) } else { None }
    }

    /// What was taken of the window under way and of those yet to come, in thousandths. Where one
    /// that is yet to come was reserved, those before it have nothing left.
    pub(super) fn used(&self, word: u64, date: Nanos) -> u64 {
        let Seen { here, window, used } = self.see(word, date, 0);
        self.limit.saturating_mul(window.saturating_sub(here)).saturating_add(used)
    }

    /// How many windows may have been reserved by who waits so long.
    pub(super) fn reach(unit: Unit, max_wait: Nanos) -> u64 {
        let shortest = if matches!(unit, Unit::Month) { 28 * DAY } else { unit.length() };
        max_wait.div_ceil(shortest).clamp(1, REACH)
    }

    /// The word that says what `word` said of `old`.
    pub(super) fn carry(&self, old: &Self, word: u64, date: Nanos) -> u64 {
        if self.unit == old.unit { word } else { self.taken(old.used(word, date), date) }
    }

    pub(super) fn available(&self, word: u64, date: Nanos) -> f64 {
        (self.limit as f64 - self.used(word, date) as f64) / THOUSANDTHS as f64
    }

    pub(super) fn at_rest(&self, word: u64, date: Nanos) -> bool {
        self.used(word, date) == 0
    }

    /// The word of a window under way of which so much was taken.
    pub(super) fn taken(&self, taken: u64, date: Nanos) -> u64 {
        if taken == 0 { 0 } else { Self::word(self.unit.number(date), taken) }
    }
}
