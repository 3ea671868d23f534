//! The circuit breaker.
//!
//! [`Breaker::acquire`] admits a call or rejects it; [`Breaker::settle`] is told, once per ticket,
//! how it ended. Everything in between is the caller's: no user code runs in here, no clock is
//! read but the one handed in, and nothing waits for anybody.
//!
//! All that changes is words ([`AtomicU64`]) in a [`Place`]: private memory, or a region that
//! several processes map. What holds under any number of threads:
//!
//! - One word is the circuit: `[state][reopenings][generation]`. Every transition is one
//!   compare-and-swap of it and bumps the generation; who wins it, and nobody else, reports it.
//! - What is counted is tagged with its generation and worth nothing to another. A ticket of an
//!   older generation is late: counted as such, never moving the state.
//! - Half-open, a probe runs on a lease, a word of its own. It comes back when the probe settles,
//!   however it ended, or expires; at no time do more than `half_open_calls` stand.
//! - A rule that is reached does not open the circuit. The caller is told, works out for how long
//!   (that may be user code), and opens it; if the circuit has moved on meanwhile, nothing happens.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what a user may ask for, checked all at once |
//! | `words` | how states, tallies and streaks lie in a word |
//! | `circuit` | the words every breaker has, and the one way to a transition |
//! | `leases`, `trial` | half-open: who may probe, and what the probes said |
//! | `acquire`, `settle`, `control` | the calls |
//! | `quick` | the same for a good call through a healthy circuit |
//! | `record`, `judge` | the window, and whether a rule is reached |
//! | `report` | transitions, trips and rejections, as values |
//! | `snapshot` | reading without touching |

mod acquire;
mod circuit;
mod control;
mod judge;
mod leases;
mod place;
mod quick;
mod record;
mod report;
mod settings;
mod settle;
mod snapshot;
mod trial;
mod words;

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

pub use circuit::Circuit;
pub use place::{Place, Private};
pub use quick::Passed;
pub use report::{Admission, Cause, Rejection, Settled, Ticket, Transition, Trip};
pub use settings::{Draft, DraftWindow, Settings, WindowSize};
pub use snapshot::{Counts, Snapshot};
pub use words::State;

use crate::sync::{AtomicU64, Ordering};
use crate::time::Nanos;
use crate::window::buckets::{self, Buckets};
use crate::window::ring::{self, Ring};
use place::Geometry;
use std::sync::Arc;

/// A circuit under one set of settings.
#[derive(Debug)]
pub struct Breaker<P: Place = Private> {
    /// Shared with every plan that the breaker is part of.
    settings: Arc<Settings>,
    /// From how long on a call is slow; never, if no rule asks.
    slow_from: Nanos,
    geometry: Geometry,
    place: P,
    /// Not zero until the rules have judged once: what new settings found in the window was
    /// recorded under others, and a success could be the first to reach a rule.
    unjudged: AtomicU64,
}

/// The window's words, seen as what they are.
enum Window<'a> {
    None,
    Count(Ring<'a>),
    Time(Buckets<'a>),
}

impl Breaker {
    /// A closed circuit that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings, now: Nanos) -> Self {
        let place = Private::new(&settings);
        let breaker = Self::over(settings, place);
        breaker.start(now);
        breaker
    }

    /// The same circuit under other settings.
    ///
    /// State, generation, streak and counts are shared with the breaker this is made from, which
    /// goes on working for the calls it has admitted. The window is shared if its geometry is the
    /// same; the latest outcomes of a count window are carried over into one of another size; any
    /// other new window starts empty. Probes keep their leases, also where fewer may stand from now
    /// on. A ticket may be settled by either: by this one, its outcome is in the new window.
    #[must_use]
    pub fn reconfigured(&self, settings: Settings, now: Nanos) -> Self {
        self.under(Arc::new(settings), now)
    }

    /// The same circuit under the settings of `other`, shared with it: see
    /// [`Breaker::reconfigured`].
    #[must_use]
    pub fn like(&self, other: &Self, now: Nanos) -> Self {
        self.under(Arc::clone(&other.settings), now)
    }

    fn under(&self, settings: Arc<Settings>, now: Nanos) -> Self {
        let generation = self.generation();
        let place = self.place.reshaped(self.geometry, &settings, generation, now);
        let breaker = Self::with(settings, place);
        breaker.unjudged.store(1, Ordering::Relaxed);
        breaker
    }

    /// Another circuit under the same settings: closed, and has seen nothing.
    #[must_use]
    pub fn another(&self, now: Nanos) -> Self {
        let place = Private::new(&self.settings);
        let breaker = Self::with(Arc::clone(&self.settings), place);
        breaker.start(now);
        breaker
    }
}

/// A further view of the same words: what one is told, the other knows.
impl<P: Place + Clone> Clone for Breaker<P> {
    fn clone(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
            slow_from: self.slow_from,
            geometry: self.geometry,
            place: self.place.clone(),
            unjudged: AtomicU64::new(self.unjudged.load(Ordering::Relaxed)),
        }
    }
}

impl<P: Place> Breaker<P> {
    /// Over words that exist already and were laid out for these settings: see
    /// [`Settings::window_words`].
    #[must_use]
    pub fn over(settings: Settings, place: P) -> Self {
        Self::with(Arc::new(settings), place)
    }

    fn with(settings: Arc<Settings>, place: P) -> Self {
        let geometry = Geometry::of(&settings);
        let unjudged = AtomicU64::new(0);
        let slow_from = settings.slow_call_duration.unwrap_or(Nanos::MAX);
        Self { settings, slow_from, geometry, place, unjudged }
    }

    /// Makes words of zeros a closed circuit. To be called once, before anybody else sees them.
    pub fn start(&self, now: Nanos) {
        self.place.circuit().start();
        self.geometry.start(self.place.window(), now);
    }

    /// Tells circuits of one process apart; the same for all that share the circuit's words.
    #[must_use]
    pub fn identity(&self) -> usize {
        std::ptr::from_ref(self.place.circuit()).addr()
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether both go by the same settings, not by equal ones.
    #[inline]
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.settings, &other.settings)
    }

    /// Whether [`Breaker::settle`] wants to know how long a call took.
    #[inline]
    #[must_use]
    pub fn timed(&self) -> bool {
        self.slow_from < Nanos::MAX
    }

    #[inline]
    fn window(&self) -> Window<'_> {
        let words = self.place.window();
        match self.geometry {
            Geometry::None => Window::None,
            Geometry::Count(size) => {
                Ring::new(words, size).map_or(Window::None, |r| Window::Count(r.alone(!P::SHARED)))
            }
            Geometry::Time(width) => Buckets::new(words, width)
                .map_or(Window::None, |b| Window::Time(b.alone(!P::SHARED))),
        }
    }

    #[inline]
    fn unjudged(&self) -> bool {
        self.unjudged.load(Ordering::Relaxed) != 0
    }
}
