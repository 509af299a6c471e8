//! A visitor and an agent who keep on writing whatever comes back, as pages do: refused messages are sent again under their ids
//! when the server said, a lost connection is made again, and what was not acknowledged on it is sent again.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    rc::Rc,
    time::Duration,
};

use kefu_client::{
    Endpoint, Reader, Writer, close_code,
    frame::{encode, opcode},
};
use kefu_crypto::{
    envelope::{self, MessageHeader},
    sign::{SigningKey, random},
};
use kefu_proto::{ClientFrame, ConvId, ErrorCode, Kid, MsgId, ServerFrame};
use tokio::{
    sync::Notify,
    task::{spawn_local, yield_now},
    time::sleep,
};

use super::{
    outgoing::{Outgoing, Seen},
    tally::{Tally, count},
};
use crate::{
    counters::add,
    error::LoadError,
    pair::{self, Opened, VISITOR},
    target::Target,
};

/// When a refusal does not say when to try again.
const RETRY_MS: u64 = 1_000;
/// A lost connection is made again after half of this to one and a half.
const COME_BACK_MS: u64 = 1_000;
/// A socket that takes this much at once gives others their turn first, bytes.
const LONG: usize = 8 << 10;

/// One of the two.
#[derive(Debug)]
pub(super) struct Client {
    pub key: SigningKey,
    kid: Kid,
    pub endpoint: Endpoint,
    pub outgoing: RefCell<Outgoing>,
    /// Frames that are written before messages.
    pub control: RefCell<Vec<u8>>,
    wake: Notify,
    /// The number of the last record.
    pub have: Cell<u64>,
}

/// The two and what they share.
#[derive(Debug)]
pub(super) struct Conversation {
    pub conv: ConvId,
    pub clients: [Client; 2],
    pub target: Rc<Target>,
    tally: Rc<Tally>,
}

impl Conversation {
    /// Opens one and lets the agent take it; from then on the two are there. Messages have so many bytes of text.
    pub async fn open(
        target: &Rc<Target>,
        agent: &SigningKey,
        tally: &Rc<Tally>,
        bytes: usize,
    ) -> Result<Rc<Self>, LoadError> {
        let Opened { conv, key, readers, writers, keys, have } = pair::begin(target, agent).await?;
        let body = pair::text_body(&"x".repeat(bytes));
        let client = |key_of: SigningKey, endpoint: Endpoint, have: u64| {
            let kid = key_of.kid();
            let header =
                MessageHeader { conv, epoch: 0, sender: kid, msg_id: MsgId(random()), inst: 0, ctr: 0, prev: [0; 16] };
            let sealed = envelope::seal(&header, &key, body.as_bytes(), &key_of);
            let sealed = sealed.map_err(|e| LoadError::Seal(e.to_string()))?;
            let (outgoing, have) = (RefCell::new(Outgoing::new(&sealed)), Cell::new(have));
            let (control, wake) = (RefCell::default(), Notify::new());
            Ok::<_, LoadError>(Client { key: key_of, kid, endpoint, outgoing, control, wake, have })
        };
        let ([visitor, agent], [had, held]) = (keys, have);
        let clients = [client(visitor, Endpoint::visitor(&target.site), had)?, client(agent, Endpoint::agent(), held)?];
        let this = Rc::new(Self { conv, clients, target: target.clone(), tally: tally.clone() });
        for (who, halves) in readers.into_iter().zip(writers).enumerate() {
            spawn_local(this.clone().live(who, halves));
        }
        Ok(this)
    }

    /// The next message of one of the two is due, or was at `due`, unless as many as `most` wait.
    pub fn due(&self, who: usize, due: u64, most: usize) {
        let client = &self.clients[who];
        self.tally.offer(due);
        if client.outgoing.borrow().len() >= most {
            return add(&self.tally.not_offered, 1);
        }
        client.outgoing.borrow_mut().push(due);
        client.wake.notify_one();
    }

    /// Messages of both that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.clients.iter().map(|client| client.outgoing.borrow().waiting()).sum()
    }

    /// Messages of both that are not done with.
    pub fn outstanding(&self) -> usize {
        self.clients.iter().map(|client| client.outgoing.borrow().len()).sum()
    }

    /// Messages that were acknowledged and never delivered, and those that were never acknowledged.
    pub fn missing(&self) -> (u64, u64) {
        let [(lost, never), (lost_too, never_too)] = self.clients.each_ref().map(|c| c.outgoing.borrow().missing());
        (lost + lost_too, never + never_too)
    }

    /// Asks for the end of the conversation.
    pub fn close(&self) {
        self.control(VISITOR, &ClientFrame::Close { req: 2, conv: self.conv, reason: None });
    }

    fn control(&self, who: usize, frame: &ClientFrame) {
        let text = serde_json::to_vec(frame).unwrap_or_default();
        self.write_first(who, &encode(opcode::TEXT, &text));
    }

    fn write_first(&self, who: usize, frame: &[u8]) {
        self.clients[who].control.borrow_mut().extend_from_slice(frame);
        self.clients[who].wake.notify_one();
    }

    /// Reads and writes for one of the two, over one connection after the other.
    async fn live(self: Rc<Self>, who: usize, mut halves: (Reader, Writer)) {
        loop {
            let (reader, writer) = &mut halves;
            let end = tokio::select! {
                end = self.listen(who, reader, false) => end,
                never = self.write(who, writer) => match never {},
            };
            drop(halves);
            if self.tally.over.get() {
                return;
            }
            count(&self.tally.closed, end);
            halves = loop {
                sleep(Duration::from_millis(COME_BACK_MS / 2 + u64::from(random::<1>()[0]) * COME_BACK_MS / 255)).await;
                match self.come_back(who).await {
                    _ if self.tally.over.get() => return,
                    Ok(halves) => break halves,
                    Err(end) => count(&self.tally.closed, end),
                }
            };
        }
    }

    async fn write(&self, who: usize, writer: &Writer) -> Infallible {
        let (client, mut buffer) = (&self.clients[who], Vec::new());
        loop {
            buffer.append(&mut client.control.borrow_mut());
            client.outgoing.borrow_mut().fill(&mut buffer, self.tally.window.get());
            if buffer.is_empty() {
                client.wake.notified().await;
            } else if writer.send(&buffer).await.is_err() {
                // why it ended is read
                std::future::pending::<()>().await;
            }
            if buffer.len() > LONG {
                yield_now().await;
            }
            buffer.clear();
        }
    }

    /// Reads until the connection ends, or a record is missing and that is not expected; says how it did.
    pub async fn listen(self: &Rc<Self>, who: usize, reader: &mut Reader, gaps: bool) -> String {
        loop {
            let mut end = None;
            let more = reader.read(|opcode, payload| match opcode {
                opcode::BINARY if !self.record(who, payload) && !gaps => end = Some("a record was missing".to_owned()),
                opcode::PING => self.write_first(who, &encode(opcode::PONG, payload)),
                opcode::TEXT if payload.starts_with(br#"{"t":"error""#) => self.refused(who, payload),
                opcode::CLOSE => end = Some(close_code(payload).map_or("none".to_owned(), |code| code.to_string())),
                _ => {}
            });
            let more = more.await;
            match (end, more) {
                (Some(end), _) => return end,
                (None, Ok(true)) => {}
                (None, Ok(false)) => return "none".to_owned(),
                (None, Err(e)) => return e.kind().to_string(),
            }
        }
    }

    /// A record came to one of the two. False: one before it is missing.
    pub fn record(&self, who: usize, frame: &[u8]) -> bool {
        let (client, tally) = (&self.clients[who], &*self.tally);
        let (Some(seq), Some(body)) = (frame.first_chunk(), frame.get(16..)) else { return false };
        let (seq, have) = (u64::from_be_bytes(*seq), client.have.get());
        // what came before is sent again to who resumes
        if seq != have + 1 {
            return seq <= have;
        }
        client.have.set(seq);
        if !body.starts_with(b"K1\x01") || body.len() < 64 {
            return true;
        }
        let from = if body[24..40] == client.kid.0 { who } else { 1 - who };
        let mut outgoing = self.clients[from].outgoing.borrow_mut();
        let seen = if from == who { outgoing.acknowledge(body) } else { outgoing.deliver(body) };
        match seen {
            Seen::First(_) if !outgoing.is_whole(body) => add(&tally.altered, 1),
            Seen::First(due) if from != who => tally.deliver(due),
            Seen::First(due) => {
                tally.acknowledge(due);
                if tally.closed_loop.get() {
                    outgoing.push(tally.now());
                }
                if tally.window.get() < usize::MAX {
                    client.wake.notify_one();
                }
            }
            Seen::Again => add(&tally.doubled, 1),
            Seen::Unknown => add(&tally.altered, 1),
        }
        true
    }

    /// Something was refused to one of the two.
    fn refused(self: &Rc<Self>, who: usize, payload: &[u8]) {
        let Ok(ServerFrame::Error { code, msg, retry_ms, .. }) = serde_json::from_slice(payload) else { return };
        count(&self.tally.refused, code.name());
        let client = &self.clients[who];
        let mut outgoing = client.outgoing.borrow_mut();
        let Some(number) = msg.and_then(|id| outgoing.number(&id.0)) else { return };
        let after = match code {
            ErrorCode::RateLimited | ErrorCode::Storage => retry_ms.unwrap_or(RETRY_MS),
            // one that was sent before it was refused, and its counter was passed meanwhile
            ErrorCode::Conflict | ErrorCode::Malformed => 0,
            _ => {
                add(&self.tally.dropped, 1);
                return outgoing.refuse(number, false);
            }
        };
        outgoing.refuse(number, true);
        let this = self.clone();
        spawn_local(async move {
            sleep(Duration::from_millis(after)).await;
            this.clients[who].outgoing.borrow_mut().resend(number);
            this.clients[who].wake.notify_one();
        });
    }
}
