//! Blobs in a directory of this machine.
//!
//! Each upload is worked on by one at a time, and what was begun is finished though nobody waits for it: the lock is held by the
//! work, not by who asked for it.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use futures_util::future::{FutureExt, ready};
use kefu_files as files;
use kefu_proto::{ConvId, MsgId};
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::{
    BlobError, BlobId, Blobs, Disk, Doing, Held, PART, Progress, Upload,
    layout::{Layout, conversation_of, message_of, upload_of},
};

/// Changes with every start of the machine.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A directory of blobs. One process may write to it at a time; others may read what is posted.
pub struct BlobDirectory(Arc<Inner>);

/// Number of locks that uploads share.
const LOCKS: usize = 64;

struct Inner {
    layout: Layout,
    uploads: Mutex<HashMap<BlobId, Progress>>,
    /// Who works on an upload has the lock of its id.
    locks: [Arc<tokio::sync::Mutex<()>>; LOCKS],
    /// Of `uploads`, to be asked without its lock.
    waiting: AtomicUsize,
    count: AtomicU64,
    bytes: AtomicU64,
}

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
        let (count, bytes, waiting) = (AtomicU64::new(0), AtomicU64::new(0), AtomicUsize::new(0));
        let locks = std::array::from_fn(|_| Arc::default());
        Self(Arc::new(Inner { layout, uploads: Mutex::default(), locks, waiting, count, bytes }))
    }

    /// Does something with the disk where it delays nobody.
    fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, BlobError> + Send + 'static,
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
        work: impl FnOnce(&Inner, Option<Progress>) -> Result<T, BlobError> + Send + 'static,
    ) -> Doing<'_, T> {
        async move {
            let guard: OwnedMutexGuard<()> = self.0.locks[usize::from(id.msg.0[0]) % LOCKS].clone().lock_owned().await;
            self.on_disk(move |inner| {
                let _guard = guard;
                work(inner, inner.progress(id))
            })
            .await
        }
        .boxed()
    }
}

impl Inner {
    fn progress(&self, id: BlobId) -> Option<Progress> {
        self.uploads.lock().get(&id).cloned()
    }

    fn insert(&self, id: BlobId, progress: Progress) {
        let mut uploads = self.uploads.lock();
        uploads.insert(id, progress);
        self.waiting.store(uploads.len(), Ordering::Release);
    }

    fn forget(&self, id: BlobId) {
        let mut uploads = self.uploads.lock();
        uploads.remove(&id);
        self.waiting.store(uploads.len(), Ordering::Release);
    }

    fn change(&self, id: BlobId, change: impl FnOnce(&mut Progress)) {
        if let Some(progress) = self.uploads.lock().get_mut(&id) {
            change(progress);
        }
    }

    fn counted(&self, bytes: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn uncounted(&self, bytes: u64) {
        let down = |counter: &AtomicU64, by: u64| {
            // never below zero: what was there before may not be counted yet
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_sub(by)));
        };
        down(&self.count, 1);
        down(&self.bytes, bytes);
    }

    /// Reads which uploads there are. Those of an earlier boot that are not whole may hold anything.
    fn load(&self, same_boot: bool) -> io::Result<()> {
        let mut orphans = Vec::new();
        for entry in entries(&self.layout.uploads())? {
            let name = entry?.file_name();
            match name.to_str().and_then(upload_of) {
                Some((id, "json")) => match self.loaded(id, same_boot) {
                    Some(progress) => self.insert(id, progress),
                    None => self.remove_upload(id)?,
                },
                Some((id, _)) => orphans.push(id),
                None => {}
            }
        }
        for id in orphans.into_iter().filter(|id| self.progress(*id).is_none()) {
            self.remove_upload(id)?;
        }
        Ok(())
    }

    fn loaded(&self, id: BlobId, same_boot: bool) -> Option<Progress> {
        let upload: Upload = serde_json::from_slice(&fs::read(self.layout.upload(id, "json")).ok()?).ok()?;
        let length = |extension| fs::metadata(self.layout.upload(id, extension)).ok().map(|meta| meta.len());
        let have = match length("whole") {
            Some(length) => (length == upload.size).then_some(length)?,
            // what was being written when the process ended is sent again
            None => length("part").filter(|_| same_boot).map(|length| length / PART * PART)?,
        };
        (have <= upload.size).then_some(Progress { upload, have, posted: false })
    }

    fn remove_upload(&self, id: BlobId) -> io::Result<()> {
        for extension in ["part", "whole", "json"] {
            remove_if_there(&self.layout.upload(id, extension))?;
        }
        Ok(())
    }

    /// Makes what is missing, and notes the boot in which uploads are written.
    fn make_directories(&self) -> io::Result<()> {
        files::make_directory(self.layout.root())?;
        files::make_directory(&self.layout.uploads())?;
        let boot = fs::read(BOOT).unwrap_or_default();
        if fs::read(self.layout.boot()).is_ok_and(|last| last == boot) {
            return Ok(());
        }
        files::replace(&self.layout.boot(), 0o600, &boot)
    }

    fn begin(&self, id: BlobId, upload: Upload) -> Result<Progress, BlobError> {
        if fs::exists(self.layout.blob(id))? {
            return Err(BlobError::Taken);
        }
        let progress = Progress { upload, have: 0, posted: false };
        let text = serde_json::to_vec(&progress.upload).map_err(|e| BlobError::Io(e.to_string()))?;
        let begun = (|| {
            self.make_directories()?;
            self.remove_upload(id)?;
            files::create_new(&self.layout.upload(id, "part"), 0o600)?;
            files::write_new(&self.layout.upload(id, "json"), 0o600, &text)
        })();
        if let Err(e) = begun {
            let _ = self.remove_upload(id);
            return Err(e.into());
        }
        self.insert(id, progress.clone());
        Ok(progress)
    }

    fn append(&self, id: BlobId, progress: Progress, at: u64, part: &[u8]) -> Result<Progress, BlobError> {
        let Progress { upload, have, .. } = &progress;
        if at != *have {
            return Err(BlobError::Elsewhere { have: *have });
        }
        if part.len() as u64 != PART.min(upload.size - have) || part.is_empty() {
            return Err(BlobError::Length);
        }
        let path = self.layout.upload(id, "part");
        let file = files::open_own(&path)?;
        let written = have + part.len() as u64;
        let last = written == upload.size;
        let outcome =
            file.write_all_at(part, at).and_then(|()| if last { self.finish(id, &file, upload) } else { Ok(()) });
        if let Err(e) = outcome {
            // so that the disk is not full of what nobody counts
            let _ = file.set_len(at);
            return Err(e.into());
        }
        if last {
            self.counted(upload.size);
        }
        self.change(id, |progress| progress.have = written);
        Ok(Progress { have: written, ..progress })
    }

    /// Makes a whole upload durable.
    fn finish(&self, id: BlobId, file: &File, upload: &Upload) -> io::Result<()> {
        file.sync_all()?;
        File::open(self.layout.upload(id, "json"))?.sync_all()?;
        let whole = self.layout.upload(id, "whole");
        fs::rename(self.layout.upload(id, "part"), &whole)?;
        debug_assert_eq!(file.metadata()?.len(), upload.size, "parts were written one after the other");
        files::sync_parent(&whole)
    }

    fn post(&self, id: BlobId) -> Result<(), BlobError> {
        let (whole, blob) = (self.layout.upload(id, "whole"), self.layout.blob(id));
        let place = self.layout.conversation(id.conv);
        if let Some(shard) = place.parent() {
            files::make_directory(shard)?;
        }
        files::make_directory(&place)?;
        fs::rename(&whole, &blob)?;
        files::sync_parent(&blob)?;
        self.remove_upload(id)?;
        self.forget(id);
        Ok(())
    }

    fn cancel(&self, id: BlobId, progress: Option<Progress>) -> Result<(), BlobError> {
        let Some(progress) = progress else { return Ok(()) };
        self.remove_upload(id)?;
        self.forget(id);
        if progress.is_whole() {
            self.uncounted(progress.upload.size);
        }
        Ok(())
    }

    /// A posted blob. Its message may be stored while it has not moved to its place yet.
    fn open(&self, id: BlobId) -> Result<File, BlobError> {
        let open = |path: &Path| OpenOptions::new().read(true).custom_flags(nofollow()).open(path);
        let moving = || open(&self.layout.upload(id, "whole"));
        let posted = self.progress(id).is_some_and(|progress| progress.posted);
        match open(&self.layout.blob(id)) {
            // between the two looks it may have moved
            Err(e) if e.kind() == io::ErrorKind::NotFound && posted => {
                Ok(moving().or_else(|_| open(&self.layout.blob(id)))?)
            }
            opened => Ok(opened?),
        }
    }

    fn read(&self, id: BlobId, at: u64, length: usize) -> Result<Bytes, BlobError> {
        let file = self.open(id)?;
        let rest = file.metadata()?.len().saturating_sub(at);
        let mut bytes = vec![0; length.min(usize::try_from(rest).unwrap_or(usize::MAX))];
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes.into())
    }

    fn remove_posted(&self, id: BlobId) -> Result<(), BlobError> {
        let path = self.layout.blob(id);
        let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(()) };
        remove_if_there(&path)?;
        self.uncounted(meta.len());
        // the last of a conversation takes its directory with it; another may come at the same time
        let _ = fs::remove_dir(self.layout.conversation(id.conv));
        Ok(())
    }

    fn blobs_of(&self, conv: ConvId) -> io::Result<Vec<(MsgId, u64)>> {
        let mut all = Vec::new();
        for entry in entries(&self.layout.conversation(conv))? {
            let entry = entry?;
            if let Some(msg) = entry.file_name().to_str().and_then(message_of) {
                all.push((msg, entry.metadata()?.len()));
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Conversations whose ids follow, in their order.
    fn conversations(&self, after: Option<ConvId>, limit: usize) -> io::Result<Vec<ConvId>> {
        let (first, mut all) = (after.map_or(0, |conv| conv.0[0]), Vec::new());
        for shard in first..=u8::MAX {
            let mut found = Vec::new();
            for entry in entries(&self.layout.root().join(format!("{shard:02x}")))? {
                let conv = entry?.file_name().to_str().and_then(conversation_of);
                found.extend(conv.filter(|conv| after.is_none_or(|after| conv.0 > after.0)));
            }
            found.sort_unstable_by_key(|conv| conv.0);
            all.extend(found);
            if all.len() >= limit {
                all.truncate(limit);
                break;
            }
        }
        Ok(all)
    }

    fn posted(&self, after: Option<ConvId>, limit: usize) -> io::Result<Vec<Held>> {
        let held = |conv| {
            let changed = fs::metadata(self.layout.conversation(conv)).and_then(|meta| meta.modified());
            let since = changed.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let changed_ms = since.map_or(u64::MAX, |since| since.as_millis() as u64);
            Ok(Held { conv, changed_ms, blobs: self.blobs_of(conv)? })
        };
        self.conversations(after, limit)?.into_iter().map(held).collect()
    }

    fn count_posted(&self) {
        let mut after = None;
        loop {
            let page = match self.posted(after, 100) {
                Ok(page) => page,
                Err(e) => return tracing::warn!(error = %e, "stored files could not be counted"),
            };
            let Some(last) = page.last() else { return };
            after = Some(last.conv);
            page.iter().flat_map(|held| &held.blobs).for_each(|(_, length)| self.counted(*length));
        }
    }
}

/// What is in a directory, nothing if it is not there.
fn entries(path: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(e) => Err(e),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
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
        self.0.uploads.lock().iter().map(|(id, progress)| (*id, progress.clone())).collect()
    }

    fn any_upload(&self) -> bool {
        self.0.waiting.load(Ordering::Acquire) > 0
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

    fn disk(&self) -> Option<Disk> {
        // before the first upload there may be no directory
        let places = self.0.layout.root().ancestors().take(2);
        let disk = places.into_iter().find_map(|place| rustix::fs::statvfs(place).ok())?;
        Some(Disk { total: disk.f_blocks * disk.f_frsize, free: disk.f_bavail * disk.f_frsize })
    }

    fn usage(&self) -> (u64, u64) {
        (self.0.count.load(Ordering::Relaxed), self.0.bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
