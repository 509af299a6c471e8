//! A real client over a plain WebSocket: challenge, conversations, sealed messages, and the rules of resending.
//!
//! It checks what a client must check (sequence, counters, signatures, announcements) and resends as protocol §4 says: one
//! envelope of a conversation at a time, unchanged, until its record comes or an error names it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{
    greet::greet,
    held::{Content, Held, Reader, Record, Taken},
    http,
    opening::{Opening, opening},
    terms::{broken, json},
};
use crate::{
    crypto::{codec, hpke::KemSecret, keyring::Keyring},
    proto::{ClientFrame, ConvId, ErrorCode, Have, MAX_RESUME, MsgId, ServerFrame, TeamId, conversation_of},
};

pub use super::terms::{Incoming, PATIENCE, PeerError, Target, Welcome, Who};

/// A connected client.
#[derive(Debug)]
pub struct Peer {
    /// What the last `welcome` said.
    pub welcome: Welcome,
    /// Where it goes; change it before [`Peer::reconnect`] if the server moved or the directory grew.
    pub target: Target,
    who: Who,
    keys: Keyring,
    socket: WebSocketStream<TcpStream>,
    held: BTreeMap<ConvId, Held>,
    inbox: VecDeque<Incoming>,
    out: VecDeque<Message>,
    retry: Option<(Instant, ConvId)>,
    req: u64,
}

impl Peer {
    /// Connects and answers the challenge.
    pub async fn connect(target: Target, who: Who, keys: Keyring) -> Result<Self, PeerError> {
        let (socket, welcome) = greet(&target, &who, &keys).await?;
        let (held, inbox, out) = Default::default();
        Ok(Self { welcome, target, who, keys, socket, held, inbox, out, retry: None, req: 0 })
    }

    /// A new socket for the same client: follows what it followed and sends again what waits.
    pub async fn reconnect(&mut self) -> Result<(), PeerError> {
        (self.socket, self.welcome) = greet(&self.target, &self.who, &self.keys).await?;
        self.out.clear();
        self.retry = None;
        let convs: Vec<ConvId> = self.held.keys().copied().collect();
        self.held.values_mut().for_each(Held::again);
        for some in convs.chunks(MAX_RESUME) {
            self.resume(some).await?;
        }
        convs.into_iter().try_for_each(|conv| self.push(conv))?;
        self.flush().await
    }

    /// His keys.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// A conversation he follows.
    pub fn held(&self, conv: ConvId) -> Option<&Held> {
        self.held.get(&conv)
    }

    /// The socket itself, for whoever wants to go on in his own way.
    pub fn into_socket(self) -> WebSocketStream<TcpStream> {
        self.socket
    }

    /// Sends a text frame.
    pub async fn say(&mut self, frame: &ClientFrame) -> Result<(), PeerError> {
        self.out.push_back(Message::text(json(frame)?));
        self.flush().await
    }

    /// Sends any message, also one that no honest client sends.
    pub async fn send_raw(&mut self, message: Message) -> Result<(), PeerError> {
        self.out.push_back(message);
        self.flush().await
    }

    /// Sends a request made with its number and waits for the answer.
    pub async fn request(&mut self, make: impl FnOnce(u64) -> ClientFrame) -> Result<(), PeerError> {
        self.req += 1;
        let mine = self.req;
        self.say(&make(mine)).await?;
        let answered = async {
            loop {
                match self.receive().await? {
                    Incoming::Frame(ServerFrame::Ok { req }) if req == mine => return Ok(()),
                    Incoming::Frame(ServerFrame::Error { req: Some(req), code, text, .. }) if req == mine => {
                        return Err(PeerError::Refused { code, text });
                    }
                    other => self.inbox.push_back(other),
                }
            }
        };
        timeout(PATIENCE, answered).await.map_err(|_| PeerError::Silence("the answer to a request"))?
    }

    /// Visitors: begins a conversation with epoch 0.
    pub async fn open(&mut self) -> Result<ConvId, PeerError> {
        let Who::Visitor(site) = self.who.clone() else {
            return Err(PeerError::Seal("only visitors open conversations".into()));
        };
        let Opening { conv: id, nonce, announcement, .. } =
            opening(&self.keys, &self.target.directory, &site).map_err(PeerError::Seal)?;
        self.held.insert(id, Held::new(id));
        let (nonce, ann) = (codec::b64u(&nonce), codec::b64u(&announcement));
        let x = codec::b64u(&self.keys.kem.public());
        self.request(|req| ClientFrame::Open { req, id, nonce, site, x, ann }).await?;
        Ok(id)
    }

    /// Follows conversations from what is held on. The server passes over those this client may not see.
    pub async fn resume(&mut self, convs: &[ConvId]) -> Result<(), PeerError> {
        let mut list = Vec::with_capacity(convs.len());
        for id in convs {
            let held = self.held.entry(*id).or_insert_with(|| Held::new(*id));
            list.push(Have { id: *id, have: held.have });
        }
        self.say(&ClientFrame::Resume { convs: list }).await
    }

    /// Queues a text. It is on disk when its record comes.
    pub async fn post(&mut self, conv: ConvId, text: &str) -> Result<MsgId, PeerError> {
        let held = self.held.get_mut(&conv).ok_or(PeerError::Seal(format!("{conv} is not followed")))?;
        let id = held.write(text);
        self.push(conv)?;
        self.flush().await?;
        Ok(id)
    }

    /// Queues an envelope as it is.
    pub async fn post_raw(&mut self, conv: ConvId, envelope: Bytes) -> Result<MsgId, PeerError> {
        let held = self.held.get_mut(&conv).ok_or(PeerError::Seal(format!("{conv} is not followed")))?;
        let id = held.write_raw(envelope).ok_or(PeerError::Seal("these bytes are no envelope".into()))?;
        self.push(conv)?;
        self.flush().await?;
        Ok(id)
    }

    /// Posts and waits for the record: the text is on disk. Returns its number.
    pub async fn deliver(&mut self, conv: ConvId, text: &str) -> Result<u64, PeerError> {
        let mine = self.post(conv, text).await?;
        let done = async {
            loop {
                let incoming = self.receive().await?;
                let outcome = match &incoming {
                    Incoming::Record(Record { conv: c, seq, content: Content::Message { id, .. }, .. })
                        if *c == conv && *id == mine =>
                    {
                        Some(Ok(*seq))
                    }
                    Incoming::Frame(ServerFrame::Error { msg: Some(msg), code, text, .. })
                        if *msg == mine && self.held.get(&conv).is_none_or(|h| !h.is_first(mine)) =>
                    {
                        Some(Err(PeerError::Refused { code: *code, text: text.clone() }))
                    }
                    _ => None,
                };
                self.inbox.push_back(incoming);
                if let Some(outcome) = outcome {
                    return outcome;
                }
            }
        };
        timeout(PATIENCE, done).await.map_err(|_| PeerError::Silence("the record of a message"))?
    }

    /// Announces the next epoch to a team's newest key. What waits is sealed again under it.
    pub async fn announce(&mut self, conv: ConvId, team: &TeamId) -> Result<MsgId, PeerError> {
        let held = self.held.get_mut(&conv).ok_or(PeerError::Seal(format!("{conv} is not followed")))?;
        let reader = Reader { keys: &self.keys, directory: &self.target.directory, teams: teams_of(&self.who) };
        let id = held.announce(team, &reader).map_err(PeerError::Seal)?;
        self.push(conv)?;
        self.flush().await?;
        Ok(id)
    }

    /// What comes next, first what was put aside while waiting for something else. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Incoming, PeerError> {
        match self.inbox.pop_front() {
            Some(incoming) => Ok(incoming),
            None => self.receive().await,
        }
    }

    /// Reads on until `wanted` gives something, at most [`PATIENCE`]; everything before it is thrown away.
    pub async fn wait_for<T>(
        &mut self,
        what: &'static str,
        mut wanted: impl FnMut(&Incoming) -> Option<T>,
    ) -> Result<T, PeerError> {
        let found = async {
            loop {
                if let Some(found) = wanted(&self.next().await?) {
                    return Ok(found);
                }
            }
        };
        timeout(PATIENCE, found).await.map_err(|_| PeerError::Silence(what))?
    }

    /// Pages over HTTP what `resume` found too much, and applies it; returns the records.
    pub async fn page(&mut self, conv: ConvId) -> Result<Vec<Record>, PeerError> {
        let mut out = Vec::new();
        loop {
            let have = self.held.get(&conv).map_or(0, |h| h.have);
            let path = format!("/api/v1/conversations/{conv}/records?after={have}&limit=500");
            let (status, body) =
                http::request(self.target.address, "GET", &path, Some(&self.welcome.token), Vec::new())
                    .await
                    .map_err(|e| PeerError::Connect(self.target.address, e))?;
            if status != 200 {
                return Err(PeerError::Status(status));
            }
            let before = out.len();
            let mut rest = body;
            while rest.len() >= 4 {
                let len = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
                if rest.len() < 4 + len {
                    return Err(PeerError::Protocol("a page of records is cut short".into()));
                }
                let frame = rest.slice(4..4 + len);
                rest = rest.slice(4 + len..);
                if let Some(Taken::Next(record)) = self.apply(conv, &frame)? {
                    out.push(record);
                }
            }
            if out.len() == before {
                self.flush().await?;
                return Ok(out);
            }
        }
    }

    /// Closes the socket as a page does when it goes.
    pub async fn close(mut self) {
        let _ = timeout(PATIENCE, self.socket.close(None::<CloseFrame>)).await;
    }

    /// The next thing from the socket, with the rules of resending applied.
    async fn receive(&mut self) -> Result<Incoming, PeerError> {
        loop {
            self.flush().await?;
            let message = match self.retry {
                None => self.socket.next().await,
                Some((at, conv)) => tokio::select! {
                    message = self.socket.next() => message,
                    () = sleep_until(at) => {
                        self.retry = None;
                        if let Some(held) = self.held.get_mut(&conv) {
                            held.again();
                        }
                        self.push(conv)?;
                        continue;
                    }
                },
            };
            match message {
                Some(Ok(Message::Binary(frame))) => {
                    if let Some(record) = self.record(&frame)? {
                        return Ok(Incoming::Record(record));
                    }
                }
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).map_err(|e| PeerError::Protocol(format!("{e}: {text}")))?;
                    self.rules(&frame)?;
                    return Ok(Incoming::Frame(frame));
                }
                Some(Ok(Message::Close(frame))) => return Err(PeerError::Closed(frame.map(|f| f.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(broken(e)),
                None => return Err(PeerError::Closed(None)),
            }
        }
    }

    fn record(&mut self, frame: &Bytes) -> Result<Option<Record>, PeerError> {
        let conv = frame.get(16..).and_then(conversation_of);
        let conv = conv.ok_or_else(|| PeerError::Protocol("a binary frame is no record".into()))?;
        match self.apply(conv, frame)? {
            Some(Taken::Next(record)) => Ok(Some(record)),
            Some(Taken::Gap) => {
                let have = self.held.get(&conv).map_or(0, |h| h.have);
                let resume = ClientFrame::Resume { convs: vec![Have { id: conv, have }] };
                self.out.push_back(Message::text(json(&resume)?));
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn apply(&mut self, conv: ConvId, frame: &Bytes) -> Result<Option<Taken>, PeerError> {
        let Some(held) = self.held.get_mut(&conv) else { return Ok(None) };
        let reader = Reader { keys: &self.keys, directory: &self.target.directory, teams: teams_of(&self.who) };
        let taken = held.take(frame, &reader);
        self.push(conv)?;
        Ok(taken)
    }

    /// What protocol §4 says about errors that name an envelope.
    fn rules(&mut self, frame: &ServerFrame) -> Result<(), PeerError> {
        let ServerFrame::Error { code, conv: Some(conv), msg: Some(msg), retry_ms, .. } = frame else { return Ok(()) };
        let Some(held) = self.held.get_mut(conv).filter(|h| h.is_first(*msg)) else { return Ok(()) };
        match code {
            ErrorCode::Conflict => held.again(),
            ErrorCode::RateLimited | ErrorCode::Storage => {
                let pause = Duration::from_millis(retry_ms.unwrap_or(1000));
                self.retry = Some((Instant::now() + pause, *conv));
            }
            ErrorCode::EpochStale | ErrorCode::DirectoryStale => held.unseal(),
            _ => {
                held.refused(*msg);
            }
        }
        self.push(*conv)
    }

    /// Puts the conversation's next envelope into the line, if it is its turn.
    fn push(&mut self, conv: ConvId) -> Result<(), PeerError> {
        let Some(held) = self.held.get_mut(&conv) else { return Ok(()) };
        if let Some(bytes) = held.next_out(&self.keys, now_ms()) {
            self.out.push_back(Message::Binary(bytes.map_err(PeerError::Seal)?));
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), PeerError> {
        // the message leaves the line only when the socket has it, so that a dropped future loses nothing
        while let Some(message) = self.out.front().cloned() {
            self.socket.feed(message).await.map_err(broken)?;
            self.out.pop_front();
        }
        self.socket.flush().await.map_err(broken)
    }
}

fn teams_of(who: &Who) -> &[KemSecret] {
    match who {
        Who::Visitor(_) => &[],
        Who::Agent(teams) => teams,
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}
