use super::*;

const RETRY: Part = Part::Retry { max_duration: None };
const BREAKER: Part = Part::Breaker { window: None };

const LIMIT: Part = Part::RateLimit { max_wait: 0 };

fn pairs(parts: &[Part]) -> Vec<(usize, usize)> {
    findings(parts).iter().map(|finding| (finding.at, finding.other)).collect()
}

const fn timeout(seconds: u64) -> Part {
    Part::Timeout { limit: seconds * SECOND }
}

#[test]
fn the_recommended_order_is_not_odd() {
    let mut order =
        vec![Part::Fallback, timeout(10), RETRY, BREAKER, LIMIT, Part::Bulkhead, timeout(2)];
    assert_eq!(findings(&order), []);
    order.insert(3, Part::Hedge);
    assert_eq!(findings(&order), []);
}

#[test]
fn every_pair_that_is_odd_is_named() {
    assert_eq!(pairs(&[BREAKER, RETRY, Part::Bulkhead]), [(1, 0)]);
    assert_eq!(pairs(&[RETRY, BREAKER, RETRY]), [(2, 0), (2, 1)]);
    assert_eq!(pairs(&[Part::Bulkhead, RETRY]), [(1, 0)]);
    assert_eq!(pairs(&[RETRY, Part::Fallback]), [(1, 0)]);
    assert_eq!(pairs(&[LIMIT, RETRY]), [(1, 0)]);
    assert_eq!(pairs(&[BREAKER, Part::Hedge]), [(1, 0)]);
    assert_eq!(pairs(&[Part::Bulkhead, Part::Hedge]), [(1, 0)]);
    assert_eq!(pairs(&[LIMIT, Part::Hedge]), [(1, 0)]);
    assert_eq!(pairs(&[Part::Hedge, RETRY]), [(1, 0)]);
    assert_eq!(pairs(&[Part::Hedge, Part::Hedge]), [(1, 0)]);
    assert_eq!(pairs(&[Part::Hedge, Part::RateLimit { max_wait: 1 }]), [(1, 0)]);
}

#[test]
fn who_waits_to_be_let_in_holds_up_nobody_else() {
    let waiting = Part::RateLimit { max_wait: 2 * SECOND };
    assert_eq!(pairs(&[Part::Bulkhead, waiting]), [(1, 0)]);
    assert_eq!(pairs(&[Part::Bulkhead, LIMIT]), []);
    assert_eq!(pairs(&[timeout(2), waiting]), [(1, 0)]);
    assert_eq!(pairs(&[timeout(3), waiting, timeout(1)]), []);
}

#[test]
fn limits_are_compared() {
    assert_eq!(pairs(&[timeout(2), RETRY, timeout(2)]), [(2, 0)]);
    assert_eq!(pairs(&[timeout(2), RETRY, timeout(1)]), []);
    let limited = Part::Retry { max_duration: Some(3 * SECOND) };
    assert_eq!(pairs(&[limited, timeout(3)]), [(1, 0)]);
    assert_eq!(pairs(&[limited, timeout(2)]), []);
    let short = Part::Breaker { window: Some(3 * SECOND) };
    assert_eq!(pairs(&[short, timeout(2)]), [(1, 0)]);
    assert_eq!(pairs(&[short, timeout(1)]), []);
    assert!(findings(&[timeout(2), RETRY, timeout(2)])[0].what.contains("attempt"));
}

/// A warning that only says what is odd leaves its reader with the question what to do.
#[test]
fn every_finding_says_what_to_change() {
    let all = [
        Part::Retry { max_duration: Some(SECOND) },
        Part::Breaker { window: Some(SECOND) },
        Part::Bulkhead,
        Part::RateLimit { max_wait: 9 * SECOND },
        Part::Hedge,
        Part::Fallback,
        timeout(9),
    ];
    let pairs = all.iter().flat_map(|outer| all.iter().map(move |inner| [*outer, *inner]));
    let found: Vec<_> = pairs.flat_map(|pair| findings(&pair)).collect();
    assert!(found.len() >= all.len());
    for finding in found {
        let remedies = [": put ", "; take ", ": make ", "; make "];
        assert!(remedies.iter().any(|remedy| finding.what.contains(remedy)), "{}", finding.what);
    }
}
