//! The half of an entry that waits for its other.
//!
//! A pending handle belongs to the thread that fetched it. It is remembered without being counted, so
//! that asking whether there is such a method leaves nothing behind; a handle that dies takes itself
//! out. No thread has anything to give up when it ends.

#[cfg(Py_GIL_DISABLED)]
pub use each::{Whose, claim, offer, withdraw};
#[cfg(not(Py_GIL_DISABLED))]
pub use one::{Whose, claim, offer, withdraw};

/// With a global lock one place serves all threads: nobody else runs between the two fetches of a
/// `with` or an `ExitStack`, except under a tracer. A half whose place was taken meanwhile stands
/// alone, which the context makes good (see `loose`).
#[cfg(not(Py_GIL_DISABLED))]
mod one {
    use crate::bindings::block::{End, Handle, Level, State, Way};
    use pyo3::ffi;
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

    static PENDING: AtomicPtr<Handle> = AtomicPtr::new(ptr::null_mut());

    /// The thread that fetched it.
    #[derive(Default)]
    pub struct Whose(usize);

    #[inline(always)]
    unsafe fn here() -> usize {
        // SAFETY: attached, as the callers promise.
        unsafe { ffi::PyThreadState_Get() }.addr()
    }

    /// Leaves `handle` pending, in the place of any other.
    ///
    /// # Safety
    /// Attached; `handle` is alive and new.
    #[inline(always)]
    pub unsafe fn offer(handle: *mut Handle) {
        // SAFETY: as the caller promises.
        unsafe { (*handle).whose = Whose(here()) };
        PENDING.store(handle, Relaxed);
    }

    /// A new reference to the handle that waits for the other half of what was fetched from `from`,
    /// or NULL.
    ///
    /// # Safety
    /// Attached.
    #[inline(always)]
    pub unsafe fn claim(from: *mut ffi::PyObject, way: Way, level: Level) -> *mut Handle {
        let handle = PENDING.load(Relaxed);
        // SAFETY: a pending handle is alive: it would have taken itself out.
        unsafe {
            if handle.is_null()
                || (*handle).guard != from
                || (*handle).way != way
                || (*handle).level != level
                || (*handle).whose.0 != here()
                || !(*handle).is(State::Fresh)
            {
                return ptr::null_mut();
            }
            PENDING.store(ptr::null_mut(), Relaxed);
            (*handle).end = End::Both;
            ffi::Py_INCREF(handle.cast());
            handle
        }
    }

    /// `handle` does not wait any more.
    ///
    /// # Safety
    /// Attached.
    #[inline(always)]
    pub unsafe fn withdraw(handle: *mut Handle) {
        if PENDING.load(Relaxed) == handle {
            PENDING.store(ptr::null_mut(), Relaxed);
        }
    }
}

/// Without one, each thread has a place of its own. A handle may die on another thread, so it knows
/// the place, and the place outlives the thread until that.
#[cfg(Py_GIL_DISABLED)]
mod each {
    use crate::bindings::block::{End, Handle, Level, State, Way};
    use parking_lot::Mutex;
    use pyo3::ffi;
    use std::ptr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

    /// Only looked into and changed under the lock; atomic because a raw pointer is not `Send`.
    type Place = Arc<Mutex<AtomicPtr<Handle>>>;

    thread_local! {
        static PENDING: Place = Arc::default();
    }

    /// The place of the thread that fetched it.
    #[derive(Default)]
    pub struct Whose(Option<Place>);

    /// See the other.
    ///
    /// # Safety
    /// As there.
    pub unsafe fn offer(handle: *mut Handle) {
        // A thread that is ending has no place any more: what it fetches stands alone.
        let Ok(place) = PENDING.try_with(Arc::clone) else { return };
        // SAFETY: as the caller promises. Marked so that it can be counted from a bare pointer.
        unsafe {
            ffi::PyUnstable_EnableTryIncRef(handle.cast());
            (*handle).whose = Whose(Some(Arc::clone(&place)));
        }
        place.lock().store(handle, Relaxed);
    }

    /// See the other.
    ///
    /// # Safety
    /// As there.
    pub unsafe fn claim(from: *mut ffi::PyObject, way: Way, level: Level) -> *mut Handle {
        let Ok(place) = PENDING.try_with(Arc::clone) else { return ptr::null_mut() };
        let place = place.lock();
        let handle = place.load(Relaxed);
        // SAFETY: what is in the place is not freed before it has had the lock, to take itself out.
        unsafe {
            if handle.is_null()
                || (*handle).guard != from
                || (*handle).way != way
                || (*handle).level != level
                || !(*handle).is(State::Fresh)
                || ffi::PyUnstable_TryIncRef(handle.cast()) == 0
            {
                return ptr::null_mut();
            }
            place.store(ptr::null_mut(), Relaxed);
            (*handle).end = End::Both;
            handle
        }
    }

    /// See the other.
    ///
    /// # Safety
    /// As there.
    pub unsafe fn withdraw(handle: *mut Handle) {
        // SAFETY: as the caller promises, alive; only its own thread writes this field, once.
        if let Some(place) = unsafe { &(*handle).whose.0 } {
            let place = place.lock();
            if place.load(Relaxed) == handle {
                place.store(ptr::null_mut(), Relaxed);
            }
        }
    }
}
