//! Agents of a company that an earlier version served: all they have is their passwords.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, sync::Arc};

use kefu::{
    app::Admin,
    config::Config,
    crypto::{
        codec::{b64u, from_b64u},
        directory::Directory,
        hpke::KemSecret,
        keyfile::CompanyKeys,
        keyring::Keyring,
        opaque::ClientLogin,
    },
    org::{AdminView, BoxesAnswer},
    proto::UserId,
};
use serde_json::{Value, json};

use crate::support::{
    company::{Company, id},
    http::{ask, get},
};

/// The company of a running server, after these agents signed in.
pub(super) async fn sign_in(data: &Path, addr: SocketAddr, users: &[&str], password: &str) -> Arc<Company> {
    let keys = CompanyKeys::from_text(&fs::read_to_string(data.join("company.keys")).unwrap(), None).unwrap();
    let admin = Admin::connect(data, &Config::default()).await.unwrap();
    let view: AdminView = serde_json::from_value(admin.call("GET", "/admin/export", None).await.unwrap()).unwrap();
    let directory = Directory::replay(keys.fp(), &view.entries, view.snapshot.as_ref()).unwrap();
    let (mut people, mut teams) = (BTreeMap::new(), Vec::new());
    for user in users {
        let (keyring, keys) = unlock(addr, &directory, &id(user), password).await;
        people.insert((*user).to_owned(), keyring);
        teams.extend(keys);
    }
    Company::existing(data, keys, Arc::new(directory), people, teams)
}

/// A person's keys and those of their teams, which a browser gets with the password.
async fn unlock(addr: SocketAddr, dir: &Directory, user: &UserId, password: &str) -> (Keyring, Vec<KemSecret>) {
    let bytes = |value: &Value| from_b64u(value.as_str().unwrap()).unwrap();
    let (state, m) = ClientLogin::start(password).unwrap();
    let started = post(addr, "start", json!({ "user": user, "m": b64u(&m) })).await;
    let done = state.finish(password, &bytes(&started["m"]), user, &dir.fp(), &dir.state().opaque.0).unwrap();
    let answer = post(addr, "finish", json!({ "id": started["id"], "m": b64u(&done.message) })).await;
    let version = answer["version"].as_u64().unwrap() as u32;
    let keyring = Keyring::open(&bytes(&answer["keyring"]), &done.export_key, user, version).unwrap();
    let boxes = get(addr, "/api/v1/boxes", answer["token"].as_str().unwrap()).await.unwrap().json();
    let boxes: BoxesAnswer = serde_json::from_value(boxes).unwrap();
    let keys = boxes.boxes.iter().map(|b| b.open(&keyring.kem).unwrap()).collect();
    (keyring, keys)
}

async fn post(addr: SocketAddr, step: &str, body: Value) -> Value {
    let answer = ask(addr, "POST", &format!("/api/v1/login/{step}"), &[], body.to_string()).await.unwrap();
    assert_eq!(answer.status, 200, "{:?}", answer.json());
    answer.json()
}
