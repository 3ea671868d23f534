use super::{Bulkhead, Draft, Entry, Left, Permit};

fn queued(bulkhead: &Bulkhead<char>, who: char) -> u64 {
    match bulkhead.enter(10, || who) {
        Entry::Queued(number) => number,
        other => panic!("{who} was not queued: {other:?}"),
    }
}

fn taken(bulkhead: &Bulkhead<char>) -> Permit {
    bulkhead.admit().unwrap_or_else(|| panic!("none is free"))
}

/// Nobody is in, nobody waits, and every permit can be had in one step.
fn at_rest(bulkhead: &Bulkhead<char>) {
    assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (0, 0));
    let all: Vec<_> = std::iter::from_fn(|| bulkhead.admit()).collect();
    assert_eq!(all.len(), bulkhead.limit() as usize);
    assert!(all.into_iter().all(|permit| bulkhead.give_back(permit)));
}

#[test]
fn so_many_are_let_in_and_no_more() {
    let bulkhead = Bulkhead::<char>::new(2);
    let (first, second) = (taken(&bulkhead), taken(&bulkhead));
    assert_eq!(bulkhead.admit(), None);
    assert_eq!(bulkhead.enter(0, || 'a'), Entry::Full);
    assert!(bulkhead.give_back(first));
    let third = taken(&bulkhead);
    assert_eq!(bulkhead.exit(second), None);
    assert_eq!(bulkhead.exit(third), None);
    at_rest(&bulkhead);
}

#[test]
fn permits_are_handed_on_in_order_and_nobody_overtakes() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    let (first, second) = (queued(&bulkhead, 'a'), queued(&bulkhead, 'b'));
    assert_eq!(bulkhead.waiting(), 2);
    assert_eq!(bulkhead.exit(permit), Some('a'));
    assert_eq!(bulkhead.admit(), None, "somebody still waits");
    let Left::Granted(permit) = bulkhead.leave(first) else { panic!("a has no permit") };
    assert_eq!(bulkhead.exit(permit), Some('b'));
    assert_eq!(bulkhead.waiting(), 0);
    let Left::Granted(permit) = bulkhead.leave(second) else { panic!("b has no permit") };
    assert_eq!(bulkhead.exit(permit), None);
    at_rest(&bulkhead);
}

#[test]
fn who_gives_up_is_passed_over() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    let (first, second, third) =
        (queued(&bulkhead, 'a'), queued(&bulkhead, 'b'), queued(&bulkhead, 'c'));
    assert_eq!(bulkhead.leave(second), Left::Gone('b'));
    assert_eq!(bulkhead.leave(first), Left::Gone('a'));
    assert_eq!(bulkhead.exit(permit), Some('c'));
    let Left::Granted(permit) = bulkhead.leave(third) else { panic!("c has no permit") };
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn the_last_who_gives_up_leaves_the_way_free() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    let number = queued(&bulkhead, 'a');
    assert!(!bulkhead.give_back(permit), "it is handed on");
    assert_eq!(bulkhead.leave(number), Left::Gone('a'));
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn the_queue_is_bounded() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    assert!(matches!(bulkhead.enter(1, || 'a'), Entry::Queued(_)));
    assert_eq!(bulkhead.enter(1, || 'b'), Entry::Full);
    assert_eq!(bulkhead.exit(permit), Some('a'));
}

#[test]
fn a_higher_limit_lets_in_who_waits() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    let waiters = [queued(&bulkhead, 'a'), queued(&bulkhead, 'b'), queued(&bulkhead, 'c')];
    assert_eq!(bulkhead.resize(3), ['a', 'b']);
    assert_eq!(bulkhead.in_use(), 3);
    assert_eq!(bulkhead.resize(9), ['c']);
    for number in waiters {
        let Left::Granted(permit) = bulkhead.leave(number) else { panic!("no permit") };
        assert!(bulkhead.give_back(permit));
    }
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn a_lower_limit_drains() {
    let bulkhead = Bulkhead::new(3);
    let permits = [taken(&bulkhead), taken(&bulkhead), taken(&bulkhead)];
    assert!(bulkhead.resize(1).is_empty());
    let number = queued(&bulkhead, 'a');
    assert_eq!(bulkhead.exit(permits[0]), None, "two are in, one may be");
    assert_eq!(bulkhead.exit(permits[1]), None, "one is in, and one may be");
    assert_eq!(bulkhead.exit(permits[2]), Some('a'));
    let Left::Granted(permit) = bulkhead.leave(number) else { panic!("no permit") };
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn a_forked_child_counts_anew() {
    let bulkhead = Bulkhead::new(1);
    let permit = taken(&bulkhead);
    let number = queued(&bulkhead, 'a');
    assert_eq!(bulkhead.forked(), ['a']);
    assert_eq!(bulkhead.leave(number), Left::Lost);
    let own = taken(&bulkhead);
    assert!(bulkhead.give_back(permit), "it is nobody's");
    assert_eq!(bulkhead.exit(permit), None);
    assert_eq!(bulkhead.in_use(), 1);
    let next = queued(&bulkhead, 'b');
    assert_eq!(bulkhead.exit(permit), None);
    assert_eq!(bulkhead.exit(own), Some('b'));
    let Left::Granted(permit) = bulkhead.leave(next) else { panic!("no permit") };
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn a_crowd_leaves_no_room_behind() {
    let bulkhead = Bulkhead::new(1);
    let mut permit = taken(&bulkhead);
    let crowd: Vec<_> = (0..1000).map(|_| bulkhead.enter(1000, || 'x')).collect();
    for entry in crowd {
        assert_eq!(bulkhead.exit(permit), Some('x'));
        let Entry::Queued(number) = entry else { panic!("not queued") };
        let Left::Granted(next) = bulkhead.leave(number) else { panic!("no permit") };
        permit = next;
    }
    assert!(bulkhead.give_back(permit));
    at_rest(&bulkhead);
}

#[test]
fn every_problem_with_settings_is_named() {
    let mut problems = Vec::new();
    let draft = Draft {
        max_concurrent: Some(0),
        max_wait: Some(-1.0),
        max_queue: Some(-1),
        pool: Some("fibres".to_owned()),
    };
    assert_eq!(draft.check(&mut problems), None);
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["max_concurrent", "max_wait", "max_queue", "pool"]);
}

#[test]
fn nobody_waits_unless_told_to() {
    let mut problems = Vec::new();
    let settings = Draft::default().check(&mut problems);
    assert_eq!(
        settings.map(|settings| (settings.max_concurrent, settings.waiters())),
        Some((10, 0))
    );
    let draft = Draft { max_wait: Some(0.5), ..Draft::default() };
    assert_eq!(draft.check(&mut problems).map(|settings| settings.waiters()), Some(100));
    assert!(problems.is_empty());
    assert_eq!(Draft { max_queue: Some(5), ..Draft::default() }.check(&mut problems), None);
}
