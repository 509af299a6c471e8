//! The directory of a server, verified under the company's fingerprint before anything in it is used.

use kefu_crypto::directory::{Directory, DirectoryError, Entry, Snapshot};
use kefu_proto::OrgFp;
use serde::Deserialize;

use crate::{address::Address, error::ClientError, http};

/// Why there is no directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryFetchError {
    /// The server was not reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It did not answer 200.
    #[error("{host} answered the request for its directory with HTTP status {status}")]
    Status {
        /// The host of the request.
        host: String,
        /// HTTP status of the answer.
        status: u16,
    },
    /// The answer can't be read.
    #[error("the answer is not a directory")]
    Format(#[from] serde_json::Error),
    /// It is not this company's, or was changed.
    #[error("its directory does not verify")]
    Verify(#[from] DirectoryError),
}

/// `GET /directory`.
#[derive(Deserialize)]
struct Answer {
    entries: Vec<Entry>,
    snapshot: Option<Snapshot>,
}

/// Fetches and verifies the whole log, as an agent does.
pub async fn fetch_directory(at: &Address, org: OrgFp) -> Result<Directory, DirectoryFetchError> {
    let (status, body) = http::get(at, "/api/v1/directory?after=-1").await?;
    if status != 200 {
        return Err(DirectoryFetchError::Status { host: at.host.clone(), status });
    }
    let answer: Answer = serde_json::from_slice(&body)?;
    Ok(Directory::replay(org, &answer.entries, answer.snapshot.as_ref())?)
}
