//! One call, and the attempts that race for its answer.

use crate::time::Nanos;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a good answer.
    Good,
    /// With what no further attempt would change: an error that is none of those hedged against, a
    /// cancellation from within.
    Final,
    /// With a failure that another attempt may make good.
    Failed,
    /// A policy further in did not let it in. Another attempt would ask the same policy at once.
    Rejected,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    /// A further attempt is due: [`Race::start`] it, or [`Race::stop`] if it may not be.
    Due,
    /// Nothing, until then at the latest; `None`: until an attempt ends.
    Wait(Option<Nanos>),
    /// The call came to what this attempt did.
    Over(u32),
}

/// The attempts of one call, numbered from 0.
#[derive(Clone, Debug)]
pub struct Race {
    /// How many attempts there may be, until it is stopped.
    most: u32,
    delay: Option<Nanos>,
    started: u32,
    /// A bit for each that runs.
    running: u32,
    /// When the next is due.
    next: Option<Nanos>,
    /// The first that failed.
    failed: Option<u32>,
    /// The first that was not let in.
    rejected: Option<u32>,
    decided: Option<u32>,
}

/// A bit for each attempt fits.
pub const MOST_HEDGES: u32 = 15;

impl Race {
    /// A call begins, and its first attempt with it. Without a delay only a failure starts another.
    #[must_use]
    pub fn new(max_hedges: u32, delay: Option<Nanos>, now: Nanos) -> Self {
        let most = 1 + max_hedges.min(MOST_HEDGES);
        let mut race = Self {
            most,
            delay,
            started: 0,
            running: 0,
            next: None,
            failed: None,
            rejected: None,
            decided: None,
        };
        race.start(now);
        race
    }

    /// A further attempt starts. Answers its number.
    pub fn start(&mut self, now: Nanos) -> u32 {
        let number = self.started;
        self.started += 1;
        self.running |= 1 << number;
        let delay = self.delay.filter(|_| self.started < self.most);
        self.next = delay.map(|delay| now.saturating_add(delay));
        number
    }

    /// There is to be no further attempt.
    pub fn stop(&mut self) {
        self.most = self.started;
        self.next = None;
        self.settle();
    }

    /// What is to be done.
    #[must_use]
    pub fn now(&self, now: Nanos) -> Now {
        match (self.decided, self.next) {
            (Some(number), _) => Now::Over(number),
            (None, Some(next)) if next <= now => Now::Due,
            (None, next) => Now::Wait(next),
        }
    }

    /// An attempt has ended. True: by this end the call is decided, or another attempt due.
    pub fn ended(&mut self, number: u32, end: End, now: Nanos) -> bool {
        self.running &= !(1 << number);
        if self.decided.is_some() {
            return false;
        }
        match end {
            End::Good | End::Final => {
                self.decided = Some(number);
                self.next = None;
            }
            End::Failed => {
                self.failed.get_or_insert(number);
                if self.started < self.most {
                    self.next = Some(now);
                    return true;
                }
            }
            End::Rejected => {
                self.rejected.get_or_insert(number);
                self.stop();
            }
        }
        self.settle();
        self.decided.is_some()
    }

    /// Nobody runs, and nobody will: the first failure is what the call came to. A rejection says
    /// less than a failure does.
    fn settle(&mut self) {
        if self.decided.is_none() && self.running == 0 && self.next.is_none() {
            self.decided = self.failed.or(self.rejected);
        }
    }

    /// How many attempts were started.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.started
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running.count_ones()
    }

    /// Does this one run?
    #[must_use]
    pub fn runs(&self, number: u32) -> bool {
        self.running & (1 << number) != 0
    }

    /// Whose end was the call's.
    #[must_use]
    pub fn decided(&self) -> Option<u32> {
        self.decided
    }

    /// Has one failed?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }
}
