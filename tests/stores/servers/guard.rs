//! Processes that end when this one does, however that ends.

use std::process::{Child, Command};
use std::sync::{Mutex, OnceLock, mpsc};

/// Starts it so that it ends when this process does, however that ends. The kernel looks at the
/// thread that started it: so that is one that stays.
#[allow(unsafe_code, reason = "the kernel is asked to end what is left behind")]
pub fn guarded(mut command: Command) -> Child {
    type Wanted = (Command, mpsc::Sender<std::io::Result<Child>>);
    static STARTER: OnceLock<Mutex<mpsc::Sender<Wanted>>> = OnceLock::new();
    #[cfg(target_os = "linux")]
    // SAFETY: what is called between fork and exec is one system call.
    unsafe {
        use std::os::unix::process::CommandExt;
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    let starter = STARTER.get_or_init(|| {
        let (send, receive) = mpsc::channel::<Wanted>();
        std::thread::spawn(move || {
            for (mut command, started) in receive {
                let _ = started.send(command.spawn());
            }
        });
        Mutex::new(send)
    });
    let (send, receive) = mpsc::channel();
    starter.lock().unwrap().send((command, send)).unwrap();
    receive.recv().unwrap().unwrap()
}
