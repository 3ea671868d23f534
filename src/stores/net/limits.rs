//! For how long a server is waited for, and by how many.

use crate::error::Problem;
use crate::stores::url::Url;
use std::time::Duration;

/// What those who ask a server may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a connection may take that is not there, lost ones that are made again included.
    pub connect_timeout: Duration,
    /// How long an operation may take, the connection included.
    pub timeout: Duration,
    /// How many operations of a process may be under way.
    pub max_waiting: usize,
}

impl Limits {
    /// The options in which they are said.
    pub const OPTIONS: [&str; 3] = ["connect_timeout", "timeout", "max_waiting"];

    /// What a URL says of them.
    pub fn of(url: &Url, problems: &mut Vec<Problem>) -> Self {
        let rule = "must be from 0.001 to 3600 seconds";
        let mut time = |name: &str, usual: f64| {
            url.option(name, Duration::from_secs_f64(usual), rule, problems, |text| {
                let seconds: f64 = text.parse().ok()?;
                (0.001..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
            })
        };
        let connect_timeout = time("connect_timeout", 5.0);
        let timeout = time("timeout", 10.0);
        let rule = "must be a number from 1 to 1000000";
        let max_waiting = url.option("max_waiting", 10_000, rule, problems, |text| {
            text.parse().ok().filter(|most| (1..=1_000_000).contains(most))
        });
        Self { connect_timeout, timeout, max_waiting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not said is usual; what makes no sense is refused, all at once.
    #[test]
    fn what_makes_no_sense_is_refused() {
        let limits = |text: &str| {
            let mut problems = Vec::new();
            let url = Url::parse(text, &mut problems).unwrap();
            (Limits::of(&url, &mut problems), problems.len())
        };
        let (said, wrong) = limits("x://?connect_timeout=0.5&timeout=2&max_waiting=7");
        assert_eq!((said.connect_timeout, wrong), (Duration::from_millis(500), 0));
        assert_eq!((said.timeout, said.max_waiting), (Duration::from_secs(2), 7));
        let (usual, wrong) = limits("x://");
        assert!(wrong == 0 && usual.timeout > usual.connect_timeout);
        assert_eq!(limits("x://?connect_timeout=0&timeout=nan&max_waiting=0").1, 3);
    }
}
