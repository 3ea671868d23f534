//! Where a breaker's words lie.

use super::Circuit;
use super::leases::Leases;
use super::settings::{Settings, WindowSize};
use super::{buckets, ring};
use crate::sync::AtomicU64;
use crate::time::Nanos;
use crate::window::buckets::{Buckets, Width};
use crate::window::ring::Ring;
use std::sync::Arc;

/// The words of one circuit. Zeros become a circuit that has seen nothing by
/// [`super::Breaker::start`].
pub trait Place {
    /// Whether other interpreters count in these words as well.
    const SHARED: bool;
    /// State, counts and the rest that every circuit has.
    fn circuit(&self) -> &Circuit;
    /// The word of the probe that runs as number `slot`. There are as many as settings may ask for,
    /// whatever they ask for now: a probe that is out keeps its word through every change of them.
    fn lease(&self, slot: u32) -> Option<&AtomicU64>;
    /// The window of outcomes.
    fn window(&self) -> &[AtomicU64];
}

/// What decides how the window's words are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Geometry {
    /// No rate is named: nothing is kept.
    None,
    /// A ring of so many outcomes.
    Count(u32),
    /// Buckets of this width.
    Time(Width),
}

impl Geometry {
    pub(super) fn of(settings: &Settings) -> Self {
        match settings.window {
            _ if settings.failure_rate.is_none() && settings.slow_call_rate.is_none() => Self::None,
            WindowSize::Calls(size) => Self::Count(size),
            WindowSize::Time(length) => Self::Time(Width::of(length)),
        }
    }

    /// Makes words of zeros an empty window.
    pub(super) fn start(self, words: &[AtomicU64], now: Nanos) {
        if let Self::Time(width) = self
            && let Some(buckets) = Buckets::new(words, width)
        {
            buckets.start(now);
        }
    }

    fn words(self) -> usize {
        match self {
            Self::None => 0,
            Self::Count(size) => ring::words(size),
            Self::Time(_) => buckets::WORDS,
        }
    }
}

impl Settings {
    /// How many words [`Place::window`] must have.
    #[must_use]
    pub fn window_words(&self) -> usize {
        Geometry::of(self).words()
    }
}

/// Words of this process alone. Breakers made from one another share them.
#[derive(Clone, Debug)]
pub struct Private {
    lasting: Arc<Lasting>,
    window: Arc<[AtomicU64]>,
}

/// What stays, whatever the settings become.
#[derive(Debug)]
struct Lasting {
    circuit: Circuit,
    leases: Leases,
}

impl Private {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            lasting: Arc::new(Lasting {
                circuit: Circuit::default(),
                leases: Leases::room_for(settings.half_open_calls),
            }),
            window: zeros(settings.window_words()),
        }
    }

    /// The same circuit, with room for other settings.
    pub(super) fn reshaped(
        &self,
        from: Geometry,
        settings: &Settings,
        generation: u64,
        now: Nanos,
    ) -> Self {
        let mut place = self.clone();
        place.lasting.leases.make_room(settings.half_open_calls);
        let to = Geometry::of(settings);
        if to != from {
            place.window = zeros(to.words());
            to.start(&place.window, now);
        }
        if let (Geometry::Count(old), Geometry::Count(new)) = (from, to)
            && old != new
            && let (Some(old), Some(ring)) =
                (Ring::new(&self.window, old), Ring::new(&place.window, new))
        {
            // Nobody else sees the new words yet; what does not fit is overwritten by what follows.
            for outcome in old.outcomes(generation) {
                ring.append(generation, outcome, || true);
            }
        }
        place
    }
}

impl Place for Private {
    const SHARED: bool = false;

    #[inline]
    fn circuit(&self) -> &Circuit {
        &self.lasting.circuit
    }

    #[inline]
    fn lease(&self, slot: u32) -> Option<&AtomicU64> {
        self.lasting.leases.get(slot)
    }

    #[inline]
    fn window(&self) -> &[AtomicU64] {
        &self.window
    }
}

fn zeros(count: usize) -> Arc<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}
