//! A WebSocket as cheap as it gets: hand-made framing, one read buffer for all sockets of a thread, nothing kept for an idle
//! one.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Poll, ready},
};

use data_encoding::BASE64;
use kefu_crypto::sign::random;
use kefu_proto::{SUBPROTOCOL, ServerFrame};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::{
    endpoint::Endpoint,
    error::ClientError,
    frame::{FrameError, decode, opcode},
    stream::{ReadHalf, Stream, Writer},
};

/// The most bytes of an answer to the upgrade.
const HEAD: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into_boxed_slice());
}

/// The half of a WebSocket that reads.
#[derive(Debug)]
pub struct Reader {
    half: ReadHalf,
    /// Start of a frame that is not complete.
    rest: Vec<u8>,
}

/// Asks for a WebSocket over a connection to `host`.
pub async fn upgrade(stream: Stream, host: &str, endpoint: &Endpoint) -> Result<(Reader, Writer), ClientError> {
    let (half, writer) = stream.split();
    writer.send(request(host, endpoint).as_bytes()).await.map_err(ClientError::Socket)?;
    let mut reader = Reader { half, rest: Vec::new() };
    reader.upgraded().await?;
    Ok((reader, writer))
}

fn request(host: &str, endpoint: &Endpoint) -> String {
    let mut lines = vec![
        format!("GET {} HTTP/1.1", endpoint.path),
        "upgrade: websocket".to_owned(),
        "connection: upgrade".to_owned(),
        "sec-websocket-version: 13".to_owned(),
        format!("sec-websocket-key: {}", BASE64.encode(&random::<16>())),
        format!("sec-websocket-protocol: {SUBPROTOCOL}"),
    ];
    if endpoint.headers.iter().all(|(name, _)| *name != "host") {
        lines.push(format!("host: {host}"));
    }
    lines.extend(endpoint.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}

fn broken(e: FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, e)
}

impl Reader {
    /// Reads the answer to the upgrade; what follows it stays for the frames.
    async fn upgraded(&mut self) -> Result<(), ClientError> {
        let mut head = Vec::with_capacity(512);
        let end = loop {
            if let Some(at) = head.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            let n = self.half.read_buf(&mut head).await.map_err(ClientError::Socket)?;
            if n == 0 || head.len() > HEAD {
                return Err(ClientError::Closed(None));
            }
        };
        if !head.starts_with(b"HTTP/1.1 101") {
            let status = std::str::from_utf8(head.get(9..12).unwrap_or_default()).ok().and_then(|s| s.parse().ok());
            return Err(ClientError::Status(status.unwrap_or(0)));
        }
        self.rest = head.split_off(end);
        Ok(())
    }

    /// Waits for bytes and hands out opcode and payload of every frame that is complete now. False at the end of the
    /// stream. May be dropped at any time: nothing is lost.
    pub async fn read(&mut self, mut each: impl FnMut(u8, &[u8])) -> io::Result<bool> {
        // frames that came with the answer to the upgrade
        let used = decode(&self.rest, &mut each).map_err(broken)?;
        if used > 0 {
            self.rest.drain(..used);
            return Ok(true);
        }
        poll_fn(|cx| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut buf = ReadBuf::new(buffer);
                ready!(Pin::new(&mut self.half).poll_read(cx, &mut buf))?;
                let new = buf.filled();
                if new.is_empty() {
                    return Poll::Ready(Ok(false));
                }
                if self.rest.is_empty() {
                    let used = decode(new, &mut each).map_err(broken)?;
                    self.rest.extend_from_slice(&new[used..]);
                } else {
                    self.rest.extend_from_slice(new);
                    let used = decode(&self.rest, &mut each).map_err(broken)?;
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

    /// The first text frame for which `wanted` gives something; records go to `record`.
    pub async fn wait<T, E: From<ClientError>>(
        &mut self,
        mut record: impl FnMut(&[u8]),
        mut wanted: impl FnMut(ServerFrame) -> Option<Result<T, E>>,
    ) -> Result<T, E> {
        let mut found = None;
        loop {
            let more = self.read(|opcode, payload| match opcode {
                opcode::BINARY => record(payload),
                opcode::TEXT if found.is_none() => match serde_json::from_slice(payload) {
                    Ok(frame) => found = wanted(frame),
                    Err(e) => found = Some(Err(ClientError::Protocol(e.to_string()).into())),
                },
                opcode::CLOSE => {
                    let code = close_code(payload);
                    found = found.take().or(Some(Err(ClientError::Closed(code).into())));
                }
                _ => {}
            });
            let more = more.await.map_err(ClientError::Socket)?;
            if let Some(found) = found.take() {
                return found;
            }
            if !more {
                return Err(ClientError::Closed(None).into());
            }
        }
    }
}

/// The code in a close frame, if it has one.
pub fn close_code(payload: &[u8]) -> Option<u16> {
    payload.first_chunk().map(|code| u16::from_be_bytes(*code))
}
