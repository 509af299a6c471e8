//! A WebSocket (RFC 6455) as the server has one: messages in, frames out, over any stream.
//!
//! tungstenite says what a frame's header means. The buffers are ours, because they are most of what an idle socket would
//! hold and much of what a message costs: all sockets of a thread read and write through the same two, and only what can't
//! be finished stays with a socket. Everything that waits leaves in one write.

mod decoder;

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

pub use self::decoder::Message;
use self::decoder::{Decoder, Violation};
use crate::hub::Frame;

/// How much is read, and about how much is written, at once.
const CHUNK: usize = 16 * 1024;

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why no message comes any more.
#[derive(Debug)]
pub enum ReadError {
    /// The peer is gone.
    Gone,
    /// The peer sent what no client may send.
    Violation,
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<Violation> for ReadError {
    fn from(_: Violation) -> Self {
        Self::Violation
    }
}

/// A WebSocket on the server's side, after its handshake.
pub struct WebSocket<S> {
    io: S,
    decoder: Decoder,
    /// What the stream did not take so far.
    unsent: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Over a stream from which these bytes were read already. Messages of more than `max_message` bytes are a violation.
    pub fn new(io: S, read: &[u8], max_message: usize) -> Self {
        let mut decoder = Decoder::new(max_message);
        decoder.feed(read);
        Self { io, decoder, unsent: BytesMut::new() }
    }

    /// The next message.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, ReadError>> {
        loop {
            if let Some(message) = self.decoder.next()? {
                return Poll::Ready(Ok(message));
            }
            let Self { io, decoder, .. } = self;
            ready!(READ.with_borrow_mut(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                ready!(Pin::new(io).poll_read(cx, &mut buffer))?;
                match buffer.filled() {
                    [] => return Poll::Ready(Err(ReadError::Gone)),
                    bytes => decoder.feed(bytes),
                }
                Poll::Ready(Ok(()))
            }))?;
        }
    }

    /// Writes what waits and then these frames, which it takes; they need not be given again after it was pending.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, frames: &mut VecDeque<Frame>) -> Poll<io::Result<()>> {
        loop {
            while !self.unsent.is_empty() {
                match ready!(Pin::new(&mut self.io).poll_write(cx, &self.unsent))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    n => self.unsent.advance(n),
                }
            }
            if frames.is_empty() {
                // what was taken leaves no buffer behind
                self.unsent = BytesMut::new();
                return Pin::new(&mut self.io).poll_flush(cx);
            }
            let Self { io, unsent, .. } = self;
            WRITE.with_borrow_mut(|buffer| {
                buffer.clear();
                while buffer.len() < CHUNK
                    && let Some(frame) = frames.pop_front()
                {
                    let data = match frame {
                        Frame::Record(_) => Data::Binary,
                        Frame::Text(_) => Data::Text,
                    };
                    encode(OpCode::Data(data), frame.bytes(), buffer);
                }
                let written = match Pin::new(io).poll_write(cx, buffer) {
                    Poll::Ready(written) => written?,
                    Poll::Pending => 0,
                };
                if written < buffer.len() {
                    *unsent = BytesMut::from(&buffer[written..]);
                }
                io::Result::Ok(())
            })?;
        }
    }

    /// Lets a control frame wait for the next write; `payload` has at most 125 bytes.
    pub fn queue(&mut self, control: Control, payload: &[u8]) {
        let mut frame = Vec::new();
        encode(OpCode::Control(control), payload, &mut frame);
        self.unsent.extend_from_slice(&frame);
    }

    /// Writes what waits, then reads until the peer hangs up: a socket that is closed with unread bytes in it is reset, and the
    /// peer would lose what was written last.
    pub async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_write(cx, &mut VecDeque::new())).await?;
        self.io.shutdown().await?;
        let mut unread = [0; 1024];
        while self.io.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

fn encode(opcode: OpCode, payload: &[u8], out: &mut Vec<u8>) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    // writing to memory does not fail
    let _ = header.format(payload.len() as u64, out);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn everything_that_waits_leaves_in_order_and_nothing_is_held_after() {
        let (ours, mut theirs) = duplex(64);
        let mut socket = WebSocket::new(ours, &[], 1024);
        socket.queue(Control::Pong, b"there");
        let mut frames: VecDeque<_> = [Frame::text("a".repeat(300)), Frame::Record(vec![7; 40_000].into())].into();
        let reader = tokio::spawn(async move {
            let mut got = vec![0; 2 + 5 + 4 + 300 + 4 + 40_000];
            theirs.read_exact(&mut got).await.unwrap();
            (theirs, got)
        });
        poll_fn(|cx| socket.poll_write(cx, &mut frames)).await.unwrap();
        let (_theirs, got) = reader.await.unwrap();
        assert_eq!(got[..7], *b"\x8a\x05there");
        assert_eq!(got[7..11], [0x81, 126, 1, 44]);
        assert_eq!(got[311..315], [0x82, 126, 0x9c, 0x40]);
        assert!(got[315..].iter().all(|byte| *byte == 7));
        assert_eq!(socket.unsent.capacity(), 0);
    }

    #[tokio::test]
    async fn bytes_read_with_the_handshake_come_first_and_the_end_is_told() {
        let (ours, mut theirs) = duplex(64);
        let mut socket = WebSocket::new(ours, b"\x82\x81\0\0\0\0a\x82", 1024);
        theirs.write_all(b"\x81\0\0\0\0b\x82\x01").await.unwrap();
        for want in ["a", "b"] {
            let message = poll_fn(|cx| socket.poll_read(cx)).await.unwrap();
            assert_eq!(message, Message::Binary(want.into()));
        }
        // without a mask
        assert!(matches!(poll_fn(|cx| socket.poll_read(cx)).await, Err(ReadError::Violation)));
        let (ours, theirs) = duplex(64);
        drop(theirs);
        let mut socket = WebSocket::new(ours, &[], 1024);
        assert!(matches!(poll_fn(|cx| socket.poll_read(cx)).await, Err(ReadError::Gone)));
    }
}
