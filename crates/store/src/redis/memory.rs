//! How full the primaries' memory is, and what may be written therefore: the rules are those of a disk (`space.rs`).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use kefu_redis_link::{Value, cmd};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Shared, value::bytes};
use crate::{
    StoreError,
    space::{Space, Thresholds},
};

/// The memory of all primaries, as last read.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Of each shard.
    shards: Mutex<Vec<Space>>,
    used: AtomicU64,
    told: watch::Sender<Space>,
}

impl Memory {
    /// Bytes in use, all primaries together.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The fullest one.
    pub fn now(&self) -> Space {
        *self.told.borrow()
    }

    /// Called on each change.
    pub fn changes(&self) -> watch::Receiver<Space> {
        self.told.subscribe()
    }

    /// What the primaries say of themselves; none: this one did not answer, so what it said last is true still.
    fn learn(&self, said: &[Option<Said>]) {
        let mut shards = self.shards.lock();
        shards.resize(said.len(), Space::default());
        for (space, said) in shards.iter_mut().zip(said) {
            *space = said.map_or(*space, |said| said.space(space.state));
        }
        let fullest = shards.iter().copied().max_by_key(|space| (space.state as u8, u64::MAX - space.free));
        self.used.store(said.iter().flatten().map(|said| said.used).sum(), Ordering::Relaxed);
        let fullest = fullest.unwrap_or_default();
        self.told.send_if_modified(|told| std::mem::replace(told, fullest) != fullest);
    }
}

/// What a primary says of its memory, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    used: u64,
    /// `maxmemory`; 0: as much as there is, which it does not know.
    most: u64,
}

impl Said {
    fn of(answer: &Value) -> Option<Self> {
        let text = match answer {
            Value::VerbatimString { text, .. } => text.as_str(),
            other => std::str::from_utf8(bytes(other)?).ok()?,
        };
        let number = |name: &str| {
            let mut values = text.lines().filter_map(|line| line.split_once(':'));
            values.find_map(|(key, value)| (key == name).then(|| value.trim().parse().ok())).flatten()
        };
        Some(Self { used: number("used_memory")?, most: number("maxmemory").unwrap_or(0) })
    }

    fn space(self, before: kefu_proto::StorageState) -> Space {
        if self.most == 0 {
            return Space::default();
        }
        // no file is given up when memory runs out
        let lines = Thresholds { ballast: 0, ..Thresholds::of(self.most, 0) };
        let free = self.most.saturating_sub(self.used);
        Space { state: lines.state(before, free), total: self.most, free, reserve: lines.reserve }
    }
}

impl Shared {
    /// Asks all primaries.
    pub(super) async fn measure(self: &Arc<Self>) -> Result<(), StoreError> {
        let map = self.link.map();
        let slots = map.shards().iter().filter_map(|shard| shard.slots.first().map(|slots| *slots.start()));
        let question = |slot| {
            let mut question = cmd("INFO");
            question.arg("memory");
            (slot, question)
        };
        let answers = self.ask_all(slots.map(question).collect()).await?;
        self.memory.learn(&answers.iter().map(Said::of).collect::<Vec<_>>());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kefu_proto::StorageState as S;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn said(used: u64, most: u64) -> Option<Said> {
        let text = format!("# Memory\r\nused_memory:{}\r\nmaxmemory:{}\r\n", used * MIB, most * MIB);
        Said::of(&Value::BulkString(text.into_bytes()))
    }

    #[test]
    fn the_fullest_primary_counts_and_one_that_is_silent_stays_as_it_was() {
        let memory = Memory::default();
        let mut changes = memory.changes();
        for (shards, state, used) in [
            (vec![said(1, 1_000), said(900, 0)], S::Ok, 901),
            (vec![said(1, 1_000), said(800, 1_000)], S::Low, 801),
            (vec![said(1, 1_000), said(990, 1_000)], S::Full, 991),
            (vec![said(1, 1_000), None], S::Full, 1),
            // a little room is not enough to leave the state again
            (vec![said(1, 1_000), said(930, 1_000)], S::Full, 931),
            (vec![said(1, 1_000), said(100, 1_000)], S::Ok, 101),
        ] {
            memory.learn(&shards);
            assert_eq!((memory.now().state, memory.used() / MIB), (state, used), "{shards:?}");
        }
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        memory.learn(&[said(1, 1_000), said(100, 1_000)]);
        assert!(!changes.has_changed().unwrap(), "nothing new");
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        assert_eq!(Said::of(&Value::Nil), None);
        assert_eq!(Said::of(&Value::BulkString(b"used_memory:x".to_vec())), None);
    }
}
