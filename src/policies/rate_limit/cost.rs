//! What a call takes of a limit.

/// Thousandths of a unit: sums of them are exact.
pub(super) const THOUSANDTHS: u64 = 1_000;

/// What a call takes. An ordinary one takes 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub(super) u64);

impl Cost {
    /// That of an ordinary call.
    pub const ONE: Self = Self(THOUSANDTHS);

    /// The most that a call may cost, and a limit or a burst be.
    pub const MOST: f64 = 1e9;

    /// A cost, in thousandths: what is more precise is cut off, and what is more than nothing is at
    /// least one. `None` unless it is a number from 0 to [`Cost::MOST`].
    #[must_use]
    pub fn of(cost: f64) -> Option<Self> {
        if !(0.0..=Self::MOST).contains(&cost) {
            return None;
        }
        // 0.29 · 1000 is a little less than 290.
        let cut = cost.mul_add(THOUSANDTHS as f64, 1e-6).floor();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 10¹², by the check above"
        )]
        Some(Self((cut as u64).max(u64::from(cost > 0.0))))
    }

    /// As a number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0 as f64 / THOUSANDTHS as f64
    }
}
