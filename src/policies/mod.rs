//! The policies, one room each. They do not import one another.

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod fallback;
pub mod hedge;
pub mod rate_limit;
pub mod retry;
pub mod timeout;
