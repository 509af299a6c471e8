//! Holds stored files against the messages that name them, for `kefu verify`. Which messages have files is sealed: that one is missing
//! is noticed by who opens it, and not here.

use crate::{
    blobs::{BlobError, BlobId, Blobs},
    store::{Store, StoreError},
};

use super::sweep::{Message, message};

/// Conversations that are looked at in one step.
const STEP: usize = 50;

/// A file that no message names, or that is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangeFile {
    /// Its name.
    pub id: BlobId,
    /// Its bytes.
    pub bytes: u64,
    /// What is strange.
    pub what: String,
    /// Whether that is a fault. What no message names is none: it goes by itself.
    pub is_fault: bool,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileTotals {
    /// Files of messages.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that no message names.
    pub unnamed: u64,
    /// Uploads whose message did not come yet.
    pub uploads: u64,
}

/// Why files can't be looked through.
#[derive(Debug, thiserror::Error)]
pub enum FilesUnseen {
    /// The files.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The messages.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks at all files and uploads; `strange` hears of those that are.
///
/// # Errors
/// They, or the messages, can't be read.
pub async fn verify_files(
    store: &dyn Store,
    blobs: &dyn Blobs,
    mut strange: impl FnMut(StrangeFile),
) -> Result<FileTotals, FilesUnseen> {
    let (mut totals, mut after) = (FileTotals::default(), None);
    loop {
        let page = blobs.posted(after, STEP).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.conv);
        for held in page {
            for (msg, bytes) in held.blobs {
                let id = BlobId { conv: held.conv, msg };
                (totals.files, totals.bytes) = (totals.files + 1, totals.bytes + bytes);
                let unnamed = match message(store, id).await? {
                    Message::Stands => None,
                    Message::Recalled => Some("its message was recalled"),
                    Message::Missing => Some("no message names it"),
                };
                if let Some(what) = unnamed {
                    totals.unnamed += 1;
                    strange(StrangeFile { id, bytes, what: what.to_owned(), is_fault: false });
                    continue;
                }
                match blobs.fault(id).await {
                    Ok(Some(what)) => strange(StrangeFile { id, bytes, what, is_fault: true }),
                    // recalled or erased meanwhile
                    Ok(None) | Err(BlobError::NotFound) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
    }
    for (id, _) in blobs.unposted().await? {
        totals.uploads += 1;
        if message(store, id).await? != Message::Stands {
            continue;
        }
        if let Some(progress) = blobs.find(id).await?.filter(|progress| !progress.is_whole()) {
            let what =
                format!("its message is stored, and {} of {} bytes are there", progress.have, progress.upload.size);
            strange(StrangeFile { id, bytes: progress.have, what, is_fault: true });
        }
    }
    Ok(totals)
}
