//! The session at the other end of a connection, and what is kept in it: the usual statements, under
//! names. To parse and plan one anew costs several times what it does.
//!
//! That is safe only in a session of our own. Behind a pooler a name may be another process's, with
//! another statement under it, so whoever wants names there must say so.

use super::sniff::Sniffed;
use super::statements::{NAMED, Sql};
use crate::process::locks::Lock;
use std::future::{Future, Ready, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

/// What is given with a statement.
pub(super) type Given<'a> = (&'a (dyn ToSql + Sync), Type);

type Kept = [Option<Statement>; NAMED];

/// The statements that a session has under names, if it may.
#[derive(Default)]
pub(super) struct Session(Option<Lock<Kept>>);

impl Session {
    pub fn new(keeps: bool) -> Self {
        Self(keeps.then(Lock::default))
    }

    /// Asks, in one round trip. What is kept is made behind the first time that it is asked. A
    /// statement that the session lost, or whose plan no longer fits the tables, was not done: it is
    /// asked without a name, and all are made anew.
    pub async fn ask(
        &self,
        client: &Client,
        sql: &Sql,
        given: &[Given<'_>],
    ) -> Result<Vec<Row>, Error> {
        let (Some(kept), Some(number)) = (&self.0, sql.number) else {
            return client.query_typed(&sql.text, given).await;
        };
        let found = kept.lock()[number].clone();
        if let Some(statement) = found {
            let values: Vec<_> = given.iter().map(|(value, _)| *value).collect();
            match client.query(&statement, &values).await {
                Err(error) if is_stale(&error) => drop(std::mem::take(&mut *kept.lock())),
                other => return other,
            }
        }
        let (answer, made) = ask_and_make(client, &sql.text, given).await;
        kept.lock()[number] = made;
        answer
    }

    /// What is kept is left alone: to let go of it would be said to the server.
    pub fn forget(&mut self) {
        std::mem::forget(std::mem::take(self));
    }
}

/// Asks without a name, and sends along what makes one. Nobody hears where none can be made: it is
/// asked without one.
async fn ask_and_make(
    client: &Client,
    text: &str,
    given: &[Given<'_>],
) -> (Result<Vec<Row>, Error>, Option<Statement>) {
    let types: Vec<Type> = given.iter().map(|(_, kind)| kind.clone()).collect();
    let mut asking = pin!(client.query_typed(text, given));
    let mut making = pin!(client.prepare_typed(text, &types));
    let (mut answer, mut made) = (None, None);
    poll_fn(|context| {
        // In this order they are sent.
        if answer.is_none()
            && let Poll::Ready(answered) = asking.as_mut().poll(context)
        {
            answer = Some(answered);
        }
        if made.is_none()
            && let Poll::Ready(named) = making.as_mut().poll(context)
        {
            made = Some(named.ok());
        }
        match (answer.take(), made.take()) {
            (Some(answer), Some(made)) => Poll::Ready((answer, made)),
            others => {
                (answer, made) = others;
                Poll::Pending
            }
        }
    })
    .await
}

/// `0A000` is a plan with other columns than before; the others are a name that is not known, or
/// that is another's. A statement that truly can't be done says so again without a name.
fn is_stale(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INVALID_SQL_STATEMENT_NAME,
            SqlState::DUPLICATE_PSTATEMENT,
        ]
        .contains(code)
    })
}

/// The number of the server's process, as it was said when the connection was made. A pooler says one
/// that it made up, for it must know whose cancellations are whose. The library tells it to nobody but
/// the one who cancels, which is done here where nobody listens.
pub(super) async fn told_process(client: &Client) -> Option<i32> {
    let (mut ours, theirs) = tokio::io::duplex(64);
    // The answer to a question for TLS, if there is one.
    ours.write_all(b"S").await.ok()?;
    client.cancel_token().cancel_query_raw(Sniffed::new(theirs), InTheClear).await.ok()?;
    let mut said = Vec::new();
    ours.read_to_end(&mut said).await.ok()?;
    // It ends with the process's number and the secret.
    let (_, end) = said.split_last_chunk::<8>()?;
    let (number, _) = end.split_first_chunk::<4>()?;
    Some(i32::from_be_bytes(*number))
}

/// What takes the place of TLS within this process.
struct InTheClear;

impl<S: Unpin> TlsStream for Sniffed<S>
where
    Self: tokio::io::AsyncRead + tokio::io::AsyncWrite,
{
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S> TlsConnect<S> for InTheClear
where
    S: TlsStream + Unpin,
{
    type Stream = S;
    type Error = std::io::Error;
    type Future = Ready<Result<S, std::io::Error>>;

    fn connect(self, stream: S) -> Self::Future {
        ready(Ok(stream))
    }
}
