//! Uploading: who may, how much, and the parts.

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::{
    blobs::{BlobError, BlobId, PART, Progress, Upload, sealed_length},
    hub::Who,
    proto::{ConvId, ErrorCode, MsgId, SiteId, StorageState},
    store::{Store, space::Thresholds},
};

use super::{
    super::{Act, Address, Chat, RequestError, space},
    Attachments,
    turns::{AHEAD, BEGIN_PATIENCE, Turn},
    usage::Sites,
};

/// Uploads that one may have begun and not posted.
const OPEN: usize = 32;

impl Chat {
    /// Begins to upload the file of a message, or says how much of it is here. `size`: bytes of its sealed chunks.
    ///
    /// # Errors
    /// It is too large, or more than the sender, the address, the company or the disk has room for; the conversation is not
    /// theirs; or another file was begun under this id.
    pub async fn begin_file(
        &self,
        who: &Who,
        address: Address,
        conv: ConvId,
        msg: MsgId,
        size: u64,
    ) -> Result<Progress, RequestError> {
        let blobs = self.attachments.blobs()?.clone();
        let site = self.theirs(who, conv).await?;
        let (id, sender) = (BlobId { conv, msg }, who.kid());
        let largest = self.attachments.largest(&site);
        if largest == 0 {
            return Err(RequestError::new(ErrorCode::Forbidden, "files can't be sent on this site"));
        }
        if size == 0 || size > sealed_length(largest) {
            let text = format!("a file here may have at most {} MiB", largest >> 20);
            return Err(RequestError::new(ErrorCode::TooLarge, text));
        }
        match blobs.find(id).await? {
            // what is begun was counted
            Some(known) if known.upload.sender != sender || known.upload.size != size => Err(BlobError::Taken.into()),
            Some(known) => Ok(known),
            None => {
                self.attachments.has_room(who, size, self.store.space())?;
                // a message with this id may be stored already
                if self.find(conv, sender, msg).await?.is_some() {
                    return Err(BlobError::Taken.into());
                }
                self.attachments.reserve(&*self.store, &site, size).await?;
                let begun = match self.charge_file(who, address, size) {
                    Ok(()) => {
                        blobs.begin(id, Upload { sender, size, begun_ms: self.now_ms() }).await.map_err(Into::into)
                    }
                    Err(refused) => Err(refused),
                };
                if begun.is_err() {
                    self.attachments.release(&*self.store, &site, size).await;
                }
                begun
            }
        }
    }

    /// Waits until a part may be read: when those before it were. To be asked before its bytes are read.
    ///
    /// # Errors
    /// As [`Chat::add_to_file`].
    pub async fn expects_part(&self, who: &Who, conv: ConvId, msg: MsgId, at: u64) -> Result<Turn, RequestError> {
        let (id, turns) = (BlobId { conv, msg }, &self.attachments.turns);
        let begin_by = Instant::now() + BEGIN_PATIENCE;
        let mut looked = false;
        loop {
            let changed = turns.changed();
            let before = turns.before((id, at));
            let waits = looked || before.is_some();
            let known = self.own_upload(who, id, |known| known.have == at || (waits && known.have < at)).await?;
            let have = known.ok_or(BlobError::NotFound)?.have;
            if have == at {
                return Ok(turns.begin((id, at), before));
            }
            if have > at || at - have > AHEAD || !at.is_multiple_of(PART) {
                return Err(BlobError::Elsewhere { have }.into());
            }
            match before {
                Some(mut part) => {
                    if part.was_read().await {
                        return Ok(turns.begin((id, at), Some(part)));
                    }
                }
                None => timeout_at(begin_by, changed).await.map_err(|_| BlobError::Elsewhere { have })?,
            }
            looked = true;
        }
    }

    /// Adds a part, which is 1,048,832 bytes; the last may be shorter. If it is the last, the file is durable when this resolves.
    ///
    /// # Errors
    /// There is no such upload of theirs; the part does not continue it or has another length; or the disk's.
    pub async fn add_to_file(&self, who: &Who, mut turn: Turn, part: Bytes) -> Result<Progress, RequestError> {
        let blobs = self.attachments.blobs()?.clone();
        turn.was_read().await;
        let id = turn.id();
        self.own_upload(who, id, |_| true).await?.ok_or(BlobError::NotFound)?;
        if self.store.space() == StorageState::Full {
            return Err(BlobError::Full.into());
        }
        Ok(blobs.append(id, turn.at(), part).await?)
    }

    /// Gives up an upload whose message was not posted.
    ///
    /// # Errors
    /// It is not theirs; or the disk's.
    pub async fn cancel_file(&self, who: &Who, conv: ConvId, msg: MsgId) -> Result<(), RequestError> {
        let blobs = self.attachments.blobs()?.clone();
        let site = self.theirs(who, conv).await?;
        match self.own_upload(who, BlobId { conv, msg }, |_| true).await? {
            Some(known) => {
                blobs.cancel(BlobId { conv, msg }).await?;
                self.attachments.release(&*self.store, &site, known.upload.size).await;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// How far an upload is, which nobody else may know. What this server remembers is taken if it is `enough`: others may have
    /// begun it, or gone on with it.
    async fn own_upload(
        &self,
        who: &Who,
        id: BlobId,
        enough: impl Fn(&Progress) -> bool,
    ) -> Result<Option<Progress>, RequestError> {
        let blobs = self.attachments.blobs()?;
        let known = match blobs.upload(id).filter(enough) {
            None => {
                self.theirs(who, id.conv).await?;
                blobs.find(id).await?
            }
            known => known,
        };
        match known {
            Some(known) if known.upload.sender != who.kid() => Err(BlobError::NotFound.into()),
            // what is posted is no upload any more, also while it moves to its place
            known => Ok(known.filter(|known| !known.posted)),
        }
    }

    /// What files cost: by the KiB, so that a day's count fits.
    fn charge_file(&self, who: &Who, address: Address, size: u64) -> Result<(), RequestError> {
        let kib = u32::try_from(size.div_ceil(1024)).unwrap_or(u32::MAX);
        let now = self.now_ms();
        match who {
            Who::Visitor { kid, .. } => {
                self.refuse_blocked(*kid)?;
                self.limits.visitor(*kid, address, Act { file_kib: kib, ..Act::default() }, now)
            }
            Who::Agent { user, .. } => self.limits.agent_file(user, kib, now),
        }
        .map_err(|l| self.limited(l))
    }
}

/// There is no room now.
fn later(text: &'static str) -> RequestError {
    RequestError { retry_ms: Some(space::RETRY_MS), ..RequestError::new(ErrorCode::Storage, text) }
}

impl Attachments {
    /// Counts so many bytes more for a site, if it and the company have room for them.
    async fn reserve(&self, store: &dyn Store, site: &SiteId, size: u64) -> Result<(), RequestError> {
        if !self.counts() {
            return Ok(());
        }
        let (of_site, of_all) = (self.rules.site_totals.get(site), self.rules.total);
        let add = |sites: &mut Sites| {
            let (have, all) = (sites.get(site.as_str()).copied().unwrap_or(0), sites.values().sum::<u64>());
            if of_site.is_some_and(|most| have + size > *most) {
                return Err(later("this site has no more room for files; an administrator can make some"));
            }
            if of_all.is_some_and(|most| all + size > most) {
                return Err(later("the company has no more room for files; an administrator can make some"));
            }
            sites.insert(site.as_str().to_owned(), have + size);
            Ok(())
        };
        self.usage.change(store, add).await?
    }

    /// They are gone. If that cannot be said now, the next count finds it.
    pub(super) async fn release(&self, store: &dyn Store, site: &SiteId, size: u64) {
        if self.counts()
            && let Err(e) = self.usage.release(store, site.as_str(), size).await
        {
            tracing::warn!(%site, error = %e, "how many files there are could not be changed yet");
        }
    }

    /// Whether so many bytes more may be stored.
    fn has_room(&self, who: &Who, size: u64, state: StorageState) -> Result<(), RequestError> {
        let blobs = self.blobs()?;
        if state != StorageState::Ok {
            return Err(later("the server's disk is almost full; files can't be stored at the moment"));
        }
        if blobs.begun_by(who.kid()) >= OPEN {
            let text = "too many files are being uploaded; send or cancel some first";
            return Err(RequestError { retry_ms: Some(1_000), ..RequestError::new(ErrorCode::RateLimited, text) });
        }
        let begun = blobs.missing();
        let (_, stored) = blobs.usage();
        if self.rules.total.is_some_and(|total| stored + begun + size > total) {
            return Err(later("the company has no more room for files; an administrator can make some"));
        }
        let disk = blobs.disk();
        let tight = disk.is_some_and(|disk| {
            let reserve = Thresholds::of(disk.total, self.rules.reserve_mb).reserve;
            disk.free < reserve + begun + size + PART
        });
        match tight {
            true => Err(later("the server's disk is almost full; this file can't be stored at the moment")),
            false => Ok(()),
        }
    }
}
