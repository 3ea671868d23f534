//! The window of the model: a list of what is remembered.

use seawall::policies::breaker::{Settings, WindowSize};
use seawall::time::Nanos;
use std::collections::VecDeque;

/// Whether an outcome failed, and whether it was slow.
pub type Outcome = (bool, bool);

#[derive(Clone, Debug)]
pub enum Window {
    None,
    Count(usize, VecDeque<Outcome>),
    Time { width: Nanos, origin: Nanos, seen: Vec<(u64, Outcome)> },
}

impl Window {
    pub fn new(settings: &Settings, now: Nanos) -> Self {
        match settings.window {
            _ if settings.failure_rate.is_none() && settings.slow_call_rate.is_none() => Self::None,
            WindowSize::Calls(size) => Self::Count(size as usize, VecDeque::new()),
            WindowSize::Time(length) => {
                Self::Time { width: length.div_ceil(16), origin: now, seen: Vec::new() }
            }
        }
    }

    pub fn clear(&mut self) {
        match self {
            Self::None => {}
            Self::Count(_, last) => last.clear(),
            Self::Time { seen, .. } => seen.clear(),
        }
    }

    pub fn record(&mut self, outcome: Outcome, now: Nanos) {
        match self {
            Self::None => {}
            Self::Count(size, last) => {
                last.push_back(outcome);
                while last.len() > *size {
                    last.pop_front();
                }
            }
            Self::Time { width, origin, seen } => seen.push(((now - *origin) / *width, outcome)),
        }
    }

    pub fn held(&self, now: Nanos) -> Vec<Outcome> {
        match self {
            Self::None => Vec::new(),
            Self::Count(_, last) => last.iter().copied().collect(),
            Self::Time { width, origin, seen } => {
                let current = (now - origin) / width;
                let inside = seen.iter().filter(|(epoch, _)| epoch + 15 >= current);
                inside.map(|(_, outcome)| *outcome).collect()
            }
        }
    }

    pub fn reshaped(&self, settings: &Settings, now: Nanos) -> Self {
        match (self, Self::new(settings, now)) {
            (Self::Count(_, last), Self::Count(size, _)) => {
                let kept = last.iter().skip(last.len().saturating_sub(size));
                Self::Count(size, kept.copied().collect())
            }
            (Self::Time { width: old, .. }, Self::Time { width, .. }) if *old == width => {
                self.clone()
            }
            (_, new) => new,
        }
    }
}
