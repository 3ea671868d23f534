//! The rate limit: how many calls may begin, and how soon after one another.
//!
//! One word says all: see `gcra` for rates, `calendar` for windows of the calendar. The decision
//! is a function of that word, the time, the cost of the call and the [`Terms`]: it gives the word
//! that is to be, and how long to wait, or refuses. What applies it is one compare-and-swap, so it
//! does not matter where the word lies, or who else decides about it. Under any number of threads:
//!
//! - No call is let in beyond the rate and the burst, and none is refused that fits.
//! - Who waits has its time reserved when it comes: nobody who comes later is let in earlier.
//! - A call that can never be let in in time is refused at once, and reserves nothing.
//! - Who gives up gives its time back: those behind it in the [`Line`] move up. In a window of the
//!   calendar, or where other processes have reserved since, that time stays reserved.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what a user may ask for, checked all at once |
//! | `terms` | settings as words, read without a lock |
//! | `cost` | what a call takes |
//! | `gcra`, `calendar` | the decisions |
//! | `line` | who waits, in order |
//! | `place` | the words of one limit |

mod calendar;
mod cost;
mod gcra;
mod line;
mod place;
mod settings;
mod terms;

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

pub use calendar::Unit;
pub use cost::Cost;
pub use line::{Line, Looked, Placed};
pub use place::{Place, Private, Words};
pub use settings::{COST as COST_RULE, DEFAULT_COST, Draft, Per, Settings};

use crate::sync::{Ordering, swap};
use crate::time::{Clock, Nanos};
use calendar::Calendar;
use gcra::Rate;
use std::sync::Arc;
use terms::{Kind, Live};

/// What is decided about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is let in after so long, and the word becomes `word`.
    Take {
        /// The word from then on.
        word: u64,
        /// How long it has to wait.
        wait: Nanos,
    },
    /// It is not.
    Refuse(Refusal),
}

/// Why a call is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How long until it would be; `None`: it costs more than is ever there at once.
    pub retry_after: Option<Nanos>,
}

/// The two readings that a decision goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Monotonic time, which rates go by.
    pub now: Nanos,
    /// Time since 1970, which the calendar goes by.
    pub date: Nanos,
}

/// What a limit goes by, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    kind: Kind,
    /// How long a call may wait.
    max_wait: Nanos,
}

impl Terms {
    /// Those that settings mean.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self { kind: Kind::of(settings), max_wait: settings.max_wait }
    }

    /// Decides about a call of `cost` that may wait so long. `word` is not looked at otherwise, and
    /// nothing else is: the same answer everywhere.
    #[must_use]
    #[inline]
    pub fn decide(&self, word: u64, moment: Moment, cost: Cost, patience: Nanos) -> Decision {
        match &self.kind {
            Kind::Rate(rate) => rate.decide(word, moment.now, cost, patience),
            Kind::Calendar(calendar) => calendar.decide(word, moment.date, cost, patience),
        }
    }

    /// What the word becomes when a call that was given `word` is not made after all. `None`:
    /// others have reserved since.
    fn give_back(&self, word: u64, given: u64, cost: Cost) -> Option<u64> {
        match &self.kind {
            Kind::Rate(rate) => rate.give_back(word, given, cost),
            Kind::Calendar(_) => Calendar::give_back(word, given, cost),
        }
    }

    /// What is there to be taken at once, in calls of cost 1.
    fn available(&self, word: u64, moment: Moment) -> f64 {
        match &self.kind {
            Kind::Rate(rate) => rate.available(word, moment.now),
            Kind::Calendar(calendar) => calendar.available(word, moment.date),
        }
    }

    /// Does the word say nothing that must be remembered?
    fn at_rest(&self, word: u64, moment: Moment) -> bool {
        match &self.kind {
            Kind::Rate(_) => Rate::at_rest(word, moment.now),
            Kind::Calendar(calendar) => calendar.at_rest(word, moment.date),
        }
    }

    /// The word under these terms that says what `word` said under `old`.
    fn carry(&self, old: &Self, word: u64, moment: Moment) -> u64 {
        match (&old.kind, &self.kind) {
            (Kind::Rate(old), Kind::Rate(new)) => new.carry(old, word, moment.now),
            (Kind::Rate(old), Kind::Calendar(new)) => {
                new.taken(old.owed(word, moment.now), moment.date)
            }
            (Kind::Calendar(old), Kind::Rate(new)) => {
                new.taken(old.used(word, moment.date), moment.now)
            }
            (Kind::Calendar(old), Kind::Calendar(new)) => new.carry(old, word, moment.date),
        }
    }

    /// These, in the place of `old`: what was reserved by then can still be seen.
    fn instead_of(mut self, old: &Self) -> Self {
        if let (Kind::Calendar(new), Kind::Calendar(old)) = (&mut self.kind, &old.kind)
            && new.unit == old.unit
        {
            new.reach = new.reach.max(old.reach);
        }
        self
    }

    #[inline]
    fn moment(&self, clock: &impl Clock) -> Moment {
        self.moment_from(None, clock)
    }

    /// The readings that it goes by; `now` was read already.
    #[inline]
    fn moment_from(&self, now: Option<Nanos>, clock: &impl Clock) -> Moment {
        match self.kind {
            Kind::Rate(_) => Moment { now: now.unwrap_or_else(|| clock.now()), date: 0 },
            Kind::Calendar(_) => Moment { now: 0, date: clock.date() },
        }
    }
}

/// A call whose time is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// How long it has to wait for it.
    pub wait: Nanos,
    cost: Cost,
    given: u64,
}

/// What a limit has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Calls that were let in, at once or after a wait.
    pub admitted: u64,
    /// How many of these had waited.
    pub delayed: u64,
    /// Calls that gave up while they waited.
    pub abandoned: u64,
    /// Calls that wait.
    pub waiting: u64,
    /// Calls that were not let in.
    pub refused: u64,
    /// What could be taken at once, in calls of cost 1. Below zero: callers wait for it.
    pub available: f64,
    /// How long until a call of cost 1 could be let in; `None`: never.
    pub retry_after: Option<Nanos>,
}

impl Snapshot {
    /// Adds up what is counted; what is there at the moment stays.
    pub fn add(&mut self, other: &Self) {
        self.admitted += other.admitted;
        self.delayed += other.delayed;
        self.abandoned += other.abandoned;
        self.waiting += other.waiting;
        self.refused += other.refused;
    }
}

/// A handle of one limit. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct RateLimit<P: Place = Private> {
    live: Arc<Live>,
    place: P,
}

impl RateLimit {
    /// A limit that nobody has asked yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::over(settings, Private::default())
    }

    /// Another one, which goes by the same settings, also when they change.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { live: Arc::clone(&self.live), place: Private::default() }
    }
}

impl<P: Place> RateLimit<P> {
    /// Over words that exist already. Zeros are a limit that nobody has asked yet.
    #[must_use]
    pub fn over(settings: Settings, place: P) -> Self {
        Self { live: Arc::new(Live::new(settings)), place }
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.live.settings()
    }

    /// Lets a call in now. `false`: it would have to wait, or not be let in; that is not counted.
    #[inline]
    pub fn take(&self, cost: Cost, clock: &impl Clock) -> bool {
        self.take_from(None, cost, clock)
    }

    /// See [`RateLimit::take`]. Of a rate, `now` may have been read before: a precise clock waits
    /// until everything that was begun before it is done, and so nothing should be.
    #[inline]
    pub fn take_from(&self, mut now: Option<Nanos>, cost: Cost, clock: &impl Clock) -> bool {
        let words = self.place.words();
        let mut word = words.word.load(Ordering::Acquire);
        loop {
            let terms = self.live.terms();
            let moment = terms.moment_from(now.take(), clock);
            let Decision::Take { word: next, .. } = terms.decide(word, moment, cost, 0) else {
                return false;
            };
            match swap(&words.word, word, next, !P::SHARED) {
                Ok(()) => {
                    words.admitted.bump();
                    return true;
                }
                Err(seen) => word = seen,
            }
        }
    }

    /// Lets a call in now, or not at all.
    ///
    /// # Errors
    /// The refusal.
    #[inline]
    pub fn ask(&self, cost: Cost, clock: &impl Clock) -> Result<(), Refusal> {
        self.reserve(cost, Some(0), clock).map(|_| ())
    }

    /// Reserves the time of a call, no further off than `max_wait` and than `bound`: it has to wait
    /// that long, or to give it back.
    ///
    /// # Errors
    /// The refusal: it would not be let in in time, and has reserved nothing.
    #[inline]
    pub fn reserve(
        &self,
        cost: Cost,
        bound: Option<Nanos>,
        clock: &impl Clock,
    ) -> Result<Reserved, Refusal> {
        let words = self.place.words();
        let mut word = words.word.load(Ordering::Acquire);
        loop {
            let terms = self.live.terms();
            let moment = terms.moment(clock);
            let patience = bound.map_or(terms.max_wait, |bound| bound.min(terms.max_wait));
            match terms.decide(word, moment, cost, patience) {
                Decision::Take { word: next, wait } => {
                    match swap(&words.word, word, next, !P::SHARED) {
                        Ok(()) => {
                            let counter = if wait > 0 { &words.delayed } else { &words.admitted };
                            counter.bump();
                            return Ok(Reserved { wait, cost, given: next });
                        }
                        Err(seen) => word = seen,
                    }
                }
                Decision::Refuse(refusal) => {
                    words.refused.bump();
                    return Err(refusal);
                }
            }
        }
    }

    /// The call will not be made: its time is there for others, unless somebody has reserved after
    /// it. `true`: it was given back.
    pub fn give_back(&self, reserved: &Reserved) -> bool {
        let words = self.place.words();
        words.abandoned.bump();
        self.put_back(reserved.given, reserved.cost)
    }

    /// See [`RateLimit::give_back`]; not counted.
    fn put_back(&self, given: u64, cost: Cost) -> bool {
        let words = self.place.words();
        let mut word = words.word.load(Ordering::Acquire);
        loop {
            let terms = self.live.terms();
            let Some(next) = terms.give_back(word, given, cost) else {
                return false;
            };
            match swap(&words.word, word, next, !P::SHARED) {
                Ok(()) => return true,
                Err(seen) => word = seen,
            }
        }
    }

    /// Does it know nothing that a new one would not?
    pub fn at_rest(&self, moment: Moment) -> bool {
        self.live.terms().at_rest(self.place.words().word.load(Ordering::SeqCst), moment)
    }

    /// All of it. Exact when nobody asks meanwhile.
    #[must_use]
    pub fn snapshot(&self, moment: Moment) -> Snapshot {
        let words = self.place.words();
        let terms = self.live.terms();
        let word = words.word.load(Ordering::Acquire);
        let retry_after = match terms.decide(word, moment, Cost::ONE, 0) {
            Decision::Take { .. } => Some(0),
            Decision::Refuse(refusal) => refusal.retry_after,
        };
        // What has ended before what has begun, which is never less then.
        let delayed = words.arrived.get();
        let (abandoned, withdrawn) = (words.abandoned.get(), words.withdrawn.get());
        Snapshot {
            admitted: words.admitted.get() + delayed,
            delayed,
            abandoned,
            waiting: words.delayed.get().saturating_sub(delayed + abandoned + withdrawn),
            refused: words.refused.get() + withdrawn,
            available: terms.available(word, moment),
            retry_after,
        }
    }

    /// Goes by other settings from now on, and so do `others` and every handle of them.
    ///
    /// What was taken stays taken, as so many calls: they count at the new rate, and for no more
    /// than the new burst. Time that is reserved by then is not moved. A call that asks at this very
    /// moment, in another thread without a lock on the interpreter, goes by either.
    pub fn reconfigure<'a>(
        &'a self,
        settings: Settings,
        others: impl IntoIterator<Item = &'a Self>,
        moment: Moment,
    ) where
        P: 'a,
    {
        self.live.change(settings, |old, new| {
            for limit in std::iter::once(self).chain(others) {
                let word = &limit.place.words().word;
                let mut seen = word.load(Ordering::Acquire);
                while let Err(now) = swap(word, seen, new.carry(&old, seen, moment), !P::SHARED) {
                    seen = now;
                }
            }
        });
    }
}
