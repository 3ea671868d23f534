//! How a call ended, in the words every policy shares.

/// What a policy's own classification (`on`, `ignore`, `on_result`) made of a finished call.
///
/// Whether the call was *slow* is not said here: that follows from its duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It returned, or raised something that does not count.
    Success,
    /// It raised or returned something that counts.
    Failure,
    /// It raised something the user asked to leave out: neither success nor failure.
    Ignored,
    /// It never came to an end of its own: cancelled, closed, interrupted or dropped.
    Cancelled,
}
