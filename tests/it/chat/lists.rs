//! Lists of conversations when there are very many, or several of the same instant.

use std::collections::BTreeSet;

use kefu::{
    chat::{GREETING, LOOKED_AT},
    proto::event_body,
    store::{
        self, Batch, Op, Store,
        redb::{Options, RedbStore},
    },
};
use serde_json::Value;

use super::*;
use crate::support::http::get;

/// Copies of a waiting conversation of site `s1`, straight into the database; `waits[n]`: since when the n-th waits, ms.
pub(super) async fn copies(waits: &[u64]) -> std::sync::Arc<Company> {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    drop(visitor);
    let company = server.stopped().await;
    let (redb, _feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
    let mut row: Value = serde_json::from_slice(&redb.head(conv).unwrap().unwrap().value).unwrap();
    (row["state"], row["owner"]) = ("open".into(), "queue".into());
    let mut written = Vec::new();
    for (n, since) in waits.iter().enumerate() {
        let conv = ConvId([[0xee; 12].as_slice(), &(n as u32).to_be_bytes()].concat().try_into().unwrap());
        (row["created"], row["arrived"]) = ((*since).into(), (*since).into());
        let event = Event::Reopened { by: "visitor".into() };
        let ops =
            vec![row_op(&row), Op::Append { id: kefu::proto::MsgId([7; 16]), body: event_body(conv, &event).into() }];
        let batch = Batch { conv: Some(conv), rev: Some(0), ops };
        let redb = redb.clone();
        written.push(tokio::spawn(async move { store::write(&*redb, batch).await.unwrap() }));
    }
    for one in written {
        one.await.unwrap();
    }
    redb.close().await;
    company
}

pub(super) fn ids(answer: &Value) -> Vec<String> {
    answer["convs"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_greeting_is_bounded_and_those_who_wait_longest_are_in_it() {
    // the later their number, the longer they wait
    let waits: Vec<u64> = (0..GREETING as u64 + 100).map(|n| 1_790_000_000_000 - n).collect();
    let company = copies(&waits).await;
    let mut config = config();
    config.conversations.close_after_idle_hours = 0;
    config.conversations.missed_after_days = 0;
    config.desk.auto_accept = false;
    let server = Server::start(&company, config).await;
    let li = Peer::agent(&server, "li").await;
    assert_eq!(li.greeted.len(), GREETING);
    let latest = li.greeted.iter().filter_map(|c| c.waiting_since).max();
    assert_eq!(latest, Some(waits[100]), "those who came last are left out");
    let rest = get(server.addr, "/api/v1/conversations?tab=queue", &li.token).await.unwrap().json();
    assert_eq!(ids(&rest).len(), waits.len());
}

#[tokio::test]
async fn pages_skip_nothing_of_the_same_instant() {
    let company = copies(&[1_790_000_000_000; 7]).await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/conversations?tab=all&limit=3&before={before}");
        let page = get(server.addr, &path, &li.token).await.unwrap().json();
        seen.extend(ids(&page));
        let Some(last) = page["convs"].as_array().unwrap().last() else { break };
        before = format!("{}-{}", last["created"], last["id"].as_str().unwrap());
        if page["more"] == false {
            break;
        }
        assert_eq!(page["next"], before);
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (8, 8), "all of them, each once");
    for bad in ["x", "1-", "1-zz", "-1"] {
        let path = format!("/api/v1/conversations?tab=all&before={bad}");
        assert_eq!(get(server.addr, &path, &li.token).await.unwrap().status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_page_looks_at_so_many_and_says_where_the_next_begins() {
    let waits: Vec<u64> = (0..LOOKED_AT as u64 + 50).map(|n| 1_790_000_000_000 + n).collect();
    let company = copies(&waits).await;
    let mut config = config();
    config.conversations.close_after_idle_hours = 0;
    config.conversations.missed_after_days = 0;
    let server = Server::start(&company, config).await;
    let mut visitor = Peer::connect(&server, &Me::visitor("s2")).await;
    let theirs = visitor.open().await;
    let zhou = Peer::agent(&server, "zhou").await;
    let page = async |before: &str| {
        let path = format!("/api/v1/conversations?tab=all&before={before}");
        get(server.addr, &path, &zhou.token).await.unwrap().json()
    };
    // the newest of all is their team's; then come thousands of another team
    let first = page("").await;
    assert_eq!((ids(&first), &first["more"]), (vec![theirs.to_string()], &Value::Bool(true)));
    let second = page(first["next"].as_str().unwrap()).await;
    assert_eq!((ids(&second), &second["more"], &second["next"]), (vec![], &Value::Bool(false), &Value::Null));
}
