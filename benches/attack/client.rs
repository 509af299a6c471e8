//! Clients on an address of their own: sockets of visitors and agents, requests, bytes as they are.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, anyhow, bail};
use kefu::{
    client::{self, Endpoint, Opening, Received, Stream},
    crypto::{
        envelope::{self, MessageHeader},
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{ClientFrame, ConvId, MsgId, ServerFrame, Side},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
};

use super::target::Target;

/// A connection from 127.0.0.`from`: to the server, another address each.
pub async fn connect(addr: SocketAddr, from: u8) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into())?;
    let stream = socket.connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection for requests, one after the other.
pub struct Http(BufReader<TcpStream>);

impl Http {
    /// Opens the connection.
    pub async fn open(addr: SocketAddr, from: u8) -> anyhow::Result<Self> {
        Ok(Self(BufReader::new(connect(addr, from).await?)))
    }

    /// Status and body of an answer; `headers` are lines with their ends.
    pub async fn get(&mut self, path: &str, headers: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: kefu\r\n{headers}\r\n");
        self.0.write_all(head.as_bytes()).await?;
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                bail!("the server hung up");
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().and_then(|s| s.parse().ok()).context("no status")?;
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((status, body))
    }
}

/// A socket that was greeted.
pub struct Socket {
    /// The WebSocket.
    pub ws: client::Socket,
    /// For HTTP.
    pub token: String,
}

impl Socket {
    /// Connects and proves a key.
    pub async fn enter(at: &Target, from: u8, key: &SigningKey, side: Side) -> anyhow::Result<Self> {
        let endpoint = match side {
            Side::Agent => Endpoint::agent(),
            Side::Visitor => Endpoint::visitor(&at.site),
        };
        let stream = Stream::Plain(connect(at.addr, from).await?);
        let mut ws = client::Socket::open(stream, &at.address().host, &endpoint).await?;
        match serde_json::from_slice(&ws.sign_in(&at.directory.fp(), side, key).await?)? {
            ServerFrame::Welcome { token, .. } => Ok(Self { ws, token }),
            _ => bail!("no welcome"),
        }
    }

    /// The next message from the server. Frames of other versions are unknown and ignored.
    pub async fn next(&mut self) -> anyhow::Result<Received> {
        self.ws.next().await.map_err(|closed| anyhow!("the socket ended: {closed:?}"))
    }

    /// Asks, and reads on until the answer: whether it was ok, else in how many ms to come again, if ever.
    pub async fn ask(&mut self, req: u64, frame: &ClientFrame) -> anyhow::Result<Result<(), Option<u64>>> {
        self.ws.send(frame).await?;
        loop {
            match self.next().await? {
                Received::Frame(ServerFrame::Ok { req: r }) if r == req => return Ok(Ok(())),
                Received::Frame(ServerFrame::Error { req: Some(r), retry_ms, .. }) if r == req => {
                    return Ok(Err(retry_ms));
                }
                _ => {}
            }
        }
    }
}

/// A visitor with a conversation.
pub struct Visitor {
    /// Their key.
    pub key: SigningKey,
    /// Their conversation.
    pub conv: ConvId,
    opening: Opening,
    inst: u32,
    ctr: u32,
}

impl Visitor {
    /// Comes and opens a conversation.
    pub async fn come(at: &Target, from: u8) -> anyhow::Result<(Self, Socket)> {
        let key = SigningKey::generate();
        let mut socket = Socket::enter(at, from, &key, Side::Visitor).await?;
        let opening = Opening::new(&at.directory, &at.site, &key, KemSecret::generate().public())?;
        match socket.ask(1, &opening.frame(1)).await? {
            Ok(()) => {}
            Err(_) => bail!("the conversation was refused"),
        }
        let inst = u32::from_be_bytes(random());
        Ok((Self { key, conv: opening.conv, opening, inst, ctr: 0 }, socket))
    }

    /// A message of about so many bytes.
    pub fn message(&mut self, bytes: usize) -> anyhow::Result<(MsgId, Vec<u8>)> {
        let (conv, sender, msg_id) = (self.conv, self.key.kid(), MsgId(random()));
        let (inst, ctr) = (self.inst, self.ctr);
        self.ctr += 1;
        let header = MessageHeader { conv, epoch: 0, sender, msg_id, inst, ctr, prev: [0; 16] };
        Ok((msg_id, envelope::seal(&header, &self.opening.key, &vec![b'x'; bytes], &self.key)?))
    }

    /// Sends a message and waits for its record; else in how many ms to come again, if ever.
    pub async fn say(&mut self, socket: &mut Socket, bytes: usize) -> anyhow::Result<Result<usize, Option<u64>>> {
        let (id, envelope) = self.message(bytes)?;
        let size = envelope.len();
        socket.ws.send_envelope(&envelope).await?;
        loop {
            match socket.next().await? {
                // seq and at are before the envelope, whose message id is at 40
                Received::Record(record) if record.get(56..72) == Some(&id.0[..]) => return Ok(Ok(size)),
                Received::Frame(ServerFrame::Error { msg: Some(m), retry_ms, .. }) if m == id => {
                    self.ctr -= 1;
                    return Ok(Err(retry_ms));
                }
                _ => {}
            }
        }
    }
}
