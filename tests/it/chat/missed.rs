//! Conversations that nobody answers: closed after the time, listed until an agent handles them, and reported to their team.

use std::collections::BTreeSet;

use kefu::{
    app::Admin,
    config::Config,
    hub::{Conn, Who},
    proto::{ConvState, MissedCount, OwnerWhy, REVISION, Summary},
};
use serde_json::{Value, json};

use super::{
    idle::{Inside, close_inactive_at},
    lists::{copies, ids},
    *,
};
use crate::support::{
    company::{id, now_ms},
    http::get,
};

const DAY: u64 = 86_400_000;

/// A visitor who wrote and one who only opened, both to the team of `li`, and one who wrote to the other team.
async fn left_alone() -> (Vec<Me>, Vec<ConvId>, std::sync::Arc<Company>) {
    let server = Server::new().await;
    let (mut who, mut convs) = (Vec::new(), Vec::new());
    for (site, text) in [("s1", Some("call me back")), ("s1", None), ("s2", Some("hello?"))] {
        let mut visitor = Peer::connect(&server, &Me::visitor(site)).await;
        let conv = visitor.open().await;
        if let Some(text) = text {
            visitor.say(conv, text).await;
        }
        convs.push(conv);
        who.push(visitor.me.clone());
    }
    (who, convs, server.stopped().await)
}

async fn page(server: &Server, tab: &str, who: &Peer) -> Value {
    get(server.addr, &format!("/api/v1/conversations?tab={tab}"), &who.token).await.unwrap().json()
}

fn set(convs: &[ConvId]) -> BTreeSet<String> {
    convs.iter().map(ToString::to_string).collect()
}

fn closed_by(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|e| if let Event::Closed { by } = e { Some(by.as_str()) } else { None }).collect()
}

/// The next count of missed ones that `peer` receives.
async fn count(peer: &mut Peer) -> (String, u32) {
    peer.frame(|f| if let ServerFrame::Missed(m) = f { Some((m.team.to_string(), m.count)) } else { None }).await
}

#[tokio::test]
async fn what_waits_in_vain_is_closed_once_and_listed() {
    let (who, convs, company) = left_alone().await;
    close_inactive_at(&company, &[now_ms() + 6 * DAY]).await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    assert_eq!((li.greeted.len(), &li.config["missed"]), (2, &json!([])), "a day is left");
    drop(li);
    let company = server.stopped().await;

    let then = now_ms() + 8 * DAY;
    close_inactive_at(&company, &[then, now_ms() + 100 * DAY]).await;
    let server = Server::start(&company, config()).await;
    let mut li = Peer::agent(&server, "li").await;
    assert!(li.greeted.is_empty(), "nobody waits any more");
    assert_eq!(li.config["missed"], json!([{ "team": "svc", "count": 2, "oldest": then }]));
    let missed = page(&server, "missed", &li).await;
    assert_eq!((ids(&missed).into_iter().collect(), &missed["more"]), (set(&convs[..2]), &Value::Bool(false)));
    assert!(missed["convs"].as_array().unwrap().iter().all(|c| c["missed"] == then && c["state"] == "closed"));
    assert_eq!(ids(&page(&server, "queue", &li).await), Vec::<String>::new());
    let all = page(&server, "all", &li).await;
    assert!(all["convs"].as_array().unwrap().iter().all(|c| c["missed"] == then), "marked among all, too");
    // of the other team only theirs
    let zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(ids(&page(&server, "missed", &zhou).await), [convs[2].to_string()]);
    let mut li_reads = li.history(convs[0]).await;
    let last = RecordView::parse(&li_reads.pop().unwrap()).unwrap().event();
    assert_eq!(last, Some(Event::Closed { by: "@missed".into() }));

    // its visitor finds it, and is in the queue again with the first word
    let mut visitor = Peer::connect(&server, &who[0]).await;
    visitor.follow(convs[0]).await;
    assert_eq!(closed_by(&events(&mut visitor, convs[0])), ["@missed"], "once");
    visitor.say(convs[0], "still there?").await;
    let view = visitor.view(convs[0]);
    assert_eq!((view.state, view.owner.clone()), (ConvState::Open, Owner::Queue));
    assert_eq!(count(&mut li).await, ("svc".into(), 1));
    assert_eq!(ids(&page(&server, "missed", &li).await), [convs[1].to_string()]);
    li.accept(convs[0]).await;
}

#[tokio::test]
async fn agents_of_the_team_dismiss_and_everybody_of_it_hears() {
    let (who, convs, company) = left_alone().await;
    close_inactive_at(&company, &[now_ms() + 8 * DAY]).await;
    let server = Server::start(&company, config()).await;
    let dismiss = |conv| move |req| ClientFrame::Dismiss { req, conv };
    let mut chen = Peer::agent(&server, "chen").await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(zhou.ask(dismiss(convs[0])).await.unwrap_err().0, ErrorCode::NotFound);
    let mut visitor = Peer::connect(&server, &who[0]).await;
    assert_eq!(visitor.ask(dismiss(convs[0])).await.unwrap_err().0, ErrorCode::Forbidden);
    let mut li = Peer::agent(&server, "li").await;
    li.ask(dismiss(convs[0])).await.unwrap();
    let told = |f: &ServerFrame| match f {
        ServerFrame::Conv { conv } if conv.id == convs[0] => Some((conv.state, conv.missed)),
        _ => None,
    };
    assert_eq!(chen.frame(told).await, (ConvState::Closed, None));
    assert_eq!(count(&mut chen).await, ("svc".into(), 1));
    // again, as after a cut: nothing happens
    li.ask(dismiss(convs[0])).await.unwrap();
    assert_eq!(ids(&page(&server, "missed", &li).await), [convs[1].to_string()]);
    li.follow(convs[0]).await;
    assert_eq!(events(&mut li, convs[0]).pop(), Some(Event::Dismissed { by: "li".into() }), "who it was is in the log");
    visitor.follow(convs[0]).await;
    assert_eq!(events(&mut visitor, convs[0]).pop(), Some(Event::Hidden {}), "the visitor is not told");
    // a word of theirs opens it all the same, and it is no missed one then
    visitor.say(convs[0], "hello?").await;
    li.accept(convs[0]).await;
}

#[tokio::test]
async fn whoever_takes_a_missed_one_has_it_at_once() {
    let (who, convs, company) = left_alone().await;
    close_inactive_at(&company, &[now_ms() + 8 * DAY]).await;
    let server = Server::start(&company, config()).await;
    let mut visitor = Peer::connect(&server, &who[0]).await;
    visitor.follow(convs[0]).await;
    let (mut li, mut wu) = (Peer::agent(&server, "li").await, Peer::agent(&server, "wu").await);
    let take = |conv| move |req| ClientFrame::Take { req, conv };
    li.ask(take(convs[0])).await.unwrap();
    li.ask(take(convs[0])).await.unwrap();
    assert_eq!(wu.ask(take(convs[0])).await.unwrap_err().0, ErrorCode::Conflict);
    visitor.until(convs[0], |v| v.owner == owner("li")).await;
    let seen = events(&mut visitor, convs[0]);
    let end = [
        Event::Closed { by: "@missed".into() },
        Event::Reopened { by: "li".into() },
        Event::Owner { owner: owner("li"), team: id("svc"), why: OwnerWhy::Take, by: Some("li".into()) },
    ];
    assert!(seen.ends_with(&end), "{seen:?}");
    li.follow(convs[0]).await;
    li.say(convs[0], "sorry for the wait").await;
    // no other closed conversation can be taken so
    li.ask(|req| ClientFrame::Close { req, conv: convs[0], reason: None }).await.unwrap();
    assert_eq!(li.ask(take(convs[0])).await.unwrap_err().0, ErrorCode::Closed);
    assert_eq!(count(&mut wu).await, ("svc".into(), 1));
}

#[tokio::test]
async fn what_a_colleague_opens_again_waits_anew() {
    let (_, convs, company) = left_alone().await;
    close_inactive_at(&company, &[now_ms() + 8 * DAY]).await;
    let mut config = config();
    config.desk.auto_accept = false;
    let server = Server::start(&company, config.clone()).await;
    let mut li = Peer::agent(&server, "li").await;
    li.ask(|req| ClientFrame::Reopen { req, conv: convs[0] }).await.unwrap();
    drop(li);
    let company = server.stopped().await;
    // its last word is older, but it is in the queue only since now
    close_inactive_at(&company, &[now_ms() + 6 * DAY]).await;
    let server = Server::start(&company, config).await;
    let li = Peer::agent(&server, "li").await;
    assert_eq!(li.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), [convs[0]]);
    assert_eq!(li.config["missed"][0]["count"], 1);
}

/// An agent's page without a socket.
pub(super) fn agent(inside: &Inside, company: &Company, user: &str) -> std::sync::Arc<Conn> {
    let key = company.keyring(user).signing;
    inside.hub.connect(Who::Agent { kid: key.kid(), user: id(user) }, key.public(), REVISION)
}

/// Frames that wait for it.
pub(super) fn heard(conn: &Conn) -> Vec<ServerFrame> {
    let frames = conn.outbox.drain().frames;
    frames.iter().filter_map(|f| serde_json::from_slice(f.bytes()).ok()).collect()
}

#[tokio::test]
async fn agents_hear_when_something_was_missed() {
    let (_, convs, company) = left_alone().await;
    let inside = Inside::open(&company).await;
    let (li, zhou) = (agent(&inside, &company, "li"), agent(&inside, &company, "zhou"));
    for conn in [&li, &zhou] {
        inside.chat.welcome(conn, String::new()).await.unwrap();
    }
    let now = now_ms() + 8 * DAY;
    inside.chat.close_inactive(idle::RULE, now).await;
    let chat = inside.chat.clone();
    let (conns, metrics) = ([li, zhou], inside.metrics.clone());
    inside.close().await;
    // the counts are read from the disk, which is closed by now
    assert_eq!(metrics.snapshot().conversations_missed, 3);
    let became = |conn: &Conn| -> Vec<Summary> {
        let frames = heard(conn).into_iter();
        frames.filter_map(|f| if let ServerFrame::Conv { conv } = f { Some(*conv) } else { None }).collect()
    };
    let [of_li, of_zhou] = conns.map(|conn| became(&conn));
    assert_eq!(of_li.iter().map(|c| c.id).collect::<BTreeSet<_>>(), convs[..2].iter().copied().collect());
    assert_eq!(of_zhou.iter().map(|c| c.id).collect::<Vec<_>>(), convs[2..]);
    assert!(of_li.iter().all(|c| c.missed == Some(now) && c.state == ConvState::Closed && c.owner == Owner::None));
    drop(chat);

    // the server counts them itself, at its start
    let server = Server::start(&company, config()).await;
    let admin = Admin::connect(company.path(), &Config::default()).await.unwrap();
    let counted = |stats: &Value| -> Vec<MissedCount> { serde_json::from_value(stats["missed"].clone()).unwrap() };
    let of = |team: &str, count| MissedCount { team: id(team), count, more: false, oldest: Some(now) };
    let stats = admin.call("GET", "/admin/stats", None).await.unwrap();
    assert_eq!((counted(&stats), &stats["metrics"]["missed"]), (vec![of("svc", 2), of("vip", 1)], &json!(3)));
    server.stopped().await;
    // and so does a command when none runs
    let admin = Admin::connect(company.path(), &Config::default()).await.unwrap();
    assert_eq!(counted(&admin.call("GET", "/admin/stats", None).await.unwrap()), [of("svc", 2), of("vip", 1)]);
    admin.close().await;
}

/// What a command prints.
fn kefu(company: &Company, args: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kefu"));
    let out = command.args(args).env("NO_COLOR", "1").arg("--data-dir").arg(company.path()).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[tokio::test]
async fn the_command_line_names_those_who_wait_and_those_who_were_missed() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    visitor.say(conv, "hello?").await;
    let ask = |args: &'static [&'static str]| {
        let company = server.company.clone();
        tokio::task::spawn_blocking(move || kefu(&company, args))
    };
    let said = ask(&["doctor"]).await.unwrap();
    assert!(said.contains("1 waiting, the first for") && said.contains("no missed conversations"), "{said}");
    let said = ask(&["stats"]).await.unwrap();
    assert!(said.contains("missed         none; 0 since the start"), "{said}");
    let company = server.stopped().await;
    close_inactive_at(&company, &[now_ms() + 8 * DAY]).await;
    let said = kefu(&company, &["doctor"]);
    assert!(
        said.contains("warning  missed          nobody answered these conversations: svc 1, the first closed"),
        "{said}"
    );
    assert!(said.contains("→ agents of the team answer or dismiss each in the console, under Missed"), "{said}");
    assert!(kefu(&company, &["stats"]).contains("missed     svc 1\n"));
}

#[tokio::test]
async fn many_at_once_are_closed_in_parts_and_paged() {
    let waits: Vec<u64> = (0..450).map(|n| 1_790_000_000_000 + n).collect();
    let company = copies(&waits).await;
    let inside = Inside::open(&company).await;
    let mut closed = 0;
    for pass in 1..=3 {
        inside.chat.close_inactive(idle::RULE, 1_800_000_000_000 + pass).await;
        let now = inside.metrics.snapshot().conversations_missed;
        // one may be taken for open that was closed a moment ago
        assert!((50..=200).contains(&(now - closed)), "{closed}, and {now} after pass {pass}");
        closed = now;
    }
    assert_eq!(closed, 450);
    inside.close().await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    assert_eq!(li.config["missed"][0]["count"], 450);
    let (mut seen, mut at, mut before) = (Vec::new(), Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/conversations?tab=missed&before={before}");
        let page = get(server.addr, &path, &li.token).await.unwrap().json();
        at.extend(page["convs"].as_array().unwrap().iter().map(|c| c["missed"].as_u64().unwrap()));
        seen.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => before = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (450, 450), "all, each once");
    assert!(at.is_sorted_by(|a, b| a >= b), "newest first");
    // of 450 of another team nothing is looked at
    let zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(zhou.config["missed"], json!([]));
    assert_eq!(page(&server, "missed", &zhou).await, json!({ "convs": [], "more": false }));
}
