//! Shards keep their index through whatever happens to their servers and slots.

use super::*;

fn at(port: u16) -> Address {
    Address::new("n", port)
}

/// Ports of the servers, the primary first; the port is also the node's name.
fn found(servers: &[u16], slots: RangeInclusive<u16>) -> Found {
    Found {
        primary: servers.first().copied().map(at),
        replicas: servers.iter().skip(1).copied().map(at).collect(),
        slots: if slots.is_empty() { vec![] } else { vec![slots] },
        nodes: servers.iter().map(u16::to_string).collect(),
    }
}

fn three() -> Map {
    Map::default().next(vec![found(&[2, 5], 5461..=10922), found(&[3, 6], 10923..=16383), found(&[1, 4], 0..=5460)])
}

fn primaries(map: &Map) -> Vec<Option<u16>> {
    map.shards().iter().map(|shard| shard.primary.as_ref().map(|p| p.port)).collect()
}

#[test]
fn the_first_map_is_in_the_order_of_slots() {
    let map = three();
    assert_eq!(primaries(&map), [Some(1), Some(2), Some(3)]);
    assert!(map.is_whole() && !Map::default().is_whole());
    for (slot, shard) in [(0, 0), (5460, 0), (5461, 1), (16383, 2)] {
        assert_eq!(map.shard_of_slot(slot).unwrap().index, shard);
    }
    assert_eq!(map.shard_of_slot(16384), None);
    assert_eq!(map.shard_of_key(b"{foo}x").unwrap().index, 2);
    let lanes: Vec<usize> = (0..3).map(|shard| map.lanes_of(shard).count()).collect();
    assert_eq!(lanes, [342, 341, 341]);
}

#[test]
fn a_single_server_is_one_shard() {
    let map = Map::default().next(vec![Found::whole(at(1), vec![])]);
    assert!(map.is_whole() && map.lanes_of(0).count() == 1024);
    // Sentinel names another: still the same shard
    let map = map.next(vec![Found::whole(at(2), vec![at(1)])]);
    assert_eq!((primaries(&map), map.shards()[0].replicas.clone()), (vec![Some(2)], vec![at(1)]));
}

#[test]
fn a_failover_changes_the_primary_only() {
    let next = three().next(vec![found(&[1, 4], 0..=5460), found(&[5], 5461..=10922), found(&[3, 6], 10923..=16383)]);
    assert_eq!(primaries(&next), [Some(1), Some(5), Some(3)]);
}

#[test]
fn a_new_shard_that_takes_slots_comes_last() {
    let next = three().next(vec![
        found(&[7, 8], 0..=4000),
        found(&[1, 4], 4001..=5460),
        found(&[2, 5], 5461..=10922),
        found(&[3, 6], 10923..=16383),
    ]);
    assert_eq!(primaries(&next), [Some(1), Some(2), Some(3), Some(7)]);
    assert_eq!(next.shard_of_slot(0).unwrap().index, 3);
}

#[test]
fn a_shard_that_is_removed_leaves_its_index() {
    let next = three().next(vec![found(&[1, 4], 0..=8000), found(&[3, 6], 8001..=16383)]);
    assert_eq!(primaries(&next), [Some(1), None, Some(3)]);
    assert!(next.is_whole() && next.lanes_of(1).next().is_none());
}

#[test]
fn servers_that_were_all_replaced_are_known_by_their_slots() {
    let next = three().next(vec![found(&[11], 0..=5460), found(&[12], 5461..=10922), found(&[13], 10923..=16383)]);
    assert_eq!(primaries(&next), [Some(11), Some(12), Some(13)]);
}

#[test]
fn missing_slots_and_impossible_slots() {
    let map = Map::default().next(vec![found(&[1], 0..=100), found(&[2], 200..=u16::MAX)]);
    assert!(!map.is_whole() && map.shard_of_slot(150).is_none());
    assert_eq!(map.shard_of_slot(16383).unwrap().index, 1);
}
