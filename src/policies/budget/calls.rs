//! What calls say and ask.

use super::episode::Turned;
use super::ledger::raise;
use super::settings::BILLION;
use super::terms::{Kind, Ratio};
use super::{Budget, Place};
use crate::sync::{AtomicU64, Ordering, swap};
use crate::time::Clock;

/// What a failure takes away, in thousandths of a token.
const TOKEN: u64 = 1_000;

/// What somebody who asked for a further attempt is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// It may be made.
    pub permitted: bool,
    /// This answer is the first of its sort for a while: to be told to whoever listens.
    pub turned: Option<Turned>,
}

impl<P: Place> Budget<P> {
    /// A call begins: its first attempt, which nobody has to permit.
    #[inline(always)]
    pub fn begin<C: Clock>(&self, clock: &C) {
        let calls = self.calls();
        if let Some(pace) = self.terms.pace() {
            calls.arrive(pace, clock);
        }
        calls.raise();
    }

    /// A call has ended. Once for each [`Budget::begin`].
    #[inline(always)]
    pub fn finish(&self) {
        let words = self.place.words();
        end(&words.finished, &words.calls, !P::SHARED);
    }

    /// May a call make one further attempt? If so it has been counted.
    pub fn permit<C: Clock>(&self, clock: &C) -> bool {
        self.ask(clock).permitted
    }

    /// As [`Budget::permit`], with what is to be told about it.
    pub fn ask<C: Clock>(&self, clock: &C) -> Answer {
        let shape = self.shape();
        let permitted = match shape.kind {
            Kind::Ratio(terms) => self.withdraw(terms, clock),
            Kind::Concurrency { ratio, least } => self.take_off(ratio, least),
            Kind::Tokens { most, .. } => self.spare_tokens(most),
        };
        if !permitted {
            self.place.words().refused.bump();
        }
        Answer { permitted, turned: self.turn(permitted, shape.quiet, clock) }
    }

    /// A further attempt that was permitted has ended. Once for each.
    pub fn attempt_over(&self) {
        let words = self.place.words();
        end(&words.over, &words.attempts, !P::SHARED);
    }

    /// A failure was seen that may be tried again. To be told before asking for the attempt.
    pub fn failed(&self) {
        if self.terms.counts_tokens() {
            self.change_tokens(|tokens, _, _| tokens.saturating_sub(TOKEN));
        }
    }

    /// A call has succeeded.
    #[inline(always)]
    pub fn succeeded(&self) {
        if self.terms.counts_tokens() {
            self.change_tokens(|tokens, ratio, most| tokens.saturating_add(ratio).min(most));
        }
    }

    fn withdraw<C: Clock>(&self, terms: Ratio, clock: &C) -> bool {
        let Ratio { pace, whole, reach, share, reserve } = terms;
        let (calls, attempts) = (self.calls(), self.attempts());
        loop {
            let epoch = attempts.arrive(pace, clock);
            let spent = attempts.since(pace, epoch.saturating_sub(reach), epoch);
            let saved = calls.since(pace, epoch.saturating_sub(whole - 1), epoch).recent;
            // Somebody may have come in a later epoch meanwhile, whose marks were not looked at.
            if pace.epochs(pace.read(clock)) > epoch {
                continue;
            }
            let wanted = u128::from(spent.recent + 1) * u128::from(BILLION);
            if wanted > u128::from(saved) * u128::from(share) + u128::from(reserve) {
                return false;
            }
            if attempts.raise_from(spent.total) {
                return true;
            }
        }
    }

    fn take_off(&self, ratio: u64, least: u64) -> bool {
        let words = self.place.words();
        let attempts = self.attempts();
        loop {
            let over = words.over.load(Ordering::Acquire);
            let total = attempts.total();
            // In this order it is never more than there were when the first was read.
            let begun = words.calls.load(Ordering::Acquire);
            let calls = begun.saturating_sub(words.finished.load(Ordering::Acquire));
            if total.saturating_sub(over) < limit(calls, ratio, least) {
                if attempts.raise_from(total) {
                    return true;
                }
            } else if words.over.load(Ordering::Acquire) == over {
                return false;
            }
        }
    }

    fn spare_tokens(&self, most: u64) -> bool {
        let words = self.place.words();
        let spare = words.tokens.load(Ordering::Acquire) > most / 2;
        if spare {
            self.attempts().raise();
        }
        spare
    }

    #[inline]
    fn change_tokens(&self, change: impl Fn(u64, u64, u64) -> u64) {
        let Kind::Tokens { ratio, most } = self.shape().kind else { return };
        let change = |tokens| change(tokens, ratio, most);
        update(&self.place.words().tokens, change, !P::SHARED);
    }
}

/// Something has ended. More than began can't: it would make room for others.
#[inline(always)]
fn end(ended: &AtomicU64, begun: &AtomicU64, alone: bool) {
    if ended.load(Ordering::Relaxed) < begun.load(Ordering::Relaxed) {
        raise(ended, alone);
    }
}

/// How many further attempts may be in flight.
pub(super) fn limit(calls: u64, ratio: u64, least: u64) -> u64 {
    // Below 2³² · 10⁹, which fits.
    (calls.min(u32::MAX.into()) * ratio / BILLION).max(least)
}

#[inline(always)]
fn update(word: &AtomicU64, change: impl Fn(u64) -> u64, alone: bool) {
    let mut seen = word.load(Ordering::Acquire);
    loop {
        let next = change(seen);
        if next == seen {
            return;
        }
        match swap(word, seen, next, alone) {
            Ok(()) => return,
            Err(other) => seen = other,
        }
    }
}
