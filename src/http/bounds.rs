//! How much of the server clients may hold at once, and for how long without doing anything.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{
    chat::Refusal,
    config::Config,
    net::{Permit, Quota},
    proto::ErrorCode,
};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// How long the edge waits for a client that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a peer to take a byte of what is written to it.
    pub unread: Duration,
    /// For a body to begin, and for what it lags behind its least rate.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { unread: Duration::from_secs(30), body: Duration::from_secs(5) }
    }
}

/// See the module. Everything counts by address, too: a stranger must not take what is there for others.
pub struct Bounds {
    /// Sockets.
    pub sockets: Arc<Quota>,
    /// Bytes of bodies from people whom nothing was asked yet.
    pub of_strangers: Arc<Quota>,
    /// Bytes of bodies from people who showed a token or an open invite.
    pub of_members: Arc<Quota>,
    /// Bytes of answers that are nobody else's, such as pages of history, until they were taken.
    pub answers: Arc<Quota>,
    /// How long.
    pub patience: Patience,
}

impl Bounds {
    /// As configured.
    pub fn new(config: &Config, patience: Patience) -> Self {
        let server = &config.server;
        Self {
            sockets: Quota::new(server.max_connections as usize, server.connections_per_address as usize),
            of_strangers: Quota::new(8 * MIB, 512 * KIB),
            of_members: Quota::new(16 * MIB, 8 * MIB),
            answers: Quota::new(128 * MIB, 16 * MIB),
            patience,
        }
    }

    /// Room for an answer of at most so many bytes.
    pub fn answer(&self, address: IpAddr, bytes: usize) -> Result<Permit, Refusal> {
        self.answers.take(address, bytes).ok_or_else(|| busy("answers are waiting to be read"))
    }
}

/// Refuses for the moment.
pub fn busy(what: &'static str) -> Refusal {
    let text = format!("too many {what} from this address or in all; try again in a moment");
    Refusal { retry_ms: Some(1_000), ..Refusal::new(ErrorCode::RateLimited, text) }
}
