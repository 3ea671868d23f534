//! What a call costs at the breaker, without the call.

use criterion::{Criterion, criterion_group, criterion_main};
use seawall::outcome::Verdict;
use seawall::policies::breaker::{Admission, Breaker, Draft, DraftWindow, Passed, Settings};
use seawall::time::{Clock, SECOND, System};
use std::hint::black_box;
use std::time::Duration;

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    match draft.check(&mut problems) {
        Some(settings) => settings,
        None => panic!("{problems:?}"),
    }
}

/// In and out as a driver goes.
#[inline]
fn call(breaker: &Breaker, verdict: Verdict) {
    if let Some(ticket) = breaker.admit() {
        let ticket = black_box(ticket);
        let quietly =
            verdict == Verdict::Success && breaker.pass(&ticket, 0, &System) == Passed::Quietly;
        if !quietly {
            black_box(breaker.settle(ticket, verdict, 0, &System));
        }
    } else if let Admission::Admitted(ticket) = breaker.acquire(&System) {
        black_box(breaker.settle(black_box(ticket), verdict, 0, &System));
    }
}

/// A breaker that no share of failures opens.
fn patient(window: DraftWindow) -> Breaker {
    let draft = Draft { failure_rate: Some(1.0), window: Some(window), ..Draft::default() };
    Breaker::new(settings(&draft), System.now())
}

fn success(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("success");
    let consecutive = Draft { failure_threshold: Some(5), ..Draft::default() };
    let breaker = Breaker::new(settings(&consecutive), System.now());
    group.bench_function("consecutive", |b| b.iter(|| call(&breaker, Verdict::Success)));

    let breaker = patient(DraftWindow::Calls(100));
    group.bench_function("count clean", |b| b.iter(|| call(&breaker, Verdict::Success)));

    let breaker = patient(DraftWindow::Calls(100));
    let mut calls = 0_u32;
    group.bench_function("count dirty", |b| {
        b.iter(|| {
            // Often enough that the window never is without one.
            calls += 1;
            let bad = calls.is_multiple_of(64);
            call(&breaker, if bad { Verdict::Failure } else { Verdict::Success });
        });
    });

    let breaker = patient(DraftWindow::Seconds(60.0));
    group.bench_function("time clean", |b| b.iter(|| call(&breaker, Verdict::Success)));

    let breaker = patient(DraftWindow::Seconds(60.0));
    call(&breaker, Verdict::Success);
    call(&breaker, Verdict::Failure);
    group.bench_function("time dirty", |b| b.iter(|| call(&breaker, Verdict::Success)));
    group.finish();
}

fn failure(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("failure");
    let consecutive = Draft { failure_threshold: Some(65_535), ..Draft::default() };
    let breaker = Breaker::new(settings(&consecutive), System.now());
    group.bench_function("consecutive", |b| b.iter(|| call(&breaker, Verdict::Failure)));
    for (name, window) in [
        ("count 100", DraftWindow::Calls(100)),
        ("count 10000", DraftWindow::Calls(10_000)),
        ("time", DraftWindow::Seconds(60.0)),
    ] {
        let breaker = patient(window);
        call(&breaker, Verdict::Success);
        group.bench_function(name, |b| b.iter(|| call(&breaker, Verdict::Failure)));
    }
    group.finish();
}

fn rejection(bench: &mut Criterion) {
    let breaker = patient(DraftWindow::Calls(100));
    let now = System.now();
    breaker.force_open(now);
    bench.bench_function("rejection/forced", |b| b.iter(|| black_box(breaker.acquire(&System))));

    let draft = Draft { failure_threshold: Some(1), ..Draft::default() };
    let breaker = Breaker::new(settings(&draft), now);
    if let Admission::Admitted(ticket) = breaker.acquire(&System)
        && let seawall::policies::breaker::Settled::Trips(trip) =
            breaker.settle(ticket, Verdict::Failure, 0, &System)
    {
        breaker.open(trip, 86_400 * SECOND, now);
    }
    bench.bench_function("rejection/open", |b| b.iter(|| black_box(breaker.acquire(&System))));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = success, failure, rejection
}
criterion_main!(benches);
