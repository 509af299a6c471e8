//! One person on several devices: who may say so, who may read then, and what is handed over from one device to another.

use kefu::{
    crypto::{codec::b64u, grant, hash::BoxKind},
    proto::{ConvId, ErrorCode, RecordView},
};
use serde_json::{Value, json};

use super::{error_code, victim};
use crate::support::{
    http::{Answer, ask, get, history},
    peer::Peer,
    server::Server,
};

async fn post(server: &Server, path: &str, token: &str, body: Value) -> Answer {
    let headers = [("authorization", &*format!("Bearer {token}"))];
    ask(server.addr, "POST", &format!("/api/v1{path}"), &headers, body.to_string()).await.unwrap()
}

/// A grant of a conversation's keys to the visitor of another one.
fn granted(agent: &mut Peer, conv: ConvId, to: &Peer) -> Vec<u8> {
    let keys: Vec<_> = agent.view(conv).keys.clone().into_iter().collect();
    let x = to.me.x.as_ref().unwrap().public();
    grant::create(conv, &keys, BoxKind::Visitor, &x, &agent.me.key.clone()).unwrap()
}

/// The phone's conversation is read on the computer, which another server may serve; by nobody else.
pub async fn a_device_reads_what_an_agent_lets_it(one: &Server, two: &Server) {
    let (phone, mut li, first) = victim(one).await;
    let mut computer = Peer::visitor(two).await;
    let second = computer.open().await;
    let other = Peer::visitor(two).await;
    assert!(history(two.addr, &computer.token, first).await.is_none(), "not yet");

    let (person, readers) = (format!("/conversations/{first}/person"), format!("/conversations/{first}/readers"));
    let grant = granted(&mut li, first, &computer);
    let give = |device: ConvId, grant: &[u8]| json!({ "device": device, "grant": b64u(grant) });
    // no visitor says so, no agent of another team, and only with an own grant for this very conversation
    let zhou = Peer::agent(one, "zhou").await;
    assert_eq!(
        post(one, &readers, &computer.token, give(second, &grant)).await.code(),
        error_code(ErrorCode::Forbidden)
    );
    assert_eq!(post(one, &readers, &zhou.token, give(second, &grant)).await.code(), error_code(ErrorCode::NotFound));
    let mut flipped = grant.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let foreign = format!("/conversations/{second}/readers");
    for (path, bytes) in [(&readers, &flipped[..]), (&readers, &[][..]), (&foreign, &grant[..])] {
        let refused = post(one, path, &li.token, give(second, bytes)).await;
        assert_eq!(refused.code(), error_code(ErrorCode::Malformed));
    }
    assert!(history(two.addr, &computer.token, first).await.is_none(), "still not");

    assert_eq!(post(one, &readers, &li.token, give(second, &grant)).await.status, 200);
    assert_eq!(post(one, &readers, &li.token, give(second, &grant)).await.status, 200, "again is no error");
    let read = history(two.addr, &computer.token, first).await.unwrap();
    assert_eq!(read, phone.history(first).await, "as its own visitor is shown it");
    assert!(read.iter().all(|r| RecordView::parse(r).is_some()));
    assert!(history(two.addr, &other.token, first).await.is_none(), "nobody else");
    let earlier = get(two.addr, "/api/v1/devices", &computer.token).await.unwrap().json();
    assert_eq!(earlier, json!({ "earlier": [{ "conv": first, "grant": b64u(&grant) }] }));
    assert_eq!(get(two.addr, "/api/v1/devices", &other.token).await.unwrap().json(), json!({ "earlier": [] }));

    // colleagues find one conversation beside the other once both have the same tag
    let others = async |conv: ConvId| {
        let path = format!("/api/v1/conversations/{conv}/others");
        let list = get(two.addr, &path, &li.token).await.unwrap().json();
        list["convs"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (tag, second_path) = (json!({ "tag": "ab".repeat(16) }), format!("/conversations/{second}/person"));
    assert_eq!(post(one, &person, &computer.token, tag.clone()).await.code(), error_code(ErrorCode::Forbidden));
    assert_eq!(post(one, &person, &zhou.token, tag.clone()).await.code(), error_code(ErrorCode::NotFound));
    assert_eq!(post(one, &person, &li.token, json!({ "tag": "ab" })).await.code(), error_code(ErrorCode::Malformed));
    assert_eq!(post(one, &person, &li.token, tag.clone()).await.status, 200);
    assert_eq!(others(first).await, Vec::<String>::new());
    assert_eq!(post(two, &second_path, &li.token, tag).await.status, 200);
    assert_eq!(others(first).await, [second.to_string()]);
    assert_eq!(others(second).await, [first.to_string()]);
    // another person after all
    assert_eq!(post(two, &second_path, &li.token, json!({ "tag": "cd".repeat(16) })).await.status, 200);
    assert_eq!(others(first).await, Vec::<String>::new());
}

/// What one device leaves, another one takes: once, and whoever has the id.
pub async fn a_hand_over_is_given_out_once(one: &Server, two: &Server) {
    let (old, li, conv) = victim(one).await;
    let (fresh, late) = (Peer::visitor(two).await, Peer::visitor(two).await);
    let mut stranger = Peer::visitor(one).await;
    let id = json!("0f".repeat(16));
    let leave = |conv: ConvId, blob: &[u8]| json!({ "id": id, "convs": [conv], "blob": b64u(blob) });
    // of a conversation that is somebody else's nothing is handed over, and no agent hands over
    let refused = post(one, "/devices", &stranger.token, leave(conv, b"sealed")).await;
    assert_eq!(refused.code(), error_code(ErrorCode::NotFound));
    let refused = post(one, "/devices", &li.token, leave(conv, b"sealed")).await;
    assert_eq!(refused.code(), error_code(ErrorCode::Forbidden));
    let refused = post(one, "/devices", &old.token, leave(conv, &vec![0; 65 * 1024])).await;
    assert_eq!(refused.code(), error_code(ErrorCode::TooLarge));

    assert_eq!(post(one, "/devices", &old.token, leave(conv, b"sealed")).await.status, 200);
    // who has no conversation leaves nothing here
    let refused = post(one, "/devices", &stranger.token, json!({ "id": id, "convs": [], "blob": b64u(b"x") })).await;
    assert_eq!(refused.code(), error_code(ErrorCode::Malformed));
    // nobody puts something else in its place
    let theirs = stranger.open().await;
    let refused = post(one, "/devices", &stranger.token, leave(theirs, b"x")).await;
    assert_eq!(refused.code(), error_code(ErrorCode::Conflict));
    let take = async |peer: &Peer| post(two, "/devices/take", &peer.token, json!({ "id": id })).await;
    assert_eq!(post(two, "/devices/take", &late.token, json!({ "id": "00".repeat(16) })).await.status, 404);
    assert!(history(two.addr, &fresh.token, conv).await.is_none());
    assert_eq!(take(&fresh).await.json(), json!({ "blob": b64u(b"sealed") }));
    assert_eq!(history(two.addr, &fresh.token, conv).await.unwrap(), old.history(conv).await);
    // it is gone
    for peer in [&fresh, &late] {
        assert_eq!(take(peer).await.code(), error_code(ErrorCode::NotFound));
    }
    assert!(history(two.addr, &late.token, conv).await.is_none());

    // a new one takes the place of the one before
    let next = json!({ "id": "1f".repeat(16), "convs": [conv], "blob": b64u(b"next") });
    assert_eq!(post(one, "/devices", &old.token, leave(conv, b"again")).await.status, 200);
    assert_eq!(post(one, "/devices", &old.token, next).await.status, 200);
    assert_eq!(take(&late).await.code(), error_code(ErrorCode::NotFound));
    assert!(history(two.addr, &late.token, conv).await.is_none());
}

#[tokio::test]
async fn one_person_on_two_devices() {
    let server = Server::new().await;
    a_device_reads_what_an_agent_lets_it(&server, &server).await;
}

#[tokio::test]
async fn a_hand_over_to_another_device() {
    let server = Server::new().await;
    a_hand_over_is_given_out_once(&server, &server).await;
}
