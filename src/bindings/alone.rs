//! A value that attached threads look at and replace, none of them for longer than a few steps of
//! our own code.
//!
//! With a global lock, who is attached is alone with it. Without one, it has a lock of its own.
#![allow(unsafe_code, reason = "the global lock is a lock that the compiler does not know of")]

#[cfg(not(Py_GIL_DISABLED))]
use std::cell::UnsafeCell;

/// The value.
pub struct Alone<T> {
    #[cfg(not(Py_GIL_DISABLED))]
    value: UnsafeCell<T>,
    #[cfg(Py_GIL_DISABLED)]
    value: parking_lot::Mutex<T>,
}

#[cfg(not(Py_GIL_DISABLED))]
// SAFETY: only reached by the thread that holds the global lock: see `Alone::with`.
unsafe impl<T: Send> Sync for Alone<T> {}

impl<T> Alone<T> {
    pub fn new(value: T) -> Self {
        Self { value: value.into() }
    }

    /// Does `act` with the value.
    ///
    /// # Safety
    /// The thread is attached, and `act` runs nothing that could detach it or come back here: no
    /// Python code, nothing of the user's.
    #[inline(always)]
    pub unsafe fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: as the caller promises, this thread is alone with the value until `act` is done.
        return act(unsafe { &mut *self.value.get() });
        #[cfg(Py_GIL_DISABLED)]
        return act(&mut self.value.lock());
    }
}
