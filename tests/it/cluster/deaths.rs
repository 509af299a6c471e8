//! A server dies, or only seems to: what becomes of its people and of the desk.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kefu::proto::{ClientFrame, ConvId, Owner, ServerFrame};
use kefu_redis_link::testing::RedisServer;

use super::{config_for, joined, kills::start, owner};
use crate::support::{
    child::Process,
    company::Company,
    peer::{Me, Peer},
};

/// Two heartbeats, and what a busy machine takes.
const SOON: Duration = Duration::from_secs(20);

pub struct Two {
    pub company: Arc<Company>,
    pub servers: [Process; 2],
    pub second: tempfile::TempDir,
    _redis: RedisServer,
}

impl Two {
    /// Two servers; the first has the desk.
    pub async fn start() -> Self {
        let redis = RedisServer::start(&[]).await;
        let company = Company::found_on(&config_for(&redis)).await;
        let second = joined(company.path());
        let first = start(company.path().to_owned(), &redis).await;
        let mut boss = Peer::try_connect(&company, first.addr, &Me::agent(&company, "boss")).await.unwrap();
        boss.status(kefu::proto::AgentState::Busy).await;
        let servers = [first, start(second.path().to_owned(), &redis).await];
        Self { company, servers, second, _redis: redis }
    }

    pub async fn peer(&self, server: usize, me: &Me) -> Peer {
        Peer::try_connect(&self.company, self.servers[server].addr, me).await.expect("a welcome")
    }

    pub async fn agent(&self, server: usize, user: &str) -> Peer {
        let mut agent = self.peer(server, &Me::agent(&self.company, user)).await;
        agent.status(kefu::proto::AgentState::Online).await;
        agent
    }
}

/// The agent gets the conversation offered, and takes it.
pub async fn takes(agent: &mut Peer, conv: ConvId) {
    agent.accept(conv).await;
    agent.follow(conv).await;
    agent.until(conv, |v| matches!(v.owner, Owner::Agent(_))).await;
}

#[tokio::test]
async fn the_desk_and_the_conversations_of_a_server_that_died_go_on_at_another() {
    let mut two = Two::start().await;
    let mut li = two.agent(0, "li").await;
    let mut visitor = two.peer(0, &Me::visitor("s1")).await;
    let conv = visitor.open().await;
    takes(&mut li, conv).await;
    visitor.say(conv, "before").await;
    let mut wu = two.agent(1, "wu").await;
    let me = visitor.me.clone();
    two.servers[0].kill();
    let died = Instant::now();
    drop((li, visitor));
    let mut visitor = two.peer(1, &me).await;
    visitor.follow(conv).await;
    visitor.say(conv, "after").await;
    // li does not come back: when the grace of five seconds is over somebody else is asked
    takes(&mut wu, conv).await;
    println!("with another agent {:?} after the death", died.elapsed());
    assert!(died.elapsed() < SOON);
    visitor.until(conv, |v| v.owner == owner("wu")).await;
    assert_eq!(wu.texts(conv), ["before", "after"]);
}

#[tokio::test]
async fn a_server_that_was_frozen_has_lost_the_desk_when_it_wakes() {
    let two = Two::start().await;
    let mut wu = two.agent(1, "wu").await;
    two.servers[0].stop();
    let mut visitor = two.peer(1, &Me::visitor("s1")).await;
    let conv = visitor.open().await;
    takes(&mut wu, conv).await;
    two.servers[0].cont();
    // whoever it is asked of, there is one desk
    let mut li = two.agent(0, "li").await;
    let mut other = two.peer(0, &Me::visitor("s1")).await;
    let second = other.open().await;
    let offered = |f: &ServerFrame| matches!(f, ServerFrame::Offer { conv, .. } if *conv == second).then_some(());
    tokio::select! {
        () = li.frame(offered) => li.ask(|req| ClientFrame::Accept { req, conv: second }).await.unwrap(),
        () = wu.frame(offered) => wu.ask(|req| ClientFrame::Accept { req, conv: second }).await.unwrap(),
    }
    other.until(second, |v| matches!(v.owner, Owner::Agent(_))).await;
    visitor.say(conv, "still here").await;
    wu.until(conv, |v| v.said.len() == 1).await;
}
