//! Sealed files of conversations, called blobs: uploaded part by part, kept in a directory beside the database or in a bucket of an
//! S3-compatible store, removed with the message that names them.
//!
//! A blob is named by its conversation and the id of the message that will name it, so that neither needs a table of the other. Its
//! bytes were sealed in a browser (`e2ee.md` 3.2, "Attachment"): here they are bytes of a length. Nothing here knows who may do
//! what; that is the server's `chat`.
//!
//! An upload is *begun*, then *whole* when its last part is durable, then *posted* when its message is stored. What is whole survives
//! a power loss; what is not survives the end of the process.

#![forbid(unsafe_code)]

mod bucket;
mod directory;
mod known;
mod layout;
mod upload;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use kefu_proto::{ConvId, Kid, MsgId};

pub use bucket::{BlobBucket, BlobsRestored};
pub use directory::{BlobDirectory, Strangers, strangers};
pub use upload::{Progress, Upload};

/// Bytes of the tag of AES-256-GCM.
const TAG: u64 = 16;
/// Bytes of a sealed chunk: 64 KiB and a tag.
pub const CHUNK: u64 = 64 * 1024 + TAG;
/// Bytes of a part, the unit of uploads: 16 chunks. Only the last part of a blob is shorter.
pub const PART: u64 = 16 * CHUNK;

/// Bytes of all sealed chunks of a file: it is padded to its PADMÉ length (at most 12 % more), so that its length says little, and
/// each chunk has a tag. Source of PADMÉ: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
/// PURBs", PETS 2019.
pub fn sealed_length(plain: u64) -> u64 {
    let padded = match plain {
        0 | 1 => plain,
        length => {
            let exponent = length.ilog2();
            let kept = exponent.ilog2() + 1;
            let mask = (1 << exponent.saturating_sub(kept)) - 1;
            (length + mask) & !mask
        }
    };
    padded + padded.div_ceil(CHUNK - TAG).max(1) * TAG
}

/// The name of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId {
    /// The conversation.
    pub conv: ConvId,
    /// The message that names it.
    pub msg: MsgId,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob, or no such upload.
    #[error("there is no such file here")]
    NotFound,
    /// The part does not continue the upload: so much is there.
    #[error("{have} bytes of this file are here; send what follows")]
    Elsewhere {
        /// Bytes that are there.
        have: u64,
    },
    /// It was begun with another length or by somebody else, or it is posted.
    #[error("a file with this id is here already")]
    Taken,
    /// A part of a length that is neither a whole part nor the rest.
    #[error("a part of this length is not expected")]
    Length,
    /// There is no space on the disk.
    #[error("the disk is full")]
    Full,
    /// The disk failed: what it said.
    #[error("the disk failed: {0}")]
    Io(String),
    /// The store does not do it now: why, and what to do.
    #[error("the store of files can't be used: {0}")]
    Away(String),
}

impl From<std::io::Error> for BlobError {
    fn from(e: std::io::Error) -> Self {
        match e.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(e.to_string()),
        }
    }
}

/// The posted blobs of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The conversation.
    pub conv: ConvId,
    /// When one of them came or went last, ms since 1970.
    pub changed_ms: u64,
    /// Each with its length.
    pub blobs: Vec<(MsgId, u64)>,
}

/// The disk that blobs are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Its bytes.
    pub total: u64,
    /// Bytes that kefu may still use.
    pub free: u64,
}

/// What an operation will answer.
pub type Doing<'a, T> = BoxFuture<'a, Result<T, BlobError>>;

/// Where blobs are kept. Cheap to ask what is in memory; whatever touches a disk or a network is a future.
pub trait Blobs: Send + Sync + 'static {
    /// How far an upload is that is not posted yet. From memory: what other servers did may be unknown.
    fn upload(&self, id: BlobId) -> Option<Progress>;

    /// The same as it is stored, also if another server began or continued it.
    ///
    /// # Errors
    /// The store's.
    fn find(&self, id: BlobId) -> Doing<'_, Option<Progress>>;

    /// All uploads of this server that are not posted yet. From memory.
    fn uploads(&self) -> Vec<(BlobId, Progress)>;

    /// How many of these one person has begun. From memory.
    fn begun_by(&self, sender: Kid) -> usize;

    /// Bytes of these that are still to come. From memory.
    fn missing(&self) -> u64;

    /// Whether there is any upload that is not posted: the question that every message asks. From memory.
    fn any_upload(&self) -> bool;

    /// All uploads that are not posted yet, of all servers, and since when, ms since 1970.
    ///
    /// # Errors
    /// The store's.
    fn unposted(&self) -> Doing<'_, Vec<(BlobId, u64)>>;

    /// Begins an upload, or says how far it is.
    ///
    /// # Errors
    /// [`BlobError::Taken`]; or the disk's.
    fn begin(&self, id: BlobId, upload: Upload) -> Doing<'_, Progress>;

    /// Adds a part at `at`. If it is the last, everything is durable when this resolves.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Elsewhere`], [`BlobError::Length`]: nothing was written; or the disk's: what was
    /// written of the part is gone.
    fn append(&self, id: BlobId, at: u64, part: Bytes) -> Doing<'_, Progress>;

    /// The message of a whole upload is stored: from now on it can be read. From memory; [`Blobs::post`] must follow.
    fn mark_posted(&self, id: BlobId);

    /// Moves a whole upload whose message is stored to its place. Nothing happens if there is no such upload.
    ///
    /// # Errors
    /// The disk's.
    fn post(&self, id: BlobId) -> Doing<'_, ()>;

    /// Removes an upload that is not posted. Nothing happens if there is none.
    ///
    /// # Errors
    /// The disk's.
    fn cancel(&self, id: BlobId) -> Doing<'_, ()>;

    /// Bytes of a posted blob.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; or the disk's.
    fn length(&self, id: BlobId) -> Doing<'_, u64>;

    /// Up to `length` bytes of a posted blob from `at` on; fewer only at its end.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; or the disk's.
    fn read(&self, id: BlobId, at: u64, length: usize) -> Doing<'_, Bytes>;

    /// Removes a blob, posted or not. Nothing happens if there is none.
    ///
    /// # Errors
    /// The disk's.
    fn remove(&self, id: BlobId) -> Doing<'_, ()>;

    /// Removes all blobs of a conversation.
    ///
    /// # Errors
    /// The disk's.
    fn remove_all(&self, conv: ConvId) -> Doing<'_, ()>;

    /// Conversations that have posted blobs: up to `limit` of them whose ids follow `after`. Some may have none any more.
    ///
    /// # Errors
    /// The disk's.
    fn posted(&self, after: Option<ConvId>, limit: usize) -> Doing<'_, Vec<Held>>;

    /// What is wrong with a posted blob, if anything is: it is not all there, or not as it was written. Its content is sealed and is
    /// not looked at.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; or the disk's.
    fn fault(&self, id: BlobId) -> Doing<'_, Option<String>>;

    /// The disk they are on, if they are on one.
    fn disk(&self) -> Option<Disk>;

    /// Number and bytes of all blobs, those being uploaded included, as far as is known.
    fn usage(&self) -> (u64, u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_length_is_never_shorter_and_little_longer() {
        assert_eq!([0, 1, 9, 10, 17].map(sealed_length), [16, 17, 26, 26, 34]);
        for plain in [100, 65_536, 65_537, 1_000_000, 20 << 20, (20 << 20) + 1, 2 << 30] {
            let sealed = sealed_length(plain);
            assert!(sealed > plain && (sealed as f64) < plain as f64 * 1.12 + 64.0, "{plain}: {sealed}");
        }
    }
}
