//! Locks that a fork leaves alone.
//!
//! What `parking_lot` knows of those who wait it keeps in one table for the whole process. A child
//! has a copy, in which there are threads that it has not, and falls over them when it wakes its
//! own. These keep all they know in themselves: a child that makes its own is not concerned.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A lock.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Free.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Waits until it is free. A panic of whoever held it is that one's alone.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What wakes those who wait for a change of what is locked.
#[derive(Debug, Default)]
pub struct Bell(Condvar);

impl Bell {
    /// Wakes all.
    pub fn ring(&self) {
        self.0.notify_all();
    }

    /// Wakes one.
    pub fn ring_one(&self) {
        self.0.notify_one();
    }

    /// Waits while something holds.
    pub fn wait_while<'a, T>(
        &self,
        locked: MutexGuard<'a, T>,
        holds: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        self.0.wait_while(locked, holds).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while something holds, for so long at most.
    pub fn wait_while_for<'a, T>(
        &self,
        locked: MutexGuard<'a, T>,
        most: Duration,
        holds: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        self.0.wait_timeout_while(locked, most, holds).unwrap_or_else(PoisonError::into_inner).0
    }
}
