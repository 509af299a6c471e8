//! The cells of the conversations somebody looks at, and which conversations are open.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    hub::Topic,
    proto::{ConvId, ConvState, Owner},
    store::{StoreError, Table},
};
use parking_lot::{Mutex, MutexGuard};

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

impl Cells {
    fn shard(&self, conv: ConvId) -> MutexGuard<'_, HashMap<ConvId, Shared>> {
        // ids are hashes, any byte spreads them
        self.shards[usize::from(conv.0[15]) % SHARDS].lock()
    }

    /// Which conversations are open.
    pub fn open(&self) -> Vec<ConvId> {
        self.open.lock().iter().copied().collect()
    }

    /// Whether a conversation is open.
    pub fn is_open(&self, conv: ConvId) -> bool {
        self.open.lock().contains(&conv)
    }

    /// Notes that a conversation was opened or closed. Empty ones are nobody's concern.
    pub fn mark(&self, conv: ConvId, row: &Row) {
        match row.state {
            ConvState::Open if row.empty.is_none() => self.open.lock().insert(conv),
            ConvState::Open | ConvState::Closed => self.open.lock().remove(&conv),
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
            let row = cell.lock().row.clone();
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
            shard.lock().retain(|conv, cell| {
                let cell = cell.lock();
                (cell.row.state == ConvState::Open && cell.row.empty.is_none())
                    || cell.marks_dirty
                    || self.hub.listeners(&Topic::Conv(*conv)) > 0
            });
        }
    }
}
