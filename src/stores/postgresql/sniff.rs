//! The first byte that a server says, looked at.
//!
//! What another kind of server says first would be taken for the length of a message that never
//! comes, and be waited for.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a PostgreSQL begins with: that it has TLS or has not, what proves who we are, an error, a
/// notice, an older protocol.
const FIRST: &[u8] = b"SNREv";

/// What was said is nothing that a PostgreSQL says.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it does not speak PostgreSQL")]
pub(super) struct NotPostgres;

/// A stream that fails if the first byte is none of these.
pub(super) struct Sniffed<S> {
    stream: S,
    is_known: bool,
}

impl<S> Sniffed<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, is_known: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sniffed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = read.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, read))?;
        if !self.is_known
            && let Some(first) = read.filled().get(before)
        {
            self.is_known = FIRST.contains(first);
            if !self.is_known {
                return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, NotPostgres)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sniffed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
