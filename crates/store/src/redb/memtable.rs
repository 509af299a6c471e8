//! What the log holds and the database lacks, in memory: a layer that grows with each group, and sometimes an older one that
//! is being written to the database.
//!
//! Only groups that are on disk come here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::RwLock;

use super::layer::Layer;
use kefu_proto::ConvId;

/// The changes since the last checkpoint.
#[derive(Debug)]
pub(super) struct Memtable(RwLock<State>);

#[derive(Debug)]
struct State {
    active: Layer,
    /// Number of the last group in it, or before it.
    last: u64,
    /// When its first change came.
    since: Option<Instant>,
    frozen: Option<Arc<Layer>>,
    moves: u64,
}

/// What is in memory at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers<'a> {
    active: &'a Layer,
    frozen: Option<&'a Layer>,
}

impl<'a> Layers<'a> {
    /// The newest first.
    pub fn newest_first(self) -> impl Iterator<Item = &'a Layer> {
        [Some(self.active), self.frozen].into_iter().flatten()
    }

    /// Those that say something about a conversation, the newest first; and whether they say everything, because it was
    /// erased: then the database must not be asked.
    pub fn of_conversation(self, conv: ConvId) -> (impl DoubleEndedIterator<Item = &'a Layer>, bool) {
        let erased = |layer: &&Layer| layer.erased.contains(&conv);
        let newest_erases = erased(&self.active);
        let older = self.frozen.filter(|_| !newest_erases);
        let whole = newest_erases || older.as_ref().is_some_and(erased);
        ([Some(self.active), older].into_iter().flatten(), whole)
    }
}

/// How much is not in the database yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Bytes in memory, about.
    pub bytes: usize,
    /// How long the oldest of it waits for a checkpoint.
    pub age: Duration,
    /// Whether a checkpoint is under way.
    pub checkpoint: bool,
}

impl Memtable {
    /// With what the log held when it was opened, up to the group `last`.
    pub fn new(replayed: Layer, last: u64) -> Self {
        let since = (!replayed.is_empty()).then(Instant::now);
        Self(RwLock::new(State { active: replayed, last, since, frozen: None, moves: 0 }))
    }

    /// Adds a group that is on disk. Returns how many bytes wait for the next checkpoint.
    pub fn commit(&self, layer: Layer, number: u64) -> usize {
        let mut state = self.0.write();
        state.since.get_or_insert_with(Instant::now);
        state.active.merge(layer);
        state.last = number;
        state.active.bytes()
    }

    /// Looks at one moment. Its number counts the moves between the layers and the database.
    pub fn look<T>(&self, look: impl FnOnce(Layers<'_>) -> T) -> (T, u64) {
        let state = self.0.read();
        let found = look(Layers { active: &state.active, frozen: state.frozen.as_deref() });
        (found, state.moves)
    }

    /// Number of the last group.
    pub fn last(&self) -> u64 {
        self.0.read().last
    }

    /// How often a layer was frozen or dropped.
    pub fn moves(&self) -> u64 {
        self.0.read().moves
    }

    /// What is not in the database.
    pub fn unsettled(&self) -> Unsettled {
        let state = self.0.read();
        let frozen = state.frozen.as_ref().map_or(0, |layer| layer.bytes());
        let age = state.since.map_or(Duration::ZERO, |since| since.elapsed());
        Unsettled { bytes: state.active.bytes() + frozen, age, checkpoint: state.frozen.is_some() }
    }

    /// Bytes that wait for the next checkpoint.
    pub fn waiting(&self) -> (usize, Duration) {
        let state = self.0.read();
        (state.active.bytes(), state.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Everything so far becomes a layer that changes no more, to be written to the database. Returns it with the number of
    /// its last group; none if there is nothing.
    pub fn freeze(&self) -> Option<(Arc<Layer>, u64)> {
        let mut state = self.0.write();
        if state.active.is_empty() {
            return None;
        }
        let frozen = Arc::new(std::mem::take(&mut state.active));
        state.frozen = Some(Arc::clone(&frozen));
        state.since = None;
        state.moves += 1;
        Some((frozen, state.last))
    }

    /// The database contains the frozen layer, durably.
    pub fn settled(&self) {
        let frozen = {
            let mut state = self.0.write();
            state.moves += 1;
            state.frozen.take()
        };
        // freeing thousands of records takes its time, and nobody should wait for it
        drop(frozen);
    }
}
