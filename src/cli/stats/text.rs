//! The statistics as text: what is going on, then agents, then queues.

use super::shape::Stats;
use crate::{
    cli::out::{self, Table},
    proto::{AgentState, TeamId},
};

/// Prints everything.
pub fn print(stats: &Stats, running: bool) {
    let times = |l: &super::shape::Latency| format!("p50 {}, p99 {}", micros(l.p50_us), micros(l.p99_us));
    if running {
        out::facts(&[
            ("server", format!("kefu {}, up {}", stats.version, out::duration(stats.uptime_ms))),
            ("connections", format!("{} visitors, {} agents", stats.connections.visitors, stats.connections.agents)),
            ("conversations", format!("{} open", stats.conversations.open)),
            ("queue", queue(stats)),
            ("messages", format!("{:.1}/s, {} since the start", stats.messages.per_second, stats.messages.total)),
            ("commit", times(&stats.commit)),
            ("delivery", times(&stats.delivery)),
            ("storage", out::bytes(stats.storage_bytes)),
        ]);
    } else {
        out::facts(&[
            ("server", "not running".into()),
            ("conversations", format!("{} open", stats.conversations.open)),
            ("storage", out::bytes(stats.storage_bytes)),
        ]);
    }
    if !stats.agents.is_empty() {
        out::line("");
        agents(stats).print();
    }
    if stats.queues.iter().any(|q| q.waiting > 0) {
        out::line("");
        queues(stats).print();
    }
}

fn queue(stats: &Stats) -> String {
    match &stats.conversations {
        c if c.waiting == 0 => "nobody waits".into(),
        c => format!("{} waiting, the first for {}", c.waiting, out::duration(c.longest_wait_ms)),
    }
}

fn agents(stats: &Stats) -> Table {
    let mut table = Table::new(&["agent", "name", "state", "load", "teams"], "");
    for a in &stats.agents {
        let teams: Vec<&str> = a.teams.iter().map(TeamId::as_str).collect();
        let load = format!("{}/{}", a.load, a.capacity);
        table.row([a.user.to_string(), a.name.clone(), state(a.state).into(), load, teams.join(", ")]);
    }
    table
}

fn queues(stats: &Stats) -> Table {
    let mut table = Table::new(&["team", "waiting", "longest"], "");
    for q in stats.queues.iter().filter(|q| q.waiting > 0) {
        table.row([q.team.to_string(), q.waiting.to_string(), out::duration(q.longest_wait_ms)]);
    }
    table
}

/// The word for a state.
pub fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Online => "online",
        AgentState::Busy => "busy",
        AgentState::Offline => "offline",
    }
}

/// `850 µs`, `12.3 ms`, `4.56 s`.
pub fn micros(us: u64) -> String {
    match us {
        0 => "-".into(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

/// Digits in groups of three.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!([micros(0), micros(850), micros(12_340), micros(4_560_000)], ["-", "850 µs", "12.3 ms", "4.56 s"]);
    }
}
