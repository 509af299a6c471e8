//! What people see of the desk: their place in the queue, who is there.

use kefu::proto::{AgentState, Presence};

use super::*;

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
    // a page that was opened again hears its place too
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
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Busy }).await.unwrap();
    assert_eq!(visitor.frame(presence).await, (Presence::Away, 0));
    let mut late = Peer::visitor(&server).await;
    assert_eq!(late.frame(presence).await, (Presence::Away, 0));
    li.frame(|f| match f {
        ServerFrame::Agents { list } => {
            list.iter().any(|a| a.user.as_str() == "li" && a.state == AgentState::Busy).then_some(())
        }
        _ => None,
    })
    .await;
}
