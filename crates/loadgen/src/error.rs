//! Why a run is no measurement.

use kefu_client::{ClientError, DirectoryFetchError};
use kefu_proto::{ErrorCode, SiteId};

/// Why a run is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A client failed.
    #[error(transparent)]
    Client(ClientError),
    /// The server takes no more connections from here.
    #[error("{0}: the server sees the generator as one address; raise connections_per_address")]
    TooManyConnections(ClientError),
    /// A request was refused for good.
    #[error("refused with {code:?}: {text}")]
    Refused {
        /// The code that the server sent.
        code: ErrorCode,
        /// The message, in English.
        text: String,
    },
    /// A key, seal or announcement can't be made.
    #[error("cannot seal: {0}")]
    Seal(String),
    /// There is no directory to verify the company by.
    #[error(transparent)]
    Directory(#[from] DirectoryFetchError),
    /// The site has no team, so it cannot have visitors.
    #[error("the company has no site {0} that is on")]
    NoSite(SiteId),
    /// Each pair has an agent of its own.
    #[error("{pairs} pairs need as many agents, but there are {agents}")]
    TooFewAgents {
        /// Pairs that were asked for.
        pairs: usize,
        /// Agents of the target.
        agents: usize,
    },
    /// A request over HTTP was not answered as it should have been.
    #[error("{what} was answered with HTTP status {status}")]
    Status {
        /// What was asked for.
        what: &'static str,
        /// HTTP status of the answer.
        status: u16,
    },
    /// Not all idle connections came about.
    #[error("{connected} of {all} connected, then: {why}")]
    Connecting {
        /// Number of connections that succeeded.
        connected: usize,
        /// How many should have.
        all: usize,
        /// What was wrong with one of the others.
        why: Box<LoadError>,
    },
    /// Idle connections that should have lived through the run.
    #[error("{0} idle connections ended during the run")]
    Ended(u64),
    /// Something went wrong between a pair.
    #[error("the run is not valid: {0}")]
    Failed(String),
    /// A histogram can't be made.
    #[error(transparent)]
    Histogram(#[from] hdrhistogram::CreationError),
}

impl From<ClientError> for LoadError {
    fn from(e: ClientError) -> Self {
        match e {
            ClientError::Status(429) => Self::TooManyConnections(e),
            e => Self::Client(e),
        }
    }
}
