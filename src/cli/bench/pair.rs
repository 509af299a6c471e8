//! A visitor and an agent who write to each other, counted message by message.
//!
//! The envelopes are real ones, sealed beforehand; every record that comes back is compared with them byte by byte.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use super::{
    dial::Out,
    terms::{PeerError, Target, Who},
    wire::{self, In, op},
};
use crate::{
    client::Opening,
    crypto::{
        envelope::{self, EpochKey, MessageHeader},
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{ClientFrame, ConvId, Have, Kid, MsgId, ServerFrame, SiteId},
};

/// Bytes of a frame before an envelope of this size: opcode, length of two bytes, mask.
const FRAME_HEADER: usize = 8;

/// Records of a conversation before its first message.
const OPENING_RECORDS: u64 = 3;

/// How long conversations may take to close.
const GOODBYE: Duration = Duration::from_secs(5);

/// Counts of the whole run.
#[derive(Debug)]
pub struct Tally {
    /// When it began; all times are nanoseconds since.
    pub clock: Instant,
    /// Senders go on by themselves when their record came.
    pub closed_loop: bool,
    /// Senders may send.
    pub running: Cell<bool>,
    /// Latencies count now.
    pub measuring: Cell<bool>,
    /// From the (intended) time of sending to the other side's socket, µs.
    pub delivery: RefCell<Histogram<u64>>,
    /// Acknowledged to the sender and delivered to the other side.
    pub messages: Cell<u64>,
    /// Records that never came, though later ones did, or that came altered.
    pub lost: Cell<u64>,
    /// Records that came twice.
    pub doubled: Cell<u64>,
    /// Envelopes that had to be sealed during the run.
    pub sealed_late: Cell<u64>,
    /// Errors, closed sockets, frames that could not be sent.
    pub trouble: RefCell<Vec<String>>,
}

impl Tally {
    /// Nothing happened yet.
    pub fn new(closed_loop: bool) -> anyhow::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            clock: Instant::now(),
            closed_loop,
            running: Cell::new(false),
            measuring: Cell::new(false),
            delivery: RefCell::new(Histogram::new(3)?),
            messages: Cell::default(),
            lost: Cell::default(),
            doubled: Cell::default(),
            sealed_late: Cell::default(),
            trouble: RefCell::default(),
        }))
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    fn trouble(&self, what: impl Into<String>) {
        self.running.set(false);
        self.trouble.borrow_mut().push(what.into());
    }
}

fn add(cell: &Cell<u64>, n: u64) {
    cell.set(cell.get() + n);
}

/// One of the two: what it sends and what came to it.
#[derive(Debug)]
pub struct Party {
    out: Out,
    key: SigningKey,
    kid: Kid,
    inst: u32,
    ready: RefCell<Vec<Box<[u8]>>>,
    /// When each message was to be sent.
    due: RefCell<Vec<u64>>,
    sent: Cell<usize>,
    acked: Cell<usize>,
    /// Of the other's messages.
    got: Cell<usize>,
    /// Messages whose time came, sent or not.
    wanted: Cell<usize>,
    have: Cell<u64>,
}

/// The two and what they share.
#[derive(Debug)]
pub struct Pair {
    conv: ConvId,
    key: EpochKey,
    /// The visitor, then the agent.
    pub parties: [Party; 2],
    tally: Rc<Tally>,
}

impl Party {
    fn new(out: Out, key: SigningKey, have: u64) -> Self {
        let (kid, inst) = (key.kid(), u32::from_be_bytes(random()));
        let (ready, due, sent, acked, got, wanted) = Default::default();
        Self { out, key, kid, inst, ready, due, sent, acked, got, wanted, have: Cell::new(have) }
    }
}

/// Opens a conversation and lets the agent take it.
pub async fn open(
    target: &Target,
    site: &SiteId,
    agent: &SigningKey,
    tally: &Rc<Tally>,
) -> Result<(Rc<Pair>, [In; 2]), PeerError> {
    let visitor = SigningKey::generate();
    // nobody opens a box here: both sides write with the key that the opening made
    let opening = Opening::new(&target.directory, site, &visitor, KemSecret::generate().public())
        .map_err(|e| PeerError::Seal(e.to_string()))?;
    let conv = opening.conv;
    let (v_out, mut v_in, _) = wire::connect(target, &Who::Visitor(site.clone()), &visitor, 0).await?;
    let have = Cell::new(0);
    let count = |payload: &[u8]| have.set(payload.first_chunk().map_or(0, |s| u64::from_be_bytes(*s)));
    send(&v_out, &wire::text(&opening.frame(1))?)?;
    v_in.wait(count, answered).await?;
    // agents see no conversation before its first message
    send(&v_out, &greeting(&opening, &visitor)?)?;
    let spoke = |frame| match frame {
        ServerFrame::Conv { conv } if conv.last > OPENING_RECORDS => Some(Ok(())),
        ServerFrame::Error { code, text, .. } => Some(Err(PeerError::Refused { code, text })),
        _ => None,
    };
    v_in.wait(count, spoke).await?;
    let (a_out, mut a_in, _) = wire::connect(target, &Who::Agent, agent, 0).await?;
    send(&a_out, &wire::text(&ClientFrame::Take { req: 1, conv })?)?;
    a_in.wait(|_| (), answered).await?;
    send(&a_out, &wire::text(&ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] })?)?;
    let synced = |frame| match frame {
        ServerFrame::Synced { last, .. } => Some(Ok(last)),
        _ => None,
    };
    let last = a_in.wait(|_| (), synced).await?;
    let parties = [Party::new(v_out, visitor, have.get()), Party::new(a_out, agent.clone(), last)];
    Ok((Rc::new(Pair { conv, key: opening.key, parties, tally: tally.clone() }), [v_in, a_in]))
}

/// The visitor's first message, of a run of its own: the counted ones begin with 0.
fn greeting(opening: &Opening, visitor: &SigningKey) -> Result<Vec<u8>, PeerError> {
    let header = MessageHeader {
        conv: opening.conv,
        epoch: 0,
        sender: visitor.kid(),
        msg_id: MsgId(random()),
        inst: u32::from_be_bytes(random()),
        ctr: 0,
        prev: [0; 16],
    };
    let sealed = envelope::seal(&header, &opening.key, br#"{"t":"form","ts":0,"fields":{}}"#, visitor);
    Ok(wire::frame(op::BINARY, &sealed.map_err(|e| PeerError::Seal(e.to_string()))?).into())
}

fn send(out: &Out, frame: &[u8]) -> Result<(), PeerError> {
    out.send(frame).map_err(|e| PeerError::Socket(e.to_string()))
}

fn answered(frame: ServerFrame) -> Option<Result<(), PeerError>> {
    match frame {
        ServerFrame::Ok { .. } => Some(Ok(())),
        ServerFrame::Error { code, text, .. } => Some(Err(PeerError::Refused { code, text })),
        _ => None,
    }
}

/// Ends the conversations, so that a server that goes on is left as it was found; waits until they are closed.
pub async fn close(pairs: &[Rc<Pair>]) {
    let ends: Vec<u64> = pairs.iter().map(|pair| pair.parties[0].have.get()).collect();
    for pair in pairs {
        if let Ok(frame) = wire::text(&ClientFrame::Close { req: 2, conv: pair.conv }) {
            let _ = pair.parties[0].out.send(&frame);
        }
    }
    let closed = || pairs.iter().zip(&ends).all(|(pair, end)| pair.parties[0].have.get() > *end);
    let until = Instant::now() + GOODBYE;
    while !closed() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Pair {
    /// Seals the next envelopes of a party.
    pub fn prepare(&self, who: usize, count: usize, text: &str) -> Result<(), PeerError> {
        let party = &self.parties[who];
        let body = serde_json::json!({ "t": "text", "ts": 0, "text": text }).to_string();
        let mut ready = party.ready.borrow_mut();
        for ctr in ready.len()..ready.len() + count {
            let header = MessageHeader {
                conv: self.conv,
                epoch: 0,
                sender: party.kid,
                msg_id: MsgId(random()),
                inst: party.inst,
                ctr: ctr as u32,
                prev: [0; 16],
            };
            let sealed = envelope::seal(&header, &self.key, body.as_bytes(), &party.key);
            ready.push(wire::frame(op::BINARY, &sealed.map_err(|e| PeerError::Seal(e.to_string()))?));
        }
        Ok(())
    }

    /// A party's next message is due now, or was at `due`; it leaves when the one before is acknowledged.
    pub fn due(&self, who: usize, due: u64) {
        let party = &self.parties[who];
        party.due.borrow_mut().push(due);
        party.wanted.set(party.wanted.get() + 1);
        self.go(who);
    }

    /// Messages of a party that are sent but not acknowledged or not delivered, and those that wait to be sent.
    pub fn open_ends(&self, who: usize) -> u64 {
        let (party, other) = (&self.parties[who], &self.parties[1 - who]);
        (party.wanted.get() - party.acked.get().min(other.got.get())) as u64
    }

    /// One envelope at a time, as the protocol has it.
    fn go(&self, who: usize) {
        let party = &self.parties[who];
        let next = party.sent.get();
        if next >= party.wanted.get() || next > party.acked.get() {
            return;
        }
        if party.ready.borrow().len() <= next {
            add(&self.tally.sealed_late, 1);
            if let Err(e) = self.prepare(who, 1, &"x".repeat(200)) {
                return self.tally.trouble(e.to_string());
            }
        }
        party.sent.set(next + 1);
        if let Err(e) = party.out.send(&party.ready.borrow()[next]) {
            self.tally.trouble(format!("could not send: {e}"));
        }
    }

    /// A record came to a party.
    fn record(&self, who: usize, frame: &[u8]) {
        let (party, tally) = (&self.parties[who], &*self.tally);
        let (Some(seq), Some(body)) = (frame.first_chunk(), frame.get(16..)) else {
            return tally.trouble("a binary frame is no record");
        };
        let (seq, have) = (u64::from_be_bytes(*seq), party.have.get());
        if seq <= have {
            return add(&tally.doubled, 1);
        }
        add(&tally.lost, seq - have - 1);
        party.have.set(seq);
        if !body.starts_with(b"K1\x01") || body.len() < 64 {
            return;
        }
        let ctr = u32::from_be_bytes([body[60], body[61], body[62], body[63]]) as usize;
        let from = if body[24..40] == party.kid.0 { who } else { 1 - who };
        let sender = &self.parties[from];
        if sender.ready.borrow().get(ctr).is_none_or(|f| f[FRAME_HEADER..] != *body) {
            return add(&tally.lost, 1);
        }
        let seen = if from == who { &party.acked } else { &party.got };
        if ctr < seen.get() {
            return add(&tally.doubled, 1);
        }
        seen.set(ctr + 1);
        // a message counts when the later of the two has come
        if sender.acked.get().min(self.parties[1 - from].got.get()) > ctr {
            add(&tally.messages, 1);
        }
        if from == who {
            if tally.closed_loop && tally.running.get() {
                self.due(who, tally.now());
            } else {
                self.go(who);
            }
        } else if tally.measuring.get() {
            let due = sender.due.borrow().get(ctr).copied().unwrap_or_default();
            let _ = tally.delivery.borrow_mut().record(tally.now().saturating_sub(due) / 1000);
        }
    }

    /// Reads for a party until the socket ends.
    pub async fn listen(self: Rc<Self>, who: usize, mut input: In) {
        loop {
            let more = input.read(|op, payload| match op {
                op::BINARY => self.record(who, payload),
                op::PING => drop(self.parties[who].out.send(&wire::frame(op::PONG, payload))),
                op::TEXT if payload.starts_with(br#"{"t":"error""#) => {
                    self.tally.trouble(String::from_utf8_lossy(payload));
                }
                op::CLOSE => self.tally.trouble("the server closed a socket"),
                _ => {}
            });
            match more.await {
                Ok(true) => {}
                Ok(false) => return self.tally.trouble("a socket ended"),
                Err(e) => return self.tally.trouble(e.to_string()),
            }
        }
    }
}
