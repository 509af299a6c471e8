//! A client that follows the rules of the protocol, whatever happens to its sockets: connect, resume, resend unchanged
//! until the record comes or an error names it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use kefu::proto::{ClientFrame, ConvId, ConvState, ErrorCode, MsgId, Owner, ServerFrame};
use tokio::time::timeout;

use super::Stage;
use crate::support::{
    company::{self, Company},
    dice::Dice,
    history::{Outcome, Sent},
    peer::{Me, Peer},
    view::View,
    wire::Gone,
};

/// A server that is silent for this long counts as dead.
const SILENCE: Duration = Duration::from_millis(1_500);

/// What a writer knows at the end.
pub struct Ledger {
    pub me: Me,
    pub views: BTreeMap<ConvId, View>,
    /// In the order of sending.
    pub sent: Vec<Sent>,
}

/// A client that writes until it is stopped.
pub struct Writer {
    ledger: Ledger,
    /// Indices into `sent`: at most one a conversation.
    pending: BTreeMap<ConvId, usize>,
    /// Up to where each view was searched for what is pending there.
    searched: BTreeMap<ConvId, usize>,
    company: Arc<Company>,
    addr: SocketAddr,
    stage: Arc<Stage>,
    dice: Dice,
    /// A visitor's opening, the same until it is acknowledged.
    opening: Option<(ConvId, ClientFrame)>,
    opened: bool,
}

impl Writer {
    pub fn new(me: Me, company: Arc<Company>, addr: SocketAddr, stage: Arc<Stage>, dice: Dice) -> Self {
        let ledger = Ledger { me, views: BTreeMap::new(), sent: Vec::new() };
        let (pending, searched) = (BTreeMap::new(), BTreeMap::new());
        Self { ledger, pending, searched, company, addr, stage, dice, opening: None, opened: false }
    }

    /// Writes until the end is announced and nothing is pending.
    pub async fn run(mut self) -> Ledger {
        let mut starts = self.stage.starts.subscribe();
        loop {
            self.stage.connects.fetch_add(1, Ordering::Relaxed);
            self.waits("a socket");
            let connecting = Peer::try_connect(&self.company, self.addr, &self.ledger.me);
            if let Ok(Ok(mut peer)) = timeout(SILENCE, connecting).await {
                peer.views = std::mem::take(&mut self.ledger.views);
                let done = self.session(&mut peer).await;
                self.ledger.views = std::mem::take(&mut peer.views);
                if done.is_ok() {
                    return self.ledger;
                }
            }
            // most likely the server is down; the wait only keeps this from being a busy loop
            let _ = timeout(Duration::from_millis(20), starts.changed()).await;
        }
    }

    /// One socket's life. `Ok`: everything is done.
    async fn session(&mut self, peer: &mut Peer) -> Result<(), Gone> {
        let mut following = BTreeSet::new();
        // a client may resend before it knows what it missed
        if self.dice.roll(2) == 0 {
            for i in self.pending.values() {
                within(peer.wire.send_envelope(self.ledger.sent[*i].envelope.clone())).await?;
            }
        }
        if let Some(conv) = self.open(peer).await? {
            self.follow(peer, conv, &mut following).await?;
        }
        let known: Vec<ConvId> = peer.views.keys().copied().chain(peer.greeted.iter().map(|c| c.id)).collect();
        for conv in known {
            self.follow(peer, conv, &mut following).await?;
        }
        let mut pinged = false;
        loop {
            self.hear(peer, &mut following).await?;
            if *self.stage.ending.borrow() && self.pending.is_empty() && self.last_words(peer).await? {
                return Ok(());
            }
            self.write(peer, &following).await?;
            self.waits("a record or an error, on a socket that follows");
            match timeout(SILENCE / 2, peer.wire.next_quiet()).await {
                Ok(got) => {
                    pinged = false;
                    peer.take(got?).await?;
                }
                Err(_) if pinged => return Err(Gone(None)),
                Err(_) => {
                    pinged = true;
                    within(peer.wire.send(&ClientFrame::Ping {})).await?;
                }
            }
        }
    }

    /// A visitor opens their conversation, or asks again whether they did.
    async fn open(&mut self, peer: &mut Peer) -> Result<Option<ConvId>, Gone> {
        if self.ledger.me.user.is_some() {
            return Ok(None);
        }
        let (conv, frame) = self
            .opening
            .get_or_insert_with(|| {
                let (conv, frame) = peer.opening();
                (conv, frame(1))
            })
            .clone();
        if !self.opened {
            match within(peer.try_ask(|_| frame)).await? {
                Ok(()) => self.opened = true,
                // it is tried again on the next socket
                Err((ErrorCode::Storage, _)) => return Err(Gone(None)),
                Err(other) => panic!("an opening is refused for no reason: {other:?}"),
            }
        }
        Ok(Some(conv))
    }

    /// Follows, and sends again what was not acknowledged before.
    async fn follow(&mut self, peer: &mut Peer, conv: ConvId, following: &mut BTreeSet<ConvId>) -> Result<(), Gone> {
        if !following.insert(conv) {
            return Ok(());
        }
        self.waits("being told that it follows");
        within(peer.try_follow(conv)).await?;
        self.settle(peer, conv);
        match self.pending.get(&conv) {
            Some(i) => within(peer.wire.send_envelope(self.ledger.sent[*i].envelope.clone())).await,
            None => Ok(()),
        }
    }

    /// Looks whether the pending message of a conversation came back as a record.
    fn settle(&mut self, peer: &mut Peer, conv: ConvId) {
        let Some(message) = self.pending.get(&conv).map(|i| &mut self.ledger.sent[*i]) else { return };
        // others may have said a lot meanwhile
        let (said, from) = (&peer.view(conv).said, self.searched.entry(conv).or_default());
        let found = said[*from..].iter().find(|s| s.msg == message.id);
        *from = said.len();
        if let Some(said) = found {
            message.outcome = Outcome::Ok(said.seq);
            self.pending.remove(&conv);
            self.stage.acknowledged(self.ledger.me.kid(), self.ledger.me.user.is_some());
        }
    }

    /// Takes in the control frames, and acknowledgements.
    async fn hear(&mut self, peer: &mut Peer, following: &mut BTreeSet<ConvId>) -> Result<(), Gone> {
        let waiting: Vec<ConvId> = self.pending.keys().copied().collect();
        waiting.into_iter().for_each(|conv| self.settle(peer, conv));
        for frame in std::mem::take(&mut peer.log) {
            match frame {
                ServerFrame::Offer { conv, .. } => {
                    within(peer.wire.send(&ClientFrame::Accept { req: 0, conv })).await?;
                }
                ServerFrame::Conv { conv } if self.ledger.me.user.is_some() => {
                    self.follow(peer, conv.id, following).await?;
                }
                ServerFrame::Error { code, conv: Some(conv), msg: Some(msg), .. } => {
                    self.refused(peer, conv, msg, code).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn refused(&mut self, peer: &mut Peer, conv: ConvId, msg: MsgId, code: ErrorCode) -> Result<(), Gone> {
        let Some(i) = self.pending.get(&conv).copied().filter(|i| self.ledger.sent[*i].id == msg) else {
            return Ok(());
        };
        match code {
            ErrorCode::Conflict => within(peer.wire.send_envelope(self.ledger.sent[i].envelope.clone())).await,
            ErrorCode::NotOwner | ErrorCode::Closed => {
                assert!(self.ledger.me.user.is_some(), "visitors may always write");
                self.pending.remove(&conv);
                self.ledger.sent[i].outcome = Outcome::Fail;
                Ok(())
            }
            // the disk; it is tried again on the next socket
            ErrorCode::Storage => Err(Gone(None)),
            other => panic!("refused for no reason: {other:?}"),
        }
    }

    /// Sends the next message wherever it may; agents transfer and close now and then.
    async fn write(&mut self, peer: &mut Peer, following: &BTreeSet<ConvId>) -> Result<(), Gone> {
        if *self.stage.ending.borrow() {
            return Ok(());
        }
        let (key, user) = (self.ledger.me.key.clone(), self.ledger.me.user.clone());
        for conv in following {
            let view = peer.view(*conv);
            let mine = user.as_ref().is_none_or(|u| view.owner == Owner::Agent(u.clone()));
            if !mine || view.keys.is_empty() || self.pending.contains_key(conv) {
                continue;
            }
            if user.is_some() && view.state == ConvState::Open {
                let (req, conv) = (0, *conv);
                match self.dice.roll(60) {
                    0 => within(peer.wire.send(&ClientFrame::Close { req, conv, reason: None })).await?,
                    1 => {
                        let agent = Some(company::id(super::AGENTS[self.dice.roll(2)]));
                        within(peer.wire.send(&ClientFrame::Transfer { req, conv, agent, team: None })).await?;
                    }
                    _ => {}
                }
            }
            let text = format!("{} of {}", self.ledger.sent.len(), key.kid());
            let (id, envelope) = peer.view(*conv).seal(&text, &key);
            self.pending.insert(*conv, self.ledger.sent.len());
            let (by, stored) = (key.kid(), envelope.clone().into());
            let outcome = Outcome::Unknown;
            self.ledger.sent.push(Sent { by, conv: *conv, id, envelope: stored, outcome });
            within(peer.wire.send_envelope(envelope)).await?;
        }
        Ok(())
    }

    /// Notes for those who wait for the end what this one waits for.
    fn waits(&self, what: &str) {
        if *self.stage.ending.borrow() && !self.pending.is_empty() {
            let (me, pending) = (&self.ledger.me.user, self.pending.iter());
            let pending: Vec<_> = pending.map(|(conv, i)| (conv, self.ledger.sent[*i].id)).collect();
            let text = format!("{me:?} at {} waits for {what}; pending: {pending:?}", self.addr);
            self.stage.waiting.lock().unwrap().insert(self.ledger.me.kid(), text);
        }
    }

    /// Nothing of this writer is pending; true if no other message is missing either.
    async fn last_words(&mut self, peer: &mut Peer) -> Result<bool, Gone> {
        self.stage.pending_done(self.ledger.me.kid());
        if !self.stage.all_done() {
            return Ok(false);
        }
        let convs: Vec<ConvId> = peer.views.keys().copied().collect();
        for conv in convs {
            within(peer.try_follow(conv)).await?;
        }
        Ok(true)
    }
}

/// A client does not wait forever.
async fn within<T>(work: impl Future<Output = Result<T, Gone>>) -> Result<T, Gone> {
    timeout(SILENCE, work).await.unwrap_or(Err(Gone(None)))
}
