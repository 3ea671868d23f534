use super::*;
use crate::time::SECOND;

const NOW: Nanos = 100 * SECOND;

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn run(attempts: u32, took: Nanos) -> Run {
    Run { began: NOW - took, attempts }
}

#[test]
fn attempts_count_the_first_call() {
    let settings = settings(&Draft { attempts: Some(3), ..Draft::default() });
    let limits = Limits::default();
    assert_eq!(settings.another(&run(1, 0), limits), Ok(()));
    assert_eq!(settings.another(&run(2, 0), limits), Ok(()));
    assert_eq!(settings.another(&run(3, 0), limits), Err(Stop::Attempts));
}

#[test]
fn a_retry_inside_another_leaves_it_to_that() {
    let nested = Limits { nested: true, deadline: None };
    let of = |nested: &str| settings(&Draft { nested: Some(nested.into()), ..Draft::default() });
    assert_eq!(of("inherit").another(&run(1, 0), nested), Err(Stop::Nested));
    assert_eq!(of("independent").another(&run(1, 0), nested), Ok(()));
    assert_eq!(of("inherit").another(&run(3, 0), nested), Err(Stop::Attempts));
}

#[test]
fn no_attempt_starts_at_the_end_of_its_time_or_later() {
    let settings = settings(&Draft { max_duration: Some(10.0), ..Draft::default() });
    let ask = |took, delay, deadline| {
        let limits = Limits { nested: false, deadline };
        settings.in_time(&run(1, took), Wait::Backoff(delay), limits, || NOW)
    };
    assert_eq!(ask(9 * SECOND, SECOND - 1, None), Ok(SECOND - 1));
    assert_eq!(ask(9 * SECOND, SECOND, None), Err(Stop::Duration));
    assert_eq!(ask(11 * SECOND, 0, None), Err(Stop::Duration));
    assert_eq!(ask(0, SECOND, Some(NOW + SECOND + 1)), Ok(SECOND));
    assert_eq!(ask(0, SECOND, Some(NOW + SECOND)), Err(Stop::Deadline));
    assert_eq!(ask(0, Nanos::MAX, Some(NOW + SECOND)), Err(Stop::Duration));
}

#[test]
fn max_delay_bounds_what_the_service_asks_for_too() {
    let settings = settings(&Draft { max_delay: Some(5.0), ..Draft::default() });
    let run = run(1, 0);
    let limits = Limits { nested: false, deadline: Some(NOW + 3 * SECOND) };
    let told = Wait::Told(60 * SECOND);
    assert_eq!(settings.in_time(&run, told, Limits::default(), || NOW), Ok(5 * SECOND));
    assert_eq!(settings.in_time(&run, told, limits, || NOW), Err(Stop::Told));
}

#[test]
fn all_that_is_wrong_is_said() {
    let mut problems = Vec::new();
    let draft = Draft {
        attempts: Some(0),
        max_duration: Some(-1.0),
        max_delay: Some(f64::NAN),
        nested: Some("inherits".into()),
    };
    assert_eq!(draft.check(&mut problems), None);
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["attempts", "max_duration", "max_delay", "nested"]);
    assert_eq!(problems[3].nearest.as_deref(), Some("inherit"));
}
