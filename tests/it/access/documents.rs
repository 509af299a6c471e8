//! Documents: who may read, write and delete them, and what a server keeps of them.

use std::sync::Arc;

use kefu::crypto::codec;
use serde_json::Value;

use super::*;
use crate::support::{
    company::Company,
    document::Draft,
    http::{Answer, ask, get},
    server::config,
};

/// Writes over a revision.
pub async fn put(server: &Server, who: &Peer, draft: &Draft, base: u64) -> Answer {
    let bytes = draft.sign(&who.me.key, &server.company.directory());
    put_bytes(server, who, &draft.id.to_string(), base, bytes).await
}

async fn put_bytes(server: &Server, who: &Peer, id: &str, base: u64, bytes: Vec<u8>) -> Answer {
    let bearer = format!("Bearer {}", who.token);
    let path = format!("/api/v1/documents/{id}?base={base}");
    ask(server.addr, "PUT", &path, &[("authorization", &bearer)], bytes).await.unwrap()
}

async fn delete(server: &Server, who: &Peer, draft: &Draft, base: u64) -> u16 {
    let bearer = format!("Bearer {}", who.token);
    let path = format!("/api/v1/documents/{}?base={base}", draft.id);
    ask(server.addr, "DELETE", &path, &[("authorization", &bearer)], "").await.unwrap().status
}

/// A list, as JSON.
pub async fn listed(server: &Server, who: &Peer, since: u64) -> Value {
    let answer = get(server.addr, &format!("/api/v1/documents?kind=reply&since={since}"), &who.token).await.unwrap();
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Ids in a list, in its order.
pub fn ids(list: &Value) -> Vec<String> {
    list["docs"].as_array().unwrap().iter().map(|doc| doc["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_circle_reads_and_writes_its_own() {
    let server = Server::new().await;
    let mut people = Vec::new();
    for user in ["li", "wu", "chen", "zhou", "boss"] {
        people.push((user, Peer::agent(&server, user).await));
    }
    // scope, who may write it, who has it
    let cases = [
        ("own:li", &["li"][..], &["li"][..]),
        ("team:svc", &["li", "wu", "chen", "boss"], &["li", "wu", "chen", "boss"]),
        ("team:vip", &["zhou", "boss"], &["zhou", "boss"]),
        ("company", &["chen", "boss"], &["li", "wu", "chen", "zhou", "boss"]),
        ("team:none", &[], &[]),
    ];
    for (scope, writers, readers) in cases {
        for (user, peer) in &people {
            let draft = Draft::reply(scope);
            let answer = put(&server, peer, &draft, 0).await;
            if !writers.contains(user) {
                assert_eq!(answer.status, 403, "{user} {scope}");
                continue;
            }
            assert_eq!(answer.status, 200, "{user} {scope} {:?}", answer.body);
            for (reader, peer) in &people {
                let has = ids(&listed(&server, peer, 0).await).contains(&draft.id.to_string());
                assert_eq!(has, readers.contains(reader), "{reader} reads {scope} of {user}");
            }
        }
    }
    let other = get(server.addr, "/api/v1/documents?kind=view&since=0", &people[0].1.token).await.unwrap();
    assert!(ids(&other.json()).is_empty(), "another kind");
}

#[tokio::test]
async fn a_revision_is_replaced_once_and_only_by_who_knows_it() {
    let server = Server::new().await;
    let (li, wu) = (Peer::agent(&server, "li").await, Peer::agent(&server, "wu").await);
    let first = Draft::reply("team:svc");
    assert_eq!(put(&server, &li, &first, 0).await.status, 200);
    let second = first.clone().next();
    let both = tokio::join!(put(&server, &li, &second, 1), put(&server, &wu, &second, 1));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(put(&server, &li, &first, 0).await.status, 409, "it is there already");
    assert_eq!(put(&server, &li, &first.clone().next(), 2).await.status, 400, "no newer revision");
    // after a restored backup a browser may know a later one than the server
    let later = Draft { rev: 9, ..first.clone() };
    assert_eq!(put(&server, &li, &later, 2).await.status, 200);
    assert_eq!(delete(&server, &li, &first, 2).await, 409);
    let moved = Draft { rev: 10, scope: "own:li".parse().unwrap(), ..first.clone() };
    assert_eq!(put(&server, &li, &moved, 9).await.status, 400, "it keeps its readers");
    let view = Draft { rev: 10, kind: "view".into(), ..first.clone() };
    assert_eq!(put(&server, &li, &view, 9).await.status, 400, "and its kind");
    assert_eq!(ids(&listed(&server, &wu, 0).await), [first.id.to_string()]);
}

#[tokio::test]
async fn who_leads_deletes_what_colleagues_wrote() {
    let server = Server::new().await;
    let (li, wu) = (Peer::agent(&server, "li").await, Peer::agent(&server, "wu").await);
    let (chen, qian) = (Peer::agent(&server, "chen").await, Peer::agent(&server, "qian").await);
    let (one, two) = (Draft::reply("team:svc"), Draft::reply("team:svc"));
    for draft in [&one, &two] {
        assert_eq!(put(&server, &li, draft, 0).await.status, 200);
    }
    let seen = listed(&server, &wu, 0).await;
    assert_eq!(delete(&server, &wu, &one, 1).await, 403);
    assert_eq!(delete(&server, &qian, &one, 1).await, 404, "of another team");
    assert_eq!(delete(&server, &li, &one, 1).await, 200);
    assert_eq!(delete(&server, &chen, &two, 1).await, 200);
    assert_eq!(delete(&server, &chen, &two, 1).await, 404);
    let now = listed(&server, &wu, seen["next"].as_u64().unwrap()).await;
    assert!(now["deleted"].as_u64() > seen["next"].as_u64(), "who holds an older list requests all again");
    assert!(ids(&listed(&server, &wu, 0).await).is_empty());
    assert_eq!(listed(&server, &qian, 0).await["deleted"], 0, "nothing of what they have");
}

#[tokio::test]
async fn what_is_not_a_document_of_its_sender_is_refused() {
    let server = Server::new().await;
    let (li, wu, visitor) =
        (Peer::agent(&server, "li").await, Peer::agent(&server, "wu").await, Peer::visitor(&server).await);
    let draft = Draft::reply("team:svc");
    let (id, directory) = (draft.id.to_string(), server.company.directory());
    let good = draft.sign(&li.me.key, &directory);
    assert_eq!(put_bytes(&server, &wu, &id, 0, good.clone()).await.status, 400, "a colleague's");
    assert_eq!(put_bytes(&server, &li, &"00".repeat(16), 0, good.clone()).await.status, 400, "another id");
    assert_eq!(put_bytes(&server, &visitor, &id, 0, good.clone()).await.status, 403);
    for n in [0, 4, 30, 100, good.len() - 1] {
        let mut altered = good.clone();
        altered[n] ^= 1;
        assert_eq!(put_bytes(&server, &li, &id, 0, altered).await.status, 400, "byte {n}");
        assert_eq!(put_bytes(&server, &li, &id, 0, good[..n].to_vec()).await.status, 400, "{n} bytes");
    }
    let large = Draft { size: 64 * 1024, ..draft.clone() };
    assert_eq!(put(&server, &li, &large, 0).await.status, 413);
    let bearer = format!("Bearer {}", li.token);
    let foreign = [("authorization", &bearer[..]), ("origin", "https://shop.example")];
    let path = format!("/api/v1/documents/{id}?base=0");
    assert_eq!(ask(server.addr, "PUT", &path, &foreign, good.clone()).await.unwrap().status, 403);
    assert_eq!(put_bytes(&server, &li, &id, 0, good).await.status, 200);
}

#[tokio::test]
async fn one_person_cannot_fill_the_database() {
    let server = Server::new().await;
    let li = Peer::agent(&server, "li").await;
    let size = 60 * 1024;
    let mut last = None;
    for n in 0..70 {
        let draft = Draft { size, ..Draft::reply("own:li") };
        let answer = put(&server, &li, &draft, 0).await;
        if answer.status == 413 {
            assert!((60..70).contains(&n), "4 MiB, not {n} documents");
            let mut seen = Vec::new();
            let mut page = listed(&server, &li, 0).await;
            loop {
                seen.extend(ids(&page));
                if page["more"] != true {
                    break;
                }
                page = listed(&server, &li, page["next"].as_u64().unwrap()).await;
            }
            assert_eq!(seen.len(), n, "page by page");
            // what becomes smaller fits
            let smaller = Draft { size: 96, ..Draft::next(last.unwrap()) };
            assert_eq!(put(&server, &li, &smaller, 1).await.status, 200);
            return;
        }
        assert_eq!(answer.status, 200);
        last = Some(draft);
    }
    panic!("there is no limit");
}

#[tokio::test]
async fn those_who_have_a_document_hear_of_its_change() {
    let server = Server::new().await;
    let (mut li, mut wu, mut zhou) =
        (Peer::agent(&server, "li").await, Peer::agent(&server, "wu").await, Peer::agent(&server, "zhou").await);
    let chen = Peer::agent(&server, "chen").await;
    put(&server, &li, &Draft::reply("team:svc"), 0).await;
    put(&server, &chen, &Draft::reply("company"), 0).await;
    let changes = |f: &ServerFrame| match f {
        ServerFrame::Documents { kind, seq } if kind == "reply" => Some(*seq),
        _ => None,
    };
    assert_eq!((wu.frame(changes).await, wu.frame(changes).await), (1, 2));
    assert_eq!((li.frame(changes).await, zhou.frame(changes).await), (1, 2), "of the team's zhou hears nothing");
}

#[tokio::test]
async fn documents_outlast_a_restart() {
    let server = Server::new().await;
    let li = Peer::agent(&server, "li").await;
    let draft = Draft::reply("own:li");
    let bytes = draft.sign(&li.me.key, &server.company.directory());
    put_bytes(&server, &li, &draft.id.to_string(), 0, bytes.clone()).await;
    let company: Arc<Company> = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let li = Peer::agent(&server, "li").await;
    let list = listed(&server, &li, 0).await;
    assert_eq!(list["docs"][0]["v"], codec::b64u(&bytes), "the very bytes");
    assert_eq!(put(&server, &li, &draft.next(), 1).await.status, 200);
}
