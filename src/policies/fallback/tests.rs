use super::{Draft, Kept, Settings, Stage};
use crate::time::SECOND;

fn settings(providers: usize, stale: Option<f64>) -> Settings {
    let mut problems = Vec::new();
    let draft = Draft { providers, stale, ..Draft::default() };
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

/// The fields that a draft's problems name.
fn wrong(draft: &Draft) -> Vec<String> {
    let mut problems = Vec::new();
    assert_eq!(draft.check(&mut problems), None);
    problems.into_iter().map(|problem| problem.field).collect()
}

/// Providers are asked one after another, each once.
#[test]
fn providers_are_asked_in_order() {
    let three = settings(3, None);
    let mut stage = Stage::Own;
    let mut asked = Vec::new();
    while let Some(next) = three.next(stage) {
        asked.push(next);
        stage = next;
    }
    assert_eq!(asked, [Stage::Asked(0), Stage::Asked(1), Stage::Asked(2)]);
}

/// Nobody is asked for a call that was answered, or that nothing is to answer.
#[test]
fn nobody_is_asked_after_an_answer() {
    let one = settings(1, Some(1.0));
    for stage in [Stage::Provided, Stage::Remembered, Stage::Passed] {
        assert_eq!(one.next(stage), None);
    }
}

/// An answer is given up to its last nanosecond, and not one longer.
#[test]
fn an_answer_is_given_for_as_long_as_it_may_be_old() {
    let five = settings(0, Some(5.0));
    let kept = Kept { answer: (), at: 100 };
    assert_eq!(five.age(&kept, 100), Some(0));
    assert_eq!(five.age(&kept, 100 + 5 * SECOND), Some(5 * SECOND));
    assert_eq!(five.age(&kept, 101 + 5 * SECOND), None);
}

/// What seems to come from the future is not given: no one knows how old it is.
#[test]
fn an_answer_by_another_clock_is_not_given() {
    assert_eq!(settings(0, Some(5.0)).age(&Kept { answer: (), at: 100 }, 99), None);
}

/// Without `stale` nothing is ever young enough.
#[test]
fn nothing_is_given_that_was_not_to_be_remembered() {
    assert_eq!(settings(1, None).age(&Kept { answer: (), at: 100 }, 100), None);
}

/// Everything that is wrong is said at once.
#[test]
fn every_problem_is_named() {
    assert_eq!(wrong(&Draft::default()), ["providers"]);
    let draft = Draft { providers: 1, stale: Some(-1.0), max_keys: Some(0), keyed: true };
    assert_eq!(wrong(&draft), ["stale", "max_keys"]);
    let draft = Draft { providers: 1, max_keys: Some(5), keyed: true, ..Draft::default() };
    assert_eq!(wrong(&draft), ["key", "max_keys"]);
    for stale in [0.0, f64::NAN, f64::INFINITY] {
        assert_eq!(wrong(&Draft { stale: Some(stale), ..Draft::default() }), ["stale"]);
    }
}
