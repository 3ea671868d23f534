//! Memory of dead handles, kept for the next ones.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

#[cfg(not(Py_GIL_DISABLED))]
pub use kept::{give_back, take};
#[cfg(Py_GIL_DISABLED)]
pub use plain::{give_back, take};

#[cfg(not(Py_GIL_DISABLED))]
mod kept {
    use crate::bindings::block::Handle;
    use pyo3::ffi;
    use std::cell::UnsafeCell;
    use std::ptr;

    const KEPT: usize = 64;

    struct Pool(UnsafeCell<([*mut ffi::PyObject; KEPT], usize)>);

    // SAFETY: only reached by the thread that holds the global lock, in the two functions below,
    // neither of which runs other code while it holds the reference.
    unsafe impl Sync for Pool {}

    static POOL: Pool = Pool(UnsafeCell::new(([ptr::null_mut(); KEPT], 0)));

    /// # Safety
    /// Attached; `class` is a type of handles.
    #[inline(always)]
    pub unsafe fn take(class: *mut ffi::PyTypeObject) -> *mut Handle {
        // SAFETY: see `Pool`. An object in the pool is untracked memory of the right size, which
        // PyObject_Init gives a type and a first reference.
        unsafe {
            let (kept, count) = &mut *POOL.0.get();
            if *count == 0 {
                return ffi::PyObject_GC_New::<Handle>(class);
            }
            *count -= 1;
            ffi::PyObject_Init(kept[*count], class).cast()
        }
    }

    /// # Safety
    /// Attached; `dead` is a handle whose fields are given up and which nobody refers to.
    #[inline(always)]
    pub unsafe fn give_back(dead: *mut ffi::PyObject) {
        // SAFETY: see `Pool`.
        unsafe {
            let (kept, count) = &mut *POOL.0.get();
            if *count == KEPT {
                ffi::PyObject_GC_Del(dead.cast());
            } else {
                kept[*count] = dead;
                *count += 1;
            }
        }
    }
}

/// Without a global lock the allocator's own per-thread lists do this better.
#[cfg(Py_GIL_DISABLED)]
mod plain {
    use crate::bindings::block::Handle;
    use pyo3::ffi;

    pub unsafe fn take(class: *mut ffi::PyTypeObject) -> *mut Handle {
        // SAFETY: `class` is a type of handles.
        unsafe { ffi::PyObject_GC_New::<Handle>(class) }
    }

    pub unsafe fn give_back(dead: *mut ffi::PyObject) {
        // SAFETY: nobody refers to `dead`.
        unsafe { ffi::PyObject_GC_Del(dead.cast()) };
    }
}
