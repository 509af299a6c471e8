//! Assignment: offers, taking, transfers, and what happens to the conversations of an agent who disconnected.

use kefu::{
    crypto::{
        grant,
        hash::{self, BoxKind},
    },
    proto::{AgentState, HeaderView, Kind, OwnerWhy},
};

use super::*;
use crate::support::http;

/// Conversations offered, in order, until there are `count`.
async fn offers(agent: &mut Peer, count: usize) -> Vec<ConvId> {
    let mut offered = Vec::new();
    while offered.len() < count {
        let offer = |f: &ServerFrame| if let ServerFrame::Offer { conv, .. } = f { Some(*conv) } else { None };
        offered.push(agent.frame(offer).await);
    }
    offered
}

#[tokio::test]
async fn a_declined_offer_goes_to_a_colleague_and_the_first_to_accept_has_it() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    li.frame(|f| matches!(f, ServerFrame::Offer { conv: c, .. } if *c == conv).then_some(())).await;
    let mut wu = Peer::agent(&server, "wu").await;
    assert_eq!(wu.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), [conv]);
    li.ask(|req| ClientFrame::Decline { req, conv }).await.unwrap();
    li.frame(|f| matches!(f, ServerFrame::OfferGone { conv: c, .. } if *c == conv).then_some(())).await;
    wu.accept(conv).await;
    wu.ask(|req| ClientFrame::Accept { req, conv }).await.expect("accepting again what is theirs");
    visitor.until(conv, |v| v.owner == owner("wu")).await;
    let late = li.ask(|req| ClientFrame::Accept { req, conv }).await;
    assert_eq!(late.unwrap_err().0, ErrorCode::TooLate);
    let taken = li.ask(|req| ClientFrame::Take { req, conv }).await;
    assert_eq!(taken.unwrap_err().0, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_supervisor_takes_over_and_the_agent_may_speak_no_more() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut chen = Peer::agent(&server, "chen").await;
    chen.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
    chen.follow(conv).await;
    li.until(conv, |v| v.owner == owner("chen")).await;
    let key = li.me.key.clone();
    let (_, envelope) = li.view(conv).seal("one more thing", &key);
    assert_eq!(li.post(envelope).await.unwrap_err().0, ErrorCode::NotOwner);
    let seq = chen.say(conv, "I am the supervisor").await;
    visitor.record(conv, seq).await;
    assert_eq!(visitor.texts(conv), ["I am the supervisor"]);
}

#[tokio::test]
async fn handed_to_a_colleague_who_is_there() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    assert_eq!(li.transfer(conv, Some("wu"), None).await.unwrap_err().0, ErrorCode::NotFound, "wu is not connected");
    let mut wu = Peer::agent(&server, "wu").await;
    let mut qian = Peer::agent(&server, "qian").await;
    assert_eq!(qian.transfer(conv, Some("wu"), None).await.unwrap_err().0, ErrorCode::NotFound, "of another team");
    assert_eq!(wu.transfer(conv, Some("wu"), None).await.unwrap_err().0, ErrorCode::NotOwner);
    let _zhou = Peer::agent(&server, "zhou").await;
    assert_eq!(li.transfer(conv, Some("zhou"), None).await.unwrap_err().0, ErrorCode::Forbidden, "not in the team");
    li.transfer(conv, Some("wu"), None).await.unwrap();
    wu.frame(|f| matches!(f, ServerFrame::Conv { conv: c } if c.owner == owner("wu")).then_some(())).await;
    wu.follow(conv).await;
    let seq = wu.say(conv, "I take over").await;
    visitor.record(conv, seq).await;
    let last = events(&mut visitor, conv).pop().unwrap();
    assert!(matches!(last, Event::Owner { why: OwnerWhy::Transfer, by: Some(by), .. } if by == "li"));
}

#[tokio::test]
async fn handed_to_another_team_with_its_key_and_the_past() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    visitor.say(conv, "before").await;
    assert_eq!(li.transfer(conv, None, Some("vip")).await.unwrap_err().0, ErrorCode::EpochStale);

    let key = li.me.key.clone();
    let (keys, vip) = (li.view(conv).keys.clone().into_iter().collect::<Vec<_>>(), team_pk(&server, "vip"));
    let company = server.company.clone();
    let announcement = li.view(conv).announce(&company, "vip", &key);
    li.post(announcement).await.unwrap();
    let granted = grant::create(conv, &keys, BoxKind::Team, &vip, &key).unwrap();
    li.post(granted).await.unwrap();
    li.transfer(conv, None, Some("vip")).await.unwrap();

    li.frame(|f| matches!(f, ServerFrame::Gone { conv: c } if *c == conv).then_some(())).await;
    assert_eq!(http::history(server.addr, &li.token, conv).await, None, "the old team reads no more");
    zhou.accept(conv).await;
    zhou.follow(conv).await;
    visitor.until(conv, |v| v.owner == owner("zhou")).await;
    let seq = visitor.say(conv, "after").await;
    zhou.record(conv, seq).await;
    assert_eq!(zhou.texts(conv), ["before", "after"]);
    // the grant really holds the epochs before
    let records = zhou.view(conv).records.clone();
    let bodies = records.iter().map(|r| RecordView::parse(r).unwrap().body);
    let granted = bodies.clone().find(|b| HeaderView::parse(b).is_ok_and(|(k, _)| k == Kind::Grant)).unwrap();
    let secret = server.company.team_key(&hash::box_kid(BoxKind::Team, &vip)).unwrap();
    let view = zhou.view(conv);
    let opened = grant::open(granted, BoxKind::Team, &secret, |epoch| view.commitment(epoch)).unwrap();
    assert_eq!(opened.iter().map(|(e, k)| (*e, *k.bytes())).collect::<Vec<_>>(), [(0, *keys[0].1.bytes())]);
    let heard = li.log.len();
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Online }).await.unwrap();
    assert!(li.log[heard..].iter().all(|f| !matches!(f, ServerFrame::Conv { conv: c } if c.id == conv)));
}

#[tokio::test]
async fn conversations_of_a_vanished_agent_return_in_the_order_of_arrival() {
    let company = Company::found().await;
    let mut config = config();
    config.desk.grace_seconds = 1;
    let server = Server::start(&company, config).await;
    let mut li = Peer::agent(&server, "li").await;
    let mut visitors = Vec::new();
    for _ in 0..2 {
        let mut visitor = Peer::visitor(&server).await;
        let conv = visitor.open().await;
        li.accept(conv).await;
        visitors.push((visitor, conv));
    }
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Busy }).await.unwrap();
    let mut third = Peer::visitor(&server).await;
    let waiting = third.open().await;
    let place = |conv| {
        move |f: &ServerFrame| match f {
            ServerFrame::Queue { conv: c, position } if *c == conv => Some(*position),
            _ => None,
        }
    };
    assert_eq!(third.frame(place(waiting)).await, 1);
    drop(li);
    for (n, (visitor, conv)) in visitors.iter_mut().enumerate() {
        visitor.until(*conv, |v| v.owner == Owner::Queue && v.have() > 4).await;
        let last = events(visitor, *conv).pop().unwrap();
        assert!(matches!(last, Event::Owner { why: OwnerWhy::Lost, .. }), "{last:?}");
        while visitor.frame(place(*conv)).await != n as u32 + 1 {}
    }
    while third.frame(place(waiting)).await != 3 {}
    let mut wu = Peer::agent(&server, "wu").await;
    assert_eq!(offers(&mut wu, 3).await, [visitors[0].1, visitors[1].1, waiting]);
}

#[tokio::test]
async fn an_agent_who_comes_back_in_time_keeps_what_is_his() {
    let server = Server::new().await;
    let (mut visitor, li, conv) = talk(&server).await;
    let (me, have) = (li.me.clone(), visitor.view(conv).have());
    drop(li);
    let mut li = Peer::connect(&server, &me).await;
    assert_eq!(li.greeted.iter().map(|c| (c.id, c.owner.clone())).collect::<Vec<_>>(), [(conv, owner("li"))]);
    li.follow(conv).await;
    let seq = li.say(conv, "back again").await;
    visitor.record(conv, seq).await;
    assert_eq!(seq, have + 1);
}
