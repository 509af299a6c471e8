//! What one sender has to send: messages that fell due, sent or not, until they are acknowledged and delivered. They are
//! made when they are written, so that a message that waits needs no more than its time.

use std::collections::VecDeque;

use kefu_client::frame::{self, opcode};
use kefu_crypto::sign::random;

/// Where an envelope has its message id, and after that the run of its counter and the counter.
const ID: usize = 40;
/// Where what is sealed begins, after the counters and the hash of the message before.
const SEALED: usize = 80;
/// Bytes that are written at once.
const AT_ONCE: usize = 16 << 10;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// To be sent, at once or when the server said.
    #[default]
    Waiting,
    /// On its way, on this connection.
    Sent,
    Acknowledged,
    /// Refused, and never sent again.
    Dropped,
}

#[derive(Debug, Clone, Copy, Default)]
struct Message {
    /// When it was to be sent, ns.
    due: u64,
    state: State,
    delivered: bool,
    /// Refused once: it has a counter of its own from then on.
    recounted: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The first time; when it was to be sent, ns.
    First(u64),
    /// It came before, under another number.
    Again,
    /// It is none of these messages.
    Unknown,
}

/// Messages of one sender.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// A frame with an envelope; what distinguishes the messages is written into it.
    template: Box<[u8]>,
    /// The beginning of all its message ids.
    tag: [u8; 8],
    /// The run of its counter.
    inst: [u8; 4],
    /// Number of the first of `messages`.
    first: u64,
    messages: VecDeque<Message>,
    /// Number of the next that was not sent on this connection.
    next: u64,
    /// Refused ones that are to be sent now.
    again: VecDeque<u64>,
    /// Those on their way.
    pub in_flight: usize,
}

impl Outgoing {
    /// For a sender whose messages look like this envelope.
    pub fn new(envelope: &[u8]) -> Self {
        let (first, next, messages, again, in_flight) = Default::default();
        let template = frame::encode(opcode::BINARY, envelope);
        Self { template, tag: random(), inst: random(), first, messages, next, again, in_flight }
    }

    /// Number of messages that are not done with.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Number of those that wait to be sent.
    pub fn waiting(&self) -> usize {
        (self.first + self.messages.len() as u64 - self.next) as usize + self.again.len()
    }

    /// The next message falls due.
    pub fn push(&mut self, due: u64) {
        self.messages.push_back(Message { due, ..Message::default() });
    }

    /// Frames to write now, while at most `window` are on their way.
    pub fn fill(&mut self, out: &mut Vec<u8>, window: usize) {
        while out.len() < AT_ONCE && self.in_flight < window {
            let number = match self.again.pop_front() {
                Some(number) => number,
                None if self.next < self.first + self.messages.len() as u64 => {
                    self.next += 1;
                    self.next - 1
                }
                None => return,
            };
            let (inst, tag) = (self.inst, self.tag);
            let Some(message) = self.get(number).filter(|m| m.state == State::Waiting) else { continue };
            message.state = State::Sent;
            let recounted = message.recounted;
            self.in_flight += 1;
            let at = out.len() + self.template.len() - frame::payload(&self.template).len() + ID;
            out.extend_from_slice(&self.template);
            let (inst, ctr) = if recounted { (random(), 0) } else { (inst, number as u32) };
            for (from, bytes) in [(0, &tag[..]), (8, &number.to_be_bytes()), (16, &inst), (20, &ctr.to_be_bytes())] {
                out[at + from..at + from + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// On a new connection, whatever is not acknowledged is sent again.
    pub fn begin_again(&mut self) {
        self.messages.iter_mut().filter(|m| m.state == State::Sent).for_each(|m| m.state = State::Waiting);
        (self.next, self.in_flight) = (self.first, 0);
        self.again.clear();
    }

    /// Number of the message with this id, if it is one of these.
    pub fn number(&self, id: &[u8]) -> Option<u64> {
        let (tag, number) = id.split_first_chunk::<8>()?;
        (*tag == self.tag).then_some(u64::from_be_bytes(*number.first_chunk()?))
    }

    /// Whether an envelope is unchanged.
    pub fn is_whole(&self, envelope: &[u8]) -> bool {
        let own = frame::payload(&self.template);
        own.get(..ID) == envelope.get(..ID) && own.get(SEALED..) == envelope.get(SEALED..)
    }

    /// The sender's own record came.
    pub fn acknowledge(&mut self, envelope: &[u8]) -> Seen {
        let mut landed = false;
        let seen = self.see(envelope, |m| {
            let before = std::mem::replace(&mut m.state, State::Acknowledged);
            landed = before == State::Sent;
            before == State::Acknowledged
        });
        self.in_flight -= usize::from(landed);
        seen
    }

    /// The other side's record came.
    pub fn deliver(&mut self, envelope: &[u8]) -> Seen {
        self.see(envelope, |m| std::mem::replace(&mut m.delivered, true))
    }

    /// `mark` notes it, and says whether it was noted before.
    fn see(&mut self, envelope: &[u8], mark: impl FnOnce(&mut Message) -> bool) -> Seen {
        let Some(number) = envelope.get(ID..).and_then(|id| self.number(id)) else { return Seen::Unknown };
        if number < self.first {
            return Seen::Again;
        }
        let Some(message) = self.get(number) else { return Seen::Unknown };
        let (again, due) = (mark(message), message.due);
        self.forget();
        if again { Seen::Again } else { Seen::First(due) }
    }

    /// A message was refused. `later`: it may be sent again.
    pub fn refuse(&mut self, number: u64, later: bool) {
        // an earlier copy of it may have been stored
        let Some(message) = self.get(number).filter(|m| m.state != State::Acknowledged) else { return };
        message.recounted = true;
        let before = std::mem::replace(&mut message.state, if later { State::Waiting } else { State::Dropped });
        self.in_flight -= usize::from(before == State::Sent);
        self.forget();
    }

    /// A refused message is to be sent now.
    pub fn resend(&mut self, number: u64) {
        self.again.push_back(number);
    }

    fn get(&mut self, number: u64) -> Option<&mut Message> {
        self.messages.get_mut(number.checked_sub(self.first)? as usize)
    }

    /// Those that are done with.
    fn forget(&mut self) {
        let done = |m: &Message| m.state == State::Dropped || (m.state == State::Acknowledged && m.delivered);
        while self.messages.front().is_some_and(done) {
            self.messages.pop_front();
            self.first += 1;
            self.next = self.next.max(self.first);
        }
    }

    /// Messages that were acknowledged and never delivered, and those that were never acknowledged.
    pub fn missing(&self) -> (u64, u64) {
        let count = |f: fn(&Message) -> bool| self.messages.iter().filter(|m| f(m)).count() as u64;
        let never = count(|m| matches!(m.state, State::Waiting | State::Sent));
        (count(|m| m.state == State::Acknowledged && !m.delivered), never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(messages: u64) -> Outgoing {
        let mut outgoing = Outgoing::new(&[7; 200]);
        (0..messages).for_each(|due| outgoing.push(due));
        outgoing
    }

    fn sent(outgoing: &mut Outgoing, window: usize) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        outgoing.fill(&mut out, window);
        out.chunks(outgoing.template.len()).map(|frame| frame::payload(frame).to_vec()).collect()
    }

    fn ctr(envelope: &[u8]) -> u32 {
        u32::from_be_bytes(*envelope[60..].first_chunk().unwrap())
    }

    #[test]
    fn messages_are_done_with_when_both_have_them() {
        let mut outgoing = outgoing(3);
        let envelopes = sent(&mut outgoing, 2);
        assert_eq!((envelopes.len(), outgoing.in_flight, outgoing.waiting()), (2, 2, 1));
        assert!(outgoing.is_whole(&envelopes[1]) && !outgoing.is_whole(&[8; 200]));
        assert_eq!(outgoing.acknowledge(&envelopes[1]), Seen::First(1));
        assert_eq!(outgoing.deliver(&envelopes[1]), Seen::First(1));
        assert_eq!(outgoing.deliver(&envelopes[0]), Seen::First(0));
        assert_eq!((outgoing.missing(), outgoing.in_flight, outgoing.len()), ((0, 2), 1, 3));
        assert_eq!(outgoing.acknowledge(&envelopes[0]), Seen::First(0));
        assert_eq!((outgoing.missing(), outgoing.in_flight, outgoing.len()), ((0, 1), 0, 1));
        assert_eq!(outgoing.deliver(&envelopes[0]), Seen::Again);
        assert_eq!(outgoing.deliver(&[7; 200]), Seen::Unknown);
    }

    #[test]
    fn what_is_refused_or_cut_off_is_sent_again_under_its_id() {
        let mut outgoing = outgoing(3);
        let envelopes = sent(&mut outgoing, usize::MAX);
        outgoing.acknowledge(&envelopes[1]);
        outgoing.refuse(0, true);
        assert!(sent(&mut outgoing, usize::MAX).is_empty(), "not before it may");
        outgoing.resend(0);
        let again = sent(&mut outgoing, usize::MAX);
        assert_eq!((again.len(), &again[0][..56]), (1, &envelopes[0][..56]));
        assert_ne!(again[0][56..60], envelopes[0][56..60], "a counter is used once");
        outgoing.begin_again();
        let again = sent(&mut outgoing, usize::MAX);
        assert_eq!(
            again.iter().map(|e| &e[40..56]).collect::<Vec<_>>(),
            [&envelopes[0][40..56], &envelopes[2][40..56]]
        );
        assert_eq!((ctr(&again[0]), ctr(&again[1]), outgoing.in_flight), (0, 2, 2));
        outgoing.refuse(2, false);
        assert_eq!((outgoing.missing(), outgoing.in_flight), ((1, 1), 1));
    }
}
