//! Memory of dead objects of one type, kept for the next ones.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use pyo3::ffi;
#[cfg(not(Py_GIL_DISABLED))]
use std::{cell::UnsafeCell, ptr};

#[cfg(not(Py_GIL_DISABLED))]
const KEPT: usize = 64;

/// That of one type, whose objects are all of one size. Without a global lock it keeps nothing: the
/// allocator's own per-thread lists do this better then.
pub struct Pool {
    #[cfg(not(Py_GIL_DISABLED))]
    dead: UnsafeCell<([*mut ffi::PyObject; KEPT], usize)>,
}

// SAFETY: only reached by the thread that holds the global lock, in the methods below, none of which
// runs other code while it holds the reference.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl Sync for Pool {}

impl Pool {
    pub const fn new() -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            dead: UnsafeCell::new(([ptr::null_mut(); KEPT], 0)),
        }
    }

    /// Memory for an object, with its type and a first reference. NULL: an exception is set.
    ///
    /// # Safety
    /// Attached; `class` is the one type of this pool, and its objects are `T`s.
    #[inline(always)]
    pub unsafe fn take<T>(&self, class: *mut ffi::PyTypeObject) -> *mut T {
        // SAFETY: see `Sync`. An object in the pool is untracked memory of the right size, which
        // PyObject_Init gives a type and a first reference.
        unsafe {
            #[cfg(not(Py_GIL_DISABLED))]
            {
                let (kept, count) = &mut *self.dead.get();
                if *count != 0 {
                    *count -= 1;
                    return ffi::PyObject_Init(kept[*count], class).cast();
                }
            }
            ffi::PyObject_GC_New::<T>(class)
        }
    }

    /// # Safety
    /// Attached; `dead` is of this pool's type, untracked, its fields are given up, and nobody
    /// refers to it.
    #[inline(always)]
    pub unsafe fn give_back(&self, dead: *mut ffi::PyObject) {
        // SAFETY: see `Sync`.
        unsafe {
            #[cfg(not(Py_GIL_DISABLED))]
            {
                let (kept, count) = &mut *self.dead.get();
                if *count < KEPT {
                    kept[*count] = dead;
                    *count += 1;
                    return;
                }
            }
            ffi::PyObject_GC_Del(dead.cast());
        }
    }
}
