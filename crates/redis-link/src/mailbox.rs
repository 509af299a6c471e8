//! What a server says unasked, and who waits for which part of it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::{mpsc, oneshot, watch};

use crate::wire::{End, end};

/// Which of the two kinds of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channels {
    /// Of a shard (`SSUBSCRIBE`, `SPUBLISH`): the channel's name has a slot, as keys have.
    Sharded,
    /// Of one server or a whole Cluster (`SUBSCRIBE`, `PUBLISH`).
    Plain,
}

impl Channels {
    fn of(kind: &PushKind) -> Self {
        if matches!(kind, PushKind::SSubscribe | PushKind::SUnsubscribe) { Self::Sharded } else { Self::Plain }
    }
}

/// What a server says unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// Something was published.
    Message {
        /// Where.
        channel: Vec<u8>,
        /// What.
        payload: Vec<u8>,
    },
    /// The server ended the subscription: its slot has moved to another shard.
    Unsubscribed {
        /// Of this channel.
        channel: Vec<u8>,
    },
}

/// Begun or ended, of which kind, which channel.
type Change = (bool, Channels, Vec<u8>);

/// Takes pushes off the connection's task, which must never wait.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Waiting>);

struct Waiting {
    sender: mpsc::Sender<Push>,
    end: End,
    confirmations: Mutex<HashMap<Change, Vec<oneshot::Sender<()>>>>,
}

impl Mailbox {
    pub(crate) fn new(size: usize, end: End) -> (Self, mpsc::Receiver<Push>) {
        let (sender, receiver) = mpsc::channel(size);
        (Self(Arc::new(Waiting { sender, end, confirmations: Mutex::default() })), receiver)
    }

    pub(crate) fn expect(&self, change: Change) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.confirmations.lock().entry(change).or_default().push(sender);
        receiver
    }

    /// Hears of the connection's end.
    pub(crate) fn ended(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.0.end.subscribe()
    }

    /// Whether somebody waited for it.
    fn confirm(&self, change: &Change) -> bool {
        let waiting = self.0.confirmations.lock().remove(change);
        let asked = waiting.is_some();
        for sender in waiting.into_iter().flatten() {
            // whoever asked may have gone away
            let _ = sender.send(());
        }
        asked
    }

    pub(crate) fn take(&self, push: PushInfo) {
        let mut data = push.data.into_iter();
        let Some(Value::BulkString(channel)) = data.next() else { return };
        let push = match (push.kind, data.next()) {
            (PushKind::Message | PushKind::SMessage, Some(Value::BulkString(payload))) => {
                Push::Message { channel, payload }
            }
            (kind @ (PushKind::Subscribe | PushKind::SSubscribe), _) => {
                self.confirm(&(true, Channels::of(&kind), channel));
                return;
            }
            (kind @ (PushKind::Unsubscribe | PushKind::SUnsubscribe), _) => {
                let change = (false, Channels::of(&kind), channel);
                if self.confirm(&change) {
                    return;
                }
                Push::Unsubscribed { channel: change.2 }
            }
            _ => return,
        };
        match self.0.sender.try_send(push) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => end(&self.0.end, "more was published than was read"),
            Err(mpsc::error::TrySendError::Closed(_)) => end(&self.0.end, "nobody reads what is published"),
        }
    }
}
