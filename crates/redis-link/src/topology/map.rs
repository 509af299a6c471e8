//! Which server is primary for which slots, at one moment.

use std::ops::RangeInclusive;

use crate::{
    Address,
    lanes::{LANES, SLOTS, slot, slot_of},
};

/// All shards. A single server is one shard with all slots, whether Sentinels watch it or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    shards: Vec<Shard>,
    /// Shard of each slot, [`NONE`] for those that nobody serves.
    owners: Vec<u16>,
}

const NONE: u16 = u16::MAX;

/// A primary with its replicas. Its index stays the same when another of its servers becomes primary, and when slots come or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Position in [`Map::shards`].
    pub index: usize,
    /// The primary; none if nobody names one, or if the shard is no longer there.
    pub primary: Option<Address>,
    /// Replicas that are up.
    pub replicas: Vec<Address>,
    /// Its slots, in order.
    pub slots: Vec<RangeInclusive<u16>>,
    /// What the Cluster calls its servers.
    nodes: Vec<String>,
}

/// A shard as a server describes it, not yet known to be one that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) primary: Option<Address>,
    pub(crate) replicas: Vec<Address>,
    pub(crate) slots: Vec<RangeInclusive<u16>>,
    pub(crate) nodes: Vec<String>,
}

impl Found {
    /// A shard with all slots.
    pub(crate) fn whole(primary: Address, replicas: Vec<Address>) -> Self {
        Self { primary: Some(primary), replicas, slots: vec![0..=SLOTS - 1], nodes: vec![] }
    }
}

impl Map {
    /// All shards, those included that had slots once and have none now.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard that has the slot.
    pub fn shard_of_slot(&self, slot: u16) -> Option<&Shard> {
        let owner = *self.owners.get(usize::from(slot))?;
        self.shards.get(usize::from(owner))
    }

    /// The shard that has the key.
    pub fn shard_of_key(&self, key: &[u8]) -> Option<&Shard> {
        self.shard_of_slot(slot(key))
    }

    /// The shard that has the lane.
    ///
    /// # Panics
    /// `lane` is not below [`LANES`].
    pub fn shard_of_lane(&self, lane: u16) -> Option<&Shard> {
        self.shard_of_slot(slot_of(lane))
    }

    /// The lanes of a shard, in order.
    pub fn lanes_of(&self, shard: usize) -> impl Iterator<Item = u16> + '_ {
        (0..LANES).filter(move |lane| self.shard_of_lane(*lane).is_some_and(|owner| owner.index == shard))
    }

    /// Whether every slot is served.
    pub fn is_whole(&self) -> bool {
        !self.owners.is_empty() && self.owners.iter().all(|owner| *owner != NONE)
    }

    /// The map that follows this one. Shards that were there keep their index: those that share servers first, then those that
    /// share slots.
    pub(crate) fn next(&self, mut found: Vec<Found>) -> Self {
        let mut shards: Vec<Shard> = self
            .shards
            .iter()
            .map(|old| Shard { primary: None, replicas: vec![], slots: vec![], nodes: vec![], index: old.index })
            .collect();
        found.sort_by_key(|shard| shard.slots.first().map(|slots| *slots.start()));
        for found in &mut found {
            found.replicas.sort();
        }
        let mut free: Vec<&Shard> = self.shards.iter().collect();
        for likeness in [shared_servers, shared_slots] {
            found.retain(|new| {
                let best =
                    free.iter().enumerate().map(|(at, old)| (likeness(old, new), at)).max_by_key(|(like, _)| *like);
                let Some((_, at)) = best.filter(|(like, _)| *like > 0) else { return true };
                let index = free.swap_remove(at).index;
                shards[index] = Shard::new(index, new.clone());
                false
            });
        }
        for new in found {
            shards.push(Shard::new(shards.len(), new));
        }
        let mut owners = vec![NONE; usize::from(SLOTS)];
        for shard in &shards {
            for range in &shard.slots {
                // a server that is no part of our Cluster could name more
                let range = usize::from(*range.start())..=usize::from(*range.end()).min(owners.len() - 1);
                owners[range].fill(shard.index as u16);
            }
        }
        Self { shards, owners }
    }
}

impl Shard {
    fn new(index: usize, found: Found) -> Self {
        let Found { primary, replicas, slots, nodes } = found;
        Self { index, primary, replicas, slots, nodes }
    }

    /// Primary, if known, and replicas.
    pub fn servers(&self) -> impl Iterator<Item = &Address> {
        self.primary.iter().chain(&self.replicas)
    }
}

fn shared_servers(old: &Shard, new: &Found) -> usize {
    old.nodes.iter().filter(|node| new.nodes.contains(node)).count()
}

fn shared_slots(old: &Shard, new: &Found) -> usize {
    let shared = |a: &RangeInclusive<u16>, b: &RangeInclusive<u16>| {
        (usize::from(*a.end().min(b.end())) + 1).saturating_sub(usize::from(*a.start().max(b.start())))
    };
    old.slots.iter().flat_map(|a| new.slots.iter().map(move |b| shared(a, b))).sum()
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
