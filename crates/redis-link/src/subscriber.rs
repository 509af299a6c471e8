//! Subscriptions, and what comes through them.
//!
//! They have connections of their own. A server may end a subscription unasked, when a slot moves away, and the crate `redis`
//! takes that push for the reply to whatever request is waiting: on a connection with commands, all replies after it would go to
//! the wrong callers. Here nothing depends on which reply answers which request: a subscription has begun when the push that
//! names its channel is here, and a ping is answered by its own number.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::try_join_all;
use redis::{Value, cmd};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    Error, Server,
    mailbox::{Channels, Mailbox, Push},
    wire::Wire,
};

/// An open connection to one process of one server, for subscriptions. Cheap to clone; ends with its last clone.
#[derive(Clone)]
pub struct Subscriber {
    wire: Arc<Wire>,
    server: Arc<Server>,
    mailbox: Mailbox,
    pings: Arc<AtomicU64>,
}

impl Subscriber {
    pub(crate) fn new(wire: Wire, server: Server, mailbox: Mailbox, receiver: mpsc::Receiver<Push>) -> (Self, Pushes) {
        let wire = Arc::new(wire);
        let pushes = Pushes { receiver, end: mailbox.ended(), server: Arc::new(server) };
        (Self { wire, server: pushes.server.clone(), mailbox, pings: Arc::default() }, pushes)
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The server, as the handshake found it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Subscribes to all these channels, with one command each and one write together. Returns when the server has confirmed
    /// all: what is published from then on arrives.
    ///
    /// # Errors
    /// The server's for one of them (in a Cluster [`Error::Moved`]): others may have begun; or the connection's.
    pub async fn subscribe(&self, kind: Channels, channels: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        self.change(true, kind, channels).await
    }

    /// Ends the subscriptions to all these channels. Returns when the server has confirmed all.
    ///
    /// # Errors
    /// As [`Self::subscribe`].
    pub async fn unsubscribe(&self, kind: Channels, channels: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        self.change(false, kind, channels).await
    }

    async fn change(&self, on: bool, kind: Channels, channels: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        let command = match (on, kind) {
            (true, Channels::Sharded) => "SSUBSCRIBE",
            (false, Channels::Sharded) => "SUNSUBSCRIBE",
            (true, Channels::Plain) => "SUBSCRIBE",
            (false, Channels::Plain) => "UNSUBSCRIBE",
        };
        let mut pipeline = redis::Pipeline::with_capacity(channels.len());
        let mut confirmed = Vec::with_capacity(channels.len());
        for channel in channels {
            pipeline.cmd(command).arg(channel.as_ref());
            confirmed.push(self.mailbox.expect((on, kind, channel.as_ref().to_vec())));
        }
        let mut confirmed = try_join_all(confirmed);
        tokio::select! {
            biased;
            _ = &mut confirmed => return Ok(()),
            replies = self.wire.requests(&pipeline) => for reply in replies? {
                if let Value::ServerError(error) = reply {
                    return Err(Error::from_server(self.wire.address(), &error));
                }
            },
        }
        // as many replies as commands, yet not all confirmed: an unasked push was among them, so the last are still to come
        if timeout(self.wire.timeout(), confirmed).await.is_err() {
            self.wire.end("it did not confirm a subscription in time");
            return Err(Error::Timeout { address: self.server.address.clone(), after: self.wire.timeout() });
        }
        Ok(())
    }

    /// Asks whether the server is there.
    ///
    /// # Errors
    /// The connection's.
    pub async fn ping(&self) -> Result<(), Error> {
        let number = self.pings.fetch_add(1, Ordering::Relaxed).to_string();
        match self.wire.request(cmd("PING").arg(&number)).await? {
            Value::BulkString(answer) if answer == number.as_bytes() => Ok(()),
            _ => {
                self.wire.end("its replies are out of step");
                Err(self.wire.gone("its replies are out of step", true))
            }
        }
    }

    /// Whether it has not ended, as far as is known.
    pub fn is_open(&self) -> bool {
        self.wire.is_open()
    }

    /// Waits until it has ended, and says why.
    pub async fn ended(&self) -> Error {
        self.wire.ended().await
    }

    /// Ends it, for all who share it.
    pub fn end(&self, why: &str) {
        self.wire.end(why);
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("server", &self.server)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// What comes through the subscriptions of one connection, in order.
#[derive(Debug)]
pub struct Pushes {
    receiver: mpsc::Receiver<Push>,
    end: watch::Receiver<Option<Arc<str>>>,
    server: Arc<Server>,
}

impl Pushes {
    /// Waits for the next. May be dropped while it waits; nothing is lost.
    ///
    /// # Errors
    /// [`Error::Gone`]: the connection has ended, and this was the last. Subscribe over another, then read what was missed.
    pub async fn next(&mut self) -> Result<Push, Error> {
        tokio::select! {
            biased;
            Some(push) = self.receiver.recv() => return Ok(push),
            _ = self.end.wait_for(Option::is_some) => {}
        }
        let why = self.end.borrow().as_deref().unwrap_or("nobody uses it any more").to_owned();
        Err(Error::Gone { address: self.server.address.clone(), why, sent: false })
    }
}
