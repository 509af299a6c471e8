//! What people see of the desk: their place in the queue, who is there.

use kefu::proto::{AgentState, Presence};

use super::*;
use crate::support::http::{Answer, ask};

fn presence(f: &ServerFrame) -> Option<(Presence, u32)> {
    if let ServerFrame::Presence { state, agents, .. } = f { Some((*state, *agents)) } else { None }
}

#[tokio::test]
async fn visitors_hear_their_place_and_move_up() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Busy }).await.unwrap();
    let place = |conv| {
        move |f: &ServerFrame| match f {
            ServerFrame::Queue { conv: c, position } if *c == conv => Some(*position),
            _ => None,
        }
    };
    let mut line = Vec::new();
    for n in 1..=3 {
        let mut visitor = Peer::visitor(&server).await;
        let conv = visitor.open().await;
        assert_eq!(visitor.frame(place(conv)).await, n);
        line.push((visitor, conv));
    }
    let mut seen = Peer::agent(&server, "li").await;
    assert_eq!(seen.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), line.iter().map(|(_, c)| *c).collect::<Vec<_>>());
    let first = line[0].1;
    seen.ask(|req| ClientFrame::Take { req, conv: first }).await.unwrap();
    for (n, (visitor, conv)) in line.iter_mut().enumerate().skip(1) {
        assert_eq!(visitor.frame(place(*conv)).await, n as u32);
    }
    // a page that was opened again is told its place too
    let (visitor, conv) = &mut line[2];
    let mut tab = Peer::connect(&server, &visitor.me).await;
    tab.follow(*conv).await;
    assert_eq!(tab.frame(place(*conv)).await, 2);
}

#[tokio::test]
async fn presence_follows_the_agents_of_the_sites_team() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    assert_eq!(visitor.frame(presence).await, (Presence::Away, 0));
    let _zhou = Peer::agent(&server, "zhou").await;
    let mut li = Peer::agent(&server, "li").await;
    assert_eq!(visitor.frame(presence).await, (Presence::Open, 1));
    let wu = Peer::agent(&server, "wu").await;
    assert_eq!(visitor.frame(presence).await, (Presence::Open, 2));
    drop(wu);
    assert_eq!(visitor.frame(presence).await, (Presence::Open, 1));
    li.status(AgentState::Busy).await;
    assert_eq!(visitor.frame(presence).await, (Presence::Busy, 1));
    let mut late = Peer::visitor(&server).await;
    assert_eq!(late.frame(presence).await, (Presence::Busy, 1));
    li.frame(|f| match f {
        ServerFrame::Agents { list } => {
            list.iter().any(|a| a.user.as_str() == "li" && a.state == AgentState::Busy).then_some(())
        }
        _ => None,
    })
    .await;
}

async fn get(server: &Server, path: &str) -> Answer {
    ask(server.addr, "GET", &format!("/api/v1/site/{path}"), &[], "").await.unwrap()
}

#[tokio::test]
async fn who_is_there_is_asked_by_http_and_told_in_three_words() {
    let company = Company::found().await;
    let mut config = config();
    config.desk.capacity = 1;
    let server = Server::start(&company, config).await;
    let holds = async |state: &str, agents: u32, waiting: u32| {
        let answer = get(&server, "s1/presence").await;
        assert_eq!(answer.json(), serde_json::json!({ "state": state, "agents": agents, "waiting": waiting }));
        assert_eq!(get(&server, "s1").await.json()["presence"], state);
        answer
    };
    let answer = holds("away", 0, 0).await;
    assert_eq!(
        (&answer.headers["cache-control"], &answer.headers["access-control-allow-origin"]),
        (&"no-store".parse().unwrap(), &"*".parse().unwrap())
    );
    assert_eq!(get(&server, "nosuch/presence").await.status, 404);
    let mut li = Peer::connect(&server, &Me::agent(&company, "li")).await;
    holds("away", 0, 0).await;
    li.status(AgentState::Busy).await;
    holds("busy", 1, 0).await;
    // a visitor who arrives while everyone is busy queues, and is told the place
    let mut first = Peer::visitor(&server).await;
    assert_eq!(first.frame(presence).await, (Presence::Busy, 1));
    let conv = first.open().await;
    let place = |conv| {
        move |f: &ServerFrame| matches!(f, ServerFrame::Queue { conv: c, position: 1 } if *c == conv).then_some(())
    };
    first.frame(place(conv)).await;
    holds("busy", 1, 1).await;
    assert_eq!(get(&server, "s2/presence").await.json()["waiting"], 0, "another team's queue");
    // online and full is busy, too
    li.status(AgentState::Online).await;
    li.accept(conv).await;
    first.until(conv, |v| v.owner == owner("li")).await;
    holds("busy", 1, 0).await;
    let mut second = Peer::visitor(&server).await;
    let waits = second.open().await;
    second.frame(place(waits)).await;
    li.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    li.accept(waits).await;
    li.ask(|req| ClientFrame::Close { req, conv: waits, reason: None }).await.unwrap();
    second.frame(|f| matches!(f, ServerFrame::Presence { state: Presence::Open, .. }).then_some(())).await;
    holds("open", 1, 0).await;
    drop(li);
    second.frame(|f| matches!(f, ServerFrame::Presence { state: Presence::Away, .. }).then_some(())).await;
    holds("away", 0, 0).await;
}
