//! How far many servers on one Redis go, and what breaks first: up to 100 servers and a million sockets, with a simulated clock and
//! network, the real desk, and what things cost on a real machine (`costs.rs`).
//!
//! ```text
//! cargo run --release -p kefu-desk --example nodes [SOCKETS]
//! ```
//!
//! The desk is given every event of every conversation, and its decisions are carried out against a store that is simulated
//! (`world.rs`); its time is measured. Messages, receipts and typing, on which no rule depends, are counted by their rates. Then the server
//! that runs the desk dies (`storm.rs`: its clients come back), and at last Redis fails over. Except for times that are measured, a
//! run is the same each time.

#![allow(clippy::print_stdout, reason = "it prints its report")]

mod costs;
mod random;
mod storm;
#[cfg(test)]
mod tests;
mod world;

use std::{collections::BTreeSet, time::Instant};

use costs::{
    BEAT_MS, BUS_HEARD, HEAD, HEARTBEAT, HEARTBEAT_MS, HEAVY, Load, MARKS_PER_MESSAGE, NODE_MESSAGE, PUBLISH,
    PUBLISH_EACH, REDIS_MARKS, REDIS_MESSAGE, REDIS_RECONNECT, ROW_HEARD, STAY_AWAY, TEAM, TYPING_PER_MESSAGE, USUAL,
    grouped,
};
use random::Random;
use world::{Counted, World};

/// What is measured before anything happens, and after the death and the failover.
const STEADY_MS: u64 = 10_000;
const AFTER_DEATH_MS: u64 = 32_000;
const AFTER_FAILOVER_MS: u64 = 8_000;
const SEED: u64 = 20_260;

/// Shares of one core, but for the last ones.
struct Found {
    messages: f64,
    opened: f64,
    bus: f64,
    node: f64,
    node_bus: f64,
    desk: f64,
    redis_stored: f64,
    redis_bus: f64,
    longest_ms: f64,
    rebuilt_ms: f64,
    back_s: Option<f64>,
    moved_s: f64,
}

impl Found {
    /// What is used most, and how much of it.
    fn most(&self) -> (&'static str, f64) {
        let all = [
            ("a server: its own clients", self.node - self.node_bus),
            ("a server: what others say", self.node_bus),
            ("a server: both", self.node),
            ("the desk", self.desk),
            ("Redis: what is stored", self.redis_stored),
            ("Redis: the bus", self.redis_bus),
            ("Redis: both", self.redis_stored + self.redis_bus),
        ];
        // of one that breaks the cause is named; the sum only if no part alone is too much
        let whole = |name: &str| name.ends_with("both");
        let parts = all.into_iter().filter(|(name, used)| !whole(name) || *used <= 1.0);
        let most = |list: &mut dyn Iterator<Item = (&'static str, f64)>| list.max_by(|a, b| a.1.total_cmp(&b.1));
        most(&mut parts.filter(|(_, used)| *used > 1.0))
            .or_else(|| most(&mut all.into_iter()))
            .unwrap_or(("nothing", 0.0))
    }
}

fn measure(sockets: usize, nodes: usize, load: Load) -> Result<Found, String> {
    let mut world = World::new(sockets, nodes, load, TEAM, SEED);
    let begin = world.now;
    let before = world.counted;
    world.run(begin + STEADY_MS);
    let steady = since(&world.counted, &before);
    let seconds = STEADY_MS as f64 / 1_000.0;
    let n = nodes as f64;
    let chatting = sockets as f64 * load.chatting;
    let messages = chatting * load.messages / load.conversation_ms * 1_000.0;
    let per = |count: u64| count as f64 / seconds;
    // every row is written when a conversation opens, has its first message, changes its owner, and ends
    let rows = per(2 * steady.opened + steady.assigned + steady.requeued + steady.closed);
    let told = per(steady.offers + steady.positions + steady.presence + steady.rosters);
    let signs = messages * (MARKS_PER_MESSAGE + TYPING_PER_MESSAGE);
    let beats = n / BEAT_MS as f64 * 1_000.0;
    let bus = told + signs + beats;
    let members = beats * members_us(&world);
    let desk = steady.busy.as_secs_f64() / seconds;
    let node_bus = ((bus * BUS_HEARD) + members + if nodes > 1 { rows * ROW_HEARD } else { 0.0 }) / 1e6;
    let own = messages / n * grouped(NODE_MESSAGE.0, NODE_MESSAGE.1, messages / n)
        + sockets as f64 / n / HEARTBEAT_MS * 1_000.0 * HEARTBEAT;
    let stored = messages * (grouped(REDIS_MESSAGE.0, REDIS_MESSAGE.1, messages) + MARKS_PER_MESSAGE * REDIS_MARKS)
        + rows * (PUBLISH + PUBLISH_EACH * n + (n - 1.0) * HEAD);
    let node = own / 1e6 + node_bus;
    let mut random = Random(SEED);
    // the others have the work of the dead one, too
    let others = (n - 1.0).max(1.0);
    let idle = 1.0 - own / 1e6 * n / others - node_bus;
    let away = if nodes == 1 { costs::RESTART_MS } else { 0 };
    let back = storm::back(sockets / nodes, nodes - 1, idle, away, &mut random);
    let slowest = back.last().copied().unwrap_or(0).max((sockets as f64 / n * REDIS_RECONNECT / 1_000.0) as u64);
    // its agents are among them, but for those who stay away
    let death = world.now;
    world.die(|_| (random.unit() >= STAY_AWAY).then(|| back[random.below(back.len())]));
    world.run(death + AFTER_DEATH_MS);
    let moved_s = world.last_moved.saturating_sub(death) as f64 / 1_000.0;
    world.fail_over();
    world.run(death + AFTER_DEATH_MS + costs::FAILOVER_MS + AFTER_FAILOVER_MS);
    world.check()?;
    Ok(Found {
        messages,
        opened: per(steady.opened),
        bus,
        node,
        node_bus,
        desk,
        redis_stored: stored / 1e6,
        redis_bus: bus * (PUBLISH + PUBLISH_EACH * n) / 1e6,
        longest_ms: steady.longest.as_secs_f64() * 1_000.0,
        rebuilt_ms: world.counted.rebuilt.as_secs_f64() * 1_000.0,
        back_s: (idle > 0.0).then_some(slowest as f64 / 1_000.0),
        moved_s,
    })
}

fn since(now: &Counted, before: &Counted) -> Counted {
    Counted {
        opened: now.opened - before.opened,
        assigned: now.assigned - before.assigned,
        requeued: now.requeued - before.requeued,
        closed: now.closed - before.closed,
        offers: now.offers - before.offers,
        positions: now.positions - before.positions,
        presence: now.presence - before.presence,
        rosters: now.rosters - before.rosters,
        busy: now.busy.saturating_sub(before.busy),
        ..*now
    }
}

/// A server that hears another's beat gathers the agents of all, as `members.rs` does; µs.
fn members_us(world: &World) -> f64 {
    const TIMES: u32 = 5;
    let begin = Instant::now();
    for _ in 0..TIMES {
        let all: BTreeSet<_> = world.users().cloned().collect();
        std::hint::black_box(all);
    }
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

fn main() {
    // one size alone is quicker
    let only: Option<usize> = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    for load in [USUAL, HEAVY] {
        println!("\n{} load, shares of a core\n", load.name);
        println!(
            "| Sockets | Servers | Messages, conversations, bus a second | Server (of it what others say) | Desk (longest event; built again) | Redis: stored; bus | All back after a death; conversations moved | Most |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for sockets in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|n| only.is_none_or(|only| only == *n)) {
            for nodes in [1, 2, 10, 100] {
                match measure(sockets, nodes, load) {
                    Ok(f) => {
                        let (what, used) = f.most();
                        let back = f.back_s.map_or_else(|| "never".to_owned(), |s| format!("{s:.1} s"));
                        let moved = if f.moved_s > 0.0 { format!("{:.0} s", f.moved_s) } else { "none".to_owned() };
                        println!(
                            "| {sockets} | {nodes} | {:.0}; {:.1}; {:.0} | {} ({}) | {} ({:.1}; {:.0} ms) | {}; {} | {back}; {moved} | {}{what}, {} |",
                            f.messages,
                            f.opened,
                            f.bus,
                            percent(f.node),
                            percent(f.node_bus),
                            percent(f.desk),
                            f.longest_ms,
                            f.rebuilt_ms,
                            percent(f.redis_stored),
                            percent(f.redis_bus),
                            if used > 1.0 { "**breaks**: " } else { "" },
                            percent(used),
                        );
                    }
                    Err(e) => println!("| {sockets} | {nodes} | **wrong**: {e} |"),
                }
            }
        }
    }
}
