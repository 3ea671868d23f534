//! Settings as words: read by every call without a lock, replaced as a whole.
//!
//! There are two sets of words, and a version whose lowest bit says which of them is in force. Who
//! changes settings fills the other set, then raises the version; who reads looks at the version
//! again afterwards: it still stands, so nobody has begun to fill the set that was read.
//!
//! The first word of the set in force is also kept apart, in `quick`: it says all that the way of
//! a good call asks for.

use super::place::THOUSANDTHS;
use super::settings::{BILLION, Mode, Settings};
use crate::sync::{AtomicU64, Ordering};
use crate::time::{Clock, Nanos, SECOND};
use parking_lot::Mutex;

const CONCURRENCY: u64 = 1;
const TOKENS: u64 = 2;
/// How long nothing is refused before a budget without a `ttl` counts as recovered.
const QUIET: Nanos = 10 * SECOND;
/// At this width and above, a bucket may be picked by the clock's coarse reading (steps of 4 ms).
const COARSE_FROM: u32 = 26;

/// A bucket's width: 2 to this power, in nanoseconds. Where it is depends on the clock alone, and
/// finding it is a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace(pub(super) u32);

impl Pace {
    /// The widest that `ttl` holds at least eight of.
    fn of(ttl: Nanos) -> Self {
        Self((ttl / 8).max(1).ilog2())
    }

    #[inline]
    pub(super) fn read(self, clock: &impl Clock) -> Nanos {
        if self.0 >= COARSE_FROM { clock.coarse() } else { clock.now() }
    }

    /// The number of the bucket that a time lies in.
    #[inline]
    pub(super) fn epochs(self, time: Nanos) -> u64 {
        time >> self.0
    }
}

/// The numbers of ratio mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    pub pace: Pace,
    /// How many buckets, the one under way among them, are never longer than `ttl`.
    pub whole: u64,
    /// How many buckets before the one under way are never shorter than `ttl`.
    pub reach: u64,
    /// What a call pays, in billionths of an attempt.
    pub share: u64,
    /// Likewise.
    pub reserve: u64,
}

/// What a mode goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ratio(Ratio),
    Concurrency {
        ratio: u64,
        least: u64,
    },
    /// Both in thousandths of a token.
    Tokens {
        ratio: u64,
        most: u64,
    },
}

/// Settings, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub kind: Kind,
    /// How long nothing is refused before it counts as recovered.
    pub quiet: Nanos,
}

impl Shape {
    fn of(settings: &Settings) -> Self {
        match settings.mode {
            Mode::Ratio { ratio, min_per_second, ttl } => {
                let pace = Pace::of(ttl);
                let reserve = min_per_second * (ttl as f64 / SECOND as f64) * BILLION as f64;
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "at most 3.6·10¹⁸, by the bounds of both"
                )]
                let reserve = reserve.round() as u64;
                let (whole, reach) = (ttl >> pace.0, ttl.div_ceil(1 << pace.0));
                Self {
                    kind: Kind::Ratio(Ratio { pace, whole, reach, share: ratio, reserve }),
                    quiet: ttl,
                }
            }
            Mode::Concurrency { ratio, min_concurrent } => {
                let least = min_concurrent.into();
                Self { kind: Kind::Concurrency { ratio, least }, quiet: QUIET }
            }
            Mode::Tokens { ratio, max_tokens } => {
                let most = u64::from(max_tokens) * THOUSANDTHS;
                Self { kind: Kind::Tokens { ratio, most }, quiet: QUIET }
            }
        }
    }

    fn words(&self) -> [u64; 3] {
        match self.kind {
            Kind::Ratio(it) => {
                let first = it.share | u64::from(it.pace.0) << 32 | it.whole << 40 | it.reach << 48;
                [first, it.reserve, self.quiet]
            }
            Kind::Concurrency { ratio, least } => [CONCURRENCY << 62 | ratio, least, self.quiet],
            Kind::Tokens { ratio, most } => [TOKENS << 62 | ratio, most, self.quiet],
        }
    }

    fn from_words([first, second, quiet]: [u64; 3]) -> Self {
        let ratio = first & 0xffff_ffff;
        let kind = match first >> 62 {
            CONCURRENCY => Kind::Concurrency { ratio, least: second },
            TOKENS => Kind::Tokens { ratio, most: second },
            _ => Kind::Ratio(Ratio {
                pace: Pace((first >> 32 & 0x3f) as u32),
                whole: first >> 40 & 0xff,
                reach: first >> 48 & 0xff,
                share: ratio,
                reserve: second,
            }),
        };
        Self { kind, quiet }
    }
}

/// Settings that can be read while they change.
#[derive(Debug)]
pub(super) struct Terms {
    quick: AtomicU64,
    version: AtomicU64,
    sets: [[AtomicU64; 3]; 2],
    settings: Mutex<Settings>,
}

impl Terms {
    pub(super) fn new(settings: Settings) -> Self {
        let words = Shape::of(&settings).words();
        Self {
            quick: AtomicU64::new(words[0]),
            version: AtomicU64::new(0),
            sets: [words.map(AtomicU64::new), words.map(AtomicU64::new)],
            settings: Mutex::new(settings),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        *self.settings.lock()
    }

    /// The width of ratio mode's buckets; `None` in another.
    #[inline(always)]
    pub(super) fn pace(&self) -> Option<Pace> {
        let first = self.quick.load(Ordering::Relaxed);
        (first >> 62 == 0).then_some(Pace((first >> 32 & 0x3f) as u32))
    }

    /// Is it tokens that count?
    #[inline(always)]
    pub(super) fn counts_tokens(&self) -> bool {
        self.quick.load(Ordering::Relaxed) >> 62 == TOKENS
    }

    pub(super) fn shape(&self) -> Shape {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let set = &self.sets[(version & 1) as usize];
            let words = [0, 1, 2].map(|at: usize| set[at].load(Ordering::Acquire));
            if self.version.load(Ordering::Acquire) == version {
                return Shape::from_words(words);
            }
        }
    }

    /// Goes by other settings. `between` is told of both just before.
    pub(super) fn change(&self, settings: Settings, between: impl FnOnce(Shape, Shape)) {
        let mut held = self.settings.lock();
        let shape = Shape::of(&settings);
        between(self.shape(), shape);
        let version = self.version.load(Ordering::Acquire) + 1;
        let words = shape.words();
        for (place, word) in self.sets[(version & 1) as usize].iter().zip(words) {
            place.store(word, Ordering::Release);
        }
        self.version.store(version, Ordering::Release);
        self.quick.store(words[0], Ordering::Release);
        *held = settings;
    }
}
