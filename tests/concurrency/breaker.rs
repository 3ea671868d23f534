//! The breaker under every interleaving of a few threads, and every value a load may see.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test breaker_loom`. Most models are
//! complete; those of three threads that say `bounded` try schedules of at most three preemptions.
//! Sequentially consistent operations are modelled as acquire and release, which is weaker.
#![cfg(loom)]

mod schedules;

use loom::thread;
use seawall::outcome::Verdict::{self, Cancelled, Failure, Ignored, Success};
use seawall::policies::breaker::{
    Admission, Breaker, Draft, DraftWindow, Passed, Rejection, Settings, Settled, State, Ticket,
    Transition, Trip,
};
use seawall::time::{Nanos, SECOND};
use std::sync::Arc;

use schedules::{At, bounded, model};

const NOW: Nanos = 1_000 * SECOND;
/// What opens here for the shortest time there is (a nanosecond) is due at `NOW`.
const JUST_BEFORE: Nanos = NOW - 1;

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

/// One failure trips; `probes` at once.
fn brittle(probes: i64) -> Draft {
    Draft { failure_threshold: Some(1), half_open_calls: Some(probes), ..Draft::default() }
}

fn breaker(draft: &Draft) -> Arc<Breaker> {
    Arc::new(Breaker::new(settings(draft), NOW))
}

/// In as a driver goes in: a closed circuit's own way first.
fn enter(breaker: &Breaker, now: Nanos) -> (Option<Transition>, Result<Ticket, Rejection>) {
    if let Some(ticket) = breaker.admit() {
        return (None, Ok(ticket));
    }
    match breaker.acquire(&At(now)) {
        Admission::Admitted(ticket) => (None, Ok(ticket)),
        Admission::HalfOpened(transition, answer) => (Some(transition), answer),
        Admission::Rejected(rejection) => (None, Err(rejection)),
    }
}

fn ticket(breaker: &Breaker, now: Nanos) -> Ticket {
    enter(breaker, now).1.expect("admitted")
}

/// Out as a driver goes out.
fn settle(breaker: &Breaker, ticket: Ticket, verdict: Verdict) -> Settled {
    if verdict == Success {
        match breaker.pass(&ticket, 0, &At(NOW)) {
            Passed::Quietly => return Settled::Stays,
            Passed::Unjudged => return breaker.judge_passed(ticket, &At(NOW)),
            Passed::Not => {}
        }
    }
    breaker.settle(ticket, verdict, 0, &At(NOW))
}

fn trip(breaker: &Breaker, ticket: Ticket) -> Trip {
    match settle(breaker, ticket, Failure) {
        Settled::Trips(trip) => trip,
        other => panic!("{other:?}"),
    }
}

/// Open, and due at once.
fn due(draft: &Draft) -> Arc<Breaker> {
    let breaker = breaker(draft);
    let trip = trip(&breaker, ticket(&breaker, NOW));
    breaker.open(trip, 1, JUST_BEFORE).expect("opens");
    breaker
}

fn in_parallel<T: 'static>(work: Vec<Box<dyn FnOnce() -> T>>) -> Vec<T> {
    let threads: Vec<_> = work.into_iter().map(thread::spawn).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Of several that find the circuit due one half-opens it, and exactly N probes get in: none too
/// many while they run, none too few once they have.
#[test]
fn half_open_admits_exactly_n() {
    bounded(3, || {
        let breaker = due(&brittle(2));
        let probes = [(); 3].map(|()| {
            let breaker = breaker.clone();
            thread::spawn(move || enter(&breaker, NOW))
        });
        let answers = probes.map(|probe| probe.join().unwrap());
        assert_eq!(answers.iter().filter(|(moved, _)| moved.is_some()).count(), 1);
        let admitted = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        assert_eq!(admitted, 2);
        assert_eq!(
            enter(&breaker, NOW).1.err().map(|rejection| rejection.retry_after),
            Some(Some(0))
        );
    });
}

/// A permit comes back however its probe ends, and goes to one other at most.
#[test]
fn permits_come_back() {
    for verdict in [Ignored, Cancelled] {
        model(move || {
            let breaker = due(&brittle(1));
            let first = ticket(&breaker, NOW);
            let work: Vec<Box<dyn FnOnce()>> = vec![
                Box::new({
                    let breaker = breaker.clone();
                    move || assert_eq!(settle(&breaker, first, verdict), Settled::Stays)
                }),
                Box::new({
                    let breaker = breaker.clone();
                    move || {
                        if let Ok(second) = enter(&breaker, NOW).1 {
                            assert!(enter(&breaker, NOW).1.is_err());
                            assert_eq!(settle(&breaker, second, verdict), Settled::Stays);
                        }
                    }
                }),
            ];
            in_parallel(work);
            assert_eq!(breaker.state(), State::HalfOpen);
            let last = ticket(&breaker, NOW);
            assert!(last.probe() && enter(&breaker, NOW).1.is_err());
        });
    }
}

/// Who enters by the settings of before a change takes a permit of the same few.
#[test]
fn settings_of_before_share_the_permits() {
    model(|| {
        let before = due(&brittle(1));
        let breaker = Arc::new(before.reconfigured(settings(&brittle(2)), NOW));
        let old = thread::spawn(move || enter(&before, NOW).1);
        let mine = [enter(&breaker, NOW).1, enter(&breaker, NOW).1];
        let admitted = mine.iter().filter(|answer| answer.is_ok()).count();
        let admitted = admitted + usize::from(old.join().unwrap().is_ok());
        assert_eq!(admitted, 2);
    });
}

/// A call that is late in probing an older generation can't take the lease of a newer one.
#[test]
fn late_probes_take_nothing() {
    model(|| {
        let breaker = due(&Draft { half_open_calls: Some(2), ..brittle(2) });
        let first = ticket(&breaker, NOW);
        // The trial's failure is known; one permit is free.
        let reopens = trip(&breaker, first);
        let late = thread::spawn({
            let breaker = breaker.clone();
            move || enter(&breaker, NOW).1
        });
        let opened =
            breaker.open(reopens, 1, JUST_BEFORE).expect("nobody else opens it").generation;
        let mine = enter(&breaker, NOW).1;
        let other = late.join().unwrap();
        let standing = [mine, other].into_iter().filter_map(Result::ok);
        let standing: Vec<_> = standing.filter(|probe| probe.generation() > opened).collect();
        for _ in standing.len()..2 {
            assert!(enter(&breaker, NOW).1.is_ok());
        }
        assert!(enter(&breaker, NOW).1.is_err());
        for probe in standing {
            assert_eq!(settle(&breaker, probe, Ignored), Settled::Stays);
        }
    });
}

/// A lease that expires goes to one other; who held it is either counted before, or late.
#[test]
fn expired_leases_change_hands_once() {
    model(|| {
        let draft = Draft { success_threshold: Some(9), ..brittle(1) };
        let breaker = due(&draft);
        let slow = ticket(&breaker, NOW);
        let later = NOW + 61 * SECOND;
        let takes = |breaker: &Arc<Breaker>| {
            let breaker = breaker.clone();
            thread::spawn(move || enter(&breaker, later).1)
        };
        let (second, third) = (takes(&breaker), takes(&breaker));
        let settled = settle(&breaker, slow, Success);
        let taken = [second.join().unwrap(), third.join().unwrap()];
        let mut taken = taken.into_iter().filter_map(Result::ok);
        let holder = taken.next().unwrap_or_else(|| ticket(&breaker, later));
        assert!(taken.next().is_none(), "two hold one permit");
        assert!(enter(&breaker, later).1.is_err());
        assert!(matches!(settled, Settled::Stays | Settled::Late));
        let counts = breaker.snapshot(later).counts;
        assert_eq!(counts.late, u64::from(settled == Settled::Late));
        assert_eq!(settle(&breaker, holder, Ignored), Settled::Stays);
    });
}

/// A lease given back and taken by another, all in one instant, is another lease: nobody rides on it
/// by the old one, and one place never lets in two.
#[test]
fn a_lease_given_back_is_ridden_on_no_more() {
    model(|| {
        let breaker = due(&Draft { success_threshold: Some(9), ..brittle(1) });
        let first = ticket(&breaker, NOW);
        let rides = thread::spawn({
            let breaker = breaker.clone();
            move || breaker.ride(&first).is_some()
        });
        assert_eq!(settle(&breaker, first, Ignored), Settled::Stays);
        let second = ticket(&breaker, NOW);
        assert!(breaker.ride(&first).is_none(), "two in one place");
        assert_eq!(settle(&breaker, first, Success), Settled::Late);
        assert!(enter(&breaker, NOW).1.is_err());
        // It may have been in time, or not; the one that stands is not touched by it.
        rides.join().unwrap();
        assert!(breaker.ride(&second).is_some());
        assert_eq!(settle(&breaker, second, Ignored), Settled::Stays);
    });
}

/// However many see a rule reached, the circuit opens once, and until when its opener said; nobody
/// ever sees another end.
#[test]
fn one_opens_and_its_end_stands() {
    model(|| {
        let breaker = breaker(&brittle(1));
        let tickets = [ticket(&breaker, NOW), ticket(&breaker, NOW)];
        let trips = tickets.map(|ticket| trip(&breaker, ticket));
        let opens = |trip: Trip, duration: Nanos| {
            let breaker = breaker.clone();
            thread::spawn(move || breaker.open(trip, duration, NOW))
        };
        let (first, second) = (opens(trips[0], SECOND), opens(trips[1], 2 * SECOND));
        let seen = breaker.retry_after(NOW);
        let opened = [first.join().unwrap(), second.join().unwrap()];
        let opened: Vec<_> = opened.into_iter().flatten().collect();
        let [transition] = opened[..] else { panic!("{opened:?}") };
        let end = transition.open_duration;
        assert_eq!(breaker.retry_after(NOW), end);
        assert!(seen == Some(0) || seen == end, "closed, or until that end");
        assert_eq!(breaker.snapshot(NOW).opened_count, 1);
    });
}

/// Every transition is told to one caller, whoever else tries at the same time.
#[test]
fn every_transition_is_told_once() {
    bounded(3, || {
        let breaker = breaker(&brittle(1));
        let ticket = ticket(&breaker, NOW);
        let work: Vec<Box<dyn FnOnce() -> Option<Transition>>> = vec![
            Box::new({
                let breaker = breaker.clone();
                move || match settle(&breaker, ticket, Failure) {
                    Settled::Trips(trip) => breaker.open(trip, SECOND, NOW),
                    _ => None,
                }
            }),
            Box::new({
                let breaker = breaker.clone();
                move || breaker.force_open(NOW)
            }),
            Box::new({
                let breaker = breaker.clone();
                move || breaker.reset(NOW)
            }),
        ];
        let mut told: Vec<_> = in_parallel(work).into_iter().flatten().collect();
        told.sort_by_key(|transition| transition.generation);
        let generations: Vec<_> = told.iter().map(|transition| transition.generation).collect();
        assert_eq!(generations, (2..=breaker.generation()).collect::<Vec<_>>());
        assert!(told.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(told.last().map(|last| last.to), Some(breaker.state()));
    });
}

/// What an older generation says moves nothing and is not found in a newer one's window, trial or
/// streak.
#[test]
fn stale_outcomes_move_nothing() {
    for rules in [
        Draft { failure_threshold: Some(2), ..Draft::default() },
        Draft { failure_rate: Some(1.0), min_calls: Some(2), ..Draft::default() },
    ] {
        model(move || {
            let breaker = breaker(&rules);
            let old = ticket(&breaker, NOW);
            let settles = thread::spawn({
                let breaker = breaker.clone();
                move || settle(&breaker, old, Failure)
            });
            breaker.reset(NOW).expect("always resets");
            let new = ticket(&breaker, NOW);
            let told = settle(&breaker, new, Failure);
            let stale = settles.join().unwrap();
            assert_eq!(told, Settled::Stays, "one failure is not two");
            assert!(matches!(stale, Settled::Stays | Settled::Late));
            let rated = rules.failure_rate.is_some();
            assert_eq!(breaker.snapshot(NOW).window_calls, u64::from(rated));
            let third = ticket(&breaker, NOW);
            assert!(matches!(settle(&breaker, third, Failure), Settled::Trips(_)));
        });
    }
}

/// Two outcomes that together reach a rule can't each miss the other: one of them trips.
#[test]
fn no_trip_is_missed() {
    let rate = Draft { failure_rate: Some(0.5), min_calls: Some(2), ..Draft::default() };
    let timed = Draft { window: Some(DraftWindow::Seconds(60.0)), ..rate.clone() };
    let streak = Draft { failure_threshold: Some(2), ..Draft::default() };
    for (draft, other) in [(rate, Success), (timed, Success), (streak, Failure)] {
        model(move || {
            let breaker = breaker(&draft);
            let (first, second) = (ticket(&breaker, NOW), ticket(&breaker, NOW));
            let fails = thread::spawn({
                let breaker = breaker.clone();
                move || settle(&breaker, first, Failure)
            });
            let told = [settle(&breaker, second, other), fails.join().unwrap()];
            assert!(told.iter().any(|told| matches!(told, Settled::Trips(_))), "{told:?}");
        });
    }
}

/// A sample is decided once and by all of it, whoever puts in the last outcome.
#[test]
fn trials_are_decided_once() {
    for (verdict, closes) in [(Success, true), (Failure, false)] {
        model(move || {
            let draft = Draft { failure_rate: Some(0.5), half_open_calls: Some(2), ..brittle(2) };
            let breaker = due(&draft);
            let probes = [ticket(&breaker, NOW), ticket(&breaker, NOW)];
            let settles = |probe: Ticket, verdict: Verdict| {
                let breaker = breaker.clone();
                thread::spawn(move || match settle(&breaker, probe, verdict) {
                    Settled::Trips(trip) => breaker.open(trip, SECOND, NOW),
                    Settled::Moved(transition) => Some(transition),
                    Settled::Stays | Settled::Late => None,
                })
            };
            let (first, second) = (settles(probes[0], verdict), settles(probes[1], Success));
            let told = [first.join().unwrap(), second.join().unwrap()];
            let told: Vec<_> = told.into_iter().flatten().collect();
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].to, if closes { State::Closed } else { State::Open });
            assert_eq!(breaker.state(), told[0].to);
        });
    }
}

/// A probe of an older trial puts nothing into a newer one and takes nothing out.
#[test]
fn trials_keep_apart() {
    model(|| {
        let breaker = due(&Draft { success_threshold: Some(2), ..brittle(2) });
        let old = ticket(&breaker, NOW);
        let late = thread::spawn({
            let breaker = breaker.clone();
            move || settle(&breaker, old, Success)
        });
        breaker.reset(NOW).expect("always resets");
        let reopens = trip(&breaker, ticket(&breaker, NOW));
        breaker.open(reopens, 1, JUST_BEFORE).expect("nobody else opens it");
        let (first, second) = (ticket(&breaker, NOW), ticket(&breaker, NOW));
        assert_eq!(settle(&breaker, first, Success), Settled::Stays);
        assert!(matches!(late.join().unwrap(), Settled::Stays | Settled::Late));
        assert!(matches!(settle(&breaker, second, Success), Settled::Moved(_)));
    });
}
