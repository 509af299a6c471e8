//! What reaches the feed: of a conversation that is followed every commit, in order and once, whoever made it; of others the
//! commits of this server.
//!
//! Two ways lead here, this server's own batches and what other servers publish, and neither waits for the other. What comes too
//! early waits a moment for what is missing, which is then read; what is known already is dropped.

use std::{collections::HashMap, mem::take};

use kefu_proto::{ConvId, MsgId};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{
    event::{Caller, Event, Own},
    followed::{Batch, Followed, Next, Snapshot},
};
use crate::{Outcome, Reply, StoreError, Written};

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Item {
    Committed(Box<Event>),
    /// Found to be there: told if the feed has not told it.
    Heard(Box<Event>),
    /// For a connection only.
    Told(Outcome),
    /// For a caller only.
    Answer(Caller, Result<Written, StoreError>),
    /// Nobody is told.
    Nothing,
}

#[derive(Debug, Default)]
struct State {
    /// None once closed.
    sender: Option<mpsc::UnboundedSender<Vec<Outcome>>>,
    convs: HashMap<ConvId, Followed>,
}

/// The sending end of the feed.
#[derive(Debug)]
pub(super) struct Out(Mutex<State>);

impl Batch {
    fn send(self, state: &State) {
        if let Some(sender) = state.sender.as_ref().filter(|_| !self.outcomes.is_empty()) {
            // the receiver may be gone, which is no error
            drop(sender.send(self.outcomes));
        }
        self.waiting.into_iter().for_each(Own::answer);
        for (tx, answer) in self.answers {
            drop(tx.send(answer));
        }
    }
}

impl Out {
    pub fn new(sender: mpsc::UnboundedSender<Vec<Outcome>>) -> Self {
        Self(Mutex::new(State { sender: Some(sender), convs: HashMap::new() }))
    }

    /// What became of a group. Returns conversations of which something is missing.
    pub fn publish(&self, items: Vec<Item>) -> Vec<(ConvId, Next)> {
        let mut state = self.0.lock();
        let (mut out, mut missing) = (Batch::default(), Vec::new());
        for item in items {
            match item {
                Item::Committed(event) | Item::Heard(event) => missing.extend(state.offer(*event, &mut out)),
                Item::Told(outcome) => out.outcomes.push(outcome),
                Item::Answer(tx, answer) => out.answers.push((tx, answer)),
                Item::Nothing => {}
            }
        }
        out.send(&state);
        missing
    }

    /// What another server did.
    pub fn heard(&self, event: Event) -> Option<(ConvId, Next)> {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        let missing = state.offer(event, &mut out);
        out.send(&state);
        missing
    }

    /// Something that is about no commit.
    pub fn tell(&self, outcome: Outcome) {
        let state = self.0.lock();
        Batch { outcomes: vec![outcome], ..Batch::default() }.send(&state);
    }

    /// What the feed has told of a conversation, for those who write to it: last record and revision.
    pub fn known(&self, conv: ConvId) -> Option<(u64, u32)> {
        self.0.lock().convs.get(&conv).filter(|followed| followed.begun).map(|followed| (followed.last, followed.rev))
    }

    /// Begins to follow: from now on its commits wait until [`Out::begin`].
    pub fn follow(&self, conv: ConvId) {
        self.0.lock().convs.entry(conv).or_default();
    }

    /// What is followed began so. Everything from here on reaches the feed.
    pub fn begin(&self, conv: ConvId, now: &Snapshot) -> Option<(ConvId, Next)> {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        let followed = state.convs.entry(conv).or_default();
        if !followed.begun {
            followed.begun = true;
            followed.reset(now);
            // own batches before that moment are news here all the same
            for event in take(&mut followed.waiting) {
                if event.own.is_some() && event.last() <= now.last && event.revs.1 <= now.rev {
                    out.commit(event);
                } else {
                    followed.waiting.push(event);
                }
            }
        }
        let next = followed.drain(&mut out);
        out.send(&state);
        next.map(|next| (conv, next))
    }

    /// Ends following. What waits goes out as it is.
    pub fn unfollow(&self, conv: ConvId) {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        if let Some(followed) = state.convs.remove(&conv) {
            followed.waiting.into_iter().filter(|event| event.own.is_some()).for_each(|event| out.commit(event));
        }
        out.send(&state);
    }

    /// Conversations that are followed and fulfil a condition.
    pub fn followed(&self, which: impl Fn(ConvId) -> bool) -> Vec<ConvId> {
        self.0.lock().convs.keys().copied().filter(|conv| which(*conv)).collect()
    }

    /// Where a conversation stands, if it is followed: last record, revision, generation.
    pub fn standing(&self, conv: ConvId) -> Option<(u64, u32, u64)> {
        let state = self.0.lock();
        let followed = state.convs.get(&conv).filter(|followed| followed.begun)?;
        Some((followed.last, followed.rev, followed.generation))
    }

    /// Whether the caller shall read what is missing: not if somebody else does.
    pub fn claim(&self, conv: ConvId) -> bool {
        let mut state = self.0.lock();
        let followed = state.convs.get_mut(&conv).filter(|followed| followed.begun && !followed.filling);
        followed.map(|followed| followed.filling = true).is_some()
    }

    /// A conversation was read from `after` on (from that record itself, if there is one). Returns from where it must be read
    /// again.
    pub fn absorb(&self, conv: ConvId, after: u64, now: &Snapshot) -> Next {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        let Some(followed) = state.convs.get_mut(&conv) else { return Next::Nothing };
        followed.filling = false;
        // while it was read, more has come the other way
        if followed.last == after {
            followed.absorb(conv, now, &mut out);
        }
        let part = !followed.waiting.is_empty();
        let mut next = followed.drain(&mut out).unwrap_or(Next::Nothing);
        if next == Next::Nothing && !part && (followed.last < now.last || followed.generation != now.generation) {
            next = Next::Read;
        }
        out.send(&state);
        next
    }

    /// What is missing does not come: what waits for it goes out as it is.
    pub fn abandon(&self, conv: ConvId) {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        if let Some(followed) = state.convs.get_mut(&conv) {
            followed.filling = false;
            let waiting = take(&mut followed.waiting);
            waiting.into_iter().filter(|event| event.own.is_some()).for_each(|event| out.commit(event));
        }
        out.send(&state);
    }

    /// Whether what is missing must be read still. If not, whoever was to do that need not any more.
    pub fn must_read(&self, conv: ConvId, next: Next) -> bool {
        let mut state = self.0.lock();
        let Some(followed) = state.convs.get_mut(&conv) else { return false };
        let must = !followed.waiting.is_empty()
            || match next {
                Next::Nothing | Next::Wait => false,
                Next::Read => true,
                Next::Reach(last, rev) => followed.last < last || followed.rev < rev || (last, rev) == (0, 0),
            };
        followed.filling = must;
        must
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.0.lock().sender.is_none()
    }

    /// Ends the feed. What waits goes out as it is.
    pub fn close(&self) {
        let mut state = self.0.lock();
        let mut out = Batch::default();
        for (_, followed) in state.convs.drain() {
            followed.waiting.into_iter().filter(|event| event.own.is_some()).for_each(|event| out.commit(event));
        }
        out.send(&state);
        state.sender = None;
    }
}

impl State {
    fn offer(&mut self, event: Event, out: &mut Batch) -> Option<(ConvId, Next)> {
        let conv = event.conv;
        let Some(followed) = self.convs.get_mut(&conv) else {
            if event.own.is_some() {
                out.commit(event);
            }
            return None;
        };
        followed.waiting.push(event);
        followed.drain(out).map(|next| (conv, next))
    }
}

/// What is told of a batch that was not written.
pub(super) fn not_written(reply: Reply, conv: Option<ConvId>, id: Option<MsgId>, error: StoreError) -> Item {
    match reply {
        Reply::Feed(origin) => Item::Told(Outcome::Refused { origin, conv, id, error }),
        Reply::Wait(tx) => Item::Answer(tx, Err(error)),
    }
}
