//! Where good answers are kept. Behind this lies the memory of a process; a store that several
//! processes share could as well.

use crate::time::Nanos;

/// An answer that a service gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<A> {
    /// What it was.
    pub answer: A,
    /// When it was given.
    pub at: Nanos,
}

/// The last good answer of each key. What a key is, and how two are compared, is its own affair.
pub trait Shelf {
    /// What tells calls apart that have different answers.
    type Key<'a>;
    /// What a call gave.
    type Answer<'a>;
    /// Why one could not be put there or found.
    type Error;

    /// Puts an answer in the place of the last one of its key. Others may have to go: those that
    /// nobody asked for lately.
    ///
    /// # Errors
    /// It could not be put there. The last one of its key may then still be found.
    fn keep<'a>(&self, key: Self::Key<'a>, kept: Kept<Self::Answer<'a>>)
    -> Result<(), Self::Error>;

    /// The last answer of `key`, however old it is.
    ///
    /// # Errors
    /// It could not be looked for.
    fn last<'a>(&self, key: Self::Key<'a>) -> Result<Option<Kept<Self::Answer<'a>>>, Self::Error>;

    /// How many answers there are.
    fn len(&self) -> usize;

    /// Is there none?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
