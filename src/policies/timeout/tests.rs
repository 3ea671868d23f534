use super::{GRAIN, Wheel};
use crate::time::{LATEST, Nanos, SECOND};

const START: Nanos = 77 * SECOND;

fn rung(wheel: &mut Wheel<u32>, now: Nanos) -> Vec<u32> {
    std::iter::from_fn(|| wheel.ring(now).copied()).collect()
}

#[test]
fn rings_in_the_millisecond_that_begins_at_its_time_or_next() {
    let mut wheel = Wheel::new();
    wheel.arm(START + 1, START, 1);
    wheel.arm(START + GRAIN, START, 2);
    assert!(rung(&mut wheel, START + GRAIN - 1).is_empty());
    assert_eq!(rung(&mut wheel, START + GRAIN), [1, 2]);
    assert_eq!(wheel.due(), None);
}

#[test]
fn what_is_past_rings_at_once() {
    let mut wheel = Wheel::new();
    wheel.arm(START + SECOND, START, 1);
    assert_eq!(rung(&mut wheel, START + 2 * SECOND), [1]);
    wheel.arm(START, START + 2 * SECOND, 2);
    wheel.arm(0, START + 2 * SECOND, 3);
    assert_eq!(rung(&mut wheel, START + 2 * SECOND), [2, 3]);
}

#[test]
fn the_latest_time_there_is_has_a_slot() {
    let mut wheel = Wheel::new();
    let key = wheel.arm(Nanos::MAX, 0, 1);
    let other = wheel.arm(LATEST, 0, 2);
    assert!(rung(&mut wheel, LATEST - GRAIN).is_empty());
    assert_eq!(rung(&mut wheel, LATEST + GRAIN), [2]);
    assert!(wheel.has_rung(other) && !wheel.has_rung(key));
}

#[test]
fn taken_off_it_never_rings_and_its_key_is_void() {
    let mut wheel = Wheel::new();
    let key = wheel.arm(START, START, 1);
    assert_eq!(wheel.disarm(key), Some(1));
    assert_eq!(wheel.disarm(key), None);
    let other = wheel.arm(START, START, 2);
    assert_ne!(key, other);
    assert_eq!(wheel.disarm(key), None);
    assert_eq!(rung(&mut wheel, START + GRAIN), [2]);
    assert!(wheel.has_rung(other) && !wheel.has_rung(key));
    assert_eq!(wheel.disarm(other), Some(2));
    assert!(wheel.is_empty());
}

#[test]
fn after_a_long_rest_the_first_alarm_is_not_looked_for_in_the_past() {
    let mut wheel = Wheel::new();
    let now = START + 3_000_000 * SECOND;
    wheel.arm(now + 2 * SECOND, now, 1);
    assert!(wheel.due().is_some_and(|due| due > now && due <= now + 2 * SECOND));
}

#[test]
fn a_long_alarm_is_sorted_a_few_times_and_not_each_millisecond() {
    let mut wheel = Wheel::new();
    wheel.arm(START + 3600 * SECOND, START, 1);
    let mut asked = 0;
    while let Some(due) = wheel.due() {
        asked += 1;
        rung(&mut wheel, due);
    }
    assert!(asked <= 7, "{asked}");
}

#[test]
fn memory_is_used_again_and_given_back() {
    let mut wheel = Wheel::new();
    for round in 0..100 {
        let now = START + round * SECOND;
        let keys: Vec<_> = (0..100).map(|n| wheel.arm(now + SECOND, now, n)).collect();
        assert_eq!(keys.into_iter().filter_map(|key| wheel.disarm(key)).count(), 100);
    }
    assert!(wheel.capacity() <= 128, "{}", wheel.capacity());
    let keys: Vec<_> = (0..10_000).map(|n| wheel.arm(START + SECOND, START, n)).collect();
    wheel.trim();
    assert!(wheel.capacity() >= 10_000);
    for key in keys {
        wheel.disarm(key);
    }
    wheel.trim();
    assert_eq!(wheel.capacity(), 0);
}
