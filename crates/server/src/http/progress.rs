//! A connection whose peer must take what is written to it, and that ends without losing the last answer.
//!
//! An answer that nobody reads would hold its connection, its memory and what the kernel queued for it forever. So each
//! byte more that the peer takes gives it a while again, and a peer that takes none in that time is gone. Buffers of the
//! kernel are bounded too (see [`bound_buffers`]); otherwise it would take megabytes for each such peer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
    time::{Sleep, sleep},
};

/// What the kernel may hold for a connection in each direction; it doubles these for its own bookkeeping. An answer goes
/// out at this much in one round trip: 2.5 MB a second over 100 ms.
const SEND_BUFFER: usize = 128 * 1024;
const RECEIVE_BUFFER: usize = 64 * 1024;
/// What may wait in the kernel without having been sent yet. The rest of the buffer is for bytes under way, and a peer that
/// does not read lets none be under way.
const NOT_SENT: u32 = 32 * 1024;
/// How long, and for how many bytes, a connection is read after its last answer: one that is closed with unread bytes in
/// it is reset, and the peer would lose the answer that says why.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 64 * 1024;

/// Bounds what the kernel holds for each connection that comes from a listener, and how long it keeps one whose peer
/// acknowledges nothing.
pub fn bound_buffers(listener: &TcpListener, patience: Duration) {
    let socket = SockRef::from(listener);
    // connections inherit all of it; a kernel that refuses one still serves
    for set in [
        socket.set_send_buffer_size(SEND_BUFFER),
        socket.set_recv_buffer_size(RECEIVE_BUFFER),
        socket.set_tcp_notsent_lowat(NOT_SENT),
        socket.set_tcp_user_timeout(Some(patience)),
    ] {
        if let Err(e) = set {
            tracing::debug!(error = %e, "a bound on the kernel's buffers could not be set");
        }
    }
}

/// A stream that fails when its peer reads nothing for too long.
pub struct Progress<S> {
    io: S,
    patience: Duration,
    /// Runs while the peer takes nothing. Boxed: an idle connection has none.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Runs after the last answer.
    lingering: Option<Pin<Box<Sleep>>>,
    lingered: usize,
}

impl<S> Progress<S> {
    /// Ends writing when the peer takes nothing for so long.
    pub fn new(io: S, patience: Duration) -> Self {
        Self { io, patience, waiting: None, lingering: None, lingered: 0 }
    }

    /// Passes on what came of writing; an error if it waits too long.
    fn judged<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing of what is written to it")))
    }
}

impl<S: AsyncRead + Unpin> Progress<S> {
    /// Reads what still comes until the peer hangs up, for a while.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut unread = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut unread);
            match Pin::new(&mut self.io).poll_read(cx, &mut buf) {
                Poll::Pending => {
                    return self.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER))).as_mut().poll(cx);
                }
                Poll::Ready(Ok(())) if !buf.filled().is_empty() && self.lingered < LINGER_BYTES => {
                    self.lingered += buf.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progress<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Progress<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judged(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.judged(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.judged(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            let closed = Pin::new(&mut self.io).poll_shutdown(cx);
            if !matches!(closed, Poll::Ready(Ok(()))) {
                return self.judged(cx, closed);
            }
            self.waiting = None;
            self.lingering = Some(Box::pin(sleep(LINGER)));
        }
        ready!(self.linger(cx));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_peer_that_takes_nothing_ends_the_connection_and_one_that_reads_does_not() {
        let (ours, mut theirs) = duplex(16);
        let mut ours = Progress::new(ours, SHORT);
        let reader = tokio::spawn(async move {
            let mut got = [0; 64];
            theirs.read_exact(&mut got).await.unwrap();
            (theirs, got)
        });
        ours.write_all(&[7; 64]).await.unwrap();
        let (_theirs, got) = reader.await.unwrap();
        assert_eq!(got, [7; 64]);
        // sixteen bytes fit, the rest stays unread
        let end = ours.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn the_end_waits_for_what_the_peer_still_sends_and_no_longer_than_it_hangs_up() {
        let (ours, mut theirs) = duplex(16);
        let mut ours = Progress::new(ours, SHORT);
        let ended = tokio::spawn(async move { ours.shutdown().await });
        theirs.write_all(&[7; 1000]).await.unwrap();
        let mut rest = Vec::new();
        assert_eq!(theirs.read_to_end(&mut rest).await.unwrap(), 0);
        drop(theirs);
        ended.await.unwrap().unwrap();
    }
}
