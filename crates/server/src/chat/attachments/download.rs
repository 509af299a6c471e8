//! Reading a file, in pieces.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    blobs::{BlobError, BlobId, Blobs},
    hub::Who,
    proto::{ConvId, MsgId, SiteId},
};

use super::{
    super::{Chat, RequestError},
    sweep::{Message, message},
};

/// A posted file, to be read. Cheap to clone.
#[derive(Clone)]
pub struct Download {
    blobs: Arc<dyn Blobs>,
    id: BlobId,
    /// Its bytes, as they were uploaded.
    pub length: u64,
}

impl Download {
    /// Up to `length` bytes from `at` on; fewer only at the end of the file.
    ///
    /// # Errors
    /// It was removed meanwhile; or the disk's.
    pub async fn read(&self, at: u64, length: usize) -> Result<Bytes, BlobError> {
        self.blobs.read(self.id, at, length).await
    }
}

impl Chat {
    /// The file of a message, for whoever sees the conversation.
    ///
    /// # Errors
    /// There is none, or not for them to know.
    pub async fn file(&self, who: &Who, conv: ConvId, msg: MsgId) -> Result<Download, RequestError> {
        let blobs = self.attachments.blobs()?.clone();
        self.theirs(who, conv).await?;
        let id = BlobId { conv, msg };
        let length = match blobs.length(id).await {
            // its message may be stored, and its server have had no time to post it
            Err(BlobError::NotFound) if message(&*self.store, id).await? == Message::Stands => {
                blobs.post(id).await?;
                blobs.length(id).await?
            }
            length => length?,
        };
        Ok(Download { blobs, id, length })
    }

    /// The site of a conversation that they see.
    pub(super) async fn theirs(&self, who: &Who, conv: ConvId) -> Result<SiteId, RequestError> {
        let conversation = self.cache.require(conv).await?;
        let conversation = conversation.lock();
        // those that are empty are their visitor's alone
        match self.sees(who, &conversation) {
            true => Ok(conversation.row.site.clone()),
            false => Err(RequestError::not_found()),
        }
    }
}
