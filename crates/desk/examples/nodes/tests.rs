//! What must hold over deaths and failovers, at sizes that take no time.

use crate::{
    costs::{HEAVY, Load},
    random::Random,
    storm,
    world::World,
};

/// Heavy, and conversations are short enough to begin and end within the run.
const BUSY: Load = Load { conversation_ms: 20_000.0, ..HEAVY };

#[test]
fn no_conversation_is_lost_or_has_two_owners() {
    for (nodes, seed) in [(1, 1), (2, 2), (3, 3), (10, 4)] {
        let mut world = World::new(2_000, nodes, BUSY, 10, seed);
        let begin = world.now;
        world.run(begin + 10_000);
        assert_eq!(world.check(), Ok(()), "{nodes} servers");
        let (mut random, dying) = (Random(seed), world.dying());
        assert!(dying > 0);
        world.die(|agent| (agent % 3 > 0).then(|| random.below(4_000) as u64));
        world.run(begin + 55_000);
        assert_eq!(world.check(), Ok(()), "{nodes} servers, after a death");
        let gone = |agent: &crate::world::Agent| !agent.here;
        assert!(world.agents.iter().any(gone) && world.counted.requeued > 0, "a third of the agents stays away");
        let theirs = |agent: usize| world.rows.iter().filter(|row| !row.closed && row.owner == Some(agent)).count();
        for (agent, _) in world.agents.iter().enumerate().filter(|(_, agent)| gone(agent)) {
            assert_eq!(theirs(agent), 0, "who is away has nothing any more");
        }
        let moved = world.last_moved - (begin + 10_000);
        assert!(moved < 30_000, "{nodes} servers: {moved} ms until the last was in the queue again");
        world.fail_over();
        world.run(begin + 80_000);
        assert_eq!(world.check(), Ok(()), "{nodes} servers, after a failover");
        world.close_doors();
        world.run(begin + 2_000_000);
        assert_eq!(world.check(), Ok(()), "{nodes} servers, in the end");
        let open = world.rows.iter().filter(|row| !row.closed).count();
        assert_eq!(open, 0, "{nodes} servers: all were answered and closed");
        assert!(world.counted.opened > 500 && world.counted.assigned >= world.counted.opened);
    }
}

#[test]
fn a_run_with_the_same_seed_is_the_same() {
    let run = |seed| {
        let mut world = World::new(2_000, 3, BUSY, 10, seed);
        let begin = world.now;
        world.run(begin + 5_000);
        world.die(|agent| (agent % 2 > 0).then_some(700));
        world.run(begin + 60_000);
        let c = world.counted;
        (c.opened, c.assigned, c.requeued, c.closed, c.offers, c.positions, c.presence, c.rosters, c.events)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn all_clients_come_back_and_no_sooner_than_they_can_be_served() {
    let back = |servers| storm::back(100_000, servers, 0.5, 2_000, &mut Random(1));
    let (one, nine) = (back(1), back(9));
    assert_eq!((one.len(), nine.len()), (100_000, 100_000));
    assert!(nine.iter().all(|ms| *ms >= 2_000));
    let last = |back: &[u64]| back.last().copied().unwrap_or(0);
    assert!(last(&nine) < last(&one), "{} {}", last(&nine), last(&one));
    // each takes 187 µs of half a core
    assert!(last(&one) >= 100_000 * 374 / 1_000, "{}", last(&one));
}
