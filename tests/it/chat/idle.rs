//! Conversations that nobody closes: closed after the time, and what waits for an answer is not lost.

use std::sync::Arc;

use kefu::{
    bus::NoOthers,
    chat::{Attachments, Chat, NoParticipant, Rate, Rates, Stored, desk_task},
    desk::{EndRule, Rules},
    hub::Hub,
    org::{Org, Secrets},
    proto::ConvState,
    store::{
        Store,
        redb::{Options, RedbStore},
    },
    telemetry::Metrics,
};

use tokio::task::JoinHandle;

use super::*;
use crate::support::company::now_ms;

const HOUR: u64 = 3_600_000;
pub(super) const RULE: EndRule = EndRule { idle_after_ms: Some(24 * HOUR), missed_after_ms: Some(7 * 24 * HOUR) };

/// A company's conversations without a server, so that the test has the clock.
pub(super) struct Inside {
    pub chat: Arc<Chat>,
    pub hub: Arc<Hub>,
    pub metrics: Arc<Metrics>,
    pub store: Arc<dyn Store>,
    fan_out: JoinHandle<()>,
    desk: JoinHandle<()>,
}

impl Inside {
    pub async fn open(company: &Company) -> Self {
        let (redb, feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
        let store: Arc<dyn Store> = redb;
        let setup = std::fs::read(company.path().join("opaque.setup")).unwrap();
        let org = Org::open(store.clone(), &Secrets::of_one_server(&setup)).await.unwrap();
        let one = Rate::per_minute(1);
        let rates = Rates {
            messages: (one, one),
            openings: (one, one),
            changes: (one, one),
            keys: (one, one),
            bytes: (one, one),
            records: (one, one),
            reads: (one, one),
            files: (one, one),
            agent_files: one,
            agent_messages: one,
            agent_reads: one,
            logins: one,
            conversation_bytes: 1,
            conversation_records: 1,
        };
        let (hub, metrics) = (Hub::new(), Arc::new(Metrics::new()));
        let (chat, inbox) = Chat::new(
            Stored { store: store.clone(), attachments: Attachments::none() },
            org,
            hub.clone(),
            Arc::new(NoOthers::default()),
            metrics.clone(),
            rates,
            Arc::new(NoParticipant),
        )
        .await
        .unwrap();
        let desk = tokio::spawn(desk_task::run(chat.clone(), Rules::default(), inbox));
        let fan_out = tokio::spawn(chat.clone().fan_out(feed));
        Self { chat, hub, metrics, store, fan_out, desk }
    }

    /// Waits until everything that was written is published.
    pub async fn close(self) {
        self.store.close().await;
        self.fan_out.await.unwrap();
        self.desk.abort();
        let _ = self.desk.await;
    }
}

/// Lets the rule act at each of these times.
pub(super) async fn close_inactive_at(company: &Company, times: &[u64]) {
    let inside = Inside::open(company).await;
    for now in times {
        inside.chat.close_inactive(RULE, *now).await;
    }
    inside.close().await;
}

#[tokio::test]
async fn what_nobody_ends_ends_by_itself_and_opens_again() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    visitor.say(conv, "hello?").await;
    let seq = li.say(conv, "anything else?").await;
    visitor.record(conv, seq).await;
    // nobody of the other team is present: a message that was left
    let mut late = Peer::connect(&server, &Me::visitor("s2")).await;
    let left = late.open().await;
    late.say(left, "call me back").await;
    let (mine, his, other) = (visitor.me.clone(), li.me.clone(), late.me.clone());
    let company = server.stopped().await;

    close_inactive_at(&company, &[now_ms() + 23 * HOUR]).await;
    let server = Server::start(&company, config()).await;
    let mut visitor = Peer::connect(&server, &mine).await;
    visitor.follow(conv).await;
    assert_eq!(visitor.view(conv).state, ConvState::Open, "an hour is left");
    let company = server.stopped().await;

    close_inactive_at(&company, &[now_ms() + 25 * HOUR, now_ms() + 100 * HOUR]).await;
    let server = Server::start(&company, config()).await;
    let mut visitor = Peer::connect(&server, &mine).await;
    visitor.follow(conv).await;
    let closed = events(&mut visitor, conv).into_iter().filter(|e| matches!(e, Event::Closed { .. }));
    assert_eq!(closed.collect::<Vec<_>>(), [Event::Closed { by: "@idle".into() }], "once");
    let mut late = Peer::connect(&server, &other).await;
    late.follow(left).await;
    assert_eq!((late.view(left).state, late.view(left).owner.clone()), (ConvState::Open, Owner::Queue));

    let mut li = Peer::connect(&server, &his).await;
    assert!(li.greeted.is_empty(), "it fills no slot any more");
    visitor.say(conv, "one more question").await;
    assert_eq!(visitor.view(conv).state, ConvState::Open);
    li.accept(conv).await;
}

#[tokio::test]
async fn an_owner_has_the_whole_time_to_answer() {
    let server = Server::new().await;
    let (mut visitor, li, conv) = talk(&server).await;
    visitor.say(conv, "are you there?").await;
    drop(li);
    let mine = visitor.me.clone();
    let mut company = server.stopped().await;
    for (hours, state) in [(23, ConvState::Open), (25, ConvState::Closed)] {
        close_inactive_at(&company, &[now_ms() + hours * HOUR]).await;
        let server = Server::start(&company, config()).await;
        let mut again = Peer::connect(&server, &mine).await;
        again.follow(conv).await;
        assert_eq!(again.view(conv).state, state, "after {hours} hours");
        company = server.stopped().await;
    }
}
