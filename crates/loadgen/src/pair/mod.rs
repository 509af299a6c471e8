//! A visitor and an agent who write to each other, counted message by message.
//!
//! The envelopes are real ones, sealed beforehand; every record that comes back is compared with them byte by byte. Nothing
//! is allocated for a message while it is measured, but for what grows by doubling, and by long runs (see `sealing.rs`).

mod open;
mod peer;
mod window;

use std::rc::Rc;

use kefu_client::{
    Reader,
    frame::{self, opcode},
};
use kefu_crypto::{
    envelope::{self, EpochKey, MessageHeader},
    sign::random,
};
use kefu_proto::{ConvId, MsgId};

use crate::{
    counters::{Counters, add},
    error::LoadError,
};

pub(crate) use open::{Opened, answered, begin, send, text_body};
pub use open::{close, open};
pub use peer::Peer;

/// The visitor of a pair.
pub const VISITOR: usize = 0;
/// The agent of a pair.
pub const AGENT: usize = 1;

/// The two and what they share.
#[derive(Debug)]
pub struct Pair {
    conv: ConvId,
    key: EpochKey,
    /// What every message says.
    body: String,
    /// [`VISITOR`] and [`AGENT`].
    pub peers: [Peer; 2],
    counters: Rc<Counters>,
}

impl Pair {
    /// Seals the next envelopes of one of the two.
    pub fn seal_ahead(&self, who: usize, count: usize) -> Result<(), LoadError> {
        let peer = &self.peers[who];
        let mut window = peer.window.borrow_mut();
        for ctr in window.next()..window.next() + count {
            let header = MessageHeader {
                conv: self.conv,
                epoch: 0,
                sender: peer.kid,
                msg_id: MsgId(random()),
                inst: peer.inst,
                ctr: ctr as u32,
                prev: [0; 16],
            };
            let sealed = envelope::seal(&header, &self.key, self.body.as_bytes(), &peer.key);
            window.push(frame::encode(opcode::BINARY, &sealed.map_err(|e| LoadError::Seal(e.to_string()))?));
        }
        Ok(())
    }

    /// Envelopes of one of the two that are sealed and not to be sent yet.
    pub fn ready(&self, who: usize) -> usize {
        let peer = &self.peers[who];
        peer.window.borrow().next().saturating_sub(peer.wanted.get())
    }

    /// The next message of one of the two is due now, or was at `due`; it leaves when the one before is acknowledged.
    pub fn due(&self, who: usize, due: u64) {
        let peer = &self.peers[who];
        peer.window.borrow_mut().fall_due(due);
        peer.wanted.set(peer.wanted.get() + 1);
        self.send_next(who);
    }

    /// Messages of one of the two that are sent but not acknowledged or not delivered, and those that wait to be sent.
    pub fn outstanding(&self, who: usize) -> u64 {
        let (peer, other) = (&self.peers[who], &self.peers[1 - who]);
        (peer.wanted.get() - peer.acknowledged.get().min(other.received.get())) as u64
    }

    /// One envelope at a time, as the protocol has it.
    fn send_next(&self, who: usize) {
        let peer = &self.peers[who];
        let next = peer.sent.get();
        if next >= peer.wanted.get() || next > peer.acknowledged.get() {
            return;
        }
        if peer.window.borrow().next() <= next {
            add(&self.counters.sealed_late, 1);
            if let Err(e) = self.seal_ahead(who, 1) {
                return self.counters.fail(e.to_string());
            }
        }
        peer.sent.set(next + 1);
        // there is one: it was just looked at
        let sent = peer.window.borrow().frame(next).map_or(Ok(()), |frame| peer.writer.try_send(frame));
        if let Err(e) = sent {
            self.counters.fail(format!("could not send: {e}"));
        }
    }

    /// A record came to one of the two.
    fn record(&self, who: usize, frame: &[u8]) {
        let (peer, counters) = (&self.peers[who], &*self.counters);
        let (Some(seq), Some(body)) = (frame.first_chunk(), frame.get(16..)) else {
            return counters.fail("a binary frame is not a record");
        };
        let (seq, have) = (u64::from_be_bytes(*seq), peer.have.get());
        if seq <= have {
            return add(&counters.doubled, 1);
        }
        add(&counters.lost, seq - have - 1);
        peer.have.set(seq);
        if !body.starts_with(b"K1\x01") || body.len() < 64 {
            return;
        }
        let ctr = u32::from_be_bytes([body[60], body[61], body[62], body[63]]) as usize;
        let from = if body[24..40] == peer.kid.0 { who } else { 1 - who };
        let sender = &self.peers[from];
        let seen = if from == who { &peer.acknowledged } else { &peer.received };
        if ctr < seen.get() {
            return add(&counters.doubled, 1);
        }
        if sender.window.borrow().frame(ctr).is_none_or(|sealed| frame::payload(sealed) != body) {
            return add(&counters.lost, 1);
        }
        seen.set(ctr + 1);
        let due = sender.window.borrow().due(ctr).unwrap_or_default();
        // a message counts when the later of the two has come, and is forgotten then
        let done = sender.acknowledged.get().min(self.peers[1 - from].received.get());
        if done > ctr {
            add(&counters.messages, 1);
            sender.window.borrow_mut().forget(done);
        }
        if from == who {
            if counters.closed_loop && counters.running.get() {
                self.due(who, counters.now());
            } else {
                self.send_next(who);
            }
        } else if counters.measuring.get() {
            let _ = counters.delivery.borrow_mut().record(counters.now().saturating_sub(due) / 1000);
        }
    }

    /// Reads for one of the two until the socket ends.
    pub async fn listen(self: Rc<Self>, who: usize, mut reader: Reader) {
        loop {
            let more = reader.read(|opcode, payload| match opcode {
                opcode::BINARY => self.record(who, payload),
                opcode::PING => drop(self.peers[who].writer.try_send(&frame::encode(opcode::PONG, payload))),
                opcode::TEXT if payload.starts_with(br#"{"t":"error""#) => {
                    self.counters.fail(String::from_utf8_lossy(payload));
                }
                opcode::CLOSE => self.counters.fail("the server closed a socket"),
                _ => {}
            });
            match more.await {
                Ok(true) => {}
                Ok(false) => return self.counters.fail("a socket ended"),
                Err(e) => return self.counters.fail(e.to_string()),
            }
        }
    }
}

/// All who write: the visitors, then the agents.
pub(crate) fn senders(pairs: &[Rc<Pair>]) -> impl Iterator<Item = (&Rc<Pair>, usize)> {
    [VISITOR, AGENT].into_iter().flat_map(|who| pairs.iter().map(move |pair| (pair, who)))
}
