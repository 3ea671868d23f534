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

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

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
