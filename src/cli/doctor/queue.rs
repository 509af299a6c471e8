//! Who waits for a person, and whose conversations were missed.

use super::Finding;
use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        out,
        stats::{Agent, Stats, missed_of},
    },
    config::Config,
    proto::AgentState,
};

/// Waits longer than this are no rush hour, ms.
const LONG_WAIT_MS: u64 = 86_400_000;

/// The queues of a running server, and the missed conversations of any. What keeps them from being read was found already.
pub fn waiting(ctx: &Context, config: &Config) -> Vec<Finding> {
    let asked = AdminClient::open(ctx).and_then(|admin| {
        let answer = admin.call("GET", "/admin/stats", None);
        admin.close();
        answer
    });
    let stats = asked.ok().and_then(|answer| serde_json::from_value::<Stats>(answer).ok());
    let Some(stats) = stats else { return Vec::new() };
    let queue = stats.running.then(|| queue(&stats, config.conversations.missed_after_days));
    queue.into_iter().chain(in_no_team(&stats)).chain([missed(&stats, out::now_ms())]).collect()
}

/// People who are online and cannot get conversations.
fn in_no_team(stats: &Stats) -> Option<Finding> {
    let desk = stats.desk();
    let takes = |a: &&Agent| a.teams.is_empty() && a.state != AgentState::Offline;
    let users: Vec<&str> = desk.agents.iter().filter(takes).map(|a| a.user.as_str()).collect();
    let (first, many) = (users.first()?, users.len() > 1);
    let what =
        format!("{} {} in no team: they get no conversations", users.join(", "), if many { "are" } else { "is" });
    Some(Finding::warning(
        "agents",
        what,
        format!("kefu user teams {first} --add TEAM; kefu team list shows the teams"),
    ))
}

fn queue(stats: &Stats, days: u32) -> Finding {
    const CHECK: &str = "queue";
    let desk = stats.desk();
    let long: Vec<_> = desk.teams.iter().filter(|q| q.longest_wait_ms >= LONG_WAIT_MS).collect();
    let said = |waiting: u32, ms: u64| format!("{waiting} waiting, the first for {}", out::duration(ms));
    if long.is_empty() {
        return Finding::ok(
            CHECK,
            match desk.waiting {
                0 => "nobody is waiting".into(),
                n => said(n, desk.longest_wait_ms),
            },
        );
    }
    let teams: Vec<String> =
        long.iter().map(|q| format!("team {}: {}", q.team, said(q.waiting, q.longest_wait_ms))).collect();
    let then = match days {
        0 => " until an agent takes them".into(),
        n => format!(
            "; conversations that nobody answers for {} are closed as missed",
            out::duration(u64::from(n) * 86_400_000)
        ),
    };
    let next = "agents of the team take them from the queue in the console; kefu team members TEAM shows who is in it";
    Finding::warning(CHECK, format!("{}{then}", teams.join("; ")), next)
}

fn missed(stats: &Stats, now_ms: u64) -> Finding {
    const CHECK: &str = "missed";
    let Some(teams) = missed_of(stats) else { return Finding::ok(CHECK, "no missed conversations") };
    let first = stats.missed.iter().filter_map(|m| m.oldest).min();
    let first = first.map_or(String::new(), |at| format!(", the first closed {}", out::relative(at, now_ms)));
    let what = format!("nobody answered these conversations: {teams}{first}");
    Finding::warning(CHECK, what, "agents of the team answer or dismiss each in the console, under Missed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::doctor::finding::Level;

    const DAY: u64 = 86_400_000;

    fn stats(wait_ms: u64) -> Stats {
        serde_json::from_value(json!({
            "running": true,
            "missed": [{"team": "svc", "count": 9, "oldest": 4 * DAY}, {"team": "vip", "count": 10_000, "more": true, "oldest": 6 * DAY}],
            "desk": {
                "waiting": 3, "longest_wait_ms": wait_ms,
                "teams": [
                    {"team": "svc", "waiting": 2, "longest_wait_ms": wait_ms},
                    {"team": "vip", "waiting": 1, "longest_wait_ms": 5_000}]},
        }))
        .unwrap()
    }

    #[test]
    fn long_waits_are_named_before_they_are_missed() {
        let found = queue(&stats(3 * DAY), 7);
        let said = "team svc: 2 waiting, the first for 3 days; conversations that nobody answers for 7 days are closed as missed";
        assert_eq!((found.level, found.what.as_str()), (Level::Warning, said));
        assert!(queue(&stats(3 * DAY), 0).what.ends_with("for 3 days until an agent takes them"));
        let found = queue(&stats(60_000), 7);
        assert_eq!((found.level, found.what.as_str()), (Level::Ok, "3 waiting, the first for 1 min"));
        assert_eq!(queue(&Stats::default(), 7).what, "nobody is waiting");
    }

    #[test]
    fn who_is_online_in_no_team_is_named() {
        let agent = |user: &str, state: &str, teams: &[&str]| json!({"user": user, "name": user, "state": state, "load": 0, "offers": 0, "capacity": 8, "teams": teams});
        let stats = |agents: Vec<serde_json::Value>| -> Stats {
            serde_json::from_value(json!({"running": true, "desk": {"agents": agents}})).unwrap()
        };
        let li = agent("li", "online", &["svc"]);
        assert!(in_no_team(&stats(vec![li.clone(), agent("boss", "offline", &[])])).is_none());
        let found = in_no_team(&stats(vec![li, agent("boss", "online", &[]), agent("chen", "busy", &[])])).unwrap();
        assert_eq!(
            (found.level, found.what.as_str()),
            (Level::Warning, "boss, chen are in no team: they get no conversations")
        );
        assert_eq!(found.next.as_deref(), Some("kefu user teams boss --add TEAM; kefu team list shows the teams"));
    }

    #[test]
    fn missed_ones_are_counted_by_team() {
        let found = missed(&stats(0), 7 * DAY);
        let said = "nobody answered these conversations: svc 9, vip more than 10,000, the first closed 3 days ago";
        assert_eq!((found.level, found.what.as_str()), (Level::Warning, said));
        assert_eq!(missed(&Stats::default(), 0).level, Level::Ok);
    }
}
