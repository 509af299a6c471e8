//! What a change of the password needs, over HTTP: a stolen token is not enough, and a change ends earlier tokens.

use std::{net::SocketAddr, sync::Arc};

use kefu::{
    crypto::{
        codec::{Bytes, Key32, b64u},
        directory::{Body, EnrolBody, Entry, Role},
        invite::{Cert, InviteCode, sign_claim},
        keyring::Keyring,
        opaque::{ClientFinish, ClientLogin, ClientRegistration},
        sign::Label,
    },
    org::{
        acts::{INVITE_MS, NewUser},
        change_hash,
    },
    proto::{CloseCode, UserId},
};
use serde_json::{Value, json};

use crate::support::{
    company::{Company, id, now_ms},
    http::{ask, get},
    peer::{Me, Peer},
    server::Server,
};

/// A user with a password.
#[derive(Clone)]
pub struct Zhao {
    company: Arc<Company>,
    /// The server that is asked.
    pub addr: SocketAddr,
    user: UserId,
    keys: Keyring,
}

fn bytes(value: &Value) -> Vec<u8> {
    kefu::crypto::codec::from_b64u(value.as_str().unwrap()).unwrap()
}

impl Zhao {
    /// Is invited, enrols and chooses a password.
    pub async fn comes(server: &Server, password: &str) -> Self {
        Self::comes_with(server, password, true).await
    }

    /// The same with a page from before the header that names the invite.
    async fn comes_with(server: &Server, password: &str, names: bool) -> Self {
        let (company, user) = (server.company.clone(), id("zhao"));
        let new = NewUser { user, role: Role::Agent, name: "Zhao".into(), teams: vec![id("svc")] };
        let mut code = None;
        company.act(|s| s.invite(&new, INVITE_MS).map(|(commit, made)| (commit, code = Some(made)).0)).await;
        let (code, keys): (InviteCode, _) = (code.unwrap(), Keyring::generate());
        let zhao = Self { company, addr: server.addr, user: new.user, keys };
        let inv = Key32(code.signing_key().public());
        let opened = zhao.post("invite/open", None, json!({ "inv": inv })).await.unwrap();
        let (cert, signer): (_, Key32) = (bytes(&opened["cert"]), opened["signer"].as_str().unwrap().parse().unwrap());
        let sig = bytes(&opened["sig"]);
        let read = Cert::verify(&cert, &signer.0, &sig, &zhao.company.directory().fp()).unwrap();
        let (state, m) = ClientRegistration::start(password).unwrap();
        let answer = zhao.post("invite/register", None, json!({ "inv": inv, "m": b64u(&m) })).await.unwrap();
        let done = zhao.registered(state, password, &bytes(&answer["m"]));
        let (ed, x) = (zhao.keys.signing.public(), zhao.keys.kem.public());
        let body = Body::Enrol(EnrolBody {
            user: read.user.clone(),
            role: read.role,
            name: read.name,
            teams: read.teams,
            ed: Key32(ed),
            x: Key32(x),
            claim_sig: Bytes(sign_claim(&code.signing_key(), &cert, &ed, &x).to_vec()),
            cert: Bytes(cert),
            cert_signer: signer,
            cert_sig: Bytes(sig),
        });
        let dir = zhao.company.directory();
        let entry = Entry::sign(dir.seq() + 1, &dir.head(), now_ms(), &body, &zhao.keys.signing);
        let keyring = b64u(&zhao.keys.seal(&done.export_key, &zhao.user, 1));
        let claim =
            json!({ "inv": inv, "entry": entry, "record": b64u(&done.message), "keyring": keyring, "boxes": [] });
        let name = inv.to_string();
        let headers: &[(&str, &str)] = if names { &[("kefu-invite", &name)] } else { &[] };
        let claimed = ask(zhao.addr, "POST", "/api/v1/invite/claim", headers, claim.to_string()).await.unwrap();
        assert_eq!(claimed.status, 200, "{:?}", claimed.json());
        zhao
    }

    /// What a server answers, or the status of its refusal.
    pub async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Result<Value, u16> {
        let bearer = token.map(|t| format!("Bearer {t}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|b| ("authorization", &b[..])).collect();
        let path = format!("/api/v1/{path}");
        let answer = ask(self.addr, "POST", &path, &headers, body.to_string()).await.unwrap();
        if answer.status == 200 { Ok(answer.json()) } else { Err(answer.status) }
    }

    fn registered(&self, state: ClientRegistration, password: &str, m: &[u8]) -> ClientFinish {
        let dir = self.company.directory();
        state.finish(password, m, &self.user, &dir.fp(), &dir.state().opaque.0).unwrap()
    }

    /// The first step of a sign-in: what is sent in the second.
    pub async fn begins(&self, password: &str, old: bool) -> Result<(ClientFinish, Value), u16> {
        let (state, m) = ClientLogin::start(password).unwrap();
        let start = json!({ "user": self.user, "m": b64u(&m), "old": old });
        let started = self.post("login/start", None, start).await?;
        let dir = self.company.directory();
        let done = state.finish(password, &bytes(&started["m"]), &self.user, &dir.fp(), &dir.state().opaque.0);
        let done = done.map_err(|_| 401u16)?;
        let finish = json!({ "id": started["id"], "m": b64u(&done.message) });
        Ok((done, finish))
    }

    async fn signs_in(&self, password: &str, old: bool) -> Result<Value, u16> {
        let (done, finish) = self.begins(password, old).await?;
        let answer = self.post("login/finish", None, finish).await?;
        let version = answer["version"].as_u64().unwrap() as u32;
        let keyring = Keyring::open(&bytes(&answer["keyring"]), &done.export_key, &self.user, version).unwrap();
        assert_eq!(keyring.signing.public(), self.keys.signing.public());
        Ok(answer)
    }

    /// What `password/finish` is sent.
    async fn change(&self, token: &str, password: &str, keys: &Keyring, change: &Value) -> Value {
        let (state, m) = ClientRegistration::start(password).unwrap();
        let answer = self.post("password/start", Some(token), json!({ "m": b64u(&m) })).await.unwrap();
        let done = self.registered(state, password, &bytes(&answer["m"]));
        let keyring = keys.seal(&done.export_key, &self.user, 2);
        let sig = keys.signing.sign(Label::Pass, &change_hash(&self.user, 2, &done.message, &keyring));
        let (record, keyring, sig) = (b64u(&done.message), b64u(&keyring), b64u(&sig));
        json!({ "record": record, "keyring": keyring, "version": 2, "change": change, "sig": sig })
    }
}

#[tokio::test]
async fn a_page_that_does_not_name_its_invite_beforehand_claims_it_too() {
    let server = Server::new().await;
    let zhao = Zhao::comes_with(&server, "first password", false).await;
    zhao.signs_in("first password", false).await.unwrap();
}

#[tokio::test]
async fn a_token_alone_changes_nothing_and_a_change_ends_the_tokens_of_before() {
    let server = Server::new().await;
    let zhao = Zhao::comes(&server, "first password").await;
    let me = Me { key: zhao.keys.signing.clone(), user: Some(zhao.user.clone()), ..Me::agent(&server.company, "li") };
    let mut page = Peer::connect(&server, &me).await;
    assert_eq!(page.config["password"], 1);
    let stolen = page.token.clone();
    let thief = Keyring::generate();
    let guessed = json!(b64u(&[1; 32]));

    // neither with keys of their own nor, were they stolen too, without a sign-in
    for keys in [&thief, &zhao.keys] {
        let junk = zhao.change(&stolen, "the thief's", keys, &guessed).await;
        assert_eq!(zhao.post("password/finish", Some(&stolen), junk).await, Err(403));
    }
    let signed_in = zhao.signs_in("first password", false).await.expect("nothing was changed");
    let change = signed_in["change"].clone();
    let junk = zhao.change(&stolen, "the thief's", &thief, &change).await;
    assert_eq!(zhao.post("password/finish", Some(&stolen), junk).await, Err(403), "not signed by the user's key");

    let token = signed_in["token"].as_str().unwrap();
    let good = zhao.change(token, "second password", &zhao.keys, &change).await;
    assert_eq!(zhao.post("password/finish", Some(token), good.clone()).await, Ok(json!({})));
    for token in [&stolen[..], token] {
        assert_eq!(get(server.addr, "/api/v1/boxes", token).await.unwrap().status, 401, "older tokens end");
        assert_eq!(zhao.post("password/finish", Some(token), good.clone()).await, Err(401));
    }
    // the user's own page comes back and gets a new one
    assert_eq!(page.wire.closed().await, Some(CloseCode::GoingAway as u16));
    let page = Peer::connect(&server, &me).await;
    assert_eq!(page.config["password"], 2, "and can tell its person");
    assert_eq!(get(server.addr, "/api/v1/boxes", &page.token).await.unwrap().status, 200);

    assert_eq!(zhao.signs_in("first password", false).await, Err(401));
    let old = zhao.signs_in("first password", true).await.expect("until the first sign-in with the new one");
    assert_eq!((&old["version"], &old["change"]), (&json!(1), &Value::Null));
    assert_eq!(zhao.signs_in("second password", false).await.unwrap()["version"], 2);
    assert_eq!(zhao.signs_in("first password", true).await, Err(401));
}
