//! What can go wrong, told apart by what the caller must do: read the topology again, open another connection, or give up. And
//! whether a command may have been executed.

use std::{fmt, time::Duration};

use redis::ServerError;

use crate::{Address, SettingsError, checks::Finding};

/// Why something did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The settings can't be right.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No connection came about. Nothing was sent.
    #[error("cannot connect to {address}: {why}")]
    Unreachable {
        /// Server.
        address: Address,
        /// What failed.
        why: String,
    },
    /// The server knows us and does not let us, or does not know us. Nothing was executed.
    #[error("{address} refuses: {message}")]
    Refused {
        /// Server.
        address: Address,
        /// The server's words.
        message: String,
    },
    /// This server is not, or not yet, the one to ask: read the topology again. Nothing was executed, except by `Unblocked`.
    #[error("{address} is not the server to ask now, {reason}: {message}")]
    Moved {
        /// Server.
        address: Address,
        /// In which way.
        reason: Reason,
        /// The server's words.
        message: String,
    },
    /// The server is none of the kind that the URL says: a node of a Cluster, a Sentinel, none of these.
    #[error("{address} {message}")]
    WrongKind {
        /// Server.
        address: Address,
        /// What it is, and what to write.
        message: String,
    },
    /// Nobody names a primary for the shard, or the shard is gone. Nothing was sent.
    #[error("no primary is known for shard {shard}")]
    NoPrimary {
        /// Index of the shard.
        shard: usize,
    },
    /// No reply in time; the connection has ended. The command may have been executed.
    #[error("{address} did not answer within {} ms", after.as_millis())]
    Timeout {
        /// Server.
        address: Address,
        /// How long it had.
        after: Duration,
    },
    /// The connection has ended.
    #[error("the connection to {address} has ended: {why}")]
    Gone {
        /// Server.
        address: Address,
        /// What ended it.
        why: String,
        /// Whether the command may have reached the server.
        sent: bool,
    },
    /// The server executed the command and it failed, or it refused to execute it for a reason that lies in the command or in
    /// the server's state (`OOM`, `MISCONF`, `NOREPLICAS`, `NOSCRIPT`, `WRONGTYPE`, `BUSY`).
    #[error("{address} answered {code}: {message}")]
    Server {
        /// Server.
        address: Address,
        /// First word of the error.
        code: String,
        /// The rest.
        message: String,
        /// Whether a script stopped at it: what the script wrote before stays.
        in_script: bool,
    },
    /// A reply that is not what this command returns.
    #[error("{address} answered something unexpected: {why}")]
    Reply {
        /// Server.
        address: Address,
        /// What was wrong with it.
        why: String,
    },
    /// Servers are set so that they can lose what they acknowledged.
    #[error("{}", sentences(.0))]
    Unsafe(Vec<Finding>),
}

/// In which way a server is not the one to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `MOVED`: another shard has the slot.
    Moved,
    /// `ASK`: the slot is moving, and the key is at its new shard already.
    Ask,
    /// `TRYAGAIN`: the slot is moving, and the keys are on both sides.
    TryAgain,
    /// `CLUSTERDOWN`: the Cluster lacks slots or its majority.
    ClusterDown,
    /// `READONLY`: a replica.
    ReadOnly,
    /// `LOADING`: it reads its data after a start.
    Loading,
    /// `MASTERDOWN`: a replica without its primary.
    MasterDown,
    /// `UNBLOCKED`: it became a replica while the command waited. What the command did before it waited stays.
    Unblocked,
    /// `ROLE` in the handshake: it is not primary.
    NotPrimary,
}

impl Error {
    /// Whether the command may have been executed, wholly or in part. If not, sending it again, to the right server, does it once.
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Reply { .. } => true,
            Self::Gone { sent, .. } => *sent,
            Self::Server { in_script, .. } => *in_script,
            Self::Moved { reason, .. } => *reason == Reason::Unblocked,
            Self::Settings(_)
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::WrongKind { .. }
            | Self::NoPrimary { .. }
            | Self::Unsafe(_) => false,
        }
    }

    /// Whether the topology may have changed, so that it must be read again before another try.
    pub fn is_topology(&self) -> bool {
        matches!(
            self,
            Self::Moved { .. }
                | Self::Unreachable { .. }
                | Self::NoPrimary { .. }
                | Self::Timeout { .. }
                | Self::Gone { .. }
        )
    }

    /// An error as the server says it.
    pub(crate) fn from_server(address: &Address, error: &ServerError) -> Self {
        let (code, detail) = (error.code(), error.details().unwrap_or_default());
        let (address, message) = (address.clone(), format!("{code} {detail}"));
        // redis.call within a script adds where it stands: "… script: <sha1>, on @user_script:1."
        let in_script = detail.contains("@user_script") || detail.contains("@user_function");
        let reason = match code {
            "MOVED" => Reason::Moved,
            "ASK" => Reason::Ask,
            "TRYAGAIN" => Reason::TryAgain,
            "CLUSTERDOWN" => Reason::ClusterDown,
            // no write of a script can come before this one, so that it wrote nothing
            "READONLY" => Reason::ReadOnly,
            "LOADING" => Reason::Loading,
            "MASTERDOWN" => Reason::MasterDown,
            "UNBLOCKED" => Reason::Unblocked,
            "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" if !in_script => return Self::Refused { address, message },
            _ => return Self::Server { address, code: code.to_owned(), message: detail.to_owned(), in_script },
        };
        Self::Moved { address, reason, message }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moved => "another shard has the slot",
            Self::Ask | Self::TryAgain => "the slot is moving",
            Self::ClusterDown => "the Cluster is down",
            Self::ReadOnly | Self::NotPrimary => "it is not primary",
            Self::Loading => "it is loading its data",
            Self::MasterDown => "it is a replica without a primary",
            Self::Unblocked => "it stopped being primary",
        })
    }
}

fn sentences(findings: &[Finding]) -> String {
    let all: Vec<&str> = findings.iter().map(|finding| finding.sentence.as_str()).collect();
    all.join("\n")
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
