//! The timer wheel against a sorted map: the same alarms ring, none early, none late.

use proptest::prelude::*;
use seawall::policies::timeout::{GRAIN, Key, Wheel};
use seawall::time::{Nanos, SECOND};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Act {
    /// Sets an alarm, so far from now.
    Arm(Nanos),
    /// Takes off the nth of those that are set.
    Disarm(usize),
    /// Time passes, and everything that is due rings.
    Pass(Nanos),
    /// Time passes, and nobody asks.
    Idle(Nanos),
    /// Time passes to when the wheel wants to be asked.
    Due,
}

fn spans() -> impl Strategy<Value = Nanos> {
    prop_oneof![
        0..3 * GRAIN,
        0..70 * GRAIN,
        0..5 * SECOND,
        0..400 * SECOND,
        0..100_000 * SECOND,
        0..300_000_000 * SECOND,
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => spans().prop_map(Act::Arm),
        3 => any::<usize>().prop_map(Act::Disarm),
        2 => spans().prop_map(Act::Pass),
        1 => spans().prop_map(Act::Idle),
        2 => Just(Act::Due),
    ];
    prop::collection::vec(act, 1..200)
}

/// The wheel, and what it should be.
#[derive(Default)]
struct Both {
    wheel: Wheel<u32>,
    waiting: BTreeMap<u32, Nanos>,
    keys: BTreeMap<u32, Key>,
    now: Nanos,
    made: u32,
}

impl Both {
    fn ring(&mut self) -> Result<(), TestCaseError> {
        let mut rung = BTreeSet::new();
        while let Some(name) = self.wheel.ring(self.now).copied() {
            prop_assert!(rung.insert(name), "one rang twice");
        }
        let tick = self.now / GRAIN;
        let due: BTreeSet<u32> = self
            .waiting
            .iter()
            .filter(|(_, at)| at.div_ceil(GRAIN) <= tick)
            .map(|(name, _)| *name)
            .collect();
        prop_assert_eq!(&rung, &due);
        self.waiting.retain(|name, _| !due.contains(name));
        for name in &due {
            prop_assert!(self.wheel.has_rung(self.keys[name]));
        }
        Ok(())
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::Arm(span) => {
                let (name, at) = (self.made, self.now + span);
                self.made += 1;
                self.keys.insert(name, self.wheel.arm(at, self.now, name));
                self.waiting.insert(name, at);
            }
            Act::Disarm(nth) if !self.keys.is_empty() => {
                let name = self.keys.keys().copied().nth(nth % self.keys.len());
                if let Some((name, key)) = name.and_then(|name| self.keys.remove_entry(&name)) {
                    let waited = self.waiting.remove(&name).is_some();
                    prop_assert_eq!(self.wheel.has_rung(key), !waited);
                    prop_assert_eq!(self.wheel.disarm(key), Some(name));
                    prop_assert_eq!(self.wheel.disarm(key), None);
                }
            }
            Act::Disarm(_) => {}
            Act::Pass(span) => {
                self.now += span;
                self.ring()?;
            }
            Act::Idle(span) => self.now += span,
            Act::Due => {
                if let Some(due) = self.wheel.due() {
                    self.now = self.now.max(due);
                    self.ring()?;
                }
            }
        }
        prop_assert_eq!(self.wheel.len(), self.keys.len());
        prop_assert_eq!(self.wheel.is_still(), self.waiting.is_empty());
        let first = self.waiting.values().min().map(|at| at.div_ceil(GRAIN) * GRAIN);
        match (self.wheel.due(), first) {
            (None, None) => {}
            (Some(due), Some(first)) => prop_assert!(due <= first.max(self.now), "asked too late"),
            other => prop_assert!(false, "{:?}", other),
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn it_rings_what_a_sorted_map_says(start in 0..1_000_000 * SECOND, acts in acts()) {
        let mut both = Both { now: start, ..Both::default() };
        for act in &acts {
            both.act(act)?;
        }
    }

    #[test]
    fn whoever_asks_when_it_wants_hears_each_within_a_grain(
        start in 0..1_000_000 * SECOND,
        spans in prop::collection::vec(spans(), 1..50),
    ) {
        let mut wheel = Wheel::new();
        let mut now = start;
        for span in &spans {
            wheel.arm(start + span, start, start + span);
        }
        let (mut heard, mut last) = (0, 0);
        while let Some(due) = wheel.due() {
            now = now.max(due);
            while let Some(at) = wheel.ring(now).copied() {
                prop_assert!(at <= now && now < at + GRAIN, "{} at {}", at, now);
                prop_assert!(at.div_ceil(GRAIN) >= last, "an earlier one came later");
                last = at.div_ceil(GRAIN);
                heard += 1;
            }
        }
        prop_assert_eq!(heard, spans.len());
    }
}
