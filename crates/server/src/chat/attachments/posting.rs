//! Messages and their files: accepted when all of the file is there; what is recalled takes its file with it.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    blobs::{BlobId, Blobs},
    proto::{ConvId, ErrorCode, HeaderView, Kind, RecordView},
    store::Store,
};

use super::{
    super::{Chat, RequestError, row::Row},
    Attachments,
};

impl Attachments {
    /// Looks again at the file of a message if it seems incomplete: another server may have the rest. To be awaited before
    /// [`Self::may_post`].
    pub fn looked_at(&self, header: &HeaderView<'_>) -> Option<impl Future<Output = ()> + use<>> {
        let blobs = self.blobs.as_ref().filter(|blobs| blobs.any_upload())?;
        let id = BlobId { conv: header.conv(), msg: header.msg_id() };
        let known = blobs.upload(id)?;
        let blobs = (known.upload.sender == header.sender() && !known.is_whole()).then(|| blobs.clone())?;
        Some(async move {
            if let Err(e) = blobs.find(id).await {
                tracing::warn!(conv = %id.conv, error = %e, "how much of a file is there can't be seen");
            }
        })
    }

    /// Whether a message may be stored: its file, if one was begun, must be durable.
    pub fn may_post(&self, header: &HeaderView<'_>) -> Result<(), RequestError> {
        let Some(blobs) = self.blobs.as_ref().filter(|blobs| blobs.any_upload()) else { return Ok(()) };
        let Some(known) = blobs.upload(BlobId { conv: header.conv(), msg: header.msg_id() }) else { return Ok(()) };
        if known.upload.sender != header.sender() {
            return Err(RequestError::new(
                ErrorCode::Forbidden,
                "another person's file has this id; choose another id",
            ));
        }
        match known.is_whole() {
            true => Ok(()),
            false => {
                Err(RequestError::new(ErrorCode::Conflict, "the file of this message is not complete; upload the rest"))
            }
        }
    }
}

impl Chat {
    /// Messages of a commit: their files may be read from now on.
    pub(in crate::chat) fn files_posted(&self, conv: ConvId, records: &[Bytes]) {
        let Some(blobs) = self.attachments.blobs.as_ref().filter(|blobs| blobs.any_upload()) else { return };
        for header in records.iter().filter_map(|frame| message_of(frame)) {
            let id = BlobId { conv, msg: header.msg_id() };
            if blobs.upload(id).is_some() {
                post(blobs.clone(), id);
            }
        }
    }

    /// Records of a commit were recalled: their files go, too.
    pub(in crate::chat) fn files_recalled(&self, conv: ConvId, seqs: &[u64]) {
        let Some(blobs) = self.attachments.blobs.clone().filter(|_| !seqs.is_empty()) else { return };
        let (attachments, store, seqs) = (self.attachments.clone(), self.store.clone(), seqs.to_vec());
        tokio::spawn(async move {
            for seq in seqs {
                if let Err(e) = remove_of(&attachments, &*store, &*blobs, (conv, seq)).await {
                    tracing::warn!(%conv, seq, error = %e, "the file of a recalled message could not be removed yet");
                }
            }
        });
    }
}

/// The header of a message or note.
fn message_of(frame: &[u8]) -> Option<HeaderView<'_>> {
    let (kind, header) = HeaderView::parse(RecordView::parse(frame)?.body).ok()?;
    matches!(kind, Kind::Message | Kind::Note).then_some(header)
}

/// Lets a file be read at once, and moves it to its place. If that fails, the next sweep does it.
fn post(blobs: Arc<dyn Blobs>, id: BlobId) {
    blobs.mark_posted(id);
    tokio::spawn(async move {
        if let Err(e) = blobs.post(id).await {
            tracing::error!(conv = %id.conv, error = %e, "a file could not be moved to its place yet");
        }
    });
}

async fn remove_of(
    attachments: &Attachments,
    store: &dyn Store,
    blobs: &dyn Blobs,
    (conv, seq): (ConvId, u64),
) -> Result<(), RequestError> {
    for (_, frame) in store.records(conv, seq.saturating_sub(1), 1).await? {
        let header = RecordView::parse(&frame).and_then(|record| HeaderView::parse(record.body).ok());
        if let Some((Kind::Tombstone | Kind::NoteTombstone, header)) = header {
            let id = BlobId { conv, msg: header.msg_id() };
            let length = if attachments.counts() { blobs.length(id).await.unwrap_or(0) } else { 0 };
            blobs.remove(id).await?;
            if let Some(head) = store.head(conv).await?.filter(|_| length > 0) {
                attachments.release(store, &Row::decode(&head.value)?.site, length).await;
            }
        }
    }
    Ok(())
}
