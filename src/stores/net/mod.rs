//! What the stores on servers share.
//!
//! One tokio runtime with one thread a process (`runtime`), on which all that they ask is answered;
//! how many may wait and for how long (`remote`); a connection that is made when it is needed and
//! made again when it is lost (`link`, `backoff`); where a server is (`endpoint`), how it is reached
//! (`stream`) and whom it is believed (`tls`).

pub mod backoff;
pub mod endpoint;
pub mod limits;
pub mod link;
pub mod notices;
pub mod remote;
pub mod runtime;
pub mod stream;
pub mod tls;

pub use endpoint::Endpoint;
pub use limits::Limits;
pub use link::Link;
pub use notices::Notices;
pub use remote::{Client, Remote};
