//! Opened, and nothing written: only its visitor is told of such a conversation until the first message is stored.

use kefu::{
    app::Admin,
    config::Config,
    proto::{AgentState, MsgId, OwnerWhy},
    store::{
        self, Batch, Store,
        redb::{Options, RedbStore},
    },
};
use serde_json::Value;

use super::{idle::close_inactive_at, lists::ids, *};
use crate::support::{company::now_ms, http};

const DAY: u64 = 86_400_000;

async fn stats(server: &Server) -> Value {
    let admin = Admin::connect(server.company.path(), &Config::default()).await.unwrap();
    let answer = admin.call("GET", "/admin/stats", None).await.unwrap();
    admin.close().await;
    answer
}

/// What an agent finds of a conversation: in the greeting of a new page and in the lists.
async fn found(server: &Server, conv: ConvId) -> Vec<&'static str> {
    let li = Peer::agent(server, "li").await;
    let mut places = Vec::new();
    if li.greeted.iter().any(|c| c.id == conv) {
        places.push("greeting");
    }
    for tab in ["queue", "all", "missed", "mine"] {
        let page = http::get(server.addr, &format!("/api/v1/conversations?tab={tab}"), &li.token).await.unwrap().json();
        if ids(&page).contains(&conv.to_string()) {
            places.push(tab);
        }
    }
    if http::history(server.addr, &li.token, conv).await.is_some() {
        places.push("history");
    }
    places
}

/// The conversations that an agent was offered until `last` was.
async fn offers_until(agent: &mut Peer, last: ConvId) -> Vec<ConvId> {
    let mut offered = Vec::new();
    while offered.last() != Some(&last) {
        offered.push(agent.frame(|f| if let ServerFrame::Offer { conv, .. } = f { Some(*conv) } else { None }).await);
    }
    offered
}

/// A visitor's request with a form that will come under this id.
async fn open_with_form(visitor: &mut Peer, form: MsgId) -> ConvId {
    let (conv, frame) = visitor.opening();
    let with_form = move |req| match frame(req) {
        ClientFrame::Open { req, id, nonce, site, x, ann, .. } => {
            ClientFrame::Open { req, id, nonce, site, x, ann, form: Some(form) }
        }
        other => other,
    };
    visitor.ask(with_form).await.expect("an open conversation");
    visitor.record(conv, 3).await;
    conv
}

#[tokio::test]
async fn nobody_hears_of_it_before_the_first_message_and_then_it_is_offered_once() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let (mut silent, mut other) = (Peer::visitor(&server).await, Peer::visitor(&server).await);
    let conv = silent.open_empty().await;
    let next = other.open().await;
    assert_eq!(offers_until(&mut li, next).await, [next], "who came later and asked is first");
    assert!(!li.log.iter().any(|f| matches!(f, ServerFrame::Conv { conv: c } if c.id == conv)));
    let taken = li.ask(|req| ClientFrame::Take { req, conv }).await;
    assert_eq!(taken.unwrap_err().0, ErrorCode::NotFound);
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    let now = stats(&server).await;
    assert_eq!((&now["metrics"]["conversations_opened"], &now["desk"]["waiting"]), (&1.into(), &1.into()));

    let before = now_ms();
    silent.say(conv, "is anybody there?").await;
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
    let seen = li.frame(|f| match f {
        ServerFrame::Conv { conv: c } if c.id == conv => Some((**c).clone()),
        _ => None,
    });
    assert!(seen.await.waiting_since.is_some_and(|since| since >= before), "the time counts from the question");
    li.ask(|req| ClientFrame::Accept { req, conv }).await.unwrap();
    silent.say(conv, "hello?").await;
    li.follow(conv).await;
    assert_eq!(li.texts(conv), ["is anybody there?", "hello?"]);
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Online }).await.unwrap();
    assert!(!li.log.iter().any(|f| matches!(f, ServerFrame::Offer { conv: c, .. } if *c == conv)), "offered once");
    assert_eq!(found(&server, conv).await, ["greeting", "all", "mine", "history"]);
}

#[tokio::test]
async fn a_form_by_itself_asks_nothing_and_anything_else_does() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::visitor(&server).await;
    // the form comes, then the question
    let key = visitor.me.key.clone();
    let (form, text) = (MsgId([1; 16]), MsgId([2; 16]));
    let conv = open_with_form(&mut visitor, form).await;
    let envelope = visitor.view(conv).seal_as(form, "name and mail", &key);
    visitor.post(envelope).await.unwrap();
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    let envelope = visitor.view(conv).seal_as(text, "the question", &key);
    visitor.post(envelope).await.unwrap();
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
    // the form never comes: it was refused, or its page is gone
    let mut other = Peer::visitor(&server).await;
    let conv = open_with_form(&mut other, form).await;
    other.say(conv, "the question").await;
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
}

#[tokio::test]
async fn a_restart_between_the_two_changes_nothing() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open_empty().await;
    let me = visitor.me.clone();
    drop(visitor);
    let company = server.stopped().await;
    // neither idle nor missed: the rules for those who wait don't know it
    close_inactive_at(&company, &[now_ms() + 2 * DAY, now_ms() + 100 * DAY]).await;
    let server = Server::start(&company, config()).await;
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::connect(&server, &me).await;
    assert_eq!(visitor.greeted.iter().map(|c| (c.id, c.waiting_since)).collect::<Vec<_>>(), [(conv, None)]);
    visitor.follow(conv).await;
    assert_eq!(visitor.view(conv).state, kefu::proto::ConvState::Open);
    let before = now_ms();
    visitor.say(conv, "here I am again").await;
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
    drop((visitor, li));
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    let waits: Vec<_> = li.greeted.iter().map(|c| (c.id, c.waiting_since.unwrap() >= before)).collect();
    assert_eq!(waits, [(conv, true)], "it waits as it did before the restart");
}

#[tokio::test]
async fn closed_without_a_word_it_stays_nobodys_and_opens_with_the_first() {
    let server = Server::new().await;
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open_empty().await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    visitor.until(conv, |v| v.owner == Owner::None).await;
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    visitor.ask(|req| ClientFrame::Reopen { req, conv }).await.unwrap();
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    visitor.until(conv, |v| v.owner == Owner::None).await;
    visitor.say(conv, "now I know what to ask").await;
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
    let last = events(&mut visitor, conv).pop().unwrap();
    assert!(matches!(last, Event::Owner { owner: Owner::Queue, why: OwnerWhy::Reopen, .. }), "{last:?}");
    assert!(found(&server, conv).await.contains(&"all"));
}

#[tokio::test]
async fn those_of_an_older_server_are_recognised() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open_empty().await;
    let me = visitor.me.clone();
    drop(visitor);
    let company = server.stopped().await;
    // as 0.1.0 wrote it: no mark, and in both indexes
    let (redb, _feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
    let stored = redb.head(conv).unwrap().unwrap();
    let mut row: Value = serde_json::from_slice(&stored.value).unwrap();
    row.as_object_mut().unwrap().remove("empty").expect("the mark");
    let ops = vec![row_op(&row)];
    store::write(&*redb, Batch { conv: Some(conv), rev: Some(stored.rev), ops }).await.unwrap();
    redb.close().await;
    let server = Server::start(&company, config()).await;
    assert_eq!(found(&server, conv).await, Vec::<&str>::new());
    let mut li = Peer::agent(&server, "li").await;
    let mut visitor = Peer::connect(&server, &me).await;
    visitor.follow(conv).await;
    visitor.say(conv, "after the upgrade").await;
    assert_eq!(offers_until(&mut li, conv).await, [conv]);
    assert!(found(&server, conv).await.contains(&"queue"));
    let page = http::get(server.addr, "/api/v1/conversations?tab=all", &li.token).await.unwrap().json();
    assert_eq!(ids(&page), [conv.to_string()], "listed once");
}
