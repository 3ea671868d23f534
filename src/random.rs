//! Randomness, always handed in: the core never reaches for a source of its own.

/// A source of uniform shares.
pub trait Random {
    /// A uniform number in `0.0..1.0`.
    fn share(&mut self) -> f64;
}
