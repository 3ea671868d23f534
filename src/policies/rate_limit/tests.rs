#![allow(clippy::float_cmp, reason = "whole numbers are exact")]
use super::*;
use crate::time::{LONGEST, Manual, SECOND, seconds};

const START: Nanos = 5_000 * SECOND;
const MILLI: Nanos = 1_000_000;

fn draft(limit: f64, per: f64, burst: f64) -> Draft {
    Draft { limit: Some(limit), per: Some(per), burst: Some(burst), ..Draft::default() }
}

fn window(limit: f64, name: &str) -> Draft {
    Draft { limit: Some(limit), window: Some(name.to_owned()), ..Draft::default() }
}

fn checked(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn limit(draft: &Draft) -> (RateLimit, Manual) {
    (RateLimit::new(checked(draft)), Manual::new(START))
}

fn moment(clock: &Manual) -> Moment {
    Moment { now: clock.now(), date: clock.date() }
}

fn cost(cost: f64) -> Cost {
    Cost::of(cost).unwrap_or(Cost::ONE)
}

fn admitted(limit: &RateLimit, clock: &Manual) -> u64 {
    let mut count = 0;
    while count < 1_000_000 && limit.ask(Cost::ONE, clock).is_ok() {
        count += 1;
    }
    count
}

#[test]
fn a_burst_and_then_the_rate() {
    let (limit, clock) = limit(&draft(10.0, 1.0, 3.0));
    assert_eq!(admitted(&limit, &clock), 3);
    let refused = Refusal { retry_after: Some(100 * MILLI) };
    assert_eq!(limit.ask(Cost::ONE, &clock), Err(refused));
    clock.advance(100 * MILLI - 1);
    assert_eq!(limit.ask(Cost::ONE, &clock), Err(Refusal { retry_after: Some(1) }));
    clock.advance(1);
    assert_eq!(admitted(&limit, &clock), 1);
    clock.advance(3_600 * SECOND);
    assert_eq!(admitted(&limit, &clock), 3, "it fills no higher than the burst");
}

#[test]
fn rates_from_the_highest_to_the_lowest() {
    for (per_second, stretch) in
        [(1e8, 1e-3), (99_999_999.0, 1e-3), (7e7, 1e-2), (1e6, 0.1), (3.0, 1e3), (1e-3, 1e7)]
    {
        let (limit, clock) = limit(&draft(per_second, 1.0, 1.0));
        let step = seconds(1.0 / per_second / 7.3).unwrap_or(0).max(1);
        let (mut calls, mut passed) = (0_u64, 0);
        while (passed as f64) < stretch * SECOND as f64 {
            calls += u64::from(limit.ask(Cost::ONE, &clock).is_ok());
            clock.advance(step);
            passed += step;
        }
        let most = per_second * passed as f64 / SECOND as f64;
        let asked = (passed / step) as f64;
        assert!(calls as f64 <= most + 1.0, "{per_second}: {calls} of {most}");
        // Who asks every so often is let in at one of those moments.
        let least = most.min(asked) * if step == 1 { 0.6 } else { 0.85 };
        assert!(calls as f64 >= least, "{per_second}: {calls} of {most}");
    }
}

#[test]
fn what_waits_exactly_as_told_is_let_in() {
    for (number, per) in [(3.0, 1.0), (7.0, 10.0), (1e6, 0.7), (0.3, 1.0), (999.0, 86_400.0)] {
        let (limit, clock) = limit(&draft(number, per, 2.0));
        for _ in 0..100 {
            if let Err(refusal) = limit.ask(Cost::ONE, &clock) {
                clock.advance(refusal.retry_after.unwrap_or(LONGEST));
                assert_eq!(limit.ask(Cost::ONE, &clock), Ok(()), "{number} per {per}");
            }
        }
    }
}

#[test]
fn costs_add_up_exactly() {
    let (limit, clock) = limit(&draft(7.0, 1.0, 1.0));
    for _ in 0..10 {
        assert_eq!(limit.ask(cost(0.1), &clock), Ok(()));
    }
    assert!(limit.ask(cost(0.001), &clock).is_err());
    assert_eq!(limit.ask(cost(0.0), &clock), Ok(()), "what costs nothing is let in");
    assert_eq!(limit.ask(cost(1.5), &clock), Err(Refusal { retry_after: None }));
    assert_eq!(Cost::of(0.29), Some(Cost(290)));
    assert_eq!(Cost::of(1e-9), Some(Cost(1)));
    for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e10] {
        assert_eq!(Cost::of(wrong), None, "{wrong}");
    }
}

#[test]
fn who_waits_is_let_in_one_after_the_other() {
    let (limit, clock) = limit(&Draft { max_wait: Some(0.3), ..draft(10.0, 1.0, 1.0) });
    let waits: Vec<_> =
        (0..4).map(|_| limit.reserve(Cost::ONE, None, &clock).map(|it| it.wait)).collect();
    assert_eq!(waits, [Ok(0), Ok(100 * MILLI), Ok(200 * MILLI), Ok(300 * MILLI)]);
    let hopeless = limit.reserve(Cost::ONE, None, &clock).err();
    assert_eq!(hopeless, Some(Refusal { retry_after: Some(400 * MILLI) }));
    // Neither has taken anything, nor does who comes later overtake.
    clock.advance(100 * MILLI);
    assert!(limit.ask(Cost::ONE, &clock).is_err());
    let bounded = limit.reserve(Cost::ONE, Some(299 * MILLI), &clock).err();
    assert_eq!(bounded, Some(Refusal { retry_after: Some(300 * MILLI) }));
    assert!(limit.reserve(Cost::ONE, Some(SECOND), &clock).is_ok());
}

#[test]
fn what_is_given_back_is_there_for_the_next() {
    for settings in [draft(10.0, 1.0, 1.0), window(1.0, "second")] {
        let (limit, clock) = limit(&Draft { max_wait: Some(3.0), ..settings });
        let reserve = || limit.reserve(Cost::ONE, None, &clock);
        assert!(reserve().is_ok_and(|it| it.wait == 0));
        let (Ok(second), Ok(third)) = (reserve(), reserve()) else { panic!("both may wait") };
        assert!(!limit.give_back(&second), "the third counts on its own time");
        assert!(limit.give_back(&third));
        assert_eq!(reserve().map(|it| it.wait), Ok(third.wait));
        let seen = limit.snapshot(moment(&clock));
        assert_eq!((seen.admitted, seen.abandoned, seen.waiting), (1, 2, 1));
    }
}

/// Puts one in the line; its number.
fn queue(line: &Line<()>, limit: &RateLimit, clock: &Manual) -> u64 {
    let placed = line.reserve(limit, Cost::ONE, None, clock, &mut Some(()));
    placed.ok().flatten().map_or(0, |placed| placed.number)
}

fn look(line: &Line<()>, limit: &RateLimit, clock: &Manual, number: u64) -> Looked {
    line.look(limit, number, clock.now(), ()).0
}

/// Whoever is slow to look, and gives up, does not give back what those behind it have taken.
#[test]
fn what_was_taken_behind_one_that_gives_up_is_not_given_twice() {
    let patient = Draft { max_wait: Some(10.0), ..draft(10.0, 1.0, 1.0) };
    let (limit, clock) = limit(&patient);
    let line = Line::default();
    assert_eq!(admitted(&limit, &clock), 1);
    let [slow, other, second, third] = [(); 4].map(|()| queue(&line, &limit, &clock));
    clock.advance(300 * MILLI);
    assert_eq!(look(&line, &limit, &clock, second), Looked::In);
    for number in [slow, other] {
        drop(line.leave(&limit, number, clock.now(), false));
        let due = START + 400 * MILLI;
        assert_eq!(look(&line, &limit, &clock, third), Looked::Until(due));
    }
    clock.advance(100 * MILLI);
    assert_eq!(look(&line, &limit, &clock, third), Looked::In);
    assert_eq!(admitted(&limit, &clock), 0);
}

/// Nor what was taken by one that did not have to wait, and so never stood in the line.
#[test]
fn what_was_taken_beside_the_line_is_not_given_twice() {
    let patient = Draft { max_wait: Some(10.0), ..draft(10.0, 1.0, 1.0) };
    let (limit, clock) = limit(&patient);
    let line = Line::default();
    assert_eq!(admitted(&limit, &clock), 1);
    let slow = queue(&line, &limit, &clock);
    clock.advance(200 * MILLI);
    assert_eq!(admitted(&limit, &clock), 1);
    let next = queue(&line, &limit, &clock);
    drop(line.leave(&limit, slow, clock.now(), false));
    assert_eq!(look(&line, &limit, &clock, next), Looked::Until(START + 300 * MILLI));
}

/// What it took is counted at the rate of then, and goes into what the new one begins with.
#[test]
fn one_whose_time_came_before_a_change_gives_nothing_back_after_it() {
    let slower = Draft { max_wait: Some(10.0), ..draft(10.0, 1.0, 5.0) };
    let month = Draft { max_wait: Some(1e7), ..window(1_000.0, "month") };
    let quick = Draft { max_wait: Some(10.0), ..draft(1_000.0, 1.0, 5.0) };
    for (before, wait) in [(&quick, MILLI), (&month, 0)] {
        let (limit, clock) = limit(before);
        let line = Line::default();
        while limit.ask(Cost::ONE, &clock).is_ok() {}
        let slow = queue(&line, &limit, &clock);
        clock.advance(wait);
        let moment = moment(&clock);
        drop(limit.reconfigure_with(checked(&slower), [(&limit, &line)], moment));
        let waiting: Vec<u64> = (0..20).map(|_| queue(&line, &limit, &clock)).collect();
        drop(line.leave(&limit, slow, clock.now(), false));
        let is_in = |&&number: &&u64| look(&line, &limit, &clock, number) == Looked::In;
        let at_once = waiting.iter().filter(is_in).count();
        assert!(at_once <= 1, "{at_once}");
    }
}

#[test]
fn windows_begin_where_the_calendar_says() {
    // 2024-02-29 12:34:56.5 UTC, a Thursday.
    let date = 1_709_210_096_500 * MILLI;
    let wait = |name: &str| {
        let terms = Terms::of(&checked(&window(1.0, name)));
        let moment = Moment { now: 0, date };
        let Decision::Take { word, wait: 0 } = terms.decide(0, moment, Cost::ONE, 0) else {
            panic!("the first is let in");
        };
        match terms.decide(word, moment, Cost::ONE, 0) {
            Decision::Refuse(refusal) => refusal.retry_after.map(|it| it / MILLI),
            Decision::Take { .. } => panic!("the second is not"),
        }
    };
    assert_eq!(wait("second"), Some(500));
    assert_eq!(wait("minute"), Some(3_500));
    assert_eq!(wait("hour"), Some(3_500 + 25 * 60_000));
    let to_midnight = 3_500 + 25 * 60_000 + 11 * 3_600_000;
    assert_eq!(wait("day"), Some(to_midnight));
    assert_eq!(wait("week"), Some(to_midnight + 3 * 86_400_000));
    assert_eq!(wait("month"), Some(to_midnight));
    for (days, month) in
        [(0, 1970 * 12), (30, 1970 * 12), (31, 1970 * 12 + 1), (20_453, 2025 * 12 + 11)]
    {
        assert_eq!(Unit::Month.number(days * 86_400 * SECOND), month, "{days}");
    }
}

#[test]
fn every_month_begins_after_the_one_before() {
    for month in 1970 * 12..2400 * 12 {
        let begins = Unit::Month.begins(month);
        assert_eq!(Unit::Month.number(begins), month);
        let days = (Unit::Month.begins(month + 1) - begins) / (86_400 * SECOND);
        assert!((28..=31).contains(&days));
    }
}

#[test]
fn a_window_has_its_limit_once() {
    let (limit, clock) = limit(&window(3.0, "minute"));
    assert_eq!(admitted(&limit, &clock), 3);
    clock.advance(39 * SECOND);
    assert_eq!(admitted(&limit, &clock), 0);
    clock.advance(SECOND);
    assert_eq!(admitted(&limit, &clock), 3, "the 84th minute began");
}

/// However long the one that asks may wait itself.
#[test]
fn windows_that_others_have_reserved_are_not_there_for_who_can_not_wait() {
    let (limit, clock) = limit(&Draft { max_wait: Some(10.0), ..window(1.0, "second") });
    for wait in 0..10 {
        assert_eq!(limit.ask(Cost::ONE, &clock).is_ok(), wait == 0, "{wait}");
        let next = (wait + 1) * SECOND;
        let reserved = limit.reserve(Cost::ONE, Some(next), &clock).map(|it| it.wait);
        assert_eq!(reserved, Ok(next), "{wait}");
        assert_eq!(limit.snapshot(moment(&clock)).available, -1.0 - wait as f64);
    }
}

/// A window that is full stays full while somebody waits for the next, and when that one gives up.
#[test]
fn a_full_window_is_full_whatever_is_changed() {
    let patient = Draft { max_wait: Some(300.0), ..window(3.0, "minute") };
    for change in [
        Draft { max_wait: Some(0.0), ..window(3.0, "minute") },
        Draft { max_wait: Some(0.0), ..window(3.0, "hour") },
        draft(3.0, 3_600.0, 3.0),
    ] {
        for give_up in [true, false] {
            let (limit, clock) = limit(&patient);
            assert_eq!(admitted(&limit, &clock), 3);
            let waiting: Vec<_> = (0..7).map(|_| limit.reserve(Cost::ONE, None, &clock)).collect();
            if give_up {
                let given: Vec<_> = waiting.into_iter().flatten().rev().collect();
                assert_eq!(given.iter().filter(|it| limit.give_back(it)).count(), 1);
            }
            assert!(!limit.at_rest(moment(&clock)));
            limit.reconfigure(checked(&change), [], moment(&clock));
            assert_eq!(admitted(&limit, &clock), 0);
        }
    }
}

#[test]
fn a_calendar_that_is_set_back_gives_no_window_twice() {
    let terms = Terms::of(&checked(&window(1.0, "minute")));
    let at = |word, date| terms.decide(word, Moment { now: 0, date }, Cost::ONE, 0);
    let Decision::Take { word, .. } = at(0, 600 * SECOND) else { panic!("the first is let in") };
    let back = at(word, 599 * SECOND);
    assert_eq!(back, Decision::Refuse(Refusal { retry_after: Some(61 * SECOND) }));
    assert!(matches!(at(word, 60 * SECOND), Decision::Take { .. }), "it was wrong by far");
}

#[test]
fn settings_change_and_what_was_taken_stays_taken() {
    let (limit, clock) = limit(&draft(1.0, 1.0, 10.0));
    let change = |draft: &Draft| limit.reconfigure(checked(draft), [], moment(&clock));
    assert_eq!(admitted(&limit, &clock), 10);
    change(&draft(100.0, 1.0, 10.0));
    assert_eq!(limit.snapshot(moment(&clock)).retry_after, Some(10 * MILLI));
    clock.advance(50 * MILLI);
    change(&draft(1.0, 1.0, 10.0));
    assert_eq!(admitted(&limit, &clock), 5);
    change(&draft(1.0, 1.0, 4.0));
    clock.advance(SECOND);
    assert_eq!(admitted(&limit, &clock), 1, "no more is owed than the new burst");
    change(&draft(1.0, 1.0, 10.0));
    assert_eq!(limit.snapshot(moment(&clock)).available, 6.0);
    change(&window(10.0, "hour"));
    assert_eq!(limit.snapshot(moment(&clock)).available, 6.0);
    change(&draft(1.0, 1.0, 10.0));
    assert_eq!(limit.snapshot(moment(&clock)).available, 6.0);
}

#[test]
fn others_go_by_the_same_settings() {
    let (limit, clock) = limit(&draft(1.0, 1.0, 10.0));
    let other = limit.another();
    assert_eq!((admitted(&limit, &clock), admitted(&other, &clock)), (10, 10));
    limit.reconfigure(checked(&draft(10.0, 1.0, 10.0)), [&other], moment(&clock));
    clock.advance(100 * MILLI);
    assert_eq!((admitted(&limit, &clock), admitted(&other, &clock)), (1, 1));
}

#[test]
fn at_rest_is_what_a_new_one_would_be() {
    for settings in [draft(1.0, 1.0, 1.0), window(1.0, "second")] {
        let (limit, clock) = limit(&settings);
        assert!(limit.at_rest(moment(&clock)));
        assert!(limit.ask(Cost::ONE, &clock).is_ok());
        assert!(!limit.at_rest(moment(&clock)));
        clock.advance(SECOND);
        assert!(limit.at_rest(moment(&clock)));
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let rules = |draft: &Draft| {
        let mut problems = Vec::new();
        assert_eq!(draft.check(&mut problems), None);
        problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    let wrong = Draft {
        limit: Some(0.0),
        per: Some(-1.0),
        window: None,
        burst: Some(0.5),
        cost: Some(-1.0),
        max_wait: Some(f64::NAN),
    };
    assert_eq!(rules(&wrong), ["limit", "per", "burst", "cost", "max_wait"]);
    assert_eq!(rules(&Draft::default()), ["limit"]);
    assert_eq!(rules(&draft(1e9, 1.0, 1.0)), ["limit"]);
    assert_eq!(rules(&draft(1e-3, 1e8, 1.0)), ["burst"]);
    assert_eq!(rules(&Draft { cost: Some(3.0), ..draft(1.0, 1.0, 2.0) }), ["cost"]);
    assert_eq!(rules(&Draft { burst: Some(2.0), ..window(1.0, "day") }), ["burst"]);
    let mut problems = Vec::new();
    assert_eq!(window(1.0, "mnth").check(&mut problems), None);
    assert_eq!(problems[0].nearest.as_deref(), Some("month"));
}

#[test]
fn at_the_end_of_time_nothing_wraps() {
    let terms = Terms::of(&checked(&draft(1.0, 86_400.0, 3_000.0)));
    let late = Moment { now: crate::time::LATEST + LONGEST, date: u64::MAX / 2 };
    let mut word = 0;
    for _ in 0..3_000 {
        match terms.decide(word, late, Cost::ONE, LONGEST) {
            Decision::Take { word: next, wait: 0 } => {
                assert!(next > word);
                word = next;
            }
            Decision::Refuse(Refusal { retry_after: None }) => return,
            other => panic!("{other:?}"),
        }
    }
}
