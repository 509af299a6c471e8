//! Ends: of conversations, of accounts, of the server.

use kefu::proto::{CloseCode, ConvState, OwnerWhy};

use super::*;
use crate::support::{http, wire::Wire};

#[tokio::test]
async fn closed_reopened_and_reopened_by_writing() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut wu = Peer::agent(&server, "wu").await;
    let not_his = wu.ask(|req| ClientFrame::Close { req, conv, reason: None }).await;
    assert_eq!(not_his.unwrap_err().0, ErrorCode::NotOwner);
    li.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    li.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.expect("closing twice is closing once");
    visitor.until(conv, |v| v.state == ConvState::Closed).await;
    li.until(conv, |v| v.state == ConvState::Closed).await;
    let key = li.me.key.clone();
    let (_, envelope) = li.view(conv).seal("forgot to say", &key);
    assert_eq!(li.post(envelope).await.unwrap_err().0, ErrorCode::Closed);
    let take = li.ask(|req| ClientFrame::Take { req, conv }).await;
    assert_eq!(take.unwrap_err().0, ErrorCode::Closed);

    li.ask(|req| ClientFrame::Reopen { req, conv }).await.unwrap();
    li.accept(conv).await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    visitor.until(conv, |v| v.state == ConvState::Closed).await;
    let seq = visitor.say(conv, "one more question").await;
    assert_eq!(visitor.view(conv).state, ConvState::Open);
    let tail = events(&mut visitor, conv).split_off(events(&mut visitor, conv).len() - 2);
    assert_eq!(tail[0], Event::Reopened { by: "visitor".into() });
    assert!(matches!(&tail[1], Event::Owner { owner: Owner::Queue, why: OwnerWhy::Reopen, .. }));
    // who answered last is asked first, though a colleague has nothing to do
    li.accept(conv).await;
    li.record(conv, seq + 1).await;
    assert_eq!(li.texts(conv), ["one more question"]);
    let closed = events(&mut li, conv);
    let by: Vec<_> =
        closed.iter().filter_map(|e| if let Event::Closed { by } = e { Some(&by[..]) } else { None }).collect();
    assert_eq!(by, ["li", "visitor"]);
}

#[tokio::test]
async fn a_switched_off_account_is_out_at_once() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut screen = Peer::agent(&server, "li").await;
    assert_eq!(http::get(server.addr, "/api/v1/boxes", &li.token).await.unwrap().status, 200);
    server.company.disable("li").await;
    let (first, second) = tokio::join!(li.wire.closed(), screen.wire.closed());
    assert_eq!([first, second], [Some(CloseCode::Disabled as u16); 2]);
    for path in ["/api/v1/boxes".to_owned(), format!("/api/v1/conversations/{conv}/records")] {
        assert_eq!(http::get(server.addr, &path, &li.token).await.unwrap().status, 401);
    }
    let mut again = Wire::open(server.addr, &li.me.door).await.unwrap();
    again.hello(&li.me.key, li.me.side()).await.unwrap();
    assert_eq!(again.closed().await, Some(CloseCode::Unauthorised as u16));
    // li's conversation does not wait for anyone's grace
    visitor.until(conv, |v| v.owner == Owner::Queue && v.have() > 4).await;
    let mut wu = Peer::agent(&server, "wu").await;
    wu.accept(conv).await;
}

#[tokio::test]
async fn other_teams_make_a_page_start_anew() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let (user, teams) = ("li".parse().unwrap(), ["vip".parse().unwrap()]);
    server.company.act(|s| s.user_teams(&user, &teams)).await;
    assert_eq!(li.wire.closed().await, Some(CloseCode::GoingAway as u16));
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::connect(&server, &Me::visitor("s2")).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_has_everything_when_it_is_back() {
    let mut server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    visitor.say(conv, "before the restart").await;
    let (mine, his) = (visitor.me.clone(), li.me.clone());
    server.begin_stop();
    let (a, b) = tokio::join!(visitor.wire.closed(), li.wire.closed());
    assert_eq!([a, b], [Some(CloseCode::GoingAway as u16); 2]);
    let company = server.stopped().await;

    let server = Server::start(&company, config()).await;
    let mut visitor = Peer::connect(&server, &mine).await;
    let mut li = Peer::connect(&server, &his).await;
    for peer in [&mut visitor, &mut li] {
        assert_eq!(peer.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), [conv]);
        peer.follow(conv).await;
        assert_eq!(peer.texts(conv), ["before the restart"]);
    }
    let seq = li.say(conv, "after it").await;
    visitor.record(conv, seq).await;
    assert_eq!(visitor.view(conv).owner, owner("li"), "a restart takes nothing from anybody");
}
