//! What the list promises, on a town of its own.

use super::{AFTER_NONE, Look, MOST_LOOKS, Roster, Search, Terms};
use std::cell::Cell;
use std::collections::HashMap;

#[derive(Default)]
struct Town(Roster<u32>, HashMap<u32, Cell<(bool, bool)>>);

fn look(known: &HashMap<u32, Cell<(bool, bool)>>, who: u32) -> Look {
    let (used, busy) = known[&who].replace((false, known[&who].get().1));
    match (used, busy) {
        (_, true) => Look::Busy,
        (true, false) => Look::Used,
        (false, false) => Look::AtRest,
    }
}

impl Town {
    /// One more inhabitant; who had to go for it.
    fn come(&mut self, who: u32, most: usize, idle: u64, now: u64) -> (bool, Vec<u32>) {
        self.1.insert(who, Cell::new((true, false)));
        let known = &self.1;
        let look = |who: &u32| look(known, *who);
        let let_go = |who: &u32| !known[who].get().1;
        let terms = Terms { most, idle, now, look, let_go };
        let mut gone = Vec::new();
        let listed = self.0.promise(Search::Bounded, &terms, &mut gone);
        if listed {
            self.0.take(who);
        }
        (listed, gone)
    }

    fn mark(&self, who: u32, used: bool, busy: bool) {
        self.1[&who].set((used, busy));
    }

    fn settled(many: u32, used: bool, busy: bool) -> Self {
        let mut town = Self::default();
        for who in 0..many {
            town.come(who, many as usize, u64::MAX, 0);
        }
        for who in 0..many {
            town.mark(who, used, busy);
        }
        town
    }
}

/// No more than so many; who was used lately stays, who was not goes.
#[test]
fn the_unused_go_first() {
    let mut town = Town::settled(10, true, false);
    town.mark(7, false, false);
    assert_eq!(town.come(10, 10, u64::MAX, 0), (true, vec![7]));
    assert_eq!(town.0.len(), 10);
}

/// Who must stay stays, whatever comes; when all must, a newcomer finds no place.
#[test]
fn the_busy_stay() {
    let mut town = Town::settled(8, false, false);
    for who in (0..8).step_by(2) {
        town.mark(who, false, true);
    }
    for who in 8..50 {
        let (listed, gone) = town.come(who, 8, u64::MAX, 0);
        assert!(listed && gone.iter().all(|who| *who >= 8 || who % 2 == 1));
    }
    for who in town.1.keys() {
        town.mark(*who, false, true);
    }
    assert_eq!(town.come(99, 8, u64::MAX, 0), (false, vec![]));
    assert_eq!(town.0.len(), 8);
}

/// Where all were used since, one of them goes, however many there are: never one that is busy.
#[test]
fn the_used_make_room() {
    let many = 5 * u32::try_from(MOST_LOOKS).unwrap_or(u32::MAX);
    let mut town = Town::settled(many, true, false);
    for who in 0..many {
        town.mark(who, true, who % 3 > 0);
    }
    for who in many..many + 200 {
        let (listed, gone) = town.come(who, many as usize, u64::MAX, 0);
        assert!(listed);
        assert!(matches!(gone[..], [gone] if gone >= many || gone % 3 == 0));
    }
    assert_eq!(town.0.len(), many as usize);
}

/// Who has been unused for long enough goes although there is room, as others come.
#[test]
fn the_idle_go_in_time() {
    let mut town = Town::default();
    for who in 0..20 {
        town.come(who, 1000, 60, 0);
    }
    for who in 100..130 {
        town.come(who, 1000, 60, 10);
    }
    for who in 200..260 {
        town.come(who, 1000, 60, 100);
    }
    assert!(!town.0.iter().any(|who| *who < 20));
    assert!((200..260).all(|who| town.0.iter().any(|other| *other == who)));
}

/// Of too many, those go that may: at once if asked to, or with newcomers, the unused first.
#[test]
fn a_surplus_goes() {
    let mut town = Town::settled(100, true, true);
    town.mark(50, false, false);
    let known = &town.1;
    let look = |who: &u32| look(known, *who);
    let let_go = |who: &u32| !known[who].get().1;
    let terms = Terms { most: 10, idle: u64::MAX, now: 0, look, let_go };
    let mut gone = Vec::new();
    town.0.shrink(&terms, &mut gone);
    assert_eq!(gone, [50]);
    for who in 0..40 {
        town.mark(who, true, false);
    }
    town.0.shrink(&Terms { most: 90, ..terms }, &mut gone);
    assert_eq!((town.0.len(), gone.len()), (90, 10));
    for who in 0..100 {
        town.mark(who, true, false);
    }
    assert!(town.come(100, 10, u64::MAX, 0).0);
    assert_eq!(town.0.len(), 10);
}

/// A promised place is taken by nobody else, and free again if it is given back.
#[test]
fn promises_count() {
    let mut town = Roster::default();
    let (look, let_go) = (|_: &u32| Look::Busy, |_: &u32| false);
    let terms = Terms { most: 2, idle: u64::MAX, now: 0, look, let_go };
    let promise = |town: &mut Roster<u32>| town.promise(Search::Bounded, &terms, &mut Vec::new());
    assert!(promise(&mut town) && promise(&mut town) && !promise(&mut town));
    town.take(1);
    assert!(!promise(&mut town));
    town.give_back();
    assert!(promise(&mut town));
}

/// A newcomer costs no more looks than stated, however many there are; after a search in vain a
/// few, which still go round. A whole search finds the only place there is.
#[test]
fn looks_are_bounded() {
    let mut town = Roster::default();
    let most = 10 * MOST_LOOKS;
    let looks = Cell::new(0);
    let rests = Cell::new(usize::MAX);
    let look = |who: &usize| {
        looks.set(looks.get() + 1);
        if *who == rests.get() { Look::AtRest } else { Look::Busy }
    };
    let terms = Terms { most, idle: u64::MAX, now: 0, look, let_go: |_: &usize| true };
    let mut promise = |search| {
        looks.set(0);
        let mut gone = Vec::new();
        let found = town.promise(search, &terms, &mut gone);
        if found {
            town.take(town.len());
        }
        (found, gone.len(), looks.get())
    };
    for _ in 0..most {
        assert!(promise(Search::Bounded).0);
    }
    let (found, gone, first) = promise(Search::Bounded);
    assert!(!found && gone == 0 && first > MOST_LOOKS && first <= MOST_LOOKS + 2);
    assert_eq!(promise(Search::Bounded), (false, 0, AFTER_NONE + 2));
    rests.set(most - 1);
    let mut calls = 0;
    while !promise(Search::Bounded).0 {
        calls += 1;
        assert!(calls <= most / AFTER_NONE);
    }
    rests.set(most / 2);
    let (found, gone, _) = promise(Search::Whole);
    assert!(found && gone == 1);
}
