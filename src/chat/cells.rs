//! The cells of the conversations somebody looks at, and which conversations are open.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    hub::Topic,
    proto::{ConvId, ConvState, Owner},
    store::{StoreError, Table},
};

use super::{
    Chat, Refusal,
    conversation::{Cell, Row},
};

const SHARDS: usize = 64;

/// A cell, shared.
pub type Shared = Arc<Mutex<Cell>>;

type Shard = Mutex<HashMap<ConvId, Shared>>;

/// See the module.
#[derive(Debug)]
pub struct Cells {
    shards: Box<[Shard]>,
    open: Mutex<BTreeSet<ConvId>>,
}

impl Default for Cells {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), open: Mutex::default() }
    }
}

/// Locks a cell; a panic of another task leaves it readable.
pub fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cells {
    fn shard(&self, conv: ConvId) -> MutexGuard<'_, HashMap<ConvId, Shared>> {
        // ids are hashes, any byte spreads them
        lock(&self.shards[usize::from(conv.0[15]) % SHARDS])
    }

    /// Which conversations are open.
    pub fn open(&self) -> Vec<ConvId> {
        lock(&self.open).iter().copied().collect()
    }

    /// Whether a conversation is open.
    pub fn is_open(&self, conv: ConvId) -> bool {
        lock(&self.open).contains(&conv)
    }

    /// Notes that a conversation was opened or closed. Empty ones are nobody's concern.
    pub fn mark(&self, conv: ConvId, row: &Row) {
        match row.state {
            ConvState::Open if row.empty.is_none() => lock(&self.open).insert(conv),
            ConvState::Open | ConvState::Closed => lock(&self.open).remove(&conv),
        };
    }
}

impl Chat {
    /// The cell of a conversation, read from the store if need be.
    pub(super) fn cell(&self, conv: ConvId) -> Result<Option<Shared>, StoreError> {
        let mut shard = self.cells.shard(conv);
        if let Some(cell) = shard.get(&conv) {
            return Ok(Some(cell.clone()));
        }
        let Some(cell) = Cell::load(&*self.store, conv)? else { return Ok(None) };
        let cell = Arc::new(Mutex::new(cell));
        shard.insert(conv, cell.clone());
        Ok(Some(cell))
    }

    /// The cell, or the refusal that says there is none.
    pub(super) fn must_cell(&self, conv: ConvId) -> Result<Shared, Refusal> {
        self.cell(conv)?.ok_or_else(Refusal::not_found)
    }

    /// The cell if it is in memory.
    pub(super) fn cached(&self, conv: ConvId) -> Option<Shared> {
        self.cells.shard(conv).get(&conv).cloned()
    }

    /// Reads which conversations are open and tells the desk where they stand.
    pub(super) fn load_open(&self) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for (key, _) in self.store.scan(Table::OpenConv, &[], None, false, usize::MAX)? {
            let Some(conv) = ConvId::from_slice(&key) else { continue };
            let Some(cell) = self.cell(conv)? else { continue };
            let row = lock(&cell).row.clone();
            self.cells.mark(conv, &row);
            if row.empty.is_none() {
                rows.push((conv, row));
            }
        }
        // those who wait first: the desk then finds the queues whole when it hears of agents
        rows.sort_by_key(|(_, row)| row.owner != Owner::Queue);
        rows.iter().for_each(|(conv, row)| self.tell_desk(*conv, row));
        Ok(())
    }

    /// Drops cells that nobody follows and that wait for nobody. Called now and then.
    pub fn sweep(&self) {
        for shard in &self.cells.shards {
            lock(shard).retain(|conv, cell| {
                let cell = lock(cell);
                (cell.row.state == ConvState::Open && cell.row.empty.is_none())
                    || cell.marks_dirty
                    || self.hub.listeners(&Topic::Conv(*conv)) > 0
            });
        }
    }
}
