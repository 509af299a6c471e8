//! How agents sort their work: tags, priority, snooze, reasons for closing, and visitors who may not write.

use kefu::app::Admin;
use kefu::proto::{
    AgentState, BlockReason, ConvState, Label, LabelColor, LabelId, LabelKind, OwnerWhy, Priority, Summary,
};
use serde_json::{Value, json};

use super::*;
use crate::support::{
    company::{id, now_ms},
    http::get,
};

const DAY: u64 = 86_400_000;

fn label(label: &str, name: &str) -> Label {
    Label { id: id(label), name: name.into(), color: LabelColor::Red, retired: false }
}

async fn define(peer: &mut Peer, kind: LabelKind, label: Label) {
    peer.ask(|req| ClientFrame::Label { req, kind, label }).await.unwrap();
}

fn tag(conv: ConvId, add: &[&str], remove: &[&str]) -> impl FnOnce(u64) -> ClientFrame {
    let ids = |list: &[&str]| list.iter().map(|t| id(t)).collect();
    let (add, remove): (Vec<LabelId>, Vec<LabelId>) = (ids(add), ids(remove));
    move |req| ClientFrame::Tag { req, conv, add, remove }
}

fn snooze(conv: ConvId, until: Option<u64>) -> impl FnOnce(u64) -> ClientFrame {
    move |req| ClientFrame::Snooze { req, conv, until }
}

fn block(conv: ConvId, until: Option<u64>) -> impl FnOnce(u64) -> ClientFrame {
    move |req| ClientFrame::Block { req, conv, until, reason: BlockReason::Spam }
}

/// The next state of a conversation that a peer is told of and that `want` accepts.
async fn told(peer: &mut Peer, id: ConvId, want: impl Fn(&Summary) -> bool) -> Summary {
    peer.frame(|f| match f {
        ServerFrame::Conv { conv } if conv.id == id && want(conv) => Some((**conv).clone()),
        _ => None,
    })
    .await
}

async fn one(server: &Server, who: &Peer, conv: ConvId) -> Value {
    let all = get(server.addr, "/api/v1/conversations?tab=all", &who.token).await.unwrap().json();
    all["convs"].as_array().unwrap().iter().find(|c| c["id"] == conv.to_string()).cloned().unwrap_or_default()
}

#[tokio::test]
async fn supervisors_define_tags_and_owners_give_them() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut chen = Peer::agent(&server, "chen").await;
    let refused = li.ask(|req| ClientFrame::Label { req, kind: LabelKind::Tag, label: label("vip", "VIP") }).await;
    assert_eq!(refused.unwrap_err().0, ErrorCode::Forbidden);
    assert_eq!(li.ask(tag(conv, &["vip"], &[])).await.unwrap_err().0, ErrorCode::NotFound, "nobody defined it");
    define(&mut chen, LabelKind::Tag, label("vip", "VIP 客户")).await;
    define(&mut chen, LabelKind::Tag, label("refund", "退款")).await;
    let names = |f: &ServerFrame| match f {
        ServerFrame::Labels(l) if l.tags.len() == 2 => Some(l.tags.iter().map(|t| t.name.clone()).collect::<Vec<_>>()),
        _ => None,
    };
    assert_eq!(li.frame(names).await, ["退款", "VIP 客户"], "open consoles hear of it");
    let twin = chen.ask(|req| ClientFrame::Label { req, kind: LabelKind::Tag, label: label("other", "退款") }).await;
    assert_eq!(twin.unwrap_err().0, ErrorCode::Malformed, "two of one name can't be told apart");

    li.ask(tag(conv, &["vip", "refund"], &[])).await.unwrap();
    li.ask(tag(conv, &["vip"], &[])).await.unwrap();
    li.ask(tag(conv, &[], &["vip"])).await.unwrap();
    assert_eq!(told(&mut chen, conv, |c| c.tags == [id("refund")]).await.tags.len(), 1);
    li.ask(|req| ClientFrame::Priority { req, conv, priority: Priority::Urgent }).await.unwrap();
    assert_eq!(told(&mut chen, conv, |c| c.priority == Priority::Urgent).await.tags, [id("refund")]);
    let last = events(&mut li, conv).split_off(3);
    assert_eq!(
        last,
        [
            Event::Tagged { tags: vec![id("vip"), id("refund")], by: "li".into() },
            Event::Tagged { tags: vec![id("refund")], by: "li".into() },
            Event::Priority { priority: Priority::Urgent, by: "li".into() },
        ],
        "one record for each change"
    );

    // a colleague who does not own it may not; nobody of another team sees it; the visitor knows of nothing
    let mut wu = Peer::agent(&server, "wu").await;
    assert_eq!(wu.ask(tag(conv, &["vip"], &[])).await.unwrap_err().0, ErrorCode::NotOwner);
    let mut zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(zhou.ask(tag(conv, &["vip"], &[])).await.unwrap_err().0, ErrorCode::NotFound);
    assert_eq!(visitor.ask(tag(conv, &["vip"], &[])).await.unwrap_err().0, ErrorCode::Forbidden);
    let tomorrow = now_ms() + DAY;
    assert_eq!(visitor.ask(snooze(conv, Some(tomorrow))).await.unwrap_err().0, ErrorCode::Forbidden);
    let hidden = events(&mut visitor, conv).iter().filter(|e| **e == Event::Hidden {}).count();
    assert_eq!(hidden, 3);
    let again = Peer::connect(&server, &visitor.me).await;
    let seen: Vec<_> = again.greeted.iter().map(|c| (c.tags.len(), c.priority)).collect();
    assert_eq!(seen, [(0, Priority::Normal)]);
    // a supervisor of the team may; a retired tag stays where it is and is given to nothing new
    chen.ask(tag(conv, &["vip"], &[])).await.unwrap();
    define(&mut chen, LabelKind::Tag, Label { retired: true, ..label("refund", "退款") }).await;
    assert_eq!(chen.ask(tag(conv, &["refund"], &["vip"])).await.unwrap_err().0, ErrorCode::NotFound);
    assert_eq!(one(&server, &li, conv).await["tags"], json!(["refund", "vip"]));

    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    assert_eq!(li.config["labels"]["tags"][0], json!({"id":"refund","name":"退款","color":"red","retired":true}));
    let kept = one(&server, &li, conv).await;
    assert_eq!((&kept["tags"], &kept["priority"]), (&json!(["refund", "vip"]), &json!("urgent")), "over a restart");
}

#[tokio::test]
async fn closing_names_a_reason_that_reopening_forgets() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let close = |reason: Option<&str>| {
        let reason = reason.map(id);
        move |req| ClientFrame::Close { req, conv, reason }
    };
    assert_eq!(li.ask(close(Some("solved"))).await.unwrap_err().0, ErrorCode::NotFound);
    let mut boss = Peer::agent(&server, "boss").await;
    define(&mut boss, LabelKind::Reason, label("solved", "已解决")).await;
    li.ask(close(Some("solved"))).await.unwrap();
    let closed = told(&mut boss, conv, |c| c.state == ConvState::Closed).await;
    assert_eq!(closed.reason, Some(id("solved")));
    visitor.until(conv, |v| v.owner == Owner::None).await;
    li.until(conv, |v| v.records.len() > 6).await;
    let reason = Event::Reason { reason: id("solved"), by: "li".into() };
    assert_eq!(events(&mut li, conv).split_off(3), [Event::Closed { by: "li".into() }, reason]);
    // who closed it may still sort it
    li.ask(|req| ClientFrame::Priority { req, conv, priority: Priority::Low }).await.unwrap();
    let seq = visitor.say(conv, "one more thing").await;
    li.record(conv, seq).await;
    let open = told(&mut boss, conv, |c| c.state == ConvState::Open).await;
    assert_eq!((open.reason, open.priority), (None, Priority::Low));
    assert!(!events(&mut visitor, conv).iter().any(|e| matches!(e, Event::Reason { .. })));
}

#[tokio::test]
async fn a_snoozed_conversation_comes_back_when_its_visitor_writes() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let until = now_ms() + DAY;
    for wrong in [now_ms() - 1, now_ms() + 400 * DAY] {
        assert_eq!(li.ask(snooze(conv, Some(wrong))).await.unwrap_err().0, ErrorCode::Malformed);
    }
    li.ask(snooze(conv, Some(until))).await.unwrap();
    let aside = told(&mut li, conv, |c| c.snoozed.is_some()).await;
    assert_eq!((aside.snoozed, aside.owner), (Some(until), owner("li")), "it keeps its one owner");
    let seq = visitor.say(conv, "hello?").await;
    li.record(conv, seq).await;
    assert_eq!(told(&mut li, conv, |c| c.last >= seq).await.owner, owner("li"));
    let woke = [Event::Snoozed { until, by: "li".into() }, Event::Woken { by: "visitor".into() }];
    assert_eq!(events(&mut li, conv).split_off(3), woke);
    // taken back by hand; and again: nothing happens
    li.ask(snooze(conv, Some(until))).await.unwrap();
    li.ask(snooze(conv, None)).await.unwrap();
    li.ask(snooze(conv, None)).await.unwrap();
    assert_eq!(events(&mut li, conv).last(), Some(&Event::Woken { by: "li".into() }));
    // nobody has a conversation in the queue, so nobody can put it aside
    let waiting = visitor.open_empty().await;
    visitor.say(waiting, "another question").await;
    let mut chen = Peer::agent(&server, "chen").await;
    assert_eq!(chen.ask(snooze(waiting, Some(until))).await.unwrap_err().0, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_snooze_survives_a_restart_and_ends_by_itself() {
    let server = Server::new().await;
    let (visitor, mut li, conv) = talk(&server).await;
    let until = now_ms() + 2_000;
    li.ask(snooze(conv, Some(until))).await.unwrap();
    drop((visitor, li));
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let mut li = Peer::agent(&server, "li").await;
    li.follow(conv).await;
    li.until(conv, |v| v.records.iter().any(|r| is_woken(r))).await;
    assert!(now_ms() >= until);
    assert_eq!(events(&mut li, conv).pop(), Some(Event::Woken { by: "@time".into() }), "with a line in the log");
    assert_eq!(one(&server, &li, conv).await["snoozed"], Value::Null);
}

fn is_woken(record: &[u8]) -> bool {
    matches!(RecordView::parse(record).unwrap().event(), Some(Event::Woken { .. }))
}

#[tokio::test]
async fn what_an_absent_agent_snoozed_is_offered_to_nobody_before_its_time() {
    let mut config = config();
    config.desk.grace_seconds = 0;
    let server = Server::start(&Company::found().await, config).await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let until = now_ms() + DAY;
    li.ask(snooze(conv, Some(until))).await.unwrap();
    let mut wu = Peer::agent(&server, "wu").await;
    drop(li);
    // who is gone owns nothing; it lies in the queue without a place until its visitor writes
    let lost = told(&mut wu, conv, |c| c.owner == Owner::Queue).await;
    assert_eq!((lost.snoozed, lost.waiting_since), (Some(until), None));
    wu.status(AgentState::Online).await;
    visitor.say(conv, "are you there?").await;
    wu.accept(conv).await;
    wu.follow(conv).await;
    let seen = events(&mut wu, conv);
    let lost_at = seen.iter().position(|e| matches!(e, Event::Owner { why: OwnerWhy::Lost, .. })).unwrap();
    let accepted = Event::Owner { owner: owner("wu"), team: id("svc"), why: OwnerWhy::Accept, by: Some("wu".into()) };
    assert_eq!(seen[lost_at + 1..], [Event::Woken { by: "visitor".into() }, accepted]);
}

#[tokio::test]
async fn a_blocked_visitor_writes_nothing_anywhere_until_it_ends() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let until = now_ms() + DAY;
    let mut wu = Peer::agent(&server, "wu").await;
    assert_eq!(wu.ask(block(conv, Some(until))).await.unwrap_err().0, ErrorCode::NotOwner);
    assert_eq!(visitor.ask(block(conv, Some(until))).await.unwrap_err().0, ErrorCode::Forbidden);
    li.ask(block(conv, Some(until))).await.unwrap();
    let list = get(server.addr, "/api/v1/blocks", &wu.token).await.unwrap().json();
    let expected = json!({"visitor": visitor.me.kid(), "conv": conv, "site": "s1", "team": "svc", "until": until,
        "reason": "spam", "by": "li"});
    let mut listed = list["blocks"][0].clone();
    assert!(listed.as_object_mut().unwrap().remove("at").is_some_and(|at| at.as_u64() >= Some(until - DAY - 60_000)));
    assert_eq!(listed, expected);
    let zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(get(server.addr, "/api/v1/blocks", &zhou.token).await.unwrap().json(), json!({"blocks": []}));
    assert_eq!(get(server.addr, "/api/v1/blocks", &visitor.token).await.unwrap().code(), Some(5));

    let is_blocked = |refused: (ErrorCode, String)| {
        assert_eq!(refused, (ErrorCode::RateLimited, "an agent decided that you may not write for now".into()));
    };
    let key = visitor.me.key.clone();
    let (_, envelope) = visitor.view(conv).seal("spam", &key);
    is_blocked(visitor.post(envelope).await.unwrap_err());
    // nor in another conversation, nor after a restart
    let (_, open) = visitor.opening();
    is_blocked(visitor.ask(&open).await.unwrap_err());
    drop((li, wu, zhou));
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let mut again = Peer::connect(&server, &visitor.me).await;
    again.follow(conv).await;
    is_blocked(again.ask(|req| ClientFrame::Reopen { req, conv }).await.unwrap_err());
    assert!(!events(&mut again, conv).iter().any(|e| matches!(e, Event::Blocked { .. })));
    // other visitors are not touched
    let mut other = Peer::visitor(&server).await;
    other.open().await;

    let mut chen = Peer::agent(&server, "chen").await;
    chen.ask(block(conv, None)).await.unwrap();
    chen.follow(conv).await;
    let lines = events(&mut chen, conv);
    assert!(lines.contains(&Event::Blocked { until, by: "li".into() }));
    assert_eq!(lines.last(), Some(&Event::Unblocked { by: "chen".into() }));
    again.say(conv, "sorry").await;
}

#[tokio::test]
async fn one_conversation_and_the_others_of_its_visitor_are_for_those_who_may_see_them() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let second = visitor.open().await;
    let path = format!("/api/v1/conversations/{conv}");
    let addr = server.addr;
    let read = |path: String, token: String| async move { get(addr, &path, &token).await.unwrap() };
    assert_eq!(read(path.clone(), li.token.clone()).await.json()["conv"]["id"], json!(conv));
    let others = read(format!("{path}/others"), li.token.clone()).await.json();
    assert_eq!(others["convs"].as_array().unwrap().iter().map(|c| &c["id"]).collect::<Vec<_>>(), [&json!(second)]);
    let zhou = Peer::agent(&server, "zhou").await;
    for path in [path.clone(), format!("{path}/others"), format!("/api/v1/conversations/{}", "0".repeat(32))] {
        assert_eq!(read(path, zhou.token.clone()).await.code(), Some(ErrorCode::NotFound as u64));
    }
    assert_eq!(read(path, visitor.token.clone()).await.code(), Some(ErrorCode::Forbidden as u64));
    li.follow(conv).await;
}

/// The same hours each day, by the clock of UTC: all day, or an hour that is not now.
fn hours(open: bool) -> Value {
    let past_two = now_ms() % DAY > 2 * 3_600_000;
    let span = match (open, past_two) {
        (true, _) => "00:00-24:00",
        (false, true) => "00:00-01:00",
        (false, false) => "12:00-13:00",
    };
    json!({ "zone": "UTC", "week": vec![[span]; 7] })
}

#[tokio::test]
async fn outside_of_its_hours_a_team_says_when_they_begin() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let presence = async || get(server.addr, "/api/v1/site/s1/presence", "").await.unwrap().json();
    assert_eq!(presence().await.get("opens"), None, "a team without hours is always at work");

    let set = async |hours| server.company.set_hours("svc", hours).await;
    set(hours(false)).await;
    let opens = presence().await["opens"].as_u64().unwrap();
    assert!(opens > now_ms() && opens <= now_ms() + DAY, "{opens}");
    let site = get(server.addr, "/api/v1/site/s1", "").await.unwrap().json();
    assert_eq!(site["opens"], opens);
    let mut visitor = Peer::visitor(&server).await;
    let said = |f: &ServerFrame| match f {
        ServerFrame::Presence { opens, .. } => *opens,
        _ => None,
    };
    assert_eq!(visitor.frame(said).await, opens);
    // agents are told when the team is at work, as times
    let hours_of = |f: &ServerFrame| match f {
        ServerFrame::Labels(l) => l.hours.first().cloned(),
        _ => None,
    };
    let told = li.frame(hours_of).await;
    assert_eq!(told.teams, [id("svc")]);
    assert!(told.times.contains(&(opens, opens + 3_600_000)), "{told:?}");

    set(hours(true)).await;
    assert_eq!(presence().await.get("opens"), None);
    set(Value::Null).await;
    let chen = Peer::agent(&server, "chen").await;
    assert_eq!(chen.config["labels"].get("hours"), None);
}

#[tokio::test]
async fn hours_that_cannot_be_are_refused_with_a_sentence() {
    let server = Server::new().await;
    let admin = Admin::connect(server.company.path(), &kefu::config::Config::default()).await.unwrap();
    for (hours, says) in [
        (json!({ "zone": "Asia/Peking", "week": vec![["09:00-10:00"]; 7] }), "Asia/Peking"),
        (json!({ "zone": "UTC", "week": vec![["10:00-09:00"]; 7] }), "ends before it begins"),
        (json!({ "zone": "UTC", "week": vec![["09:00-11:00", "10:00-12:00"]; 7] }), "begins before the one before it"),
        (json!({ "zone": "UTC", "week": vec![["09:00-11:00"]; 6] }), "not a team's hours"),
    ] {
        let body = json!({ "team": "svc", "hours": hours });
        let refused = admin.call("POST", "/admin/hours", Some(body)).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    admin.close().await;
}
