//! The statistics as text: activity, then agents, then queues.

use std::collections::BTreeMap;

use super::shape::{Desk, Stats};
use crate::{
    chat::LimitedCount,
    cli::out::{self, Table},
    proto::{AgentState, StorageState, TeamId},
    telemetry::{Latency, Quantiles},
};

/// Prints the statistics.
pub fn print(stats: &Stats, now_ms: u64) {
    let fresh = match stats.directory.fresh_until {
        0 => "no snapshot yet: kefu directory refresh".into(),
        until => format!("entry {}, visitors accept it until {}", stats.directory.seq, out::date(until)),
    };
    let stale = stats.directory.fresh_until < now_ms;
    let directory = ("directory", if stale { format!("{fresh} (expired: kefu directory refresh)") } else { fresh });
    let storage = ("storage", storage(stats));
    let missed = missed_of(stats).unwrap_or_else(|| "none".into());
    if !stats.running {
        let server = match stats.storage.redis {
            None => "not running",
            Some(_) => "not running here: what other servers count is known only where one runs",
        };
        return out::facts(&[("server", server.into()), ("missed", missed), storage, directory]);
    }
    let (desk, m) = (stats.desk(), &stats.metrics);
    let up = out::duration(stats.uptime_seconds * 1_000);
    let times = |l: &Latency| match newest(l) {
        q if q.count == 0 => "nothing yet".into(),
        q => format!("p50 {}, p99 {}, max {}", micros(q.p50), micros(q.p99), micros(q.max)),
    };
    let (conversations, queue) = match &stats.desk {
        Some(desk) => (format!("{} open, {} with agents", stats.open(), desk.owned), queue(desk)),
        None => ("not known: the server that has the desk does not answer".into(), "not known".into()),
    };
    let mut facts = vec![("server", format!("kefu {} on {}, up {up}", stats.version, stats.listen))];
    facts.extend(stats.answered().map(|answered| ("servers", answered)));
    facts.extend([
        ("sockets", format!("{} visitors, {} agents", m.connections.visitors, m.connections.agents)),
        ("conversations", conversations),
        ("queue", queue),
        ("missed", format!("{missed}; {} since the start", grouped(m.conversations_missed))),
        (
            "messages",
            format!("{:.1}/s, {} since the start", m.messages.per_second.ten_seconds, grouped(m.messages.envelopes_in)),
        ),
        ("commit", times(&m.commit_latency)),
        ("delivery", times(&m.delivery_latency)),
        ("memory", out::bytes(m.process.rss_bytes)),
    ]);
    facts.extend(webhooks(stats).map(|webhooks| ("webhooks", webhooks)));
    let files = format!("{}, {}", grouped(m.files), out::bytes(m.file_bytes));
    facts.extend([("limited", limited(&stats.limited)), ("files", files), storage, directory]);
    out::facts(&facts);
    if !desk.agents.is_empty() {
        out::line("");
        agents(&desk).print();
    }
    if !desk.teams.is_empty() {
        out::line("");
        queues(&desk).print();
    }
}

/// How many webhooks there are, and whether notices wait for them. Nothing if there is none.
fn webhooks(stats: &Stats) -> Option<String> {
    let all = stats.webhooks.len();
    let failing: Vec<&str> = stats.webhooks.iter().filter(|w| w.failure.is_some()).map(|w| w.name.as_str()).collect();
    let waiting: u64 = stats.webhooks.iter().map(|w| w.waiting).sum();
    let state = match failing.is_empty() {
        true => format!("{all} configured, {waiting} notices wait"),
        false => format!("{all} configured, {waiting} notices wait; FAILING: {}", failing.join(", ")),
    };
    (all > 0).then_some(state)
}

fn storage(stats: &Stats) -> String {
    let (bytes, s) = (out::bytes(stats.storage_bytes), &stats.storage);
    let of = format!("{} free on the disk, {} must be", out::bytes(s.free_bytes), out::bytes(s.reserve_bytes));
    match s.state {
        _ if s.reserve_bytes == 0 => bytes,
        StorageState::Ok => format!("{bytes}; {of}"),
        StorageState::Low => format!("{bytes}; LOW: visitors' messages are refused, {of}"),
        StorageState::Full => format!("{bytes}; FULL: nothing is stored, {of}"),
    }
}

/// The last minute, or all if nothing happened in it.
pub fn newest(latency: &Latency) -> Quantiles {
    if latency.minute.count > 0 { latency.minute } else { latency.total }
}

/// Who met which limit lately: `bytes: 2 visitors, 1 address; reads: 1 agent`.
pub fn limited(all: &BTreeMap<String, LimitedCount>) -> String {
    let count = |n: u64, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let of = |c: &LimitedCount| {
        let parts = [
            count(c.visitors, "visitor", "visitors"),
            count(c.addresses, "address", "addresses"),
            count(c.agents, "agent", "agents"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    match all.is_empty() {
        true => "nobody in the last ten minutes".into(),
        false => all.iter().map(|(limit, c)| format!("{limit}: {}", of(c))).collect::<Vec<_>>().join("; "),
    }
}

fn queue(desk: &Desk) -> String {
    match desk.waiting {
        0 => "nobody is waiting".into(),
        n => format!("{n} waiting, the first for {}", out::duration(desk.longest_wait_ms)),
    }
}

/// Missed conversations by team; none if there are none.
pub fn missed_of(stats: &Stats) -> Option<String> {
    let teams: Vec<String> = stats
        .missed
        .iter()
        .map(|m| format!("{} {}{}", m.team, if m.more { "more than " } else { "" }, grouped(u64::from(m.count))))
        .collect();
    (!teams.is_empty()).then(|| teams.join(", "))
}

fn agents(desk: &Desk) -> Table {
    let mut table = Table::new(&["agent", "name", "state", "load", "teams"], "");
    for a in &desk.agents {
        let load = format!("{}/{}", a.load, a.capacity);
        table.row([a.user.to_string(), a.name.clone(), state(a.state).into(), load, teams(&a.teams)]);
    }
    table
}

fn queues(desk: &Desk) -> Table {
    let mut table = Table::new(&["team", "online", "waiting", "longest"], "");
    for q in &desk.teams {
        let longest = if q.waiting == 0 { String::new() } else { out::duration(q.longest_wait_ms) };
        table.row([q.team.to_string(), q.online.to_string(), q.waiting.to_string(), longest]);
    }
    table
}

/// Teams whose queues an agent serves, in words.
pub fn teams(teams: &[TeamId]) -> String {
    match teams {
        [] => "in no team".into(),
        _ => teams.iter().map(TeamId::as_str).collect::<Vec<_>>().join(", "),
    }
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
    fn who_is_limited_is_said_as_counts() {
        assert_eq!(limited(&BTreeMap::new()), "nobody in the last ten minutes");
        let count = |visitors, addresses, agents| LimitedCount { visitors, addresses, agents };
        let all = [("bytes".to_owned(), count(2, 1, 0)), ("reads".to_owned(), count(0, 0, 1))].into();
        assert_eq!(limited(&all), "bytes: 2 visitors, 1 address; reads: 1 agent");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!([micros(0), micros(850), micros(12_340), micros(4_560_000)], ["-", "850 µs", "12.3 ms", "4.56 s"]);
    }
}
