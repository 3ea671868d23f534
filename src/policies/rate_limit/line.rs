//! Who waits at one limit, in order: each for the time that it has reserved.
//!
//! The limit's word says when the last of them is let in; who comes later can't be earlier. So the
//! line decides nothing. It is there for those who give up: everybody behind moves up, and is woken
//! to wait for its new time. Whoever is let in at once never touches it.
//!
//! Times are stacked up as the word itself is: who waits begins where the one before it ends, so that
//! moving up is to stack again from where somebody left. The lock is held for that, and while nobody
//! else's code runs.

use super::cost::Cost;
use super::gcra::Rate;
use super::terms::Kind;
use super::{Moment, Place, RateLimit, Refusal, Settings, Terms};
use crate::sync::{Mutex, Ordering};
use crate::time::{Clock, Nanos};
use std::collections::VecDeque;

/// One that waits; `W` wakes it.
#[derive(Debug)]
struct Waiter<W> {
    number: u64,
    cost: Cost,
    /// What the limit's word became by it.
    end: u64,
    /// When it is let in.
    due: Nanos,
    /// Somebody behind it was let in before it looked, or settings changed after its time had come.
    passed: bool,
    /// `None`: it was woken, and has not looked yet.
    bell: Option<W>,
}

#[derive(Debug)]
struct Standing<W> {
    next: u64,
    waiting: VecDeque<Waiter<W>>,
}

/// Those that wait.
#[derive(Debug)]
pub struct Line<W> {
    standing: Mutex<Standing<W>>,
}

/// A place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which.
    pub number: u64,
    /// When its call is let in, as it is now.
    pub due: Nanos,
}

/// What one that waits finds when it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Its time has come, and it is out of the line.
    In,
    /// It has to wait until then, and is woken by the bell that it brought.
    Until(Nanos),
}

impl<W> Default for Line<W> {
    fn default() -> Self {
        let standing = Standing { next: 0, waiting: VecDeque::new() };
        Self { standing: Mutex::new(standing) }
    }
}

impl<W> Line<W> {
    /// Reserves the time of a call at `limit`, no further off than may be waited and than `bound`.
    /// `None`: it is let in at once, and the bell is left.
    ///
    /// # Errors
    /// The refusal: it would not be let in in time, and has reserved nothing.
    pub fn reserve<P: Place>(
        &self,
        limit: &RateLimit<P>,
        cost: Cost,
        bound: Option<Nanos>,
        clock: &impl Clock,
        bell: &mut Option<W>,
    ) -> Result<Option<Placed>, Refusal> {
        let mut standing = self.standing.lock();
        let reserved = limit.reserve(cost, bound, clock)?;
        if reserved.wait == 0 {
            return Ok(None);
        }
        if let Kind::Rate(rate) = limit.live.terms().kind
            && let Some(before) = rate.push(cost).and_then(|push| reserved.given.checked_sub(push))
            && standing.waiting.back().is_some_and(|last| last.end != before)
        {
            // Somebody who never stood here was let in between.
            let all = standing.waiting.len();
            standing.pass(all);
        }
        standing.next += 1;
        let placed =
            Placed { number: standing.next, due: clock.now().saturating_add(reserved.wait) };
        standing.waiting.push_back(Waiter {
            number: placed.number,
            cost,
            end: reserved.given,
            due: placed.due,
            passed: false,
            bell: bell.take(),
        });
        Ok(Some(placed))
    }

    /// Looks whether the time of `number` has come at `now`. If it has not, `bell` is what wakes it
    /// from here on. What wakes nobody is in the answer, to be let go of outside of the lock.
    pub fn look<P: Place>(
        &self,
        limit: &RateLimit<P>,
        number: u64,
        now: Nanos,
        bell: W,
    ) -> (Looked, [Option<W>; 2]) {
        let mut standing = self.standing.lock();
        let Some(at) = standing.find(number) else { return (Looked::In, [Some(bell), None]) };
        let waiter = &mut standing.waiting[at];
        if waiter.due > now {
            return (Looked::Until(waiter.due), [waiter.bell.replace(bell), None]);
        }
        limit.place.words().arrived.bump();
        let old = standing.waiting.remove(at).and_then(|waiter| waiter.bell);
        if matches!(limit.live.terms().kind, Kind::Rate(_)) {
            standing.pass(at);
        }
        (Looked::In, [Some(bell), old])
    }

    /// The call with `number` is not made: `refused`, because it was found not to be in time after
    /// all, or given up. Those behind it move up; who is to be woken is in the answer, with what
    /// would have woken the one that left. Nobody moves up if somebody behind it was let in already:
    /// what lies between it and those that wait is taken, and can't be given twice.
    pub fn leave<P: Place>(
        &self,
        limit: &RateLimit<P>,
        number: u64,
        now: Nanos,
        refused: bool,
    ) -> Vec<W> {
        let mut standing = self.standing.lock();
        let Some(at) = standing.find(number) else { return Vec::new() };
        let words = limit.place.words();
        if refused { &words.withdrawn } else { &words.abandoned }.bump();
        let last = standing.waiting.back().map_or(0, |waiter| waiter.end);
        let Some(gone) = standing.waiting.remove(at) else { return Vec::new() };
        let mut woken: Vec<W> = gone.bell.into_iter().collect();
        if gone.passed {
            return woken;
        }
        let terms = limit.live.terms();
        let Kind::Rate(rate) = terms.kind else {
            limit.put_back(gone.end, gone.cost);
            return woken;
        };
        let Some(base) = rate.push(gone.cost).and_then(|push| gone.end.checked_sub(push)) else {
            return woken;
        };
        let end = standing.stack(at, &rate, base, now, &mut woken);
        // Somebody may have been let in since the last one's time came: then it can't be undone.
        let _ = words.word.compare_exchange(last, end, Ordering::SeqCst, Ordering::SeqCst);
        woken
    }

    /// The process was forked: those that wait do so in its parent, and leave here. What would have
    /// woken them is in the answer.
    pub fn forked<P: Place>(&self, limit: &RateLimit<P>, now: Nanos) -> Vec<W> {
        let mut woken = Vec::new();
        while let Some(number) = self.last() {
            woken.extend(self.leave(limit, number, now, false));
        }
        woken
    }

    fn last(&self) -> Option<u64> {
        self.standing.lock().waiting.back().map(|waiter| waiter.number)
    }

    /// Has `limit`, whose line this is, go by other settings: see [`RateLimit::reconfigure`]. Those
    /// that wait are let in in the same order, at the new rate; who is to be woken is in the answer.
    pub fn change<P: Place>(
        &self,
        limit: &RateLimit<P>,
        old: &Terms,
        new: &Terms,
        moment: Moment,
    ) -> Vec<W> {
        let mut standing = self.standing.lock();
        let word = &limit.place.words().word;
        let mut woken = Vec::new();
        let (Kind::Rate(before), Kind::Rate(rate)) = (&old.kind, &new.kind) else {
            let all = standing.waiting.len();
            standing.pass(all);
            carry(word, |seen| new.carry(old, seen, moment));
            return woken;
        };
        let first = standing.waiting.iter().position(|waiter| waiter.due > moment.now);
        // What those took whose time has come was taken at the old rate.
        let come = first.unwrap_or(standing.waiting.len());
        standing.pass(come);
        let Some(first) = first else {
            carry(word, |seen| new.carry(old, seen, moment));
            return woken;
        };
        let waiter = &standing.waiting[first];
        let base = before.push(waiter.cost).map_or(0, |push| waiter.end.saturating_sub(push));
        let base = rate.carry(before, base, moment.now);
        for waiter in standing.waiting.iter_mut().skip(first) {
            // Not kept where it was: the rate may have become slower.
            waiter.end = u64::MAX;
            waiter.due = Nanos::MAX;
        }
        let end = standing.stack(first, rate, base, moment.now, &mut woken);
        carry(word, |_| end);
        woken
    }
}

fn carry(word: &crate::sync::AtomicU64, next: impl Fn(u64) -> u64) {
    let mut seen = word.load(Ordering::Acquire);
    while let Err(now) = word.compare_exchange(seen, next(seen), Ordering::SeqCst, Ordering::SeqCst)
    {
        seen = now;
    }
}

impl<W> Standing<W> {
    fn find(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |waiter| waiter.number).ok()
    }

    /// The time of those before place `at` is not given back any more.
    fn pass(&mut self, at: usize) {
        // Where one has passed, all before it have.
        for waiter in self.waiting.range_mut(..at).rev() {
            if std::mem::replace(&mut waiter.passed, true) {
                break;
            }
        }
    }

    /// Stacks those from place `at` on upon `base`, where that is earlier, and collects the bells of
    /// those that move. Answers where the last one ends.
    fn stack(&mut self, at: usize, rate: &Rate, base: u64, now: Nanos, woken: &mut Vec<W>) -> u64 {
        let mut base = base;
        for waiter in self.waiting.iter_mut().skip(at) {
            // One whose time has come was let in then, even if it has not looked yet.
            let from = base.max(Rate::ticks(waiter.due.min(now)));
            let push = rate.push(waiter.cost).unwrap_or(0);
            waiter.end = waiter.end.min(from.saturating_add(push));
            base = waiter.end;
            if waiter.due <= now {
                continue;
            }
            let due = rate.due(waiter.end).max(now);
            if due < waiter.due {
                waiter.due = due;
                woken.extend(waiter.bell.take());
            }
        }
        base
    }
}

impl<P: Place> RateLimit<P> {
    /// As [`RateLimit::reconfigure`], with the line of each.
    pub fn reconfigure_with<'a, W: 'a>(
        &'a self,
        settings: Settings,
        limits: impl IntoIterator<Item = (&'a Self, &'a Line<W>)>,
        moment: Moment,
    ) -> Vec<W>
    where
        P: 'a,
    {
        let mut woken = Vec::new();
        self.live.change(settings, |old, new| {
            for (limit, line) in limits {
                woken.extend(line.change(limit, &old, &new, moment));
            }
        });
        woken
    }
}
