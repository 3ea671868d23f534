//! `redis://`, `rediss://`: a Redis or Valkey server, for all who reach it.
//!
//! Each step is one call of one script (`script.lua`), which says `idempotency::step` again at the
//! server, at the server's time. A record is a hash at one key, so a step never touches two. One
//! connection a process and server carries all that is asked at once; replicas are never asked. In a
//! cluster each key is asked for at the primary that has it (`nodes`).

mod client;
mod connection;
mod head;
mod node;
mod nodes;
mod round;
mod script;
mod settings;
mod slots;
mod trouble;
mod walk;

use super::backend::Backend;
use super::clock::Machine;
use super::net::Remote;
use super::url::Url;
use crate::error::Problem;
use client::Redis;
use settings::Settings;
use std::sync::Arc;

/// Makes one. Its server is reached when it is first used.
pub(super) fn open(
    url: &Url,
    _machine: &Machine,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Backend>> {
    let settings = Settings::of(url, problems)?;
    let limits = settings.limits;
    Some(Arc::new(Remote::<Redis>::new(settings, limits)) as Arc<dyn Backend>)
}
