//! What a call costs at the retry budget, without the call.

use criterion::{Criterion, criterion_group, criterion_main};
use seawall::policies::budget::{Budget, Draft};
use seawall::time::{Clock, System};
use std::hint::black_box;
use std::time::Duration;

fn budget(draft: &Draft) -> Budget {
    let mut problems = Vec::new();
    match draft.check(&mut problems) {
        Some(settings) => Budget::new(settings, System.now()),
        None => panic!("{problems:?}"),
    }
}

fn of_mode(mode: &str) -> Budget {
    budget(&Draft { mode: Some(mode.to_owned()), ..Draft::default() })
}

fn success(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("budget success");
    for mode in ["ratio", "concurrency", "tokens"] {
        let budget = of_mode(mode);
        group.bench_function(mode, |b| {
            b.iter(|| {
                black_box(&budget).begin(&System);
                budget.succeeded();
                budget.finish();
            });
        });
    }
    group.finish();

    let mut group = bench.benchmark_group("budget begin");
    for mode in ["ratio", "concurrency"] {
        let budget = of_mode(mode);
        group.bench_function(mode, |b| b.iter(|| black_box(&budget).begin(&System)));
    }
    group.finish();
}

fn retry(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("budget permit");
    for mode in ["ratio", "concurrency", "tokens"] {
        let budget = of_mode(mode);
        group.bench_function(mode, |b| {
            b.iter(|| {
                budget.begin(&System);
                if black_box(budget.permit(&System)) {
                    budget.attempt_over();
                }
                budget.finish();
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = success, retry
}
criterion_main!(benches);
