//! Those who wait, in the order in which they came.

use std::collections::VecDeque;

/// Numbers only rise, so the queue is sorted by them.
#[derive(Debug)]
pub struct Queue<W> {
    waiters: VecDeque<(u64, W)>,
    /// The next number.
    next: u64,
    /// The first number of this process: those below were given out before a fork.
    first: u64,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { waiters: VecDeque::new(), next: 0, first: 0 }
    }
}

impl<W> Queue<W> {
    pub fn add(&mut self, waiter: W) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiters.push_back((number, waiter));
        number
    }

    /// The one in front.
    pub fn next(&mut self) -> Option<W> {
        let (_, waiter) = self.waiters.pop_front()?;
        // What one crowd needed is not kept for good.
        if self.waiters.is_empty() && self.waiters.capacity() > 64 {
            self.waiters = VecDeque::new();
        }
        Some(waiter)
    }

    /// `None`: it is not in the queue any more.
    pub fn remove(&mut self, number: u64) -> Option<W> {
        let at = self.waiters.binary_search_by_key(&number, |waiter| waiter.0).ok()?;
        self.waiters.remove(at).map(|(_, waiter)| waiter)
    }

    /// Was it given out in this process?
    pub fn knows(&self, number: u64) -> bool {
        number >= self.first
    }

    pub fn begin_anew(&mut self) -> Vec<W> {
        self.first = self.next;
        std::mem::take(&mut self.waiters).into_iter().map(|(_, waiter)| waiter).collect()
    }

    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}
