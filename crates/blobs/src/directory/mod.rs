//! Blobs in a directory of this machine.
//!
//! Each upload is worked on by one at a time, and what was begun is finished though nobody waits for it: the lock is held by the
//! work, not by who asked for it.

mod posted;
mod state;
mod strangers;
mod uploads;

use std::{fs, io, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::future::{FutureExt, ready};
use kefu_proto::{ConvId, Kid};
use tokio::sync::OwnedMutexGuard;

use crate::{BlobError, BlobId, Blobs, Disk, Doing, Held, Progress, Upload, layout::Layout};
use state::State;
pub use strangers::{Strangers, strangers};

/// Changes with every start of the machine.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A directory of blobs. One process may write to it at a time; others may read what is posted.
pub struct BlobDirectory(Arc<State>);

impl BlobDirectory {
    /// Opens a directory for writing, made with the first upload if there is none. What was not whole when the machine stopped is
    /// removed. A full disk is no error: a server must start on it.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(root: &Path) -> io::Result<Self> {
        let directory = Self::of(Layout::new(root));
        let boot = fs::read(BOOT).unwrap_or_default();
        let same_boot = !boot.is_empty() && fs::read(directory.0.layout.boot()).is_ok_and(|last| last == boot);
        directory.0.load(same_boot)?;
        let counted = directory.0.clone();
        // a large directory takes its time; until then the numbers are too small
        std::thread::spawn(move || counted.count_posted());
        Ok(directory)
    }

    /// A directory of which only posted blobs are read, also while another process writes to it. It need not exist.
    pub fn open_to_read(root: &Path) -> Self {
        Self::of(Layout::new(root))
    }

    fn of(layout: Layout) -> Self {
        Self(Arc::new(State::new(layout)))
    }

    /// Does something with the disk where it delays nobody.
    fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, BlobError> + Send + 'static,
    ) -> Doing<'_, T> {
        let inner = self.0.clone();
        async move {
            let done = tokio::task::spawn_blocking(move || work(&inner)).await;
            done.unwrap_or_else(|_| Err(BlobError::Io("the server is stopping".to_owned())))
        }
        .boxed()
    }

    /// The same for an upload that nobody else works on meanwhile. `work` gets its progress, none if there is none.
    fn on_upload<T: Send + 'static>(
        &self,
        id: BlobId,
        work: impl FnOnce(&State, Option<Progress>) -> Result<T, BlobError> + Send + 'static,
    ) -> Doing<'_, T> {
        async move {
            let guard: OwnedMutexGuard<()> = self.0.lock_of(id).lock_owned().await;
            self.on_disk(move |inner| {
                let _guard = guard;
                work(inner, inner.progress(id))
            })
            .await
        }
        .boxed()
    }
}

impl Blobs for BlobDirectory {
    fn upload(&self, id: BlobId) -> Option<Progress> {
        self.0.progress(id)
    }

    fn find(&self, id: BlobId) -> Doing<'_, Option<Progress>> {
        ready(Ok(self.upload(id))).boxed()
    }

    fn unposted(&self) -> Doing<'_, Vec<(BlobId, u64)>> {
        let since = |(id, progress): (BlobId, Progress)| (id, progress.upload.begun_ms);
        ready(Ok(self.uploads().into_iter().map(since).collect())).boxed()
    }

    fn uploads(&self) -> Vec<(BlobId, Progress)> {
        self.0.uploads.lock().iter().map(|(id, progress)| (id, progress.clone())).collect()
    }

    fn begun_by(&self, sender: Kid) -> usize {
        self.0.uploads.lock().of(sender)
    }

    fn missing(&self) -> u64 {
        self.0.uploads.lock().missing()
    }

    fn any_upload(&self) -> bool {
        self.0.any_upload()
    }

    fn begin(&self, id: BlobId, upload: Upload) -> Doing<'_, Progress> {
        self.on_upload(id, move |inner, known| match known {
            Some(known)
                if known.upload.sender == upload.sender && known.upload.size == upload.size && !known.posted =>
            {
                Ok(known)
            }
            Some(_) => Err(BlobError::Taken),
            None => inner.begin(id, upload),
        })
    }

    fn append(&self, id: BlobId, at: u64, part: Bytes) -> Doing<'_, Progress> {
        self.on_upload(id, move |inner, known| inner.append(id, known.ok_or(BlobError::NotFound)?, at, &part))
    }

    fn mark_posted(&self, id: BlobId) {
        self.0.change(id, |progress| progress.posted |= progress.is_whole());
    }

    fn post(&self, id: BlobId) -> Doing<'_, ()> {
        self.mark_posted(id);
        self.on_upload(id, move |inner, known| match known {
            Some(known) if known.posted => inner.post(id),
            _ => Ok(()),
        })
    }

    fn cancel(&self, id: BlobId) -> Doing<'_, ()> {
        self.on_upload(id, move |inner, known| inner.cancel(id, known.filter(|progress| !progress.posted)))
    }

    fn length(&self, id: BlobId) -> Doing<'_, u64> {
        self.on_disk(move |inner| Ok(inner.open(id)?.metadata()?.len()))
    }

    fn read(&self, id: BlobId, at: u64, length: usize) -> Doing<'_, Bytes> {
        self.on_disk(move |inner| inner.read(id, at, length))
    }

    fn remove(&self, id: BlobId) -> Doing<'_, ()> {
        self.on_upload(id, move |inner, known| {
            inner.cancel(id, known)?;
            inner.remove_posted(id)
        })
    }

    fn remove_all(&self, conv: ConvId) -> Doing<'_, ()> {
        async move {
            let uploads = self.uploads().into_iter().map(|(id, _)| id).filter(|id| id.conv == conv);
            for id in uploads {
                self.remove(id).await?;
            }
            self.on_disk(move |inner| {
                inner.blobs_of(conv)?.into_iter().try_for_each(|(msg, _)| inner.remove_posted(BlobId { conv, msg }))
            })
            .await
        }
        .boxed()
    }

    fn posted(&self, after: Option<ConvId>, limit: usize) -> Doing<'_, Vec<Held>> {
        self.on_disk(move |inner| Ok(inner.posted(after, limit)?))
    }

    fn fault(&self, id: BlobId) -> Doing<'_, Option<String>> {
        self.on_disk(move |inner| inner.fault(id))
    }

    fn disk(&self) -> Option<Disk> {
        // before the first upload there may be no directory
        let places = self.0.layout.root().ancestors().take(2);
        let disk = places.into_iter().find_map(|place| rustix::fs::statvfs(place).ok())?;
        Some(Disk { total: disk.f_blocks * disk.f_frsize, free: disk.f_bavail * disk.f_frsize })
    }

    fn usage(&self) -> (u64, u64) {
        self.0.usage()
    }
}

#[cfg(test)]
mod tests;
