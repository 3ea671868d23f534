//! What may be asked of a record, and what is answered.

use super::Terms;
use crate::stores::Micros;
use crate::stores::record::{Fence, Fingerprint, Owner, Payload, StateName};

/// The wish to run an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who asks: a number of its own for each call.
    pub owner: Owner,
    /// What the operation is called with.
    pub fingerprint: Fingerprint,
    /// On which terms.
    pub terms: Terms,
}

/// A claim that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hold {
    /// To whom.
    pub owner: Owner,
    /// Its fence.
    pub fence: Fence,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// May I run it?
    Claim(Claim),
    /// I still run it: this much longer from now, up to its hard deadline.
    Extend(Hold, Micros),
    /// It took effect.
    Complete(Hold, Payload),
    /// It ended with an error that those who repeat it are to be told.
    Fail(Hold, Payload),
    /// It did not take effect, or may be run again although it did.
    Release(Hold),
    /// Whether it took effect is not known.
    Quarantine(Hold),
    /// An operator knows that it took effect, with this result.
    Resolve(Payload),
    /// An operator knows that it may be run again.
    Reopen,
}

/// How a claim came to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Nobody had it.
    New,
    /// Its last owner had released it.
    Released,
    /// Its last owner's lease ran out.
    TakenOver,
    /// It was given to this very owner before; the answer was lost.
    Again,
}

/// How an operation ended, as those hear it who did not end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// With an error?
    pub failed: bool,
    /// Its result or its error.
    pub payload: Payload,
    /// The fence of the claim under which it ran.
    pub fence: Fence,
    /// When.
    pub at: Micros,
}

/// What the caller hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To a claim: run it.
    Owned {
        /// The fence, higher than all before it. What it writes downstream should carry it.
        fence: Fence,
        /// Which attempt this is, from 1.
        attempt: u32,
        /// Until when nobody else is given it.
        lease_until: Micros,
        /// Whether and from whom it was taken over.
        given: Given,
    },
    /// To a claim: somebody runs it, and has this much longer unless the lease is renewed.
    InProgress {
        /// How long.
        retry_after: Micros,
    },
    /// To a claim: the key is in use for something that was called with something else.
    Mismatch,
    /// To a claim: it has been run.
    Replay(Ended),
    /// To a claim: whether it took effect is not known, since this time.
    OutcomeUnknown {
        /// When that was noticed.
        since: Micros,
        /// Was it just now?
        noticed: bool,
    },
    /// To a claim: it was lost as often as it may be.
    Exhausted {
        /// How often it was claimed.
        attempts: u32,
        /// Was it given up just now? Whoever hears this writes the dead letter.
        noticed: bool,
    },
    /// To an owner: the lease now runs until then.
    Extended {
        /// The new end.
        lease_until: Micros,
    },
    /// To an owner: it is past its hard deadline; the lease ends when it ends.
    AtCap,
    /// To an owner or an operator: that is what is kept now, or was already.
    Done,
    /// To an owner: the claim is not its own any more, and nothing was changed.
    LeaseLost,
    /// To an owner: likewise, and this is how somebody else ended it.
    EndedMeanwhile(Ended),
    /// To an operator: there is nothing to decide about a record that is so. `None`: there is none.
    Undecidable(Option<StateName>),
}

impl Reply {
    /// Did somebody who is not the owner any more try to write?
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::LeaseLost | Self::EndedMeanwhile(_))
    }
}
