//! Settings as words: read by every call without a lock, replaced as a whole.
//!
//! There are two sets of words, and a version whose lowest bit says which of them is in force. Who
//! changes settings fills the other set, then raises the version; who reads looks at the version
//! again afterwards: it still stands, so nobody has begun to fill the set that was read.

use super::Terms;
use super::calendar::{Calendar, REACH, Unit};
use super::cost::Cost;
use super::gcra::Rate;
use super::settings::{Per, Settings};
use crate::sync::{AtomicU64, Ordering};
use parking_lot::Mutex;

/// What a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rate(Rate),
    Calendar(Calendar),
}

/// In the place of an interval, which is never that long: the rest is the number of a unit, and how
/// many windows ahead may be reserved.
const CALENDAR: u64 = 1 << 63;
const UNIT: u32 = 3;

impl Kind {
    pub(super) fn of(settings: &Settings) -> Self {
        match settings.per {
            Per::Time(_) => {
                Self::Rate(Rate { interval: settings.interval, capacity: settings.capacity })
            }
            Per::Calendar(unit) => {
                let limit = Cost::of(settings.limit).map_or(0, |limit| limit.0);
                let reach = Calendar::reach(unit, settings.max_wait);
                Self::Calendar(Calendar { unit, limit, reach })
            }
        }
    }
}

impl Terms {
    fn words(&self) -> [u64; 3] {
        match self.kind {
            Kind::Rate(Rate { interval, capacity }) => [interval, capacity, self.max_wait],
            Kind::Calendar(Calendar { unit, limit, reach }) => {
                [CALENDAR | reach << UNIT | unit as u64, limit, self.max_wait]
            }
        }
    }

    fn from_words([first, second, max_wait]: [u64; 3]) -> Self {
        let kind = if first & CALENDAR == 0 {
            Kind::Rate(Rate { interval: first, capacity: second })
        } else {
            let unit = Unit::ALL[(first & 7) as usize % Unit::ALL.len()];
            let reach = (first >> UNIT) & REACH;
            Kind::Calendar(Calendar { unit, limit: second, reach })
        };
        Self { kind, max_wait }
    }
}

/// Settings that can be read while they change.
#[derive(Debug)]
pub(super) struct Live {
    version: AtomicU64,
    sets: [[AtomicU64; 3]; 2],
    settings: Mutex<Settings>,
}

impl Live {
    pub(super) fn new(settings: Settings) -> Self {
        let words = Terms::of(&settings).words();
        Self {
            version: AtomicU64::new(0),
            sets: [words.map(AtomicU64::new), words.map(AtomicU64::new)],
            settings: Mutex::new(settings),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        *self.settings.lock()
    }

    #[inline]
    pub(super) fn terms(&self) -> Terms {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let set = &self.sets[(version & 1) as usize];
            let words = [0, 1, 2].map(|at: usize| set[at].load(Ordering::Acquire));
            if self.version.load(Ordering::Acquire) == version {
                return Terms::from_words(words);
            }
        }
    }

    /// Goes by other settings. `between` is told of both just before.
    pub(super) fn change(&self, settings: Settings, between: impl FnOnce(Terms, Terms)) {
        let mut held = self.settings.lock();
        let old = self.terms();
        let terms = Terms::of(&settings).instead_of(&old);
        between(old, terms);
        let version = self.version.load(Ordering::Acquire) + 1;
        for (place, word) in self.sets[(version & 1) as usize].iter().zip(terms.words()) {
            place.store(word, Ordering::Release);
        }
        self.version.store(version, Ordering::Release);
        *held = settings;
    }
}
