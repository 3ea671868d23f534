//! Which process this is.
//!
//! Asking the kernel each time costs more than a protected call, so its answer is kept, and
//! forgotten in the child of every fork.

pub mod forks;
pub mod locks;
pub mod signals;

/// The number of this process.
#[must_use]
#[inline]
pub fn id() -> u32 {
    kept::id()
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "what happens at a fork is said through libc")]
mod kept {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

    /// 0: nobody has asked since the last fork. No process has that number.
    static ID: AtomicU32 = AtomicU32::new(0);
    /// Is there somebody who forgets it?
    static WATCHED: AtomicBool = AtomicBool::new(false);

    extern "C" fn forked() {
        ID.store(0, SeqCst);
    }

    #[inline]
    pub fn id() -> u32 {
        match ID.load(SeqCst) {
            0 => ask(),
            id => id,
        }
    }

    #[cold]
    fn ask() -> u32 {
        let id = std::process::id();
        // Not a `Once`: a fork while another thread is at it would leave the child waiting for
        // that thread. To be told twice does no harm.
        if !WATCHED.load(SeqCst) {
            // SAFETY: `forked` is a function of this library, which the interpreter never unloads,
            // and does nothing but write a word.
            if unsafe { libc::pthread_atfork(None, None, Some(forked)) } != 0 {
                return id;
            }
            WATCHED.store(true, SeqCst);
        }
        ID.store(id, SeqCst);
        id
    }
}

#[cfg(not(unix))]
mod kept {
    /// No system call there.
    pub fn id() -> u32 {
        std::process::id()
    }
}

#[cfg(test)]
mod tests {
    use super::id;

    /// Asked twice, it is what the kernel says.
    #[test]
    fn it_is_the_kernels() {
        assert_eq!(id(), std::process::id());
        assert_eq!(id(), std::process::id());
    }
}
