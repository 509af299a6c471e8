//! The message ids of a conversation in little memory: of each only a part of its hash is kept, with the record that has it. Who
//! finds one compares the record.

use std::{hash::BuildHasher as _, sync::LazyLock};

use hashbrown::HashTable;

use kefu_proto::MsgId;

/// Keyed, so that nobody can choose ids that look alike here.
static KEY: LazyLock<foldhash::fast::RandomState> = LazyLock::new(Default::default);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    tag: u32,
    seq: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ids(HashTable<Entry>);

/// How many records a conversation may have.
pub(super) const MOST: u64 = u32::MAX as u64;

fn tag(id: &MsgId) -> u32 {
    KEY.hash_one(id) as u32
}

/// The table wants all bits of a hash.
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Ids {
    /// Remembers that the record `seq`, of at most [`MOST`], has this id. Saying it twice is saying it once.
    pub fn insert(&mut self, id: &MsgId, seq: u64) {
        let entry = Entry { tag: tag(id), seq: seq as u32 };
        if self.0.find(spread(entry.tag), |known| *known == entry).is_none() {
            self.0.insert_unique(spread(entry.tag), entry, |known| spread(known.tag));
        }
    }

    /// The records that may have this id. None that has it is missing; nearly always there is none or it is the one.
    pub fn candidates(&self, id: &MsgId) -> impl Iterator<Item = u64> + use<'_> {
        let tag = tag(id);
        self.0.iter_hash(spread(tag)).filter(move |known| known.tag == tag).map(|known| known.seq.into())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_found_with_its_record_and_what_looks_alike_is_rare() {
        let id = |n: u64| MsgId(*[n.to_be_bytes(), [7; 8]].concat().first_chunk().unwrap());
        let mut ids = Ids::default();
        for round in 0..2 {
            for n in 1..=50_000 {
                ids.insert(&id(n), n);
            }
            assert_eq!(ids.len(), 50_000, "round {round}");
        }
        assert!((1..=50_000).all(|n| ids.candidates(&id(n)).any(|seq| seq == n)));
        let strangers: usize = (50_001..=100_000).map(|n| ids.candidates(&id(n)).count()).sum();
        assert!(strangers < 20, "{strangers} of 50,000");
    }
}
