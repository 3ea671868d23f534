//! Those who wait, against a plain queue at the bucket: the first is let in as soon as there is
//! enough for it, and who leaves was never there.

use super::bucket::{Bucket, FINE, Rate, rate, settings};
use proptest::prelude::*;
use seawall::policies::rate_limit::{Cost, Line, Looked, Moment, RateLimit};
use seawall::time::{Clock, Manual, Nanos, SECOND};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    /// In percent of the interval in force.
    Pass(u64),
    Come(u32),
    /// One of those who wait, in percent of the line.
    Leave(usize),
    Change(Rate),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..250_u64).prop_map(Step::Pass),
        1 => Just(Step::Pass(0)),
        6 => (1..4_u32).prop_map(Step::Come),
        4 => (0..100_usize).prop_map(Step::Leave),
        1 => rate().prop_map(Step::Change),
    ];
    prop::collection::vec(step, 1..60)
}

/// A queue at a bucket. Who waits has taken nothing yet.
struct Queue {
    bucket: Bucket,
    waiting: VecDeque<(u64, u32)>,
}

impl Queue {
    /// Lets in whoever can be, up to `now`, and tells when.
    fn serve(&mut self, now: Nanos, admitted: &mut Vec<(u64, Nanos)>) {
        while let Some(&(name, cost)) = self.waiting.front() {
            let missing = (self.bucket.share(cost) - self.bucket.content).max(0);
            let at = self.bucket.at + missing;
            if at > i128::from(now) * FINE {
                break;
            }
            self.bucket.fill_to(at);
            self.bucket.content -= self.bucket.share(cost);
            admitted.push((name, Nanos::try_from((at + FINE - 1) / FINE).unwrap_or(0)));
            self.waiting.pop_front();
        }
        self.bucket.fill(now);
    }
}

/// The line, driven as those who wait drive it.
struct Driven {
    limit: RateLimit,
    line: Line<u64>,
    clock: Manual,
    /// Name, number in the line, and when it sleeps until.
    waiting: Vec<(u64, u64, Nanos)>,
    admitted: Vec<(u64, Nanos)>,
}

impl Driven {
    fn look(&mut self, name: u64) {
        let Some(at) = self.waiting.iter().position(|it| it.0 == name) else { return };
        let now = self.clock.now();
        match self.line.look(&self.limit, self.waiting[at].1, now, name).0 {
            Looked::In => {
                self.waiting.remove(at);
                self.admitted.push((name, now));
            }
            Looked::Until(due) => self.waiting[at].2 = due,
        }
    }

    /// `false`: that would be in more than ten years.
    fn come(&mut self, name: u64, cost: u32) -> bool {
        let mut bell = Some(name);
        let cost = Cost::of(cost.into()).unwrap_or(Cost::ONE);
        let placed = self.line.reserve(&self.limit, cost, None, &self.clock, &mut bell);
        match placed {
            Err(_) => return false,
            Ok(None) => self.admitted.push((name, self.clock.now())),
            Ok(Some(placed)) => self.waiting.push((name, placed.number, placed.due)),
        }
        true
    }

    fn wake(&mut self, mut woken: Vec<u64>) {
        woken.sort_unstable();
        for name in woken {
            self.look(name);
        }
    }

    /// Everybody sleeps as long as it was told to.
    fn pass(&mut self, nanos: Nanos) {
        let until = self.clock.now() + nanos;
        while let Some(&(name, _, due)) = self.waiting.iter().min_by_key(|it| (it.2, it.1))
            && due <= until
        {
            self.clock.advance(due.saturating_sub(self.clock.now()));
            self.look(name);
        }
        self.clock.advance(until - self.clock.now());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whoever oversleeps, looks in whatever order and gives up whenever: no more are let in than
    /// there is room for.
    #[test]
    fn no_more_than_the_rate(
        first in rate(),
        steps in prop::collection::vec((0..5_u8, 0..100_u64), 1..150),
    ) {
        let clock = Manual::new(1_000_000 * SECOND);
        let begun = clock.now();
        let mut driven = Driven {
            limit: RateLimit::new(settings(first)),
            line: Line::default(),
            clock,
            waiting: Vec::new(),
            admitted: Vec::new(),
        };
        for ((what, percent), name) in steps.into_iter().zip(0..) {
            let len = driven.waiting.len();
            let at = usize::try_from(percent).unwrap_or(0) * len / 100;
            match what {
                0 => {
                    let nanos = u128::from(first.interval) * u128::from(percent) / 40;
                    driven.clock.advance(u64::try_from(nanos).expect("it fits"));
                }
                1 if len > 0 => driven.look(driven.waiting[at].0),
                2 if len > 0 => {
                    let (_, number, _) = driven.waiting.remove(at);
                    let now = driven.clock.now();
                    drop(driven.line.leave(&driven.limit, number, now, false));
                }
                3 if driven.limit.take(Cost::ONE, &driven.clock) => {
                    driven.admitted.push((name, driven.clock.now()));
                }
                _ if len < 30 => { driven.come(name, 1); }
                _ => {}
            }
            let most = u128::from(driven.clock.now() - begun) / u128::from(first.interval);
            prop_assert!(driven.admitted.len() as u128 <= most + u128::from(first.burst) + 1);
        }
    }

    /// Whoever comes and leaves, whenever, and whatever becomes of the rate.
    #[test]
    fn a_plain_queue(first in rate(), steps in steps()) {
        let clock = Manual::new(1_000_000 * SECOND);
        let bucket = Bucket::new(first, clock.now());
        let mut queue = Queue { bucket, waiting: VecDeque::new() };
        let mut driven = Driven {
            limit: RateLimit::new(settings(first)),
            line: Line::default(),
            clock,
            waiting: Vec::new(),
            admitted: Vec::new(),
        };
        let mut admitted = Vec::new();
        for (step, name) in steps.into_iter().zip(0..) {
            let now = driven.clock.now();
            match step {
                Step::Pass(percent) => {
                    let nanos = u128::from(queue.bucket.rate.interval) * u128::from(percent) / 100;
                    driven.pass(u64::try_from(nanos).expect("it fits"));
                }
                // What costs more than the burst is refused, and there is another test for that.
                Step::Come(cost) if cost <= queue.bucket.rate.burst
                    && driven.waiting.len() < 50 =>
                {
                    if driven.come(name, cost) {
                        queue.waiting.push_back((name, cost));
                    }
                }
                Step::Come(_) => {}
                Step::Leave(percent) => {
                    let at = driven.waiting.len() * percent / 100;
                    if let Some(&(name, number, _)) = driven.waiting.get(at) {
                        driven.waiting.remove(at);
                        queue.waiting.retain(|it| it.0 != name);
                        let woken = driven.line.leave(&driven.limit, number, now, false);
                        driven.wake(woken);
                    }
                }
                Step::Change(rate) => {
                    let dear = queue.waiting.iter().any(|it| it.1 > rate.burst);
                    if dear {
                        continue;
                    }
                    let moment = Moment { now, date: now };
                    let all = [(&driven.limit, &driven.line)];
                    let woken = driven.limit.reconfigure_with(settings(rate), all, moment);
                    queue.bucket.change(rate, now);
                    driven.wake(woken);
                }
            }
            queue.serve(driven.clock.now(), &mut admitted);
            prop_assert_eq!(&driven.admitted, &admitted);
        }
    }
}
