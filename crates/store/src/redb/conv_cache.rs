//! What the writer remembers of conversations, so that an ordinary message costs one insert and no read.
//!
//! The cache only repeats the tables (as the current transaction sees them); anything may be dropped at any
//! time and is read again when needed. It has two generations: what is used moves to the young one; when that holds half
//! of the limits it becomes the old one, and the old one is thrown away.

use foldhash::{HashMap, HashMapExt};

use std::collections::hash_map::Entry;

use super::ids::Ids;
use crate::StoreError;
use kefu_proto::ConvId;

/// Maximum number of conversations remembered.
const MAX_CONVS: usize = 100_000;
/// Maximum number of message ids remembered, all conversations together (some 15 bytes each).
const MAX_IDS: usize = 8_000_000;

/// One conversation.
#[derive(Debug, Default)]
pub(super) struct ConvState {
    /// Highest sequence number.
    pub last_seq: u64,
    /// Revision of the row; 0 without one.
    pub rev: u32,
    /// Message ids of all its envelopes.
    pub ids: Ids,
}

/// Recently used conversations.
#[derive(Debug)]
pub(super) struct ConvCache {
    young: HashMap<ConvId, ConvState>,
    old: HashMap<ConvId, ConvState>,
    /// Ids in `young`; those added by a running batch are counted when its conversation is next asked for.
    young_ids: usize,
    /// Whose ids grew since they were counted, and what the count was.
    uncounted: Option<(ConvId, usize)>,
    /// Limits of one generation.
    convs: usize,
    ids: usize,
}

impl ConvCache {
    /// An empty cache within the usual limits.
    pub fn new() -> Self {
        Self::bounded(MAX_CONVS, MAX_IDS)
    }

    fn bounded(convs: usize, ids: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_ids: 0,
            uncounted: None,
            convs: convs / 2,
            ids: ids / 2,
        }
    }

    /// The conversation's state, from memory or by `load`.
    pub fn get(
        &mut self,
        conv: ConvId,
        load: impl FnOnce() -> Result<ConvState, StoreError>,
    ) -> Result<&mut ConvState, StoreError> {
        self.count();
        if self.young.len() >= self.convs || (self.young_ids >= self.ids && self.young.len() > 1) {
            self.old = std::mem::take(&mut self.young);
            self.young_ids = 0;
        }
        let state = match self.young.entry(conv) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let state = match self.old.remove(&conv) {
                    Some(state) => state,
                    None => load()?,
                };
                self.young_ids += state.ids.len();
                place.insert(state)
            }
        };
        self.uncounted = Some((conv, state.ids.len()));
        Ok(state)
    }

    /// Adds the ids that the last batch brought.
    fn count(&mut self) {
        if let Some((conv, before)) = self.uncounted.take() {
            let now = self.young.get(&conv).map_or(before, |state| state.ids.len());
            self.young_ids += now.saturating_sub(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use kefu_proto::MsgId;

    use super::*;

    fn conv(n: u8) -> ConvId {
        ConvId([n; 16])
    }

    #[test]
    fn a_used_conversation_stays_and_the_rest_is_forgotten_within_the_bounds() {
        let mut cache = ConvCache::bounded(8, 1_000);
        let mut loads = 0;
        for n in 0..100u8 {
            for wanted in [0, n] {
                let state = cache.get(conv(wanted), || {
                    loads += 1;
                    Ok(ConvState { last_seq: wanted.into(), ..ConvState::default() })
                });
                assert_eq!(state.unwrap().last_seq, u64::from(wanted));
            }
            assert!(cache.young.len() + cache.old.len() <= 8);
        }
        assert_eq!(loads, 100, "each was loaded once; the first, used throughout, never again");
    }

    #[test]
    fn ids_count_against_the_bound() {
        let mut cache = ConvCache::bounded(1_000, 100);
        for n in 0..50u8 {
            let state = cache.get(conv(n), || Ok(ConvState::default())).unwrap();
            for i in 0..10u8 {
                state.ids.insert(&MsgId([n.wrapping_mul(10).wrapping_add(i); 16]), 1);
            }
            let held: usize = cache.young.values().chain(cache.old.values()).map(|s| s.ids.len()).sum();
            assert!(held <= 120, "{held} ids remembered");
        }
    }

    #[test]
    fn a_failed_load_leaves_nothing_behind() {
        let mut cache = ConvCache::bounded(8, 8);
        assert!(cache.get(conv(1), || Err(StoreError::Closed)).is_err());
        assert_eq!(cache.get(conv(1), || Ok(ConvState { rev: 7, ..ConvState::default() })).unwrap().rev, 7);
    }
}
