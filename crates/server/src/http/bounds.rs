//! How much of the server clients may hold at once, and for how long without doing anything.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{
    chat::RequestError,
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
    /// Open sockets.
    pub sockets: Arc<Quota>,
    /// Bytes of bodies from unauthenticated clients.
    pub of_strangers: Arc<Quota>,
    /// Bytes of bodies from people who showed a token or an open invite.
    pub of_members: Arc<Quota>,
    /// Bytes of parts of files until they are on disk.
    pub of_uploads: Arc<Quota>,
    /// Bytes of unshared answers, such as pages of history, until the client has read them.
    pub answers: Arc<Quota>,
    /// Timeouts.
    pub patience: Patience,
}

impl Bounds {
    /// The bounds of a configuration.
    pub fn new(config: &Config, patience: Patience) -> Self {
        let server = &config.server;
        Self {
            sockets: Quota::new(server.max_connections as usize, server.connections_per_address as usize),
            of_strangers: Quota::new(8 * MIB, 512 * KIB),
            of_members: Quota::new(16 * MIB, 8 * MIB),
            of_uploads: Quota::new(64 * MIB, 16 * MIB),
            answers: Quota::new(128 * MIB, 16 * MIB),
            patience,
        }
    }

    /// Reserves memory for an answer of at most this many bytes.
    pub fn answer(&self, address: IpAddr, bytes: usize) -> Result<Permit, RequestError> {
        self.answers.take(address, bytes).ok_or_else(|| busy("answers are waiting to be read"))
    }
}

/// Refuses for the moment.
pub fn busy(what: &'static str) -> RequestError {
    let text = format!("too many {what} from this address or in total; try again in a moment");
    RequestError { retry_ms: Some(1_000), ..RequestError::new(ErrorCode::RateLimited, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::answer::Body;

    #[test]
    fn answers_that_wait_to_be_read_have_a_share_until_they_were() {
        let bounds = Bounds::new(&Config::default(), Patience::default());
        let (here, elsewhere): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let answer = || Body::from("page").held(bounds.answer(here, MIB).unwrap());
        let mut waiting: Vec<Body> = (0..16).map(|_| answer()).collect();
        let refused = bounds.answer(here, MIB).unwrap_err();
        assert_eq!((refused.code, refused.retry_ms), (ErrorCode::RateLimited, Some(1_000)));
        assert!(bounds.answer(elsewhere, MIB).is_ok(), "others have their own");
        waiting.pop();
        waiting.push(answer());
        assert!(bounds.answer(here, MIB).is_err());
    }
}
