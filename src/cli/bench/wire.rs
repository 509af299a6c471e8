//! A WebSocket as cheap as it gets: hand-made framing, one read buffer for all, nothing kept for an idle socket.
//!
//! Masks are zero, which is a mask like any other; the server unmasks all the same.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Poll, ready},
};

use bytes::Bytes;
use std::future::poll_fn;
use tokio::io::{AsyncRead, ReadBuf};

use super::{
    dial::{Half, Out, dial},
    terms::{PeerError, Target, Who, json},
};
use crate::{
    client::hello,
    crypto::sign::{SigningKey, random},
    proto::{ClientFrame, SUBPROTOCOL, ServerFrame, Side},
};

/// Opcodes of RFC 6455.
pub mod op {
    /// UTF-8.
    pub const TEXT: u8 = 1;
    /// Bytes.
    pub const BINARY: u8 = 2;
    /// The end.
    pub const CLOSE: u8 = 8;
    /// Are you there?
    pub const PING: u8 = 9;
    /// Yes.
    pub const PONG: u8 = 10;
}

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into_boxed_slice());
}

/// A client's frame, masked with zeros.
pub fn frame(op: u8, payload: &[u8]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    out.push(0x80 | op);
    match payload.len() {
        n @ 0..=125 => out.push(0x80 | n as u8),
        n @ 126..=0xffff => {
            out.push(0x80 | 0x7e);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 0x7f);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out.into_boxed_slice()
}

/// The side that reads.
#[derive(Debug)]
pub struct In {
    half: Half,
    /// Start of a frame that is not complete.
    rest: Vec<u8>,
}

impl In {
    /// Waits for bytes and gives out every frame that is complete now. False at the end of the stream.
    pub async fn read(&mut self, mut each: impl FnMut(u8, &[u8])) -> io::Result<bool> {
        // frames that came with the answer to the upgrade
        let used = frames(&self.rest, &mut each);
        if used > 0 {
            self.rest.drain(..used);
            return Ok(true);
        }
        poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buf = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.half).poll_read(cx, &mut buf))?;
                let new = buf.filled();
                if new.is_empty() {
                    return Poll::Ready(Ok(false));
                }
                if self.rest.is_empty() {
                    let used = frames(new, &mut each);
                    self.rest.extend_from_slice(&new[used..]);
                } else {
                    self.rest.extend_from_slice(new);
                    let used = frames(&self.rest, &mut each);
                    self.rest.drain(..used);
                    if self.rest.is_empty() {
                        self.rest = Vec::new();
                    }
                }
                Poll::Ready(Ok(true))
            })
        })
        .await
    }

    /// The next text frame for which `wanted` gives something; records go to `record`.
    pub async fn wait<T>(
        &mut self,
        mut record: impl FnMut(&[u8]),
        mut wanted: impl FnMut(ServerFrame) -> Option<Result<T, PeerError>>,
    ) -> Result<T, PeerError> {
        let mut found = None;
        loop {
            let more = self.read(|op, payload| match op {
                op::BINARY => record(payload),
                op::TEXT if found.is_none() => match serde_json::from_slice(payload) {
                    Ok(frame) => found = wanted(frame),
                    Err(e) => found = Some(Err(PeerError::Protocol(e.to_string()))),
                },
                op::CLOSE => {
                    let code = payload.first_chunk::<2>().map(|c| u16::from_be_bytes(*c));
                    found = found.take().or(Some(Err(PeerError::Closed(code))));
                }
                _ => {}
            });
            if !more.await.map_err(|e| PeerError::Socket(e.to_string()))? && found.is_none() {
                return Err(PeerError::Closed(None));
            }
            if let Some(found) = found.take() {
                return found;
            }
        }
    }
}

/// Gives out complete frames; returns how many bytes they were.
fn frames(bytes: &[u8], each: &mut impl FnMut(u8, &[u8])) -> usize {
    let mut at = 0;
    while let Some([first, second]) = bytes[at..].first_chunk::<2>() {
        let rest = &bytes[at + 2..];
        let (len, header) = match second & 0x7f {
            126 => match rest.first_chunk::<2>() {
                Some(len) => (usize::from(u16::from_be_bytes(*len)), 4),
                None => break,
            },
            127 => match rest.first_chunk::<8>() {
                Some(len) => (u64::from_be_bytes(*len) as usize, 10),
                None => break,
            },
            n => (usize::from(n), 2),
        };
        let Some(payload) = bytes.get(at + header..at + header + len) else { break };
        each(first & 0x0f, payload);
        at += header + len;
    }
    at
}

/// Path of a client's socket, and on which side the client is.
fn door(who: &Who) -> (String, Side) {
    match who {
        Who::Visitor(site) => (format!("/api/v1/ws/site/{site}"), Side::Visitor),
        Who::Agent => ("/api/v1/ws/agent".to_owned(), Side::Agent),
    }
}

/// Connects and answers the challenge; gives the welcome as it was sent.
pub async fn connect(target: &Target, who: &Who, ed: &SigningKey, n: usize) -> Result<(Out, In, Bytes), PeerError> {
    let failed = |e| PeerError::Connect(target.at.socket, e);
    let (path, side) = door(who);
    let (half, out) = dial(&target.at, n).await?.split();
    let key = data_encoding::BASE64.encode(&random::<16>());
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
        path, target.at.host
    );
    out.send(request.as_bytes()).map_err(failed)?;
    let mut input = In { half, rest: Vec::new() };
    upgraded(&mut input).await?;
    let nonce = input
        .wait(
            |_| (),
            |frame| match frame {
                ServerFrame::Challenge { nonce, .. } => Some(Ok(nonce)),
                other => Some(Err(PeerError::Protocol(format!("{other:?} instead of a challenge")))),
            },
        )
        .await?;
    let hello = hello(&target.directory.fp(), side, ed, &nonce).map_err(|e| PeerError::Protocol(e.to_string()))?;
    let hello = json(&hello)?;
    out.send(&frame(op::TEXT, hello.as_bytes())).map_err(failed)?;
    let mut welcome = None;
    while welcome.is_none() {
        let mut end = None;
        let more = input.read(|op, payload| match op {
            op::TEXT => welcome = welcome.take().or_else(|| Some(Bytes::copy_from_slice(payload))),
            op::CLOSE => end = Some(payload.first_chunk::<2>().map(|c| u16::from_be_bytes(*c))),
            _ => {}
        });
        if !more.await.map_err(failed)? && end.is_none() {
            end = Some(None);
        }
        if let Some(code) = end {
            return Err(PeerError::Closed(code));
        }
    }
    Ok((out, input, welcome.unwrap_or_default()))
}

/// Reads the answer to the upgrade; what follows it stays for the frames.
async fn upgraded(input: &mut In) -> Result<(), PeerError> {
    use tokio::io::AsyncReadExt;
    let mut head = Vec::with_capacity(512);
    let end = loop {
        if let Some(at) = head.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let n = input.half.read_buf(&mut head).await.map_err(|e| PeerError::Socket(e.to_string()))?;
        if n == 0 || head.len() > 16 * 1024 {
            return Err(PeerError::Closed(None));
        }
    };
    if !head.starts_with(b"HTTP/1.1 101") {
        let status = std::str::from_utf8(head.get(9..12).unwrap_or_default()).ok().and_then(|s| s.parse().ok());
        return Err(PeerError::Status(status.unwrap_or(0)));
    }
    input.rest = head.split_off(end);
    Ok(())
}

/// A text frame of the protocol.
pub fn text(frame_: &ClientFrame) -> Result<Box<[u8]>, PeerError> {
    Ok(frame(op::TEXT, json(frame_)?.as_bytes()))
}
