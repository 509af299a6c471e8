//! What the robot says about people is true: available, all busy, or nobody available.

use kefu::{
    proto::{AgentState, ServerFrame},
    robot::policy::{Policy, Recognition, TurnInput, decide},
};

use super::*;

/// Understands nothing, and follows the rules of a new company.
struct Rules(Policy);

impl DecisionEngine for Rules {
    fn decide(&self, turn: &TurnInput<'_>) -> Decision {
        decide(&self.0, turn, &Recognition::default())
    }
}

async fn server() -> Server {
    let engine = Arc::new(Rules(Policy::new(&kefu::config::Robot::default()).unwrap()));
    let server = Server::start_with(&Company::found().await, config(), Some(engine)).await;
    robot_on(&server.company, &["s1"]).await;
    server
}

#[tokio::test]
async fn where_nobody_is_the_visitor_chooses_and_is_never_kept_from_people() {
    let server = server().await;
    // signed in is not there
    let mut li = Peer::connect(&server, &crate::support::peer::Me::agent(&server.company, "li")).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "转人工").await;
    let said = hear_robot(&mut visitor, conv, 1).await;
    assert_eq!(said[0]["text"], "现在没有人工客服在线。您可以转人工留言，同事上线后回复您；也可以继续问我。");
    assert_eq!(said[0]["bot"]["why"]["code"], "nobody_there");
    let buttons = said[0]["buttons"].clone();
    assert_eq!(visitor.view(conv).owner, Owner::Robot);
    visitor.say(conv, buttons[1]["send"].as_str().unwrap()).await;
    assert_eq!(hear_robot(&mut visitor, conv, 2).await[1]["text"], "好的，请说您的问题。");
    visitor.say(conv, "转人工吧").await;
    let said = hear_robot(&mut visitor, conv, 4).await;
    assert_eq!(said[2]["text"], "现在没有人工客服在线。您的会话已转给人工，请留言，同事上线后会在这里回复您。");
    assert_eq!((&said[3]["t"], &said[3]["why"]), (&"ctl".into(), &"asked".into()));
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    // and it is as they were told
    li.status(AgentState::Online).await;
    li.accept(conv).await;
}

#[tokio::test]
async fn who_asks_while_all_are_busy_is_told_that_they_queue_and_else_that_a_person_comes() {
    let server = server().await;
    let mut li = Peer::agent(&server, "li").await;
    li.status(AgentState::Busy).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "Talk to a person").await;
    let said = hear_robot(&mut visitor, conv, 2).await;
    let queued = "Everyone is busy right now, so you are in the queue. Somebody will answer here when it is your turn.";
    assert_eq!((&said[0]["text"], &said[1]["do"]), (&queued.into(), &"handoff".into()));
    visitor.frame(|f| matches!(f, ServerFrame::Queue { conv: c, position: 1 } if *c == conv).then_some(())).await;
    li.status(AgentState::Online).await;
    li.accept(conv).await;
    let (mut other, next) = with_robot(&server).await;
    other.say(next, "转人工").await;
    assert_eq!(hear_robot(&mut other, next, 2).await[0]["text"], "正在为您转接人工客服，请稍候。");
}
