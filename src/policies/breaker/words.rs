//! How what changes together lies in one word.

use crate::window::Outcome;

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls pass and are watched.
    Closed,
    /// Calls are rejected until a given time.
    Open,
    /// A few calls probe whether what is behind works again.
    HalfOpen,
    /// Calls are rejected until somebody says otherwise.
    ForcedOpen,
    /// Calls pass unwatched.
    Disabled,
    /// Calls pass and are watched; a rule that is reached is told and opens nothing.
    MetricsOnly,
}

impl State {
    /// Its name, as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Whether it rejects every call.
    pub(super) fn shut(self) -> bool {
        matches!(self, Self::Open | Self::ForcedOpen)
    }
}

/// The circuit: `[state:3][reopenings:8][generation:53]`.
///
/// Closed is 0 and has no re-openings, so a closed circuit's word *is* its generation. The first
/// generation is 1: words of zeros belong to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub u64);

impl Word {
    pub(super) const FIRST: Self = Self(1);
    const GENERATIONS: u64 = (1 << 53) - 1;

    /// What a transition makes of it.
    pub(super) fn next(self, to: State, reopenings: u8) -> Self {
        let state = match to {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
            State::ForcedOpen => 3,
            State::Disabled => 4,
            State::MetricsOnly => 5,
        };
        Self(state << 61 | u64::from(reopenings) << 53 | (self.0 + 1) & Self::GENERATIONS)
    }

    #[inline]
    pub(super) fn closed(self) -> bool {
        self.0 <= Self::GENERATIONS
    }

    #[inline]
    pub(super) fn generation(self) -> u64 {
        self.0 & Self::GENERATIONS
    }

    pub(super) fn state(self) -> State {
        match self.0 >> 61 {
            0 => State::Closed,
            1 => State::Open,
            2 => State::HalfOpen,
            3 => State::ForcedOpen,
            4 => State::Disabled,
            _ => State::MetricsOnly,
        }
    }

    /// How often half-open turned into open since the circuit was last closed; stays at 255.
    pub(super) fn reopenings(self) -> u8 {
        (self.0 >> 53 & 0xff) as u8
    }
}

/// The consecutive failures of a generation: `[generation:44][count:20]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streak(pub u64);

impl Streak {
    const COUNTS: u64 = (1 << 20) - 1;

    pub(super) fn new(generation: u64, count: u64) -> Self {
        Self(generation << 20 | count.min(Self::COUNTS))
    }

    #[inline]
    pub(super) fn belongs(self, generation: u64) -> bool {
        self.0 >> 20 == generation & ((1 << 44) - 1)
    }

    #[inline]
    pub(super) fn count(self) -> u64 {
        self.0 & Self::COUNTS
    }
}

/// What the probes of a half-open generation said:
/// `[generation:29][broken:1][failures:9][slow:9][outcomes:16]`.
///
/// Once it is decided nothing is added, so no field overflows: a sample has at most 256 outcomes,
/// and where 65 535 successes may be asked for, one bad outcome decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally(pub u64);

impl Tally {
    pub(super) fn new(generation: u64) -> Self {
        Self(generation << 35)
    }

    pub(super) fn belongs(self, generation: u64) -> bool {
        self.0 >> 35 == generation & ((1 << 29) - 1)
    }

    /// Whether too many failed in a row.
    pub(super) fn broken(self) -> bool {
        self.0 >> 34 & 1 == 1
    }

    pub(super) fn failures(self) -> u64 {
        self.0 >> 25 & 0x1ff
    }

    pub(super) fn slow(self) -> u64 {
        self.0 >> 16 & 0x1ff
    }

    pub(super) fn outcomes(self) -> u64 {
        self.0 & 0xffff
    }

    pub(super) fn with(self, outcome: Outcome, broken: bool) -> Self {
        // Settings that change during a trial may leave any count behind.
        let room = self.outcomes() < 0xffff && self.failures() < 0x1ff && self.slow() < 0x1ff;
        let more = 1 | u64::from(outcome.slow) << 16 | u64::from(outcome.failed) << 25;
        Self((if room { self.0 + more } else { self.0 }) | u64::from(broken) << 34)
    }
}
