//! For a copy that is made while others write (`kefu move`): which conversations changed since it was last asked, and a stop of
//! all writes until the copy is complete.

use std::{
    collections::{BTreeSet, HashSet},
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::{Mutex, MutexGuard};

use super::{RedbStore, layer::Layer};
use crate::{Batch, Reply, StoreError, Table, Written, index};
use kefu_proto::ConvId;

/// What the writer and those who copy hold together.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// None: nobody copies.
    changed: Mutex<Option<HashSet<ConvId>>>,
    held: AtomicBool,
    /// Locked by the writer while it writes a group.
    gate: Mutex<()>,
}

impl Changes {
    /// The writer begins a group. Whether batches are refused cannot change until it ends.
    pub fn begin(&self) -> MutexGuard<'_, ()> {
        self.gate.lock()
    }

    /// Whether batches are refused.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Whether somebody wants to know what changes.
    pub fn is_watched(&self) -> bool {
        self.changed.lock().is_some()
    }

    /// These changed. Noted after others can read it: then whoever takes the list first and reads next misses nothing.
    pub fn note(&self, convs: impl IntoIterator<Item = ConvId>) {
        if let Some(changed) = &mut *self.changed.lock() {
            changed.extend(convs);
        }
    }
}

impl Layer {
    /// The conversations that something of it is about.
    pub fn conversations(&self) -> HashSet<ConvId> {
        let mut convs: HashSet<_> = self.records.keys().chain(self.rows.keys()).copied().collect();
        convs.extend(&self.erased);
        for table in Table::ALL.iter().filter(|table| table.is_index()) {
            convs.extend(self.small(*table).keys().filter_map(|key| index::conversation_in(*table, key)));
        }
        convs
    }
}

impl RedbStore {
    /// From when this returns it is remembered which conversations change. What is being written now is waited for.
    pub fn watch_changes(&self) {
        *self.shared.changes.changed.lock() = Some(HashSet::new());
        drop(self.shared.changes.gate.lock());
    }

    /// Those that changed since this was called last, or since they are watched.
    pub fn take_changes(&self) -> BTreeSet<ConvId> {
        let taken = self.shared.changes.changed.lock().as_mut().map(std::mem::take);
        taken.into_iter().flatten().collect()
    }

    /// They are no longer remembered.
    pub fn forget_changes(&self) {
        *self.shared.changes.changed.lock() = None;
    }

    /// From when this returns nothing is written: every batch is refused with [`StoreError::Unwritable`]. What is being written now
    /// is waited for.
    pub fn hold(&self) {
        self.shared.changes.held.store(true, Ordering::Release);
        drop(self.shared.changes.gate.lock());
    }

    /// Batches are taken again.
    pub fn release(&self) {
        self.shared.changes.held.store(false, Ordering::Release);
    }

    /// Writes a batch although others are refused, and waits for the disk.
    ///
    /// # Errors
    /// Those of any batch.
    pub async fn write_held(&self, batch: Batch) -> Result<Written, StoreError> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        self.queue.push_held(batch, Reply::Wait(tx)).map_err(|(e, ..)| e)?;
        rx.await.unwrap_or(Err(StoreError::Closed))
    }
}
