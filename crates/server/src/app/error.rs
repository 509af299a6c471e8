//! Why a server does not start, or ends. What to do about it is kept apart: the command line prints it in a line of its own.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{store::StoreError, tls::TlsError};

/// Why a server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database can't be opened. `full`: the disk has no free space for a start.
    #[error("cannot open the database {}: {source}", path.display())]
    Database {
        /// Path of the database.
        path: PathBuf,
        /// The cause.
        source: StoreError,
        /// Nothing can be written.
        full: bool,
    },
    /// The company is somewhere else now.
    #[error("the company in {} was moved to {to}", path.display())]
    Moved {
        /// Path of the database.
        path: PathBuf,
        /// Where it is.
        to: String,
    },
    /// The company was moved while the server ran.
    #[error("the company was moved to {0}")]
    MovedMeanwhile(String),
    /// The shared database can't be used.
    #[error("{0:#}")]
    Redis(anyhow::Error),
    /// Another program listens there.
    #[error("{0} is taken by another program")]
    AddressTaken(SocketAddr),
    /// A port that only some may use.
    #[error("this user is not allowed to listen on {0}")]
    AddressForbidden(SocketAddr),
    /// Anything else about the listener.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address of the listener.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The certificate or its key.
    #[error("{0}")]
    Certificate(TlsError),
    /// The file of the token for `/metrics` holds something else.
    #[error("{} contains no token of 32 characters", .0.display())]
    MetricsToken(PathBuf),
    /// The disk failed while the server ran.
    #[error("the database stopped working: {0}")]
    Stopped(String),
    /// A background task ended, by its name.
    #[error("a part of the server stopped unexpectedly: {0}")]
    Task(&'static str),
    /// A file, the directory, the operating system.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl ServeError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Database { full: true, .. } => "the disk is full: free some space and start again",
            Self::Moved { .. } => {
                "write that as storage.url into kefu.toml; kefu move --to redb: brings it back here, with what was written since"
            }
            Self::MovedMeanwhile(_) => {
                "write that as storage.url into kefu.toml, unless kefu move has done so on this machine, and start the server"
            }
            Self::AddressTaken(_) => "stop it, or choose another address with --listen",
            Self::AddressForbidden(_) => "choose a port above 1023, or grant CAP_NET_BIND_SERVICE",
            Self::Certificate(_) => {
                "name a matching pair of PEM files in [tls], or none to use the one that kefu init made"
            }
            Self::MetricsToken(_) => "delete it and start again",
            Self::Stopped(_) => "nothing acknowledged is lost. Check the disk, and restore a backup if needed",
            Self::Task(_) => "start it again, and report what it printed before this line",
            Self::Database { .. } | Self::Redis(_) | Self::Listen { .. } | Self::Other(_) => return None,
        })
    }

    /// Whether another process has the database or the address.
    pub fn is_taken(&self) -> bool {
        self.is_database_in_use() || matches!(self, Self::AddressTaken(_))
    }

    /// Another process has the database, perhaps only for a moment.
    pub fn is_database_in_use(&self) -> bool {
        matches!(self, Self::Database { source: StoreError::InUse, .. })
    }
}
