//! Tags, snoozes and blocks of a company with several servers.

use kefu::proto::{BlockReason, ClientFrame, ErrorCode, Event, Label, LabelColor, LabelKind, RecordView, ServerFrame};

use super::{Servers, deaths::Two, owner};
use crate::support::{
    company::{id, now_ms},
    http::get,
    peer::{Me, Peer},
};

#[tokio::test]
async fn what_one_server_was_told_the_others_know() {
    let servers = Servers::start().await;
    let mut li = Peer::agent(&servers.two, "li").await;
    let mut visitor = Peer::visitor(&servers.one).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    let mut chen = Peer::agent(&servers.one, "chen").await;
    let label = Label { id: id("vip"), name: "VIP".into(), color: LabelColor::Blue, retired: false };
    chen.ask(|req| ClientFrame::Label { req, kind: LabelKind::Tag, label }).await.unwrap();
    li.frame(|f| matches!(f, ServerFrame::Labels(l) if l.tags.len() == 1).then_some(())).await;
    li.ask(|req| ClientFrame::Tag { req, conv, add: vec![id("vip")], remove: Vec::new() }).await.unwrap();
    let tagged = |f: &ServerFrame| matches!(f, ServerFrame::Conv { conv: c } if c.tags == [id("vip")]).then_some(());
    chen.frame(tagged).await;

    // blocked at the one server, refused at the other
    let until = now_ms() + 3_600_000;
    let reason = BlockReason::Abuse;
    li.ask(|req| ClientFrame::Block { req, conv, until: Some(until), reason }).await.unwrap();
    chen.follow(conv).await;
    let blocked = |r: &bytes::Bytes| matches!(RecordView::parse(r).unwrap().event(), Some(Event::Blocked { .. }));
    chen.until(conv, |v| v.records.iter().any(blocked)).await;
    // the signal and the record take different ways
    loop {
        let list = get(servers.one.addr, "/api/v1/blocks", &chen.token).await.unwrap().json();
        if list["blocks"][0]["reason"] == "abuse" {
            break;
        }
        tokio::task::yield_now().await;
    }
    let (code, _) = visitor.ask(|req| ClientFrame::Reopen { req, conv }).await.unwrap_err();
    assert_eq!(code, ErrorCode::RateLimited);
}

#[tokio::test]
async fn hours_that_one_server_was_told_the_others_know() {
    let servers = Servers::start().await;
    let mut li = Peer::agent(&servers.two, "li").await;
    servers.one.company.set_hours("svc", serde_json::json!({ "zone": "UTC", "week": vec![["00:00-24:00"]; 7] })).await;
    let hours = |f: &ServerFrame| match f {
        ServerFrame::Labels(l) => l.hours.first().cloned(),
        _ => None,
    };
    let told = li.frame(hours).await;
    assert_eq!((told.teams, told.times.len()), (vec![id("svc")], 1));
}

#[tokio::test]
async fn a_snooze_ends_in_time_although_the_server_with_the_desk_died() {
    let mut two = Two::start().await;
    let mut li = two.agent(1, "li").await;
    let mut visitor = two.peer(1, &Me::visitor("s1")).await;
    let conv = visitor.open().await;
    super::deaths::takes(&mut li, conv).await;
    let until = now_ms() + 3_000;
    li.ask(|req| ClientFrame::Snooze { req, conv, until: Some(until) }).await.unwrap();
    two.servers[0].kill();
    let woken = |r: &bytes::Bytes| matches!(RecordView::parse(r).unwrap().event(), Some(Event::Woken { .. }));
    li.until(conv, |v| v.records.iter().any(woken)).await;
    assert!(now_ms() >= until);
    let frame = |f: &ServerFrame| match f {
        ServerFrame::Conv { conv } if conv.snoozed.is_none() && conv.last > 5 => Some(conv.owner.clone()),
        _ => None,
    };
    assert_eq!(li.frame(frame).await, owner("li"));
}
