//! The file itself: where it may lie, and who may read it.

use super::settings::Settings;
use crate::process::locks::Lock;
use crate::stores::error::StoreError;
use std::fs;
use std::io::ErrorKind::{AlreadyExists, NotFound};
use std::path::{Path, PathBuf};

/// Filesystems of which SQLite's own page says that locks or shared memory can't be relied on.
const REMOTE: [&str; 19] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "ocfs2",
    "prl_fs",
    "smb",
    "vboxsf",
    "virtiofs",
    "vmhgfs",
];

/// Held while a file is looked for and made, by all stores of the process. Whoever closes a file, by
/// whatever handle, takes all locks from those in his process who have it open: so nobody may open a
/// new file before the one who makes it has closed it.
static MAKING: Lock<()> = Lock::new(());

/// Sees to it that the file is there, its owner's alone, and on a filesystem that can be trusted.
/// Forks are held off.
pub(super) fn prepare(settings: &Settings) -> Result<PathBuf, StoreError> {
    let name = settings.path.file_name().ok_or_else(|| unavailable("it names no file"))?;
    let folder = match settings.path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = folder
        .canonicalize()
        .map_err(|error| unavailable(&format!("the folder {}: {error}", folder.display())))?;
    if !settings.any_filesystem
        && let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo")
    {
        trust(&mounts, &folder)?;
    }
    let path = folder.join(name);
    let _making = MAKING.lock();
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(path),
        Ok(_) => Err(unavailable(&format!("{} is no file", path.display()))),
        Err(error) if error.kind() == NotFound => create(&path).map(|()| path),
        Err(error) => Err(unavailable(&format!("{}: {error}", path.display()))),
    }
}

/// Makes an empty file that is its owner's alone, unless another process just did.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            drop(file);
            Ok(())
        }
        Err(error) if error.kind() == AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(&format!("{} can't be made: {error}", path.display()))),
    }
}

/// Which file has this name, where files have numbers.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    return fs::metadata(path).ok().map(|found| {
        use std::os::unix::fs::MetadataExt;
        (found.dev(), found.ino())
    });
    #[cfg(not(unix))]
    return path.exists().then_some((0, 0));
}

fn trust(mounts: &str, folder: &Path) -> Result<(), StoreError> {
    match filesystem(mounts, folder) {
        Some(kind) if is_remote(&kind) => Err(unavailable(&format!(
            "{} lies on {kind}, where file locks can't be relied on and records would be lost; \
             any_filesystem=yes opens it all the same",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// The kind of filesystem on which `path` lies.
fn filesystem(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let (mount, kind) = line.split_once(" - ")?;
        let point = unescaped(mount.split(' ').nth(4)?);
        let depth = Path::new(&point).components().count();
        // Of two at one place, the later lies over the earlier.
        if path.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind.split(' ').next()?));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

fn is_remote(kind: &str) -> bool {
    kind.starts_with("fuse")
        || REMOTE.iter().any(|remote| {
            kind.strip_prefix(remote).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
        })
}

/// The kernel writes spaces and the like as octal numbers.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let number = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        rest = if let Some(byte) = number {
            out.push(char::from(byte));
            &after[3..]
        } else {
            out.push('\\');
            after
        };
    }
    out + rest
}

fn unavailable(said: &str) -> StoreError {
    StoreError::Unavailable(said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 27 0:21 / /proc rw - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /srv/my\\040files rw shared:1 - nfs4 host:/x rw
41 27 0:41 / /net rw - fuse.sshfs host:/y rw
42 41 0:42 / /net/local rw - xfs /dev/vdb rw
43 42 0:43 / /net/local rw - cifs //host/z rw
";

    /// A folder on a remote filesystem is refused by its name.
    #[test]
    fn a_remote_filesystem_is_refused() {
        assert_eq!(trust(MOUNTS, Path::new("/var/lib/app")), Ok(()));
        let refused = trust(MOUNTS, Path::new("/net/me")).unwrap_err().to_string();
        assert!(refused.contains("/net/me lies on fuse.sshfs"), "{refused}");
        assert!(refused.contains("any_filesystem=yes"), "{refused}");
    }

    /// The innermost mount counts, and of two at one place the one on top.
    #[test]
    fn the_filesystem_of_a_path_is_found() {
        for (path, kind, remote) in [
            ("/var/lib", "ext4", false),
            ("/srv/my files/a", "nfs4", true),
            ("/srv/my filesystem", "ext4", false),
            ("/net/me", "fuse.sshfs", true),
            ("/net/local/x", "cifs", true),
        ] {
            let found = filesystem(MOUNTS, Path::new(path));
            assert_eq!(found.as_deref(), Some(kind), "{path}");
            assert_eq!(is_remote(kind), remote, "{kind}");
        }
        for local in ["tmpfs", "btrfs", "overlay", "zfs", "smbus"] {
            assert!(!is_remote(local), "{local}");
        }
    }
}
