//! A WebSocket that gives one message after the other, for clients that need no speed: it answers pings and the server's
//! farewell by itself, and reads the frames of the protocol.

use std::{collections::VecDeque, io};

use bytes::Bytes;
use kefu_proto::{ClientFrame, ServerFrame};

use crate::{
    endpoint::Endpoint,
    error::ClientError,
    frame::{encode, opcode},
    stream::{Stream, Writer},
    websocket::{Reader, close_code, upgrade},
};

/// A message from the server.
#[derive(Debug)]
pub enum Received {
    /// A control frame.
    Frame(ServerFrame),
    /// A record.
    Record(Bytes),
    /// Text that is no frame of this version of the protocol.
    Unknown(Bytes),
}

/// The socket ended; with the server's code if it gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed(pub Option<u16>);

/// A WebSocket.
#[derive(Debug)]
pub struct Socket {
    reader: Reader,
    writer: Writer,
    /// What was read and not taken yet: opcodes and payloads.
    read: VecDeque<(u8, Bytes)>,
}

impl Socket {
    /// Asks for a WebSocket over a connection to `host`. Who it is for must sign in yet, see [`Socket::sign_in`].
    pub async fn open(stream: Stream, host: &str, endpoint: &Endpoint) -> Result<Self, ClientError> {
        let (reader, writer) = upgrade(stream, host, endpoint).await?;
        Ok(Self { reader, writer, read: VecDeque::new() })
    }

    /// The two halves. What was read and not taken yet is dropped.
    pub fn into_halves(self) -> (Reader, Writer) {
        (self.reader, self.writer)
    }

    /// Sends a control frame.
    pub async fn send(&self, frame: &ClientFrame) -> io::Result<()> {
        self.send_payload(opcode::TEXT, &serde_json::to_vec(frame)?).await
    }

    /// Sends an envelope.
    pub async fn send_envelope(&self, envelope: &[u8]) -> io::Result<()> {
        self.send_payload(opcode::BINARY, envelope).await
    }

    /// Sends anything.
    pub async fn send_payload(&self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.writer.send(&encode(opcode, payload)).await
    }

    /// The next message from the server. May be dropped at any time: nothing is lost.
    pub async fn next(&mut self) -> Result<Received, Closed> {
        let (opcode, payload) = self.next_message().await?;
        Ok(match opcode {
            opcode::BINARY => Received::Record(payload),
            _ => serde_json::from_slice(&payload).map_or(Received::Unknown(payload), Received::Frame),
        })
    }

    /// The next text or binary message, with its opcode.
    pub(crate) async fn next_message(&mut self) -> Result<(u8, Bytes), Closed> {
        loop {
            while let Some((opcode, payload)) = self.read.pop_front() {
                match opcode {
                    opcode::TEXT | opcode::BINARY => return Ok((opcode, payload)),
                    // a socket that takes no answer has ended, and that is read
                    opcode::PING => drop(self.writer.try_send(&encode(opcode::PONG, &payload))),
                    opcode::CLOSE => {
                        let _ = self.writer.try_send(&encode(opcode::CLOSE, &payload));
                        return Err(Closed(close_code(&payload)));
                    }
                    _ => {}
                }
            }
            let read = &mut self.read;
            let more = self.reader.read(|opcode, payload| read.push_back((opcode, Bytes::copy_from_slice(payload))));
            if !matches!(more.await, Ok(true)) && self.read.is_empty() {
                return Err(Closed(None));
            }
        }
    }
}
