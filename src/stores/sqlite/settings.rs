//! What a file is opened with.

use crate::error::Problem;
use crate::stores::url::{BYTES, Url, bytes, yes};
use std::path::PathBuf;
use std::time::Duration;

/// What a committed step survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The machine's power going.
    Full,
    /// Any process being killed; the last moments before the power goes may be lost.
    Relaxed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub path: PathBuf,
    pub durability: Durability,
    /// How long other processes' write locks are waited for.
    pub busy_timeout: Duration,
    /// How large the file may grow.
    pub max_size: Option<u64>,
    /// May it lie where file locks can't be trusted?
    pub any_filesystem: bool,
}

const OPTIONS: [&str; 4] = ["durability", "busy_timeout", "max_size", "any_filesystem"];

impl Settings {
    pub fn of(url: &Url, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        url.no_host(problems);
        let path = url.path.strip_prefix('/').unwrap_or_default();
        if path.is_empty() || path.ends_with('/') {
            let rule = "names no file: sqlite:///relative.db or sqlite:////absolute.db";
            problems.push(Problem::new("url", format!("{:?}", url.path), rule));
        } else if path.starts_with(":memory:") {
            let rule = "would be each process's own: memory:// is the store for that";
            problems.push(Problem::new("url", format!("{path:?}"), rule));
        }
        url.only(&OPTIONS, problems);
        let rule = "must be full or relaxed";
        let durability =
            url.option("durability", Durability::Full, rule, problems, |text| match text {
                "full" => Some(Durability::Full),
                "relaxed" => Some(Durability::Relaxed),
                _ => None,
            });
        let rule = "must be from 0 to 3600 seconds";
        let five = Duration::from_secs(5);
        let busy_timeout = url.option("busy_timeout", five, rule, problems, |text| {
            let seconds: f64 = text.parse().ok()?;
            (0.0..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
        });
        let max_size = url.option("max_size", None, BYTES, problems, |text| bytes(text).map(Some));
        let any_filesystem =
            url.option("any_filesystem", false, "must be yes or no", problems, yes);
        // Now: a process that goes to another folder must not find another file there when it opens
        // its own again.
        let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
        (problems.len() == before).then_some(Self {
            path,
            durability,
            busy_timeout,
            max_size,
            any_filesystem,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        let mut problems = Vec::new();
        let url = Url::parse(text, &mut problems).unwrap();
        let settings = Settings::of(&url, &mut problems);
        assert_eq!(problems, []);
        settings.unwrap()
    }

    /// Three slashes: from the folder in which the process is when it opens the store, and from then
    /// on. Four: from the root.
    #[test]
    fn a_relative_path_is_meant_from_here() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(settings("sqlite:///a/b.db").path, here.join("a/b.db"));
        let root = std::path::absolute("/").unwrap();
        assert_eq!(settings("sqlite:////a/b.db").path, root.join("a/b.db"));
    }

    /// What is not said is durable, patient for five seconds, and as large as the disk.
    #[test]
    fn what_is_usual() {
        let usual = settings("sqlite:///a.db");
        assert_eq!(usual.durability, Durability::Full);
        assert_eq!(usual.busy_timeout, Duration::from_secs(5));
        assert_eq!((usual.max_size, usual.any_filesystem), (None, false));
        let all =
            "sqlite:///a.db?durability=relaxed&busy_timeout=0.5&max_size=65536&any_filesystem=yes";
        let other = settings(all);
        assert_eq!(other.durability, Durability::Relaxed);
        assert_eq!(other.busy_timeout, Duration::from_millis(500));
        assert_eq!((other.max_size, other.any_filesystem), (Some(65536), true));
    }
}
