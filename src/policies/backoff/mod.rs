//! Backoff: how long to wait before trying again.
