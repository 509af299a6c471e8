//! Files that are sent with messages: uploaded sealed, in parts, before the message that names them, and kept as long as it.
//!
//! An upload is bound to its conversation, its sender and the id of its message. A message that names one is accepted when all of
//! the file is durable, and never before; what is recalled or erased takes its files with it. What a file is, what it is called
//! and its key are in the sealed message: the server knows a length.

mod download;
mod posting;
mod sweep;
mod turns;
mod upload;
mod usage;
mod verify;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    blobs::{BlobError, Blobs},
    proto::{ErrorCode, SiteId},
};

use super::{Chat, RequestError, space};

pub use download::Download;
pub use verify::{FileTotals, FilesUnseen, StrangeFile, verify_files};

/// Which files are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRules {
    /// Largest file, bytes before it is sealed; 0: none.
    pub largest: u64,
    /// The same for single sites.
    pub sites: BTreeMap<SiteId, u64>,
    /// All files of single sites together, bytes.
    pub site_totals: BTreeMap<SiteId, u64>,
    /// All files together, bytes; none: as much as the disk has.
    pub total: Option<u64>,
    /// What must stay free on the disk, MiB; 0: by its size.
    pub reserve_mb: u32,
}

/// The files of this server's conversations. Without a place for them nobody sends any.
pub struct Attachments {
    blobs: Option<Arc<dyn Blobs>>,
    rules: FileRules,
    turns: turns::Turns,
    usage: usage::Usage,
}

impl Attachments {
    /// Files in a directory or a bucket, if there is one.
    pub fn new(blobs: Option<Arc<dyn Blobs>>, rules: FileRules) -> Self {
        Self { blobs, rules, turns: turns::Turns::default(), usage: usage::Usage::default() }
    }

    /// Nobody sends files.
    pub fn none() -> Self {
        Self::new(None, FileRules::default())
    }

    /// Largest file of a site, bytes before it is sealed; 0: none.
    pub fn largest(&self, site: &SiteId) -> u64 {
        match self.blobs {
            Some(_) => self.rules.sites.get(site).copied().unwrap_or(self.rules.largest),
            None => 0,
        }
    }

    /// Whether it matters how many bytes the company or its sites have.
    fn counts(&self) -> bool {
        self.blobs.is_some() && (self.rules.total.is_some() || !self.rules.site_totals.is_empty())
    }

    fn blobs(&self) -> Result<&Arc<dyn Blobs>, RequestError> {
        let off = || RequestError::new(ErrorCode::Forbidden, "files can't be sent here");
        self.blobs.as_ref().ok_or_else(off)
    }
}

impl Chat {
    /// Largest file of a site, bytes before it is sealed; 0: none.
    pub fn largest_file(&self, site: &SiteId) -> u64 {
        self.attachments.largest(site)
    }

    /// Whether files are counted by site. The first count is to be made at the start ([`Chat::sweep_files`]).
    pub fn counts_files(&self) -> bool {
        self.attachments.counts()
    }

    /// Number and bytes of all stored files, as far as they are counted; none if files can't be stored.
    pub fn stored_files(&self) -> Option<(u64, u64)> {
        self.attachments.blobs.as_ref().map(|blobs| blobs.usage())
    }
}

impl From<BlobError> for RequestError {
    fn from(e: BlobError) -> Self {
        let storage =
            |text: &'static str| Self { retry_ms: Some(space::RETRY_MS), ..Self::new(ErrorCode::Storage, text) };
        match e {
            BlobError::NotFound => Self::new(ErrorCode::NotFound, "there is no such file here"),
            BlobError::Elsewhere { have } => Self { have: Some(have), ..Self::new(ErrorCode::Conflict, e.to_string()) },
            BlobError::Taken => {
                Self::new(ErrorCode::Forbidden, "another file was begun under this id; choose another id")
            }
            BlobError::Length => Self::new(ErrorCode::Malformed, "a part is 1048832 bytes; only the last is shorter"),
            BlobError::Full => storage("the server's disk is full; this file can't be stored at the moment"),
            // what a disk or a store says is for the log, not for strangers
            BlobError::Io(why) => {
                tracing::error!(error = %why, "a file could not be stored or read");
                storage("the server can't store or read this file at the moment; try again")
            }
            BlobError::Away(why) => {
                tracing::warn!(error = %why, "a file could not be stored or read");
                storage("the server can't store or read files at the moment; try again")
            }
        }
    }
}
