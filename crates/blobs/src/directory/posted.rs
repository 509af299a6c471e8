//! Posted blobs on disk: read, listed, counted, removed.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use kefu_proto::{ConvId, MsgId};

use super::state::State;
use crate::{
    BlobError, BlobId, Held, TAG,
    layout::{conversation_of, message_of},
};

impl State {
    /// A posted blob. Its message may be stored while it has not moved to its place yet.
    pub fn open(&self, id: BlobId) -> Result<File, BlobError> {
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

    pub fn read(&self, id: BlobId, at: u64, length: usize) -> Result<Bytes, BlobError> {
        let file = self.open(id)?;
        let rest = file.metadata()?.len().saturating_sub(at);
        let mut bytes = vec![0; length.min(usize::try_from(rest).unwrap_or(usize::MAX))];
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes.into())
    }

    pub fn remove_posted(&self, id: BlobId) -> Result<(), BlobError> {
        let path = self.layout.blob(id);
        let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(()) };
        remove_if_there(&path)?;
        self.uncounted(meta.len());
        // the last of a conversation takes its directory with it; another may come at the same time
        let _ = fs::remove_dir(self.layout.conversation(id.conv));
        Ok(())
    }

    /// What is wrong with a posted blob: no file has less than one sealed chunk.
    pub fn fault(&self, id: BlobId) -> Result<Option<String>, BlobError> {
        let meta = self.open(id)?.metadata()?;
        Ok(match meta.is_file() {
            false => Some("it is no file".to_owned()),
            true if meta.len() < TAG => Some(format!("it has {} bytes, less than any file", meta.len())),
            true => None,
        })
    }

    pub fn blobs_of(&self, conv: ConvId) -> io::Result<Vec<(MsgId, u64)>> {
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
    pub fn conversations(&self, after: Option<ConvId>, limit: usize) -> io::Result<Vec<ConvId>> {
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

    pub fn posted(&self, after: Option<ConvId>, limit: usize) -> io::Result<Vec<Held>> {
        let held = |conv| {
            let changed = fs::metadata(self.layout.conversation(conv)).and_then(|meta| meta.modified());
            let since = changed.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let changed_ms = since.map_or(u64::MAX, |since| since.as_millis() as u64);
            Ok(Held { conv, changed_ms, blobs: self.blobs_of(conv)? })
        };
        self.conversations(after, limit)?.into_iter().map(held).collect()
    }

    pub fn count_posted(&self) {
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
pub fn entries(path: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(e) => Err(e),
    }
}

pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

pub fn nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}
