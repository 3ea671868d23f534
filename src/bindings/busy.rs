//! Who is inside of an object that only one may be inside of at a time.

use std::sync::atomic::{AtomicBool, Ordering};

/// Held by the one that steps an object, against those that come back to it meanwhile: from inside,
/// or, where no global lock keeps them out, from another thread.
pub struct Busy(AtomicBool);

impl Busy {
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Goes in, unless somebody is.
    #[inline(always)]
    pub fn enter(&self) -> bool {
        // The global lock makes two plain moves one.
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let free = !self.0.load(Ordering::Relaxed);
            self.0.store(true, Ordering::Relaxed);
            free
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            !self.0.swap(true, Ordering::Acquire)
        }
    }

    /// Comes out.
    #[inline(always)]
    pub fn leave(&self) {
        self.0.store(false, Ordering::Release);
    }
}
