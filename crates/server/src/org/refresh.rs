//! What other servers of the company change: the directory, settings, passwords. Each change draws a mark in the database; a
//! server that finds one it doesn't know reads what is new, and verifies it as if it had been sent.

use super::{
    Org, OrgError,
    published::{PublishedDirectory, check_snapshot},
    rows,
};
use crate::{
    crypto::{
        directory::{Entry, Snapshot},
        sign::random,
    },
    proto::UserId,
    store::{self, Batch, Op, StoreError, Table},
};

impl Org {
    /// Writes something, so that the other servers notice.
    pub(super) async fn write(&self, mut ops: Vec<Op>) -> Result<(), StoreError> {
        // this server, too, will read what it wrote: another may have written between its last look and this
        let mark = self.store.is_shared().then(|| random::<16>().to_vec());
        ops.extend(mark.map(|value| Op::Put { table: Table::Meta, key: rows::CHANGED.to_vec(), value }));
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// The same for the directory; if another server was faster, its entries are known afterwards. The caller holds `writing`.
    pub(super) async fn write_directory(&self, ops: Vec<Op>) -> Result<(), OrgError> {
        match self.write(ops).await {
            Err(StoreError::Conflict) if self.store.is_shared() => {
                self.read_changes().await?;
                Err(OrgError::Conflict)
            }
            written => Ok(written?),
        }
    }

    /// Reads what other servers changed since the last call. To be called when one says so, and periodically.
    ///
    /// # Errors
    /// If the store can't be read, or holds what doesn't verify; what was known stays.
    pub async fn refresh(&self) -> Result<(), OrgError> {
        if !self.store.is_shared() {
            return Ok(());
        }
        let mark = self.store.get(Table::Meta, rows::CHANGED).await?;
        if mark == *self.seen_change.lock() {
            return Ok(());
        }
        let _one = self.writing.lock().await;
        self.read_changes().await?;
        *self.seen_change.lock() = mark;
        Ok(())
    }

    /// The caller holds `writing`.
    async fn read_changes(&self) -> Result<(), OrgError> {
        let live = self.live();
        // first: one that is newer than the entries read would cover what is not known
        let stored = self.store.get(Table::Meta, rows::SNAPSHOT).await?;
        let stored: Option<Snapshot> = stored.map(|v| rows::read("snapshot", &v)).transpose()?;
        let new: Vec<Entry> = rows::after(&*self.store, Table::Directory, rows::entry_key(live.directory.seq()))
            .await?
            .iter()
            .map(|(_, v)| rows::read("directory entry", v))
            .collect::<Result<_, _>>()?;
        let mut directory = (*live.directory).clone();
        for entry in &new {
            directory.apply(entry)?;
        }
        let entries = [&live.entries[..], &new].concat();
        let mut snapshot = live.snapshot.clone();
        if let Some(stored) = stored.filter(|stored| Some(stored) != live.snapshot.as_ref())
            && check_snapshot(&directory, &entries, live.snapshot.as_ref(), &stored, self.now_ms())?
        {
            directory.cover(stored.read()?.seq);
            snapshot = Some(stored);
        }
        *self.password_changes.write() = rows::password_changes(&*self.store).await?;
        self.desk_table.read_again(&*self.store).await?;
        // with an empty cache of settings, as those may have changed
        self.publish(PublishedDirectory::new(directory.into(), entries, snapshot));
        if let Some(keys) = self.robot_keys() {
            keys.rotate_if_due(&self.directory());
        }
        Ok(())
    }

    /// When a user's password was last changed, ms; 0: never, as far as is known.
    pub fn password_changed_at(&self, user: &UserId) -> u64 {
        self.password_changes.read().get(user).copied().unwrap_or(0)
    }

    pub(super) fn note_password_change(&self, user: &UserId, at_ms: u64) {
        self.password_changes.write().insert(user.clone(), at_ms);
    }
}
