//! A record: what is known of one operation.

mod encoding;
#[cfg(test)]
mod tests;

pub use encoding::{Unreadable, VERSION};

use super::Micros;
use std::fmt;
use std::num::NonZeroU128;
use std::sync::Arc;

/// The most a result may have, whatever a store's own limit is.
pub const MOST_RESULT: usize = 16 << 20;
/// The most a result may have unless the store is told otherwise: 256 KiB.
pub const DEFAULT_RESULT: usize = 256 << 10;

/// Who holds a claim: 128 random bits, drawn once for each call. Nobody is the number 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner(pub NonZeroU128);

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A fencing token. Of two that were given for one key, the later is the higher.
pub type Fence = u64;

/// A digest of what an operation was called with, if it is to be compared.
pub type Fingerprint = Option<[u8; 32]>;

/// What becomes of an operation whose owner is not heard of any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnLost {
    /// The next caller runs it again.
    Takeover,
    /// Nobody does: whether it took effect is for an operator to find out.
    Quarantine,
}

/// A result, or an error, as it is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Bytes, and the number of the codec that wrote them.
    Kept {
        /// Whose bytes they are. The store gives it no meaning.
        codec: u8,
        /// What it wrote.
        bytes: Arc<[u8]>,
    },
    /// There was one, which could not be kept: too large, or nothing that can be written down.
    Opaque,
}

impl Payload {
    /// These bytes, or nothing but the fact where there are more of them than may be.
    #[must_use]
    pub fn within(limit: usize, codec: u8, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        if bytes.len() > limit.min(MOST_RESULT) {
            Self::Opaque
        } else {
            Self::Kept { codec, bytes }
        }
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Kept { bytes, .. } => bytes.len(),
            Self::Opaque => 0,
        }
    }
}

/// Never shows what a result is: it may be anybody's.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept { codec, bytes } => write!(f, "Kept({} bytes, codec {codec})", bytes.len()),
            Self::Opaque => f.write_str("Opaque"),
        }
    }
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Somebody runs it, or did until it was lost.
    InProgress {
        /// Until when nobody else may. A running owner renews it.
        lease_until: Micros,
        /// It is never renewed beyond this: a hung call would keep its key for ever.
        hard_deadline: Micros,
    },
    /// It took effect; this is its result.
    Completed(Payload),
    /// It ended with an error that is to be told to those who repeat it.
    Failed(Payload),
    /// It did not take effect, and may be run again. A tombstone: fences go on from its own.
    Released,
    /// Whether it took effect is not known.
    Quarantined,
    /// It was lost as often as it may be.
    Dead,
}

/// A state's name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named and meant as in `State`")]
pub enum StateName {
    InProgress,
    Completed,
    Failed,
    Released,
    Quarantined,
    Dead,
}

impl StateName {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::InProgress,
        Self::Completed,
        Self::Failed,
        Self::Released,
        Self::Quarantined,
        Self::Dead,
    ];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Quarantined => "quarantined",
            Self::Dead => "dead",
        }
    }

    /// The number it is stored as.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The state of a number.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> StateName {
        match self {
            Self::InProgress { .. } => StateName::InProgress,
            Self::Completed(_) => StateName::Completed,
            Self::Failed(_) => StateName::Failed,
            Self::Released => StateName::Released,
            Self::Quarantined => StateName::Quarantined,
            Self::Dead => StateName::Dead,
        }
    }
}

/// What is known of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Where it stands.
    pub state: State,
    /// Who holds it, or did last. Nobody, where an operator decided what it is.
    pub owner: Option<Owner>,
    /// The token of that claim.
    pub fence: Fence,
    /// How often it was claimed.
    pub attempts: u32,
    /// What its owner wants done if it is not heard of any more.
    pub on_lost: OnLost,
    /// What it was called with.
    pub fingerprint: Fingerprint,
    /// When its key was first claimed.
    pub created: Micros,
    /// When it last became what it is.
    pub changed: Micros,
    /// How long it is kept, counted anew when it ends.
    pub ttl: Micros,
    /// From when on it is as though it had never been. Never, for what waits for an operator.
    pub expires: Option<Micros>,
}

impl Record {
    /// Is it as though it had never been?
    #[must_use]
    pub fn has_expired(&self, now: Micros) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Does it belong to this claim?
    #[must_use]
    pub fn is_held_by(&self, owner: Owner, fence: Fence) -> bool {
        self.owner == Some(owner) && self.fence == fence
    }

    /// Did its owner let its lease run out?
    #[must_use]
    pub fn is_lost(&self, now: Micros) -> bool {
        matches!(self.state, State::InProgress { lease_until, .. } if lease_until <= now)
    }
}
