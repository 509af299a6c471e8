//! Coming back: much missing, a slow reader, a peer that is dead without saying so.

use std::time::{Duration, Instant};

use kefu::proto::{AgentState, CloseCode, Have, Presence, RESUME_RECORDS};
use tokio::net::TcpSocket;

use super::*;
use crate::support::{
    http,
    proxy::Proxy,
    wire::{Got, PATIENCE, Wire},
};

/// Sends `count` messages of `len` bytes without waiting in between, then waits for all of them.
async fn flood(peer: &mut Peer, conv: ConvId, count: usize, len: usize) {
    let (key, before) = (peer.me.key.clone(), peer.view(conv).have());
    for n in 0..count {
        let text = format!("{n:0len$}");
        let (_, envelope) = peer.view(conv).seal(&text, &key);
        peer.wire.send_envelope(envelope).await.unwrap();
        // a client that never reads would be the slow one itself
        if n % 4 == 3 {
            peer.record(conv, before + n as u64 + 1).await;
        }
    }
    peer.record(conv, before + count as u64).await;
}

#[tokio::test]
async fn whoever_missed_much_pages_over_http_and_holds_the_same() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let have = li.view(conv).have();
    li.wire.send(&ClientFrame::Leave { conv }).await.unwrap();
    flood(&mut visitor, conv, RESUME_RECORDS + 10, 40).await;
    let total = visitor.view(conv).have();

    li.log.clear();
    li.resume(&[conv]).await.unwrap();
    let last = li
        .frame(|f| match f {
            ServerFrame::Behind { conv: c, last } if *c == conv => Some(*last),
            ServerFrame::Synced { conv: c, .. } if *c == conv => panic!("synced with {have} of {total}"),
            _ => None,
        })
        .await;
    assert_eq!((last, li.view(conv).have()), (total, have));
    // 'behind' follows too: new messages arrive, and the pages fill the gap before them
    let mut after = have;
    while after < total {
        let page = http::page(server.addr, &li.token, conv, after, 50).await.unwrap();
        assert!(!page.is_empty() && page.len() <= 50);
        after += page.len() as u64;
        for frame in page {
            li.take(Got::Record(frame)).await.unwrap();
        }
    }
    let seq = visitor.say(conv, "live again").await;
    li.record(conv, seq).await;
    assert_eq!(li.view(conv).records, visitor.view(conv).records);
    assert_eq!(li.history(conv).await, visitor.view(conv).records);
    assert_eq!(http::page(server.addr, &li.token, conv, 0, 9_999).await.unwrap().len() as u64, seq.min(500));
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_resumes_completely() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    // a page of the visitor that stops reading, with a small window
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let tcp = socket.connect(server.addr).await.unwrap();
    let mut slow = Wire::over(tcp, server.addr, &visitor.me.door).await.unwrap();
    slow.hello(&visitor.me.key, visitor.me.side()).await.unwrap();
    slow.send(&ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] }).await.unwrap();
    while !matches!(slow.next().await.unwrap(), Got::Frame(ServerFrame::Synced { .. })) {}

    let started = Instant::now();
    let total = visitor.view(conv).have() + 240;
    tokio::join!(flood(&mut visitor, conv, 240, 30_000), li.record(conv, total));
    assert!(started.elapsed() < PATIENCE, "others do not wait for a slow reader");
    assert_eq!(slow.closed().await, Some(CloseCode::Slow as u16));

    let mut back = Peer::connect(&server, &visitor.me).await;
    back.follow(conv).await;
    assert_eq!(back.view(conv).records, visitor.view(conv).records);
    assert_eq!(back.texts(conv).len(), 240);
}

#[tokio::test]
async fn a_dead_peer_is_gone_within_two_heartbeats() {
    let server = Server::new().await;
    let proxy = Proxy::start(server.addr).await;
    let mut visitor = Peer::visitor(&server).await;
    let presence = |f: &ServerFrame| if let ServerFrame::Presence { agents, .. } = f { Some(*agents) } else { None };
    assert_eq!(visitor.frame(presence).await, 0);
    let mut li = Peer::try_connect(&server.company, proxy.addr, &Me::agent(&server.company, "li")).await.unwrap();
    li.status(AgentState::Online).await;
    assert_eq!(visitor.frame(presence).await, 1);
    proxy.stall();
    let started = Instant::now();
    assert_eq!(visitor.frame(presence).await, 0);
    let took = started.elapsed();
    assert!(took > Duration::from_secs(15) && took < Duration::from_secs(25), "{took:?}");
    // when the network is back, the page is told why it was disconnected
    proxy.resume();
    let closed = li.wire.closed().await;
    assert!(matches!(closed, None | Some(4002)), "{closed:?}");
    let _back = Peer::try_connect(&server.company, proxy.addr, &li.me).await.unwrap();
    assert_eq!(
        visitor.frame(|f| matches!(f, ServerFrame::Presence { state: Presence::Open, .. }).then_some(1)).await,
        1
    );
}

#[tokio::test]
async fn a_visitor_of_many_years_is_greeted_with_what_is_open_and_the_newest() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let mut all = Vec::new();
    for n in 0..60 {
        let conv = visitor.open().await;
        all.push(conv);
        if n != 3 {
            visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
        }
    }
    let again = Peer::connect(&server, &visitor.me).await;
    let told: Vec<_> = again.greeted.iter().map(|c| c.id).collect();
    assert_eq!(told.len(), 50);
    assert_eq!(told[0], all[3], "the open one first");
    assert!(told.contains(&all[59]) && !told.contains(&all[0]), "then the newest");
}

#[tokio::test]
async fn a_page_that_was_offline_hears_what_it_holds_no_more() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    visitor.say(conv, "hello").await;
    let held = li.view(conv).held();
    let me = li.me.clone();
    drop(li);
    let mut chen = Peer::agent(&server, "chen").await;
    chen.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();

    // still theirs to see: how it is now, since the greeting does not name it
    let mut li = Peer::connect(&server, &me).await;
    assert!(li.greeted.iter().all(|c| c.id != conv));
    li.wire.send(&ClientFrame::Resume { convs: vec![held] }).await.unwrap();
    let now = li.frame(|f| match f {
        ServerFrame::Conv { conv: c } if c.id == conv => Some(c.owner.clone()),
        _ => None,
    });
    assert_eq!(now.await, owner("chen"));
    li.frame(|f| matches!(f, ServerFrame::Synced { conv: c, .. } if *c == conv).then_some(())).await;

    // not theirs to see any more
    let (user, teams) = ("li".parse().unwrap(), ["vip".parse().unwrap()]);
    server.company.act(|s| s.user_teams(&user, &teams)).await;
    let mut li = Peer::connect(&server, &me).await;
    li.wire.send(&ClientFrame::Resume { convs: vec![held] }).await.unwrap();
    li.frame(|f| matches!(f, ServerFrame::Gone { conv: c } if *c == conv).then_some(())).await;
    // an agent who never had it is told nothing, not even that it exists
    let mut zhou = Peer::agent(&server, "zhou").await;
    zhou.wire.send(&ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] }).await.unwrap();
    zhou.ask(|req| ClientFrame::Status { req, state: AgentState::Online }).await.unwrap();
    assert!(zhou.log.iter().all(|f| !matches!(f, ServerFrame::Gone { .. })));
    drop(visitor);
}
