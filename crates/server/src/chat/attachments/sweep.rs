//! What a stop of the server or a person who changed their mind left: uploads without a message, files without theirs.

use crate::{
    blobs::{BlobId, Blobs, Held},
    proto::{HeaderView, Kind, RecordView},
    store::{self, Store, StoreError},
};

use super::super::{Chat, RequestError};

/// An upload whose message was not posted goes after this, ms.
const UNPOSTED_MS: u64 = 24 * 3_600_000;
/// A file whose conversation does not exist goes after this, ms: someone may have restored the wrong backup.
const ORPHAN_MS: u64 = 7 * 24 * 3_600_000;
/// Conversations that are looked at in one step.
const STEP: usize = 50;

impl Chat {
    /// Moves files whose messages are stored to their place, and removes uploads that nobody posted for a day. To be called at the
    /// start and once a minute.
    pub async fn sweep_uploads(&self) {
        let Some(blobs) = &self.attachments.blobs else { return };
        for (id, progress) in blobs.uploads() {
            let stored = store::find(&*self.store, id.conv, id.msg).await;
            let done = match stored {
                Ok(Some(_)) if progress.is_whole() => blobs.post(id).await,
                Ok(None) if progress.upload.begun_ms.saturating_add(UNPOSTED_MS) <= self.now_ms() => {
                    blobs.cancel(id).await
                }
                _ => continue,
            };
            if let Err(e) = done {
                tracing::warn!(conv = %id.conv, error = %e, "an upload could not be put away yet");
            }
        }
    }

    /// Removes files of messages that were recalled, and of conversations that were erased, if their removal was cut short. Reads
    /// all of them; to be called once a day.
    pub async fn sweep_files(&self) {
        let Some(blobs) = self.attachments.blobs.clone() else { return };
        let mut after = None;
        loop {
            let page = match blobs.posted(after, STEP).await {
                Ok(page) => page,
                Err(e) => return tracing::warn!(error = %e, "stored files could not be looked through"),
            };
            let Some(last) = page.last() else { return };
            after = Some(last.conv);
            for held in page {
                if let Err(e) = self.sweep_conversation(&*blobs, held).await {
                    tracing::warn!(error = %e, "files of a conversation could not be looked through");
                }
            }
        }
    }

    async fn sweep_conversation(&self, blobs: &dyn Blobs, held: Held) -> Result<(), RequestError> {
        if self.store.head(held.conv).await?.is_none() {
            if held.changed_ms.saturating_add(ORPHAN_MS) <= self.now_ms() {
                blobs.remove_all(held.conv).await?;
            }
            return Ok(());
        }
        for (msg, _) in held.blobs {
            let id = BlobId { conv: held.conv, msg };
            if is_recalled(&*self.store, id).await? {
                blobs.remove(id).await?;
            }
        }
        Ok(())
    }
}

async fn is_recalled(store: &dyn Store, id: BlobId) -> Result<bool, StoreError> {
    let Some(seq) = store::find(store, id.conv, id.msg).await? else { return Ok(false) };
    let records = store.records(id.conv, seq.saturating_sub(1), 1).await?;
    let kind = |frame: &[u8]| Some(HeaderView::parse(RecordView::parse(frame)?.body).ok()?.0);
    Ok(records.first().is_some_and(|(_, frame)| matches!(kind(frame), Some(Kind::Tombstone | Kind::NoteTombstone))))
}
