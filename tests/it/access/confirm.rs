//! A person who enrolled acts at once, is confirmed by an admin's console, and is excluded if nobody does that in time.

use kefu::{
    crypto::{
        codec::Key32,
        directory::{Body, ConfirmBody, EnrolBody, Entry, Role},
        invite::{Cert, sign_claim},
        keyring::Keyring,
    },
    org::{Commit, acts::NewUser},
    proto::{AgentState, CloseCode},
};
use serde_json::json;

use super::*;
use crate::support::{
    company::{Company, id, now_ms},
    http::ask,
    peer::Me,
    server::config,
    wire::Door,
};

/// A person who joined `svc` with an invite that is valid for `ttl_ms`.
async fn comes(company: &Company, user: &str, ttl_ms: u64) -> (Me, Keyring) {
    let (keys, mut invited) = (Keyring::generate(), None);
    let new = NewUser { user: id(user), role: Role::Agent, name: user.into(), teams: vec![id("svc")] };
    company
        .act(|s| {
            let (commit, code) = s.invite(&new, ttl_ms)?;
            invited = Some((commit.invites[0].clone(), code));
            Ok::<_, kefu::org::acts::ActError>(commit)
        })
        .await;
    let (signed, code) = invited.unwrap();
    let cert: Cert = serde_json::from_slice(&signed.cert.0).unwrap();
    let (ed, x) = (keys.signing.public(), keys.kem.public());
    let claim = sign_claim(&code.signing_key(), &signed.cert.0, &ed, &x);
    let body = Body::Enrol(EnrolBody {
        user: cert.user.clone(),
        role: cert.role,
        name: cert.name,
        teams: cert.teams,
        ed: Key32(ed),
        x: Key32(x),
        cert: signed.cert,
        cert_signer: signed.signer,
        cert_sig: signed.sig,
        claim_sig: claim.to_vec().into(),
    });
    company
        .act(|s| {
            let (seq, head) = (s.directory().seq() + 1, s.directory().head());
            let entries = vec![Entry::sign(seq, &head, now_ms(), &body, &keys.signing)];
            Ok::<_, ()>(Commit { expect_seq: seq, entries, drop_invites: vec![cert.inv], ..Commit::default() })
        })
        .await;
    (Me { key: keys.signing.clone(), x: None, door: Door::agent(), site: None, user: Some(cert.user), rev: 2 }, keys)
}

#[tokio::test]
async fn whom_nobody_confirms_in_time_is_shown_out() {
    let server = Server::start(&Company::found().await, config()).await;
    let (me, _) = comes(&server.company, "new", 4_000).await;
    let mut new = Peer::connect(&server, &me).await;
    new.status(AgentState::Online).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    new.accept(conv).await;
    let asked = |token: String| async move {
        let bearer = format!("Bearer {token}");
        ask(server.addr, "GET", "/api/v1/boxes", &[("authorization", &bearer)], "").await.unwrap().status
    };
    assert_eq!(asked(new.token.clone()).await, 200);
    assert_eq!(new.wire.closed().await, Some(CloseCode::Disabled as u16));
    assert_eq!(asked(new.token.clone()).await, 401);
    assert!(Peer::try_connect(&server.company, server.addr, &me).await.is_err());
}

#[tokio::test]
async fn an_admins_console_confirms() {
    let server = Server::start(&Company::found().await, config()).await;
    let (me, keys) = comes(&server.company, "new", 60_000).await;
    let _new = Peer::connect(&server, &me).await;
    let mut boss = Peer::agent(&server, "boss").await;
    let post = |token: &str, entry: Entry| {
        let (bearer, body) = (format!("Bearer {token}"), json!({ "entries": [entry] }).to_string());
        let addr = server.addr;
        async move {
            let headers = [("authorization", bearer.as_str())];
            ask(addr, "POST", "/api/v1/directory", &headers, body).await.unwrap().status
        }
    };
    let dir = server.company.directory();
    let (user, ed) = (id("new"), Key32(keys.signing.public()));
    let body = Body::Confirm(ConfirmBody { user, ed });
    let confirm = |by| Entry::sign(dir.seq() + 1, &dir.head(), now_ms(), &body, by);
    let li = Peer::agent(&server, "li").await;
    assert_eq!(post(&li.token, confirm(&li.me.key)).await, 403);
    assert_eq!(post(&boss.token, confirm(&li.me.key)).await, 403, "another's signature");
    let good = confirm(&boss.me.key);
    assert_eq!(post(&boss.token, good.clone()).await, 200);
    let grew = |f: &ServerFrame| matches!(f, ServerFrame::Directory { seq } if *seq == dir.seq() + 1).then_some(());
    boss.frame(grew).await;
    assert_eq!(post(&boss.token, good).await, 409, "the directory moved");
}
