//! Who is kept of many: a bounded list of states, one for each key, that lets go of those nobody has
//! asked for lately.
//!
//! A hand goes round the list, a few places with every newcomer (the *clock* algorithm, an
//! approximation of least-recently-used whose cost does not depend on how many there are). A state
//! that was used since the hand came by last stays. One that was not may go: if the list is full, or
//! if it has been unused for long enough. One that must not go, for whatever reason its owner has,
//! stays until it may. If all that may go were used since, the first of them goes: that somebody
//! uses it is no reason to turn a newcomer away.
//!
//! Nothing here is locked, and nothing runs but the two questions that are passed in. A place is
//! promised first and taken later, so that its state can be made where any code may run.

use crate::time::Nanos;

/// How many places the hand looks at for a newcomer, at most. Only a list whose next so many states
/// must all stay has no place for it.
pub const MOST_LOOKS: usize = 1024;
/// How many it looks at when there is room, to find what has been unused for long.
const SWEEP: usize = 2;
/// How far it looks for one that was not used, once it has found one that was and may go.
const FURTHER: usize = 64;
/// How many it looks at after a search that has found none that may go: those who find no room
/// are as a rule many, and all of them would look in vain.
const AFTER_NONE: usize = 8;

/// What the hand finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It must stay.
    Busy,
    /// It may go, but was used since it was last looked at.
    Used,
    /// It may go.
    AtRest,
}

/// By what is decided who goes.
pub struct Terms<L, G> {
    /// How many are kept at most.
    pub most: usize,
    /// Unused for so long is long enough to go, also where there is room.
    pub idle: Nanos,
    /// What time it is.
    pub now: Nanos,
    /// How a state is found.
    pub look: L,
    /// Lets a state go, if it may: the last question, and its answer is believed.
    pub let_go: G,
}

/// How hard to search for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Within the bounds that a call may cost.
    Bounded,
    /// Everywhere.
    Whole,
}

struct Entry<T> {
    state: T,
    /// Since when the hand has found it unused.
    unused: Option<Nanos>,
}

/// What became of the place that the hand looked at.
enum Passed {
    Gone,
    /// Left where it is, and could have gone.
    Spared(usize),
    Stays,
}

/// The list.
pub struct Roster<T> {
    entries: Vec<Entry<T>>,
    hand: usize,
    /// Places for newcomers that are not there yet.
    promised: usize,
    /// Did the last search find none that may go?
    in_vain: bool,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), hand: 0, promised: 0, in_vain: false }
    }
}

impl<T> Roster<T> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.state)
    }

    /// Promises a newcomer a place, if there is one or somebody can go for it. Those who went are
    /// added to `gone`. A promise is kept by [`Roster::take`], or given back.
    pub fn promise<L: Fn(&T) -> Look, G: Fn(&T) -> bool>(
        &mut self,
        search: Search,
        terms: &Terms<L, G>,
        gone: &mut Vec<T>,
    ) -> bool {
        let before = gone.len();
        for _ in 0..SWEEP.min(self.entries.len()) {
            self.pass(terms, Some(terms.idle), true, gone);
        }
        let all = 2 * self.entries.len();
        let mut looks = match search {
            Search::Whole => all,
            Search::Bounded if self.in_vain => AFTER_NONE.min(all),
            Search::Bounded => MOST_LOOKS.min(all),
        };
        let most = terms.most.max(1);
        let mut spared = None;
        while self.taken() >= most && looks > 0 {
            looks -= 1;
            // Of more than may be kept, one that is used is no better than another.
            let spare = self.taken() == most;
            if let Passed::Spared(at) = self.pass(terms, None, spare, gone)
                && spared.is_none()
            {
                spared = Some(at);
                looks = looks.min(FURTHER);
            }
        }
        if self.taken() >= most
            && let Some(at) = spared
        {
            // Nobody has gone since it was spared, so it is where it was.
            self.leave(at, terms, gone);
        }
        let found = self.taken() < most || gone.len() > before;
        self.in_vain = !found;
        self.promised += usize::from(found);
        found
    }

    /// Keeps a promise.
    pub fn take(&mut self, state: T) {
        self.give_back();
        self.entries.push(Entry { state, unused: None });
    }

    /// A promised place is not needed.
    pub fn give_back(&mut self) {
        self.promised = self.promised.saturating_sub(1);
    }

    /// Lets go of as many as there are too many, as far as they may: first of those that were not
    /// used.
    pub fn shrink<L: Fn(&T) -> Look, G: Fn(&T) -> bool>(
        &mut self,
        terms: &Terms<L, G>,
        gone: &mut Vec<T>,
    ) {
        for spare in [true, false] {
            for _ in 0..self.entries.len() {
                if self.taken() <= terms.most.max(1) {
                    return;
                }
                self.pass(terms, None, spare, gone);
            }
        }
    }

    /// Takes off the list whoever `is` describes.
    pub fn remove(&mut self, is: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.entries.iter().position(|entry| is(&entry.state))?;
        Some(self.entries.swap_remove(at).state)
    }

    fn taken(&self) -> usize {
        self.entries.len() + self.promised
    }

    /// Looks at one place. Who is at rest there goes if it has been for `idle`, or at once; who may
    /// go and was used is spared, if asked for.
    fn pass<L: Fn(&T) -> Look, G: Fn(&T) -> bool>(
        &mut self,
        terms: &Terms<L, G>,
        idle: Option<Nanos>,
        spare: bool,
        gone: &mut Vec<T>,
    ) -> Passed {
        if self.hand >= self.entries.len() {
            self.hand = 0;
        }
        let at = self.hand;
        let Some(entry) = self.entries.get_mut(at) else { return Passed::Stays };
        let passed = match (terms.look)(&entry.state) {
            Look::Busy => {
                entry.unused = None;
                Passed::Stays
            }
            Look::Used if spare => {
                entry.unused = None;
                Passed::Spared(at)
            }
            Look::Used | Look::AtRest => {
                let since = *entry.unused.get_or_insert(terms.now);
                let long = idle.is_none_or(|idle| terms.now - since.min(terms.now) >= idle);
                // The last one takes the place, and is looked at next.
                if long && self.leave(at, terms, gone) { Passed::Gone } else { Passed::Stays }
            }
        };
        if !matches!(passed, Passed::Gone) {
            self.hand += 1;
        }
        passed
    }

    /// Lets go of the one at `at`, if it may.
    fn leave<L: Fn(&T) -> Look, G: Fn(&T) -> bool>(
        &mut self,
        at: usize,
        terms: &Terms<L, G>,
        gone: &mut Vec<T>,
    ) -> bool {
        let goes = self.entries.get(at).is_some_and(|entry| (terms.let_go)(&entry.state));
        if goes {
            gone.push(self.entries.swap_remove(at).state);
        }
        goes
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
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
        let promise =
            |town: &mut Roster<u32>| town.promise(Search::Bounded, &terms, &mut Vec::new());
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
}
