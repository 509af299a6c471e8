//! Blobs in a bucket of an S3-compatible store, which several servers share.
//!
//! What is whole, begun or posted is said by which objects there are (`keys`), so any server goes on with what another began, and
//! nothing is lost with a server. A server remembers the uploads that pass through it only to answer quickly; what it remembers
//! may be old, and is looked up before anything is refused or removed by it.
//!
//! An object that is acknowledged is durable. Two of a person's requests for one upload at two servers may overtake each other; what
//! they can spoil is that upload.

mod count;
mod keys;
mod lists;
mod memory;
mod restored;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    future::{BoxFuture, FutureExt},
    stream::{self, TryStreamExt},
};
use kefu_proto::{ConvId, Kid};
use kefu_s3::{Bucket, S3Error};
use serde::{Deserialize, Serialize};

use crate::{BlobError, BlobId, Blobs, Disk, Doing, Held, PART, Progress, Upload};
use keys::Piece;
use memory::Memory;

pub use restored::BlobsRestored;

/// Largest mark or meta.
const WORDS: usize = 4 * 1024;
/// Objects that are removed at once.
const AT_ONCE: usize = 8;
/// Parts of neither an upload nor a blob, from a request that overtook a removal, go after this, ms.
const STRAY_MS: u64 = 2 * 24 * 3_600_000;

/// What says that a blob is posted.
#[derive(Serialize, Deserialize)]
struct Meta {
    size: u64,
}

/// Blobs in a bucket.
pub struct BlobBucket(Arc<Inner>);

struct Inner {
    bucket: Bucket,
    memory: Memory,
}

impl From<S3Error> for BlobError {
    fn from(e: S3Error) -> Self {
        match e {
            S3Error::NotFound => Self::NotFound,
            e => Self::Away(e.to_string()),
        }
    }
}

impl BlobBucket {
    /// Blobs of a server. Connects in the background, to count what is there, and again every `recount`.
    pub fn open(bucket: Bucket, recount: Duration) -> Self {
        let blobs = Self::open_to_read(bucket);
        tokio::spawn(count::keep_counting(Arc::downgrade(&blobs.0), recount));
        blobs
    }

    /// The same, without counting.
    pub fn open_to_read(bucket: Bucket) -> Self {
        Self(Arc::new(Inner { bucket, memory: Memory::default() }))
    }

    /// Does something that is finished though nobody waits for it.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Inner>) -> BoxFuture<'static, Result<T, BlobError>> + Send + 'static,
    ) -> Doing<'_, T> {
        let inner = self.0.clone();
        async move {
            let done = tokio::spawn(async move { work(inner).await }).await;
            done.unwrap_or_else(|_| Err(BlobError::Away("the server is stopping".to_owned())))
        }
        .boxed()
    }

    /// The same for an upload that nobody else at this server works on meanwhile.
    fn run_on<T: Send + 'static>(
        &self,
        id: BlobId,
        work: impl FnOnce(Arc<Inner>) -> BoxFuture<'static, Result<T, BlobError>> + Send + 'static,
    ) -> Doing<'_, T> {
        self.run(move |inner| {
            async move {
                let _guard = inner.memory.lock(id).await;
                work(inner.clone()).await
            }
            .boxed()
        })
    }
}

impl Inner {
    /// Bytes of a posted blob.
    async fn length(&self, id: BlobId) -> Result<u64, BlobError> {
        let text = self.bucket.get(&keys::meta(id), WORDS).await?;
        let meta: Meta = serde_json::from_slice(&text).map_err(|_| odd(&keys::meta(id)))?;
        self.memory.learn_length(id, meta.size);
        Ok(meta.size)
    }

    /// What is wrong with a posted blob, by its parts and by what was noted of it.
    async fn fault(&self, id: BlobId) -> Result<Option<String>, BlobError> {
        let size = match self.length(id).await {
            Err(e) if e == odd(&keys::meta(id)) => return Ok(Some("what was noted of it can't be read".to_owned())),
            size => size?,
        };
        let (mut have, mut next) = (0, 0);
        for object in self.all(&keys::blob(id)).await? {
            let Some((_, Piece::Part(n))) = keys::piece_of(&object.key) else { continue };
            let expected = PART.min(size - have);
            if n != next || object.size != expected || expected == 0 {
                return Ok(Some(format!(
                    "its part {n} has {} bytes, where part {next} with {expected} is due",
                    object.size
                )));
            }
            (have, next) = (have + object.size, next + 1);
        }
        Ok((have < size).then(|| format!("{have} of its {size} bytes are there")))
    }

    async fn is_posted(&self, id: BlobId) -> Result<bool, BlobError> {
        match self.length(id).await {
            Ok(_) => Ok(true),
            Err(BlobError::NotFound) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// How far an upload is, by what is stored. None: it was not begun, or is over.
    async fn look(&self, id: BlobId) -> Result<Option<Progress>, BlobError> {
        let key = keys::mark(id);
        let upload: Upload = match self.bucket.get(&key, WORDS).await {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| odd(&key))?,
            Err(S3Error::NotFound) => {
                self.memory.forget(id);
                return Ok(None);
            }
            Err(e) => return Err(e.into()),
        };
        let (mut have, mut next) = (0, 0);
        for object in self.all(&keys::blob(id)).await? {
            // parts follow each other in the order of their keys; what is behind a gap is sent again
            let fits = object.size == PART.min(upload.size - have) && have < upload.size;
            if keys::piece_of(&object.key) == Some((id, Piece::Part(next))) && fits {
                (have, next) = (have + object.size, next + 1);
            }
        }
        let progress = Progress { upload, have, posted: false };
        Ok(Some(self.memory.learn(id, progress)))
    }

    async fn begin(&self, id: BlobId, upload: Upload) -> Result<Progress, BlobError> {
        match self.look(id).await? {
            Some(known)
                if known.upload.sender == upload.sender && known.upload.size == upload.size && !known.posted =>
            {
                return Ok(known);
            }
            Some(_) => return Err(BlobError::Taken),
            None => {}
        }
        if self.is_posted(id).await? {
            return Err(BlobError::Taken);
        }
        let text = serde_json::to_vec(&upload).map_err(|e| BlobError::Io(e.to_string()))?;
        self.bucket.put(&keys::mark(id), text.into()).await?;
        Ok(self.memory.learn(id, Progress { upload, have: 0, posted: false }))
    }

    async fn append(&self, id: BlobId, at: u64, part: Bytes) -> Result<Progress, BlobError> {
        let known = self.memory.upload(id).filter(|known| known.have == at && !known.posted);
        let known = match known {
            Some(known) => known,
            // another server may know better
            None => self.look(id).await?.ok_or(BlobError::NotFound)?,
        };
        let Progress { upload, have, .. } = &known;
        if at != *have {
            return Err(BlobError::Elsewhere { have: *have });
        }
        let length = part.len() as u64;
        if length != PART.min(upload.size - have) || part.is_empty() {
            return Err(BlobError::Length);
        }
        self.bucket.put(&keys::part(id, at / PART), part).await?;
        let progress = Progress { have: have + length, ..known };
        if progress.is_whole() {
            self.memory.counted(progress.upload.size);
        }
        Ok(self.memory.learn(id, progress))
    }

    async fn post(&self, id: BlobId) -> Result<(), BlobError> {
        let Some(progress) = self.look(id).await?.filter(Progress::is_whole) else { return Ok(()) };
        let meta = Meta { size: progress.upload.size };
        let text = serde_json::to_vec(&meta).map_err(|e| BlobError::Io(e.to_string()))?;
        self.bucket.put(&keys::meta(id), text.into()).await?;
        self.bucket.delete(&keys::mark(id)).await?;
        self.memory.forget(id);
        Ok(())
    }

    async fn cancel(&self, id: BlobId) -> Result<(), BlobError> {
        let Some(progress) = self.look(id).await?.filter(|progress| !progress.posted) else { return Ok(()) };
        if !self.is_posted(id).await? {
            let parts = self.all(&keys::blob(id)).await?.into_iter().map(|object| object.key);
            self.delete(parts).await?;
            if progress.is_whole() {
                self.memory.uncounted(progress.upload.size);
            }
        }
        // last: what is cut short is found by it
        self.bucket.delete(&keys::mark(id)).await?;
        self.memory.forget(id);
        Ok(())
    }

    async fn read(&self, id: BlobId, at: u64, length: usize) -> Result<Bytes, BlobError> {
        let size = match self.memory.length(id) {
            Some(size) => size,
            None => self.length(id).await?,
        };
        let end = size.min(at.saturating_add(length as u64));
        let (mut at, mut read) = (at, BytesMut::new());
        while at < end {
            let (n, offset) = (at / PART, at % PART);
            let piece =
                self.bucket.get_range(&keys::part(id, n), offset, (PART - offset).min(end - at) as usize).await?;
            if piece.is_empty() {
                return Err(odd(&keys::part(id, n)));
            }
            at += piece.len() as u64;
            if at == end && read.is_empty() {
                return Ok(piece);
            }
            read.extend_from_slice(&piece);
        }
        Ok(read.freeze())
    }

    /// Removes everything of blobs below `under`, so that what is cut short is no longer read.
    async fn remove_below(&self, under: &str) -> Result<(), BlobError> {
        let all = self.all(under).await?;
        let mut blobs: BTreeMap<BlobId, (bool, u64)> = BTreeMap::new();
        for (object, (id, piece)) in all.iter().filter_map(|object| Some((object, keys::piece_of(&object.key)?))) {
            // those that are not whole were never counted
            let whole = self.memory.upload(id).is_some_and(|progress| progress.is_whole());
            let (counted, bytes) = blobs.entry(id).or_insert((whole, 0));
            match piece {
                Piece::Meta => *counted = true,
                Piece::Part(_) => *bytes += object.size,
            }
            self.memory.forget_length(id);
        }
        let (metas, parts): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|object| matches!(keys::piece_of(&object.key), Some((_, Piece::Meta))));
        self.delete(metas.into_iter().map(|meta| meta.key)).await?;
        self.delete(parts.into_iter().map(|part| part.key)).await?;
        blobs.values().filter(|(counted, _)| *counted).for_each(|(_, bytes)| self.memory.uncounted(*bytes));
        Ok(())
    }

    async fn remove_all(&self, conv: ConvId) -> Result<(), BlobError> {
        self.remove_below(&keys::conversation(conv)).await?;
        for mark in self.all(&keys::marks_of(conv)).await? {
            self.bucket.delete(&mark.key).await?;
            if let Some(id) = keys::mark_of(&mark.key) {
                self.memory.forget(id);
            }
        }
        Ok(())
    }

    async fn delete(&self, keys: impl Iterator<Item = String>) -> Result<(), BlobError> {
        let all = stream::iter(keys.map(Ok::<_, S3Error>));
        let deleted = all.try_for_each_concurrent(AT_ONCE, |key| async move { self.bucket.delete(&key).await });
        Ok(deleted.await?)
    }
}

/// An object that this kefu did not write so.
fn odd(key: &str) -> BlobError {
    BlobError::Away(format!("the object {key} has another content than kefu wrote"))
}

impl Blobs for BlobBucket {
    fn upload(&self, id: BlobId) -> Option<Progress> {
        self.0.memory.upload(id)
    }

    fn find(&self, id: BlobId) -> Doing<'_, Option<Progress>> {
        self.run_on(id, move |inner| async move { inner.look(id).await }.boxed())
    }

    fn uploads(&self) -> Vec<(BlobId, Progress)> {
        self.0.memory.uploads()
    }

    fn begun_by(&self, sender: Kid) -> usize {
        self.0.memory.begun_by(sender)
    }

    fn missing(&self) -> u64 {
        self.0.memory.missing()
    }

    fn any_upload(&self) -> bool {
        self.0.memory.any()
    }

    fn unposted(&self) -> Doing<'_, Vec<(BlobId, u64)>> {
        self.run(|inner| async move { inner.unposted().await }.boxed())
    }

    fn begin(&self, id: BlobId, upload: Upload) -> Doing<'_, Progress> {
        self.run_on(id, move |inner| async move { inner.begin(id, upload).await }.boxed())
    }

    fn append(&self, id: BlobId, at: u64, part: Bytes) -> Doing<'_, Progress> {
        self.run_on(id, move |inner| async move { inner.append(id, at, part).await }.boxed())
    }

    fn mark_posted(&self, id: BlobId) {
        self.0.memory.mark_posted(id);
    }

    fn post(&self, id: BlobId) -> Doing<'_, ()> {
        self.mark_posted(id);
        self.run_on(id, move |inner| async move { inner.post(id).await }.boxed())
    }

    fn cancel(&self, id: BlobId) -> Doing<'_, ()> {
        self.run_on(id, move |inner| async move { inner.cancel(id).await }.boxed())
    }

    fn length(&self, id: BlobId) -> Doing<'_, u64> {
        async move {
            match self.0.memory.upload(id) {
                // its message is stored
                Some(progress) if progress.posted => {
                    self.0.memory.learn_length(id, progress.upload.size);
                    Ok(progress.upload.size)
                }
                _ => self.0.length(id).await,
            }
        }
        .boxed()
    }

    fn read(&self, id: BlobId, at: u64, length: usize) -> Doing<'_, Bytes> {
        async move { self.0.read(id, at, length).await }.boxed()
    }

    fn remove(&self, id: BlobId) -> Doing<'_, ()> {
        self.run_on(id, move |inner| {
            async move {
                inner.cancel(id).await?;
                inner.memory.forget_length(id);
                inner.remove_below(&keys::blob(id)).await?;
                inner.bucket.delete(&keys::mark(id)).await?;
                inner.memory.forget(id);
                Ok(())
            }
            .boxed()
        })
    }

    fn remove_all(&self, conv: ConvId) -> Doing<'_, ()> {
        self.run(move |inner| async move { inner.remove_all(conv).await }.boxed())
    }

    fn posted(&self, after: Option<ConvId>, limit: usize) -> Doing<'_, Vec<Held>> {
        self.run(move |inner| async move { inner.posted(after, limit).await }.boxed())
    }

    fn fault(&self, id: BlobId) -> Doing<'_, Option<String>> {
        self.run(move |inner| async move { inner.fault(id).await }.boxed())
    }

    fn disk(&self) -> Option<Disk> {
        None
    }

    fn usage(&self) -> (u64, u64) {
        self.0.memory.usage()
    }
}
