//! The runtime of this process: one thread, made when something is first asked of a server.
//!
//! It is never joined nor told to end: a process may end at any moment. It takes no signals and
//! never enters Python. A child of a fork has none of its threads and makes its own; what it
//! inherits stays untouched, for its parent still uses the sockets in it.

use crate::process::forks::{self, Own};
use crate::process::locks::Lock;
use crate::process::signals;
use crate::stores::error::StoreError;
use std::future::Future;
use tokio::runtime::{Builder, Handle};

static RUNTIME: Own<Lock<Option<Handle>>> = Own::new();

/// Has it run. It goes on whether anybody waits for it or not.
///
/// # Errors
/// If the process can have no runtime.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), StoreError> {
    handle().map(|handle| drop(handle.spawn(task)))
}

fn handle() -> Result<Handle, StoreError> {
    let held = forks::hold();
    let mut runtime = RUNTIME.get(&held, Lock::default).lock();
    if let Some(handle) = &*runtime {
        return Ok(handle.clone());
    }
    let started = start()
        .map_err(|error| StoreError::Unavailable(format!("no thread for its sockets: {error}")))?;
    Ok(runtime.insert(started).clone())
}

fn start() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Names are looked up, and certificates read, on threads that come and go.
        .on_thread_start(signals::leave_to_others)
        .thread_name("seawall-net")
        .build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name("seawall-net".to_owned()).spawn(move || {
        signals::leave_to_others();
        runtime.block_on(std::future::pending::<()>());
    })?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// All that a process asks runs on one thread.
    #[test]
    fn there_is_one_thread() {
        let (send, receive) = mpsc::channel();
        for _ in 0..3 {
            let send = send.clone();
            spawn(async move { send.send(std::thread::current().id()).unwrap() }).unwrap();
        }
        let threads: Vec<_> = receive.iter().take(3).collect();
        assert!(threads.iter().all(|thread| *thread == threads[0]));
        assert_ne!(threads[0], std::thread::current().id());
    }
}
