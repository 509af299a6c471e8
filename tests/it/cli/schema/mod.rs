//! Data directories that executables of earlier versions made, whose databases have an older schema: this version opens them,
//! backs them up, restores them, and serves them to the people who wrote in them.

mod fixture;
mod people;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use kefu::{
    crypto::{
        envelope,
        hash::{self, BoxKind},
    },
    proto::{ConvState, HeaderView, Kind, RecordView},
    store::{
        Store as _,
        redb::{Options, RedbStore},
    },
};
use serde_json::{Value, json};

use super::{Shell, mode, serving::Server};
use crate::support::{
    company::Company,
    peer::{Me, Peer},
};
use fixture::{Conversation, Written, hashed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_1_is_upgraded_backed_up_restored_and_served() {
    drill(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_2_is_upgraded_backed_up_restored_and_served() {
    drill(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_3_is_upgraded_backed_up_restored_and_served() {
    drill(3).await;
}

#[test]
fn every_older_schema_has_data_directories() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let newest = sh.json(&["backup", sh.path("b").to_str().unwrap()])["schema"].as_u64().unwrap();
    let expected: BTreeSet<_> =
        (1..newest).flat_map(|n| ["killed", "stopped"].map(|end| format!("{n}-{end}"))).collect();
    let names = fixture::all().into_iter().map(|file| fixture::name(&file));
    assert_eq!(names.collect::<BTreeSet<_>>(), expected, "tests/data/schema/README.md says how to make one");
}

/// What an operator does with a data directory of this schema, for each one that is kept.
async fn drill(schema: u32) {
    for file in fixture::all() {
        let name = fixture::name(&file);
        if !name.starts_with(&format!("{schema}-")) {
            continue;
        }
        println!("{name}");
        let (old, written) = fixture::unpack(&file);
        // only the version that made it has opened it so far: this upgrades it
        verified(&old, &written);
        assert_eq!(mode(&old.path(&format!("data/kefu.redb.v{schema}"))), 0o600, "the database as it was");
        stored(&old.path("data"), &written).await;

        let backup = old.path("kefu.backup");
        old.json(&["backup", backup.to_str().unwrap(), "--with-opaque-setup"]);
        let new = Shell::new();
        new.json(&["restore", backup.to_str().unwrap()]);
        fs::copy(old.path("data/company.keys"), new.path("data/company.keys")).unwrap();
        verified(&new, &written);
        stored(&new.path("data"), &written).await;

        served(&new, &written).await;
        served(&old, &written).await;
    }
}

/// Everything is valid, and as much as was written.
fn verified(sh: &Shell, written: &Written) {
    let found = sh.json(&["verify"]);
    let records: usize = written.conversations.iter().map(|c| c.records.len()).sum();
    for (name, expected) in [
        ("faults", json!([])),
        ("structure", json!("valid")),
        ("conversations", json!(written.conversations.len())),
        ("records", json!(records)),
    ] {
        assert_eq!(found[name], expected, "{found}");
    }
}

/// The records are in the database as they were: their numbers, their times, what people sealed.
async fn stored(data: &Path, written: &Written) {
    let (store, _feed) = RedbStore::open(&data.join("kefu.redb"), Options::default()).unwrap();
    for expected in &written.conversations {
        let records = store.records(expected.conv, 0, 1000).unwrap();
        assert_eq!(records.iter().map(|(_, frame)| hashed(frame)).collect::<Vec<_>>(), expected.records);
        let row = store.head(expected.conv).unwrap().unwrap();
        let value: Value = serde_json::from_slice(&row.value).unwrap();
        assert_eq!((row.last_seq, &value["state"]), (records.len() as u64, &json!(expected.state)));
    }
    store.close().await;
}

/// Agents sign in with their passwords, visitors have their keys: all read what was written, and write on.
async fn served(sh: &Shell, written: &Written) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--plain-http", "--data-dir"]).arg(sh.path("data"));
    // whatever the date is
    command.env("KEFU_CONVERSATIONS__CLOSE_AFTER_IDLE_HOURS", "0").env("KEFU_CONVERSATIONS__MISSED_AFTER_DAYS", "0");
    let server = Server::spawn(command.stdin(Stdio::null()));
    let company = people::sign_in(&sh.path("data"), server.addr, &["li", "zhou"], &written.password).await;
    let mut notes = Vec::new();
    for expected in &written.conversations {
        let agent = Me::agent(&company, expected.reader.as_str());
        let mut agent = Peer::try_connect(&company, server.addr, &agent).await.unwrap();
        let visitor = written.visitor(expected.visitor);
        let mut visitor = Peer::try_connect(&company, server.addr, &visitor).await.unwrap();
        read(&mut agent, &mut visitor, expected).await;
        write(&mut agent, &mut visitor, expected).await;
        notes.extend(notes_in(&mut agent, expected, &company));
    }
    assert_eq!(notes, ["they sent a card number"]);
    assert!(server.stop().success());
    assert_eq!(sh.json(&["verify"])["faults"], json!([]));
}

/// Both read the conversation from its beginning.
async fn read(agent: &mut Peer, visitor: &mut Peer, expected: &Conversation) {
    let conv = expected.conv;
    for peer in [&mut *agent, visitor] {
        peer.follow(conv).await;
        assert_eq!((peer.texts(conv), peer.view(conv).state), (expected.texts.clone(), expected.state));
    }
    let records = &agent.view(conv).records;
    assert_eq!(records.iter().map(|frame| hashed(frame)).collect::<Vec<_>>(), expected.records);
}

/// What is sent again is known, what is new comes after everything.
async fn write(agent: &mut Peer, visitor: &mut Peer, expected: &Conversation) {
    let (conv, kid) = (expected.conv, visitor.me.kid());
    let said = visitor.view(conv).said.iter().rfind(|said| said.kid == kid).unwrap();
    let (seq, msg) = (said.seq, said.msg);
    let envelope = visitor.view(conv).body_of(msg).unwrap();
    assert_eq!(visitor.post(envelope).await, Ok(seq));
    let seq = visitor.say(conv, "I am back").await;
    assert!(seq > expected.records.len() as u64);
    agent.record(conv, seq).await;
    assert_eq!(agent.view(conv).state, ConvState::Open);
    assert_eq!(agent.texts(conv), [&expected.texts[..], &["I am back".into()]].concat());
}

/// The notes of a conversation, which the key of its team opens.
fn notes_in(agent: &mut Peer, expected: &Conversation, company: &Company) -> Vec<String> {
    let sender = agent.me.key.public();
    let team = company.directory().team(&"svc".parse().unwrap()).unwrap().pk.0;
    let team = company.team_key(&hash::box_kid(BoxKind::Team, &team)).unwrap();
    let bodies = agent.view(expected.conv).records.iter().map(|frame| RecordView::parse(frame).unwrap().body);
    let notes = bodies.filter(|body| HeaderView::parse(body).is_ok_and(|(kind, _)| kind == Kind::Note));
    let open = |body| serde_json::from_slice(&envelope::open_note(body, &team, &sender).unwrap()).unwrap();
    notes.map(open).map(|note: Value| note["text"].as_str().unwrap().to_owned()).collect()
}
