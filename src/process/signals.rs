//! Threads that leave signals to others.

/// From now on, no signal that is sent to the process interrupts this thread: those who handle it,
/// as an interpreter's main thread does, are woken instead.
pub fn leave_to_others() {
    #[cfg(unix)]
    unix::block_all();
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "a thread's signals are set through libc")]
mod unix {
    pub fn block_all() {
        let mut all = std::mem::MaybeUninit::uninit();
        // SAFETY: `sigfillset` writes a whole set to the valid place that it is given, and
        // `pthread_sigmask` reads it. Neither fails for what is passed here.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut());
        }
    }
}
