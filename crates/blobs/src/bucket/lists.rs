//! What a bucket has, list by list.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use kefu_proto::ConvId;
use kefu_s3::Object;

use super::{
    Inner, STRAY_MS,
    keys::{self, Piece},
};
use crate::{BlobError, BlobId, Held};

/// Objects that are held at once: a conversation with a terabyte of files has as many.
const MOST: usize = 1_000_000;

/// What a list says of a blob.
#[derive(Default)]
struct Seen {
    bytes: u64,
    posted: bool,
    changed_ms: u64,
}

impl Inner {
    /// Everything below a key that has fewer than [`MOST`] objects.
    pub(super) async fn all(&self, under: &str) -> Result<Vec<Object>, BlobError> {
        let mut all = Vec::new();
        self.each(under, None, &mut |object| {
            all.push(object);
            all.len() < MOST
        })
        .await?;
        if all.len() == MOST { Err(endless()) } else { Ok(all) }
    }

    /// Every object below a key that follows `after`, in their order, until `take` has enough.
    pub(super) async fn each(
        &self,
        under: &str,
        after: Option<&str>,
        take: &mut (dyn FnMut(Object) -> bool + Send),
    ) -> Result<(), BlobError> {
        let mut token = None;
        loop {
            let page = self.bucket.list(under, after, token.as_deref()).await?;
            for object in page.objects {
                if !take(object) {
                    return Ok(());
                }
            }
            match page.next {
                None => return Ok(()),
                // one that never ends is none
                next if next == token => return Err(endless()),
                next => token = next,
            }
        }
    }

    /// Uploads that have a mark, and since when.
    pub(super) async fn unposted(&self) -> Result<Vec<(BlobId, u64)>, BlobError> {
        let marks = self.all(keys::UPLOADS).await?;
        Ok(marks.into_iter().filter_map(|mark| Some((keys::mark_of(&mark.key)?, mark.changed_ms))).collect())
    }

    /// Conversations whose ids follow, and their posted blobs. What is neither posted nor an upload is removed.
    pub(super) async fn posted(&self, after: Option<ConvId>, limit: usize) -> Result<Vec<Held>, BlobError> {
        let (mut all, mut held): (BTreeMap<BlobId, Seen>, Vec<Held>) = Default::default();
        self.each(keys::FILES, after.map(keys::after).as_deref(), &mut |object| {
            let Some((id, piece)) = keys::piece_of(&object.key) else { return true };
            if held.last().is_none_or(|last| last.conv != id.conv) {
                if held.len() == limit {
                    return false;
                }
                held.push(Held { conv: id.conv, changed_ms: 0, blobs: Vec::new() });
            }
            let seen = all.entry(id).or_default();
            match piece {
                Piece::Meta => seen.posted = true,
                Piece::Part(_) => seen.bytes += object.size,
            }
            seen.changed_ms = seen.changed_ms.max(object.changed_ms);
            all.len() < MOST
        })
        .await?;
        if all.len() == MOST {
            return Err(endless());
        }
        for held in &mut held {
            for (id, seen) in all.iter().filter(|(id, _)| id.conv == held.conv) {
                held.changed_ms = held.changed_ms.max(seen.changed_ms);
                held.blobs.extend(seen.posted.then_some((id.msg, seen.bytes)));
            }
        }
        for (id, _) in all.into_iter().filter(|(_, seen)| !seen.posted && is_old(seen.changed_ms)) {
            self.remove_stray(id).await?;
        }
        Ok(held)
    }

    async fn remove_stray(&self, id: BlobId) -> Result<(), BlobError> {
        let _guard = self.memory.lock(id).await;
        match self.look(id).await? {
            Some(_) => Ok(()),
            None if self.is_posted(id).await? => Ok(()),
            None => self.remove_below(&keys::blob(id)).await,
        }
    }
}

fn endless() -> BlobError {
    BlobError::Away("a list of the store does not end: does another program use the same prefix?".to_owned())
}

fn is_old(changed_ms: u64) -> bool {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    changed_ms.saturating_add(STRAY_MS) <= now_ms
}
