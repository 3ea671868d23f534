//! `postgresql://user:password@host:port/dbname`: one table for all processes of all hosts.
//!
//! A connection is used by one operation at a time. Its session keeps the usual statements where it
//! is nobody else's, and nothing where a pooler stands between (`session`); never locks. What happens
//! as a rule is one statement at the server's own time (`statements`); all else is decided by the transitions,
//! of a record that was read, and written if it is still the same (`table`).

mod connection;
mod errors;
mod pool;
mod row;
mod schema;
mod session;
mod settings;
mod sniff;
mod statements;
mod table;
mod tls;

use super::backend::{Answer, Backend, Op};
use super::clock::Machine;
use super::error::StoreError;
use super::net::{Client, Notices, Remote};
use super::url::Url;
use crate::error::Problem;
use pool::Pool;
use settings::Settings;
use std::sync::Arc;

/// Makes one. Nothing is connected before it is first used.
pub(super) fn open(
    url: &Url,
    _: &Machine,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Backend>> {
    Settings::of(url, problems).map(|settings| {
        let limits = settings.limits;
        Arc::new(Remote::<Pool>::new(settings, limits)) as Arc<dyn Backend>
    })
}

/// What makes its tables.
pub(super) fn script(url: &Url, problems: &mut Vec<Problem>) -> Option<String> {
    Settings::of(url, problems).map(|settings| schema::script(&settings, false))
}

impl Client for Pool {
    type Settings = Settings;

    fn new(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self::new(settings, notices)
    }

    async fn answer(&self, op: &Op) -> Result<Answer, StoreError> {
        self.answer(op).await
    }

    async fn let_go(&self) {
        self.let_go();
    }
}
