//! Several servers of one company over a real Redis.

mod apart;
mod balancers;
mod counted;
mod deaths;
mod documents;
mod files;
mod handling;
mod kills;
mod limits;
mod moves;
mod persons;
mod refusals;
mod scarce;
mod sentinels;
mod shards;
mod unconfirmed;
mod warm;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use kefu::{
    config::Config,
    data_dir::{CLUSTER_KEY, OPAQUE_SETUP},
    proto::{AgentState, ClientFrame, Owner, ServerFrame, Side},
};
use kefu_redis_link::testing::RedisServer;

use crate::access::widgets::{keep_old_widget, old_widget_is_served};
use crate::support::{
    company::Company,
    peer::Peer,
    server::{Server, config},
};

/// A company in Redis and two servers of it.
struct Servers {
    one: Server,
    two: Server,
    second: tempfile::TempDir,
    redis: RedisServer,
}

pub fn config_for(redis: &RedisServer) -> Config {
    let mut config = config();
    config.storage.url = redis.url().to_string();
    config
}

/// How often, from a variable.
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// What a second server needs of the first.
pub fn joined(first: &Path) -> tempfile::TempDir {
    let private = fs::Permissions::from_mode(0o700);
    let dir = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    for name in [OPAQUE_SETUP, CLUSTER_KEY] {
        fs::copy(first.join(name), dir.path().join(name)).unwrap();
    }
    dir
}

impl Servers {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let redis = RedisServer::start(&[]).await;
        let mut config = config_for(&redis);
        change(&mut config);
        let company = Company::found_on(&config).await;
        let second = joined(company.path());
        let one = Server::start(&company, config.clone()).await;
        let two = Server::start_beside(&company, second.path(), config).await;
        Self { one, two, second, redis }
    }
}

fn owner(user: &str) -> Owner {
    Owner::Agent(user.parse().unwrap())
}

#[tokio::test]
async fn a_visitor_on_one_server_and_an_agent_on_another_talk() {
    let servers = Servers::start().await;
    let mut li = Peer::agent(&servers.two, "li").await;
    let mut visitor = Peer::visitor(&servers.one).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    visitor.until(conv, |v| v.owner == owner("li")).await;
    for n in 0..20 {
        let seq = visitor.say(conv, &format!("question {n}")).await;
        li.record(conv, seq).await;
        let seq = li.say(conv, &format!("answer {n}")).await;
        visitor.record(conv, seq).await;
    }
    assert_eq!(visitor.texts(conv), li.texts(conv));
    // what is not stored
    li.wire.send(&ClientFrame::Typing { conv, on: true }).await.unwrap();
    let typing = |f: &ServerFrame| matches!(f, ServerFrame::Typing { side: Side::Agent, on: true, .. }).then_some(());
    visitor.frame(typing).await;
    let last = visitor.view(conv).records.len() as u64;
    visitor.wire.send(&ClientFrame::Seen { conv, delivered: last, read: last }).await.unwrap();
    li.frame(|f| matches!(f, ServerFrame::Receipt { side: Side::Visitor, read, .. } if *read == last).then_some(()))
        .await;
    // a third page finds all of it on either server
    for server in [&servers.one, &servers.two] {
        let mut page = Peer::connect(server, &visitor.me).await;
        page.follow(conv).await;
        assert_eq!(page.texts(conv), li.texts(conv));
    }
}

#[tokio::test]
async fn servers_serve_each_others_widgets() {
    let servers = Servers::start().await;
    // a server of another version joins, and brings its own
    let third = joined(servers.one.company.path());
    let (store, _) = kefu::app::store_and_directory(third.path(), &config_for(&servers.redis)).await.unwrap();
    keep_old_widget(&*store).await;
    store.close().await;
    for server in [&servers.one, &servers.two] {
        old_widget_is_served(server.addr).await;
    }
}

#[tokio::test]
async fn colleagues_on_two_servers_see_each_other_and_hand_on() {
    let servers = Servers::start().await;
    let mut li = Peer::agent(&servers.one, "li").await;
    let mut visitor = Peer::visitor(&servers.two).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    let mut wu = Peer::agent(&servers.two, "wu").await;
    let both = |f: &ServerFrame| match f {
        ServerFrame::Agents { list } => {
            let online = list.iter().filter(|a| a.state == AgentState::Online);
            (online.count() == 2).then_some(())
        }
        _ => None,
    };
    li.frame(both).await;
    // a note that names wu, and one who may not see the conversation
    let mut zhou = Peer::agent(&servers.two, "zhou").await;
    let users: Vec<_> = ["wu", "zhou", "li", "nobody"].map(|user| user.parse().unwrap()).into();
    li.ask(|req| ClientFrame::Mention { req, conv, users: users.clone() }).await.unwrap();
    let named =
        |f: &ServerFrame| if let ServerFrame::Mention { conv, by } = f { Some((*conv, by.clone())) } else { None };
    assert_eq!(wu.frame(named).await, (conv, "li".parse().unwrap()));
    for peer in [&mut zhou, &mut li] {
        peer.ask(|req| ClientFrame::Status { req, state: AgentState::Online }).await.unwrap();
        assert!(!peer.log.iter().any(|f| named(f).is_some()));
    }
    let many = vec!["wu".parse().unwrap(); 21];
    let refused = li.ask(|req| ClientFrame::Mention { req, conv, users: many }).await.unwrap_err();
    assert_eq!(refused.0, kefu::proto::ErrorCode::TooLarge);
    li.transfer(conv, Some("wu"), None).await.unwrap();
    visitor.until(conv, |v| v.owner == owner("wu")).await;
    wu.follow(conv).await;
    let seq = wu.say(conv, "I took over").await;
    visitor.record(conv, seq).await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    wu.until(conv, |v| v.owner == Owner::None).await;
}

#[tokio::test]
async fn conversations_of_another_server_are_found_by_what_the_server_knows() {
    let servers = Servers::start().await;
    crate::chat::filters::are_found(&servers.one, &servers.two).await;
}
