//! One word says whether a call may take the fast path.
//!
//! Its low half has a bit for each ambient thing that is on somewhere in the process (today: a test
//! clock). Its high half is an epoch that every reconfiguration moves. A plan remembers the word it
//! was built under, with nothing ambient; a call compares the two. One relaxed load and one compare
//! thus cover everything a call would otherwise have to ask about.

use std::sync::atomic::{AtomicU64, Ordering};

const EPOCH: u64 = 1 << 32;
const AMBIENT: u64 = EPOCH - 1;

static WORD: AtomicU64 = AtomicU64::new(EPOCH);

/// The word as it is now.
#[inline]
pub fn word() -> u64 {
    WORD.load(Ordering::Relaxed)
}

/// The epoch part of `word`: what a plan built now is to remember.
pub fn epoch(word: u64) -> u64 {
    word & !AMBIENT
}

/// Is anything ambient on, anywhere in the process?
#[inline]
pub fn ambient(word: u64) -> bool {
    word & AMBIENT != 0
}

/// Makes every plan built so far look at its policies again before its next call.
pub fn next_epoch() {
    WORD.fetch_add(EPOCH, Ordering::Release);
}

/// One more test clock is on.
pub fn clock_on() {
    WORD.fetch_add(1, Ordering::Release);
}

/// One test clock fewer is on.
pub fn clock_off() {
    WORD.fetch_sub(1, Ordering::Release);
}
