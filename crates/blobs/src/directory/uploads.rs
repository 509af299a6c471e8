//! Uploads on disk: begun, written part by part, made durable, moved to their place or removed.

use std::{
    fs::{self, File},
    io,
    num::NonZeroU64,
    os::unix::fs::FileExt,
};

use kefu_files as files;

use super::{
    BOOT,
    posted::{entries, remove_if_there},
    state::State,
};
use crate::{BlobError, BlobId, PART, Progress, Upload, layout::upload_of};

impl State {
    /// Reads which uploads there are. Those of an earlier boot that are not whole may hold anything.
    pub fn load(&self, same_boot: bool) -> io::Result<()> {
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

    pub fn loaded(&self, id: BlobId, same_boot: bool) -> Option<Progress> {
        let upload: Upload = serde_json::from_slice(&fs::read(self.layout.upload(id, "json")).ok()?).ok()?;
        let length = |extension| fs::metadata(self.layout.upload(id, extension)).ok().map(|meta| meta.len());
        let have = match length("whole") {
            Some(length) => (length == upload.size).then_some(length)?,
            // what was being written when the process ended is sent again
            None => length("part").filter(|_| same_boot).map(|length| length / PART * PART)?,
        };
        (have <= upload.size).then_some(Progress { upload, have, posted: false })
    }

    pub fn remove_upload(&self, id: BlobId) -> io::Result<()> {
        for extension in ["part", "whole", "json"] {
            remove_if_there(&self.layout.upload(id, extension))?;
        }
        Ok(())
    }

    /// Makes what is missing, and notes the boot in which uploads are written.
    pub fn make_directories(&self) -> io::Result<()> {
        files::make_directory(self.layout.root())?;
        files::make_directory(&self.layout.uploads())?;
        let boot = fs::read(BOOT).unwrap_or_default();
        if fs::read(self.layout.boot()).is_ok_and(|last| last == boot) {
            return Ok(());
        }
        files::replace(&self.layout.boot(), 0o600, &boot)
    }

    pub fn begin(&self, id: BlobId, upload: Upload) -> Result<Progress, BlobError> {
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

    pub fn append(&self, id: BlobId, progress: Progress, at: u64, part: &[u8]) -> Result<Progress, BlobError> {
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
        } else if let Some(length) = NonZeroU64::new(part.len() as u64) {
            // the disk begins to write it: when all is made durable little is left, and nobody waits for all of it at once
            let _ = rustix::fs::fadvise(&file, at, Some(length), rustix::fs::Advice::DontNeed);
        }
        self.change(id, |progress| progress.have = written);
        Ok(Progress { have: written, ..progress })
    }

    /// Makes a whole upload durable.
    pub fn finish(&self, id: BlobId, file: &File, upload: &Upload) -> io::Result<()> {
        file.sync_all()?;
        File::open(self.layout.upload(id, "json"))?.sync_all()?;
        let whole = self.layout.upload(id, "whole");
        fs::rename(self.layout.upload(id, "part"), &whole)?;
        debug_assert_eq!(file.metadata()?.len(), upload.size, "parts were written one after the other");
        files::sync_parent(&whole)
    }

    pub fn post(&self, id: BlobId) -> Result<(), BlobError> {
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

    pub fn cancel(&self, id: BlobId, progress: Option<Progress>) -> Result<(), BlobError> {
        let Some(progress) = progress else { return Ok(()) };
        self.remove_upload(id)?;
        self.forget(id);
        if progress.is_whole() {
            self.uncounted(progress.upload.size);
        }
        Ok(())
    }
}
