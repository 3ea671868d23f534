//! The bulkhead: so many calls at once, and so many that wait for one of them to end.
//!
//! Permits are counted in one word. While nobody waits, taking one and giving it back are one change
//! of that word each. Who has to wait stands in a queue under a lock that is held for a few moves and
//! never while anybody else's code runs. A permit that is given back while somebody waits is handed
//! to the one in front, without ever being free: so nobody overtakes, and none is lost on its way.
//!
//! A waiter that gives up takes itself out of the queue. If it is not there any more, the permit was
//! handed to it just then, and is its own to use or to give back: whoever holds the lock first
//! decides, and there is no third case.

mod place;
mod queue;
mod settings;
#[cfg(test)]
mod tests;

pub use place::Permit;
use place::Place;
pub use settings::{Draft, MOST_PERMITS, Settings};

use crate::sync::Mutex;
use queue::Queue;

/// What became of a call that asked for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It has one.
    In(Permit),
    /// It stands in the queue, under this number.
    Queued(u64),
    /// As many wait as may.
    Full,
}

/// What became of a waiter that asked whether it has waited long enough.
#[derive(Debug, PartialEq, Eq)]
pub enum Left<W> {
    /// It had been handed a permit, which is its own.
    Granted(Permit),
    /// It is out of the queue; what was kept of it.
    Gone(W),
    /// The queue was emptied by a fork: its number means nothing any more.
    Lost,
}

/// A bulkhead's state. `W` is what is kept of each waiter, to wake it by.
#[derive(Debug)]
pub struct Bulkhead<W> {
    place: Place,
    queue: Mutex<Queue<W>>,
}

impl<W> Bulkhead<W> {
    /// One of `limit` permits, all free.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { place: Place::new(limit), queue: Mutex::new(Queue::default()) }
    }

    /// A permit, if one is free and nobody waits for it.
    #[inline(always)]
    pub fn admit(&self) -> Option<Permit> {
        self.place.take()
    }

    /// A permit, or a place behind those who wait, of whom there may be `most`.
    ///
    /// `waiter` says what is kept; called under the lock, it may do no more than hand it over.
    pub fn enter(&self, most: usize, waiter: impl FnOnce() -> W) -> Entry {
        if most == 0 {
            return self.place.take().map_or(Entry::Full, Entry::In);
        }
        let mut queue = self.queue.lock();
        if queue.is_empty()
            && let Some(permit) = self.place.take_or_mark()
        {
            return Entry::In(permit);
        }
        if queue.len() >= most {
            return Entry::Full;
        }
        Entry::Queued(queue.add(waiter()))
    }

    /// Gives a permit back while nobody waits. `false`: somebody does, or did just now; see
    /// [`Bulkhead::exit`].
    #[inline(always)]
    pub fn give_back(&self, permit: Permit) -> bool {
        self.place.give_back(permit)
    }

    /// Gives a permit back. The waiter that it was handed to, who is to be woken, if there is one.
    #[must_use = "who was let in waits to be told"]
    pub fn exit(&self, permit: Permit) -> Option<W> {
        if self.place.give_back(permit) {
            return None;
        }
        let mut queue = self.queue.lock();
        if !self.place.is_of_now(permit) {
            return None;
        }
        let next = if self.place.may_hand_on() { queue.next() } else { None };
        if next.is_none() {
            self.place.give_back_marked();
        }
        self.settle(&queue);
        next
    }

    /// The waiter of this `number` wants to wait no longer, or was woken.
    pub fn leave(&self, number: u64) -> Left<W> {
        let mut queue = self.queue.lock();
        if !queue.knows(number) {
            return Left::Lost;
        }
        match queue.remove(number) {
            Some(waiter) => {
                self.settle(&queue);
                Left::Gone(waiter)
            }
            None => Left::Granted(self.place.permit()),
        }
    }

    /// So many permits from now on. Never waits: of those that are out beyond it, none is handed on.
    /// The waiters that were let in, who are to be woken.
    #[must_use = "who was let in waits to be told"]
    pub fn resize(&self, limit: u32) -> Vec<W> {
        let mut queue = self.queue.lock();
        self.place.set_limit(limit);
        let mut woken = Vec::new();
        while !queue.is_empty() && self.place.take_marked() {
            woken.extend(queue.next());
        }
        self.settle(&queue);
        woken
    }

    /// The process was forked: the calls that had permits are not here, nor are those that waited.
    /// What comes back of the permits that were out counts no more. What was kept of the waiters.
    pub fn forked(&self) -> Vec<W> {
        let mut queue = self.queue.lock();
        self.place.begin_anew();
        queue.begin_anew()
    }

    /// Nobody waits any more: permits are given back in one step again.
    fn settle(&self, queue: &Queue<W>) {
        if queue.is_empty() {
            self.place.unmark();
        }
    }

    /// One that is out, of whomever: for who gives it back in the place of its holder.
    #[must_use]
    pub fn permit(&self) -> Permit {
        self.place.permit()
    }

    /// How many calls have a permit.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.place.in_use()
    }

    /// How many permits there are.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.place.limit()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        if self.place.is_marked() { self.queue.lock().len() } else { 0 }
    }
}
