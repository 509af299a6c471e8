//! What things cost, and how much of what happens. Every figure names its source; `docs/benchmarks.md` has those that were measured,
//! with their commands. What is only estimated says so.

/// How busy people are.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Name in the report.
    pub name: &'static str,
    /// Share of the sockets whose visitor is in a conversation with an agent.
    pub chatting: f64,
    /// How long a conversation lasts on average once it has an agent, ms.
    pub conversation_ms: f64,
    /// Messages of both sides in a conversation.
    pub messages: f64,
}

/// One in twenty visitors talks, for ten minutes, twenty messages: at a million sockets 1,700 messages a second.
pub const USUAL: Load = Load { name: "usual", chatting: 0.05, conversation_ms: 600_000.0, messages: 20.0 };
/// One in five, for 200 seconds, a message every two: at a million sockets 100,000 messages and 1,000 conversations a second.
pub const HEAVY: Load = Load { name: "heavy", chatting: 0.2, conversation_ms: 200_000.0, messages: 100.0 };

/// Conversations an agent may have at once, as `desk.capacity` has it by default.
pub const CAPACITY: u32 = 8;
/// Of these, so many are in use at the start: people are planned so.
pub const IN_USE: f64 = 0.8;
/// Agents of a team; a company with more people has more teams.
pub const TEAM: usize = 50;

/// A cost that falls as more is written together: `alone` up to 1,000 a second, then down to `together`. µs.
pub fn grouped(alone: f64, together: f64, per_second: f64) -> f64 {
    together + (alone - together) * (1_000.0 / per_second.max(1_000.0))
}

/// A message in a server's CPU, µs: "On Redis", at 1,000 a second and without a rate.
pub const NODE_MESSAGE: (f64, f64) = (134.0, 17.5);
/// A message in the CPU of Redis, µs: "On Redis", the same two.
pub const REDIS_MESSAGE: (f64, f64) = (220.0, 28.0);
/// A heartbeat of a client, µs of a server: "Connections".
pub const HEARTBEAT: f64 = 20.0;
/// Between two of them, ms.
pub const HEARTBEAT_MS: f64 = 10_000.0;
/// A client that comes back, µs of a server: "Connections".
pub const RECONNECT: f64 = 187.0;
/// The same in the CPU of Redis, µs: the visitor's conversations are read. Estimated from two heads.
pub const REDIS_RECONNECT: f64 = 2.0 * HEAD;
/// To publish something, and for each server that hears it, µs of Redis: with 0, 1 and 3 subscribers 1.3, 1.8 and 3.0 were measured.
/// `benches/bus.py` measures less, 1.6 with three, in groups of 500.
pub const PUBLISH: f64 = 1.3;
/// See [`PUBLISH`].
pub const PUBLISH_EACH: f64 = 0.6;
/// To read what a conversation is (`head.lua`), µs of Redis. Estimated: half of what `say.lua` takes there.
pub const HEAD: f64 = 15.0;
/// To hear something on the bus (check its MAC, parse it, look for listeners), µs of a server. A signal that concerns nobody costs 2
/// (`benches/bus.py`); a frame is also handed to those who listen. Estimated.
pub const BUS_HEARD: f64 = 5.0;
/// To hear that a row changed of a conversation that is not in memory, read it and show it to agents, µs of a server. Estimated:
/// between a message with its peers and a reply of Redis.
pub const ROW_HEARD: f64 = 20.0;
/// To store how far a side has read (`batch.lua`), µs of Redis: as a message without its records.
pub const REDIS_MARKS: f64 = 28.0;

/// Receipts of a message: its reader's page says that it came and, later, that it was read.
pub const MARKS_PER_MESSAGE: f64 = 2.0;
/// Frames about typing for a message: on, on again after three seconds, off (`ui/src/ui/Composer.tsx`).
pub const TYPING_PER_MESSAGE: f64 = 3.0;
/// Between two beats of a server, ms (`crates/server/src/bus/redis/members.rs`).
pub const BEAT_MS: u64 = 2_000;
/// A server is gone after so many beats of others.
pub const GONE_BEATS: u64 = 3;
/// How long the lease of the desk lasts, ms (`connected.rs`).
pub const LEASE_MS: u64 = 6_000;
/// Between two rosters of a team, ms (`crates/server/src/chat/desk_task.rs`).
pub const ROSTER_MS: u64 = 200;
/// How long Redis is away while another primary takes over, ms: 5 to 8 s with the settings in `docs/operations.md`, section 13.
pub const FAILOVER_MS: u64 = 6_000;
/// From an event in Redis to a server or back, ms.
pub const NETWORK_MS: u64 = 1;
/// Until an agent's page has accepted an offer, ms on average.
pub const ACCEPT_MS: f64 = 300.0;
/// How long a single server needs until it serves again after it died: systemd starts it again after a second. Estimated, ms.
pub const RESTART_MS: u64 = 2_000;
/// Pages try again after at most this, doubled each time up to the second, times a random number (`ui/src/link/link.ts`), ms.
pub const BACKOFF_MS: (f64, f64) = (300.0, 15_000.0);
/// Share of the agents of a dead server who do not come back, so that their conversations must move.
pub const STAY_AWAY: f64 = 0.1;
