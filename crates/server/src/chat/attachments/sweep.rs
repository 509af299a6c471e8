//! What a stop of the server or a person who changed their mind left: uploads without a message, files without theirs.

use crate::{
    blobs::{BlobId, Blobs, Held},
    proto::{HeaderView, Kind, RecordView},
    store::{self, Store, StoreError},
};

use super::{
    super::{Chat, RequestError, row::Row},
    usage::Sites,
};

/// An upload whose message was not posted goes after this, ms.
const UNPOSTED_MS: u64 = 24 * 3_600_000;
/// A file whose conversation does not exist goes after this, ms: someone may have restored the wrong backup.
const ORPHAN_MS: u64 = 7 * 24 * 3_600_000;
/// Conversations that are looked at in one step.
const STEP: usize = 50;

impl Chat {
    /// Moves files whose messages are stored to their place, and removes uploads that nobody posted for a day. To be called at the
    /// start and once a minute, by one server for all that share the files.
    pub async fn sweep_uploads(&self) {
        let Some(blobs) = &self.attachments.blobs else { return };
        let unposted = match blobs.unposted().await {
            Ok(unposted) => unposted,
            Err(e) => return tracing::warn!(error = %e, "uploads could not be looked through"),
        };
        for (id, since_ms) in unposted {
            if let Err(e) = self.sweep_upload(&**blobs, id, since_ms).await {
                tracing::warn!(conv = %id.conv, error = %e, "an upload could not be put away yet");
            }
        }
    }

    async fn sweep_upload(&self, blobs: &dyn Blobs, id: BlobId, since_ms: u64) -> Result<(), RequestError> {
        let message = message(&*self.store, id).await?;
        match message {
            Message::Stands => blobs.post(id).await?,
            Message::Recalled => blobs.remove(id).await?,
            Message::Missing => {}
        }
        if since_ms.saturating_add(UNPOSTED_MS) <= self.now_ms() {
            // what was posted just now is no upload any more
            blobs.cancel(id).await?;
        }
        Ok(())
    }

    /// Removes files of messages that were recalled, and of conversations that were erased, if their removal was cut short. Reads
    /// all of them; to be called once a day.
    pub async fn sweep_files(&self) {
        let Some(blobs) = self.attachments.blobs.clone() else { return };
        let (mut after, mut all) = (None, Sites::new());
        let then = self.attachments.usage.now(&*self.store).await.unwrap_or_default();
        loop {
            let page = match blobs.posted(after, STEP).await {
                Ok(page) => page,
                Err(e) => return tracing::warn!(error = %e, "stored files could not be looked through"),
            };
            let Some(last) = page.last() else { break };
            after = Some(last.conv);
            for held in page {
                if let Err(e) = self.sweep_conversation(&*blobs, held, &mut all).await {
                    tracing::warn!(error = %e, "files of a conversation could not be looked through");
                }
            }
        }
        if self.attachments.counts()
            && let Err(e) = self.count_uploads(&*blobs, all, &then).await
        {
            tracing::warn!(error = %e, "files could not be counted");
        }
    }

    /// Adds the uploads to what is posted, and says how much there is.
    async fn count_uploads(&self, blobs: &dyn Blobs, mut all: Sites, then: &Sites) -> Result<(), RequestError> {
        for (id, _) in blobs.unposted().await? {
            let (head, known) = (self.store.head(id.conv).await?, blobs.find(id).await?);
            if let (Some(head), Some(known)) = (head, known) {
                *all.entry(Row::decode(&head.value)?.site.as_str().to_owned()).or_default() += known.upload.size;
            }
        }
        Ok(self.attachments.usage.counted(&*self.store, &all, then).await?)
    }

    async fn sweep_conversation(&self, blobs: &dyn Blobs, held: Held, all: &mut Sites) -> Result<(), RequestError> {
        let Some(head) = self.store.head(held.conv).await? else {
            if held.changed_ms.saturating_add(ORPHAN_MS) <= self.now_ms() {
                blobs.remove_all(held.conv).await?;
            }
            return Ok(());
        };
        let of_site = all.entry(Row::decode(&head.value)?.site.as_str().to_owned()).or_default();
        for (msg, length) in held.blobs {
            let id = BlobId { conv: held.conv, msg };
            if message(&*self.store, id).await? == Message::Recalled {
                blobs.remove(id).await?;
            } else {
                *of_site += length;
            }
        }
        Ok(())
    }
}

/// The message that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// Not stored.
    Missing,
    Stands,
    Recalled,
}

pub(super) async fn message(store: &dyn Store, id: BlobId) -> Result<Message, StoreError> {
    let Some(seq) = store::find(store, id.conv, id.msg).await? else { return Ok(Message::Missing) };
    let records = store.records(id.conv, seq.saturating_sub(1), 1).await?;
    let kind = |frame: &[u8]| Some(HeaderView::parse(RecordView::parse(frame)?.body).ok()?.0);
    let kind = records.first().and_then(|(_, frame)| kind(frame));
    Ok(match kind {
        Some(Kind::Tombstone | Kind::NoteTombstone) => Message::Recalled,
        _ => Message::Stands,
    })
}
