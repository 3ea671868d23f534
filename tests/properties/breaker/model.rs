//! A circuit breaker as one would write it down: one caller, plain lists, nothing clever.

mod window;

use seawall::outcome::Verdict;
use seawall::policies::breaker::{
    Cause, Counts, Rejection, Settings, Snapshot, State, Transition, Trip,
};
use seawall::time::Nanos;
use window::{Outcome, Window};

#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub id: u64,
    pub generation: u64,
    pub probe: bool,
    /// Part of a probe.
    pub rides: bool,
}

#[derive(Debug)]
pub enum Entry {
    Admitted(Pass),
    HalfOpened(Transition, Pass),
    Rejected(Rejection),
}

#[derive(Debug, PartialEq)]
pub enum Exit {
    Stays,
    Late,
    Trips(Trip),
    /// Already told, and no worse since: told again or not.
    TripsOrStays,
    Moved(Transition),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Decision {
    Undecided,
    Close,
    Reopen,
}

type Evidence = (Option<f64>, Option<f64>, u64);

pub struct Model {
    settings: Settings,
    pub state: State,
    pub generation: u64,
    reopenings: u32,
    until: Nanos,
    streak: u32,
    window: Window,
    trial: Vec<Outcome>,
    broken: bool,
    told: bool,
    /// The probe that holds each permit, and when it loses it, in steps of 256 ns.
    permits: Vec<Option<(u64, u64)>>,
    /// The last number of each permit: when it ended, in steps, and one of eight in that.
    numbers: Vec<u64>,
    ids: u64,
    shut_for: Nanos,
    shut_since: Nanos,
    opened: u64,
    admitted: u64,
    counts: Counts,
}

impl Model {
    pub fn new(settings: Settings, now: Nanos) -> Self {
        Self {
            window: Window::new(&settings, now),
            permits: vec![None; 256],
            numbers: vec![0; 256],
            settings,
            state: State::Closed,
            generation: 1,
            reopenings: 0,
            until: 0,
            streak: 0,
            trial: Vec::new(),
            broken: false,
            told: false,
            ids: 0,
            shut_for: 0,
            shut_since: 0,
            opened: 0,
            admitted: 0,
            counts: Counts::default(),
        }
    }

    fn shut(&self) -> bool {
        matches!(self.state, State::Open | State::ForcedOpen)
    }

    fn step(&mut self, to: State, cause: Cause, evidence: Evidence, now: Nanos) -> Transition {
        let from = self.state;
        if self.shut() {
            self.shut_for += now - self.shut_since;
        }
        self.state = to;
        self.shut_since = now;
        self.generation += 1;
        self.streak = 0;
        self.window.clear();
        self.trial.clear();
        self.broken = false;
        self.told = false;
        self.permits.fill(None);
        self.opened += u64::from(to == State::Open);
        let (failure_rate, slow_call_rate, calls) = evidence;
        Transition {
            from,
            to,
            generation: self.generation,
            at: now,
            cause,
            failure_rate,
            slow_call_rate,
            calls,
            open_duration: None,
        }
    }

    fn evidence(&self, outcomes: &[Outcome]) -> Evidence {
        let calls = outcomes.len();
        let share = |count: usize| (calls > 0).then(|| count as f64 / calls as f64);
        let failures = outcomes.iter().filter(|(failed, _)| *failed).count();
        let slow = outcomes.iter().filter(|(_, slow)| *slow).count();
        let slow_rate = share(slow).filter(|_| self.settings.slow_call_rate.is_some());
        (share(failures), slow_rate, calls as u64)
    }

    pub fn acquire(&mut self, now: Nanos) -> Entry {
        let mut opened = None;
        if self.state == State::Open && now >= self.until {
            let reopenings = self.reopenings;
            opened = Some(self.step(State::HalfOpen, Cause::Due, (None, None, 0), now));
            self.reopenings = reopenings;
        }
        let retry_after = match self.state {
            State::Open => Some(self.until - now),
            State::ForcedOpen => None,
            State::HalfOpen => Some(0),
            State::Closed | State::Disabled | State::MetricsOnly => return self.admit(None),
        };
        let limit = self.settings.half_open_calls as usize;
        let free = |permit: &Option<(u64, u64)>| permit.is_none_or(|(_, end)| end <= now / 256);
        let slot = self.permits.iter().take(limit).position(free);
        if self.state == State::HalfOpen
            && let Some(slot) = slot
        {
            let end = ((now + self.settings.lease) / 256).max(now / 256 + 1);
            // No two leases of a place are the same: eight of them end in one step.
            let number = (end << 3).max(self.numbers[slot] + 1);
            self.numbers[slot] = number;
            let end = number >> 3;
            let entry = self.admit(Some((slot, end)));
            return match (opened, entry) {
                (Some(transition), Entry::Admitted(pass)) => Entry::HalfOpened(transition, pass),
                (_, entry) => entry,
            };
        }
        self.counts.rejected += 1;
        Entry::Rejected(Rejection { state: self.state, retry_after })
    }

    fn admit(&mut self, permit: Option<(usize, u64)>) -> Entry {
        self.ids += 1;
        self.admitted += 1;
        if let Some((slot, end)) = permit {
            self.permits[slot] = Some((self.ids, end));
        }
        let probe = permit.is_some();
        Entry::Admitted(Pass { id: self.ids, generation: self.generation, probe, rides: false })
    }

    pub fn ride(&mut self, probe: Pass) -> Option<Pass> {
        let held = |permit: &Option<(u64, u64)>| permit.is_some_and(|(id, _)| id == probe.id);
        if !probe.probe || !self.permits.iter().any(held) {
            return None;
        }
        self.ids += 1;
        self.admitted += 1;
        Some(Pass { id: self.ids, probe: false, rides: true, ..probe })
    }

    pub fn settle(&mut self, pass: Pass, verdict: Verdict, elapsed: Nanos, now: Nanos) -> Exit {
        let held = |permit: &Option<(u64, u64)>| permit.is_some_and(|(id, _)| id == pass.id);
        let permit = self.permits.iter().position(held);
        if pass.generation != self.generation || pass.probe && permit.is_none() {
            self.counts.late += 1;
            return Exit::Late;
        }
        if let Some(permit) = permit {
            self.permits[permit] = None;
        }
        let too_long = self.settings.slow_call_duration.is_some_and(|most| elapsed >= most);
        match verdict {
            Verdict::Success => self.counts.success += 1,
            Verdict::Failure => self.counts.failure += 1,
            Verdict::Ignored => self.counts.ignored += 1,
            Verdict::Cancelled => self.counts.cancelled += 1,
        }
        self.counts.slow += u64::from(too_long && verdict != Verdict::Ignored);
        let neutral = match verdict {
            Verdict::Ignored => true,
            Verdict::Cancelled => !too_long,
            Verdict::Success | Verdict::Failure => false,
        };
        if neutral || pass.rides || self.state == State::Disabled {
            return Exit::Stays;
        }
        match verdict {
            Verdict::Success => self.streak = 0,
            Verdict::Failure => self.streak += 1,
            Verdict::Ignored | Verdict::Cancelled => {}
        }
        let outcome = (verdict == Verdict::Failure, too_long);
        // A streak is reached by a failure, not by what follows it.
        let threshold = self.settings.failure_threshold;
        let streak = outcome.0 && threshold.is_some_and(|most| self.streak >= most);
        if self.state == State::HalfOpen {
            return self.settle_probe(outcome, streak, now);
        }
        self.settle_watched(outcome, streak, now)
    }

    fn settle_watched(&mut self, outcome: Outcome, streak: bool, now: Nanos) -> Exit {
        self.window.record(outcome, now);
        let held = self.window.held(now);
        let evidence = self.evidence(&held);
        let enough = held.len() >= self.settings.min_calls as usize;
        let reached = |rate: Option<f64>, least: Option<f64>| {
            enough && rate.is_some_and(|rate| least.is_some_and(|least| rate >= least))
        };
        let cause = if streak {
            Cause::ConsecutiveFailures
        } else if reached(evidence.0, self.settings.failure_rate) {
            Cause::FailureRate
        } else if reached(evidence.1, self.settings.slow_call_rate) {
            Cause::SlowCallRate
        } else {
            return Exit::Stays;
        };
        let evidence = match self.window {
            Window::None => (None, None, self.streak.into()),
            _ => evidence,
        };
        if self.state == State::MetricsOnly {
            return Exit::Moved(self.step(State::MetricsOnly, cause, evidence, now));
        }
        if self.told && outcome == (false, false) {
            return Exit::TripsOrStays;
        }
        self.told = true;
        Exit::Trips(self.trip(cause, evidence, 0))
    }

    fn settle_probe(&mut self, outcome: Outcome, streak: bool, now: Nanos) -> Exit {
        if self.decision() == Decision::Undecided {
            self.trial.push(outcome);
            self.broken |= streak;
        }
        let evidence = self.evidence(&self.trial);
        match self.decision() {
            Decision::Undecided => Exit::Stays,
            Decision::Reopen => Exit::Trips(self.trip(Cause::Probe, evidence, self.reopenings + 1)),
            Decision::Close => {
                let moved = self.step(State::Closed, Cause::Recovered, evidence, now);
                self.reopenings = 0;
                Exit::Moved(moved)
            }
        }
    }

    fn decision(&self) -> Decision {
        let settings = &self.settings;
        let failures = self.trial.iter().filter(|(failed, _)| *failed).count();
        let slow = self.trial.iter().filter(|(_, slow)| *slow).count();
        let sample = settings.half_open_calls as usize;
        let share = |count: usize, least: f64| count as f64 / sample as f64 >= least;
        let slow_rule = settings.slow_call_rate;
        let bad = if settings.success_threshold.is_some() {
            failures > 0 || slow_rule.is_some() && slow > 0
        } else {
            let failed = match settings.failure_rate {
                Some(rate) => share(failures, rate),
                None => settings.failure_threshold.is_some() && failures > 0,
            };
            failed || slow_rule.is_some_and(|rate| share(slow, rate))
        };
        let wanted = settings.success_threshold.map_or(sample, |successes| successes as usize);
        if self.broken || bad {
            Decision::Reopen
        } else if self.trial.len() >= wanted {
            Decision::Close
        } else {
            Decision::Undecided
        }
    }

    fn trip(&self, cause: Cause, evidence: Evidence, reopenings: u32) -> Trip {
        let (failure_rate, slow_call_rate, calls) = evidence;
        let generation = self.generation;
        Trip { generation, reopenings, cause, failure_rate, slow_call_rate, calls }
    }

    pub fn open(&mut self, trip: Trip, duration: Nanos, now: Nanos) -> Option<Transition> {
        if trip.generation != self.generation {
            return None;
        }
        let evidence = (trip.failure_rate, trip.slow_call_rate, trip.calls);
        let transition = self.step(State::Open, trip.cause, evidence, now);
        self.reopenings = trip.reopenings;
        self.until = now + duration;
        Some(Transition { open_duration: Some(duration), ..transition })
    }

    pub fn control(&mut self, to: State, now: Nanos) -> Option<Transition> {
        if self.state == to && to != State::Closed {
            return None;
        }
        let evidence = self.evidence(&self.window.held(now));
        self.reopenings = 0;
        Some(self.step(to, Cause::Manual, evidence, now))
    }

    pub fn reconfigure(&mut self, settings: Settings, now: Nanos) {
        self.window = self.window.reshaped(&settings, now);
        self.settings = settings;
    }

    pub fn snapshot(&self, now: Nanos) -> Snapshot {
        let (failure_rate, slow_call_rate, window_calls) = self.evidence(&self.window.held(now));
        let counts = self.counts;
        let settled =
            counts.success + counts.failure + counts.ignored + counts.cancelled + counts.late;
        let since = if self.shut() { now - self.shut_since } else { 0 };
        Snapshot {
            state: self.state,
            generation: self.generation,
            failure_rate,
            slow_call_rate,
            window_calls,
            retry_after: match self.state {
                State::Open => Some(self.until.saturating_sub(now)),
                State::ForcedOpen => None,
                _ => Some(0),
            },
            opened_count: self.opened,
            time_open: self.shut_for + since,
            in_flight: self.admitted - settled,
            counts,
        }
    }
}
