//! Who is kept of many: a bounded list of states, one for each key, that lets go of those nobody has
//! asked for lately.
//!
//! A hand goes round the list, a few places with every newcomer (the *clock* algorithm, an
//! approximation of least-recently-used whose cost does not depend on how many there are). A state
//! that was used since the hand came by last stays. One that was not may go: if the list is full, or
//! if it has been unused for long enough. One that must not go, for whatever reason its owner has,
//! stays until it may.
//!
//! Nothing here is locked, and nothing runs but the two questions that are passed in.

use crate::time::Nanos;

/// How many places the hand looks at for a newcomer, at most. Only a list whose next so many states
/// must all stay has no place for it.
pub const MOST_LOOKS: usize = 1024;
/// How many it looks at when there is room, to find what has been unused for long.
const SWEEP: usize = 2;

/// What the hand finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It was used since it was last looked at.
    Used,
    /// It must stay.
    Busy,
    /// It may go.
    AtRest,
}

struct Entry<T> {
    state: T,
    /// Since when the hand has found it unused.
    unused: Option<Nanos>,
}

/// The list.
pub struct Roster<T> {
    entries: Vec<Entry<T>>,
    hand: usize,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), hand: 0 }
    }
}

/// What became of a newcomer.
#[derive(Debug, PartialEq, Eq)]
pub enum Admitted<T> {
    /// It is on the list.
    Listed,
    /// There is no place for it.
    Full(T),
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

    /// Takes `state` in where no more than `most` are kept, and adds to `gone` those who went.
    /// Unused for `idle` is long enough to go. Who is to go is asked by `let_go` first, and stays
    /// if the answer is no.
    #[allow(clippy::too_many_arguments, reason = "bounds, time and two questions, all needed")]
    pub fn admit(
        &mut self,
        state: T,
        most: usize,
        idle: Nanos,
        now: Nanos,
        look: impl Fn(&T) -> Look,
        let_go: impl Fn(&T) -> bool,
        gone: &mut Vec<T>,
    ) -> Admitted<T> {
        for _ in 0..SWEEP.min(self.entries.len()) {
            self.pass(Some(idle), now, &look, &let_go, gone);
        }
        let mut looks = MOST_LOOKS.min(2 * self.entries.len());
        while self.entries.len() >= most.max(1) {
            if looks == 0 {
                return Admitted::Full(state);
            }
            looks -= 1;
            self.pass(None, now, &look, &let_go, gone);
        }
        self.entries.push(Entry { state, unused: None });
        Admitted::Listed
    }

    /// Takes off the list whoever `is` describes.
    pub fn remove(&mut self, is: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.entries.iter().position(|entry| is(&entry.state))?;
        Some(self.entries.swap_remove(at).state)
    }

    /// Looks at one place. Who is at rest there goes if it has been for `idle`, or at once.
    fn pass(
        &mut self,
        idle: Option<Nanos>,
        now: Nanos,
        look: &impl Fn(&T) -> Look,
        let_go: &impl Fn(&T) -> bool,
        gone: &mut Vec<T>,
    ) {
        if self.hand >= self.entries.len() {
            self.hand = 0;
        }
        let Some(entry) = self.entries.get_mut(self.hand) else { return };
        match (look(&entry.state), entry.unused) {
            (Look::Used | Look::Busy, _) => entry.unused = None,
            (Look::AtRest, since) => {
                let since = *entry.unused.get_or_insert(since.unwrap_or(now));
                let long = idle.is_none_or(|idle| now - since.min(now) >= idle);
                if long && let_go(&entry.state) {
                    // The last one takes the place, and is looked at next.
                    gone.push(self.entries.swap_remove(self.hand).state);
                    return;
                }
            }
        }
        self.hand += 1;
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::{Admitted, Look, MOST_LOOKS, Roster};
    use std::cell::Cell;
    use std::collections::HashMap;

    #[derive(Default)]
    struct Town(Roster<u32>, HashMap<u32, Cell<(bool, bool)>>);

    impl Town {
        /// One more inhabitant; who had to go for it.
        fn come(&mut self, who: u32, most: usize, idle: u64, now: u64) -> (bool, Vec<u32>) {
            self.1.insert(who, Cell::new((true, false)));
            let known = &self.1;
            let look = |who: &u32| match known[who].get() {
                (_, true) => Look::Busy,
                (true, false) => {
                    known[who].set((false, false));
                    Look::Used
                }
                (false, false) => Look::AtRest,
            };
            let mut gone = Vec::new();
            let admitted = self.0.admit(who, most, idle, now, look, |_| true, &mut gone);
            (admitted == Admitted::Listed, gone)
        }

        fn mark(&self, who: u32, used: bool, busy: bool) {
            self.1[&who].set((used, busy));
        }
    }

    /// No more than so many; who was used lately stays, who was not goes.
    #[test]
    fn the_unused_go_first() {
        let mut town = Town::default();
        for who in 0..10 {
            assert_eq!(town.come(who, 10, u64::MAX, 0), (true, vec![]));
        }
        for who in 0..10 {
            town.mark(who, who != 7, false);
        }
        assert_eq!(town.come(10, 10, u64::MAX, 0), (true, vec![7]));
        assert_eq!(town.0.len(), 10);
    }

    /// Who must stay stays, whatever comes; when all must, a newcomer finds no place.
    #[test]
    fn the_busy_stay() {
        let mut town = Town::default();
        for who in 0..8 {
            town.come(who, 8, u64::MAX, 0);
            town.mark(who, false, who % 2 == 0);
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

    /// A newcomer costs no more looks than stated, however many there are.
    #[test]
    fn looks_are_bounded() {
        let mut town = Roster::default();
        let mut gone = Vec::new();
        let most = 10 * MOST_LOOKS;
        for who in 0..most {
            town.admit(who, most, u64::MAX, 0, |_| Look::Busy, |_| true, &mut gone);
        }
        let looks = Cell::new(0);
        let look = |_: &usize| {
            looks.set(looks.get() + 1);
            Look::Busy
        };
        assert_eq!(town.admit(0, most, u64::MAX, 0, look, |_| true, &mut gone), Admitted::Full(0));
        assert!(looks.get() <= MOST_LOOKS + 2 && gone.is_empty());
    }
}
