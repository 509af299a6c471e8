//! A company moves from its file to Redis and back, as its operator does it: the command line, with servers before, between and
//! after. Backup, restore and check of a company in Redis.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use kefu::{
    data_dir::{CLUSTER_KEY, CONFIG, DATABASE, OPAQUE_SETUP},
    proto::{ClientFrame, ConvId, ServerFrame, Side},
    store::{
        Store as _,
        redb::{Options, RedbStore},
    },
};
use kefu_redis_link::{cmd, testing::RedisServer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::access::widgets::{keep_old_widget, old_widget_is_served};
use crate::support::{
    child::{self, Process},
    company::Company,
    document::Draft,
    http::{ask, get},
    peer::{Me, Peer},
    until,
};

/// Runs a command; its exit code and JSON.
pub async fn kefu(data: &Path, args: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(args).arg("--json").arg("--data-dir").arg(data).stdin(Stdio::null());
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let value = serde_json::from_slice(&out.stdout);
    (out.status.code().unwrap(), value.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr))))
}

pub async fn done(data: &Path, args: &[&str]) -> Value {
    let (code, value) = kefu(data, args).await;
    assert_eq!(code, 0, "{args:?}: {value}");
    value
}

/// What a command that must fail says.
pub async fn refused(data: &Path, args: &[&str]) -> String {
    let (code, value) = kefu(data, args).await;
    assert_ne!(code, 0, "{args:?}: {value}");
    format!("{} {}", value["error"]["message"], value["error"]["next"])
}

pub fn set_up(data: &Path, storage: &str) {
    let text = [child::CONFIG, "\n# where it is stored\n[storage]\n", storage].concat();
    fs::write(data.join(CONFIG), text).unwrap();
}

/// Serves what the configuration names, as it is.
pub async fn serve(data: &Path) -> Process {
    let (data, text) = (data.to_owned(), fs::read_to_string(data.join(CONFIG)).unwrap());
    let more = text.strip_prefix(child::CONFIG).unwrap().to_owned();
    tokio::task::spawn_blocking(move || Process::start_with(&data, &more)).await.unwrap()
}

/// Stops it as its operator does.
pub async fn stopped(server: Process) {
    let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let server = std::sync::Mutex::new(server);
    until(|| !server.lock().unwrap().is_alive()).await;
}

pub async fn peer(company: &Arc<Company>, server: &Process, me: &Me) -> Peer {
    Peer::try_connect(company, server.addr, me).await.expect("a welcome")
}

/// A conversation between a visitor and li, who has read all of it.
pub async fn talk(company: &Arc<Company>, server: &Process, words: usize) -> (Me, ConvId) {
    let mut li = peer(company, server, &Me::agent(company, "li")).await;
    li.status(kefu::proto::AgentState::Online).await;
    let mut visitor = peer(company, server, &Me::visitor("s1")).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    for n in 0..words {
        let seq = visitor.say(conv, &format!("question {n}")).await;
        li.record(conv, seq).await;
        let seq = li.say(conv, &format!("answer {n}")).await;
        visitor.record(conv, seq).await;
    }
    read_all(&mut li, &mut visitor, conv).await;
    let draft = Draft::reply("team:svc").sign(&li.me.key, &company.directory());
    let path = format!("/api/v1/documents/{}?base=0", kefu::proto::DocumentView::parse(&draft).unwrap().id());
    let bearer = format!("Bearer {}", li.token);
    assert_eq!(ask(server.addr, "PUT", &path, &[("authorization", &bearer)], draft).await.unwrap().status, 200);
    (visitor.me.clone(), conv)
}

/// What agents have beside conversations.
async fn documents(company: &Arc<Company>, server: &Process) -> Value {
    let li = peer(company, server, &Me::agent(company, "li")).await;
    let list = get(server.addr, "/api/v1/documents?kind=reply&since=0", &li.token).await.unwrap().json();
    assert_eq!(list["docs"].as_array().unwrap().len(), 1);
    list
}

/// The agent reads, and the visitor hears of it.
async fn read_all(li: &mut Peer, visitor: &mut Peer, conv: ConvId) {
    let last = visitor.view(conv).records.len() as u64;
    li.wire.send(&ClientFrame::Seen { conv, delivered: last, read: last }).await.unwrap();
    let read = |f: &ServerFrame| matches!(f, ServerFrame::Receipt { side: Side::Agent, read, .. } if *read == last);
    visitor.frame(|f| read(f).then_some(())).await;
}

/// All that a client is given of a conversation: its records, and how far both sides are.
pub async fn held(company: &Arc<Company>, server: &Process, me: &Me, conv: ConvId) -> (Vec<Bytes>, String) {
    let mut page = peer(company, server, me).await;
    page.follow(conv).await;
    let told = page.greeted.iter().find(|told| told.id == conv).expect("it is the visitor's");
    let marks = format!("{:?} {:?}", told.visitor, told.agent);
    (page.view(conv).records.clone(), marks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_moves_to_redis_and_back_and_its_clients_notice_nothing() {
    let (company, redis) = (Company::found().await, RedisServer::start(&[]).await);
    let (data, url) = (company.path(), redis.url().to_string());
    set_up(data, "url = \"redb:\" # a file\n");
    let (redb, _feed) = RedbStore::open(&data.join(DATABASE), Options::default()).unwrap();
    keep_old_widget(&*redb).await;
    redb.close().await;
    let server = serve(data).await;
    let (me, conv) = talk(&company, &server, 30).await;
    let before = held(&company, &server, &me, conv).await;
    let replies = documents(&company, &server).await;
    // with a server, and without one
    let seen = done(data, &["move", "--to", &url, "--dry-run"]).await;
    assert!(seen["records"].as_u64().unwrap() > 60);
    stopped(server).await;
    let tried = done(data, &["move", "--to", &url, "--dry-run"]).await;
    assert_eq!(redis.query::<u64>(&cmd("DBSIZE")).await, 0);
    let moved = done(data, &["move", "--to", &url]).await;
    assert_eq!((&tried["sha256"], &tried["rows"]), (&moved["sha256"], &moved["rows"]));
    assert!(moved["records"].as_u64().unwrap() > 60 && data.join(CLUSTER_KEY).exists());
    let text = fs::read_to_string(data.join(CONFIG)).unwrap();
    assert!(text.contains(&format!("# where it is stored\n[storage]\nurl = \"{url}\" # a file\n")), "{text}");
    done(data, &["verify"]).await;

    let server = serve(data).await;
    assert_eq!(held(&company, &server, &me, conv).await, before);
    assert_eq!(documents(&company, &server).await, replies);
    old_widget_is_served(server.addr).await;
    let mut visitor = peer(&company, &server, &me).await;
    visitor.follow(conv).await;
    let seq = visitor.say(conv, "in Redis").await;
    assert_eq!(seq as usize, before.0.len() + 1);
    let mut li = peer(&company, &server, &Me::agent(&company, "li")).await;
    li.follow(conv).await;
    read_all(&mut li, &mut visitor, conv).await;
    let later = held(&company, &server, &me, conv).await;
    drop((visitor, li));
    let check = done(data, &["verify"]).await;
    assert_eq!(check["faults"].as_array().unwrap().len(), 0, "{check}");
    stopped(server).await;

    // the file is no longer served
    set_up(data, "url = \"redb:\"\n");
    let said = refused(data, &["serve", "--plain-http", "--listen", "127.0.0.1:0"]).await;
    assert!(said.contains("was moved to redis://") && said.contains("storage.url"), "{said}");
    let said = refused(data, &["backup", data.join("x.backup").to_str().unwrap()]).await;
    assert!(said.contains("was moved to redis://"), "{said}");
    set_up(data, &format!("url = \"{url}\"\n"));

    done(data, &["move", "--to", "redb:"]).await;
    let server = serve(data).await;
    assert_eq!(held(&company, &server, &me, conv).await, later);
    assert_eq!(documents(&company, &server).await, replies);
    old_widget_is_served(server.addr).await;
    let mut visitor = peer(&company, &server, &me).await;
    visitor.follow(conv).await;
    visitor.say(conv, "in the file").await;
    let last = held(&company, &server, &me, conv).await;
    drop(visitor);
    stopped(server).await;
    let names: Vec<_> = fs::read_dir(data).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("incoming")), "{names:?}");
    done(data, &["verify"]).await;

    // Redis is no longer served either, and takes the company again
    set_up(data, &format!("url = \"{url}\"\n"));
    let said = refused(data, &["serve", "--plain-http", "--listen", "127.0.0.1:0"]).await;
    assert!(said.contains("was moved to redb:/"), "{said}");
    set_up(data, "url = \"redb:\"\n");
    done(data, &["move", "--to", &url]).await;
    let server = serve(data).await;
    assert_eq!(held(&company, &server, &me, conv).await, last);
    stopped(server).await;
}

#[tokio::test]
async fn a_place_that_is_taken_or_wrong_is_refused_and_nothing_is_written() {
    let (company, other, redis) = (Company::found().await, Company::found().await, RedisServer::start(&[]).await);
    let (data, url) = (company.path(), redis.url().to_string());
    set_up(data, "url = \"redb:\"\n");
    set_up(other.path(), "url = \"redb:\"\n");
    let unsafe_redis = RedisServer::start(&[("appendfsync", "everysec")]).await;
    for (to, says) in [
        ("redb:", "is stored in redb:"),
        ("mysql://x", "is not a storage type"),
        ("redis://127.0.0.1:1", "cannot use redis://127.0.0.1:1"),
        (&unsafe_redis.url().to_string(), "appendfsync"),
    ] {
        let said = refused(data, &["move", "--to", to]).await;
        assert!(said.contains(says), "{to}: {said}");
    }
    let existing = data.join("other.redb");
    fs::copy(other.path().join(DATABASE), &existing).unwrap();
    let said = refused(data, &["move", "--to", &format!("redb:{}", existing.display())]).await;
    assert!(said.contains("holds a database that was not moved away"), "{said}");
    redis.query::<()>(cmd("SET").arg("kefu:{x}y").arg(1)).await;
    let said = refused(data, &["move", "--to", &url]).await;
    assert!(said.contains("holds something else"), "{said}");
    assert_eq!(redis.query::<u64>(&cmd("DBSIZE")).await, 1);
    redis.query::<()>(cmd("DEL").arg("kefu:{x}y")).await;
    done(other.path(), &["move", "--to", &url]).await;
    let keys = redis.query::<u64>(&cmd("DBSIZE")).await;
    let said = refused(data, &["move", "--to", &url]).await;
    assert!(said.contains("holds another company"), "{said}");
    // also when that has left: its copy is not ours to delete
    done(other.path(), &["move", "--to", "redb:"]).await;
    let said = refused(data, &["move", "--to", &url]).await;
    assert!(said.contains("holds another company"), "{said}");
    assert_eq!(redis.query::<u64>(&cmd("DBSIZE")).await, keys);
    // the company is served as before
    stopped(serve(data).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_move_is_run_again() {
    let (company, redis) = (Company::found().await, RedisServer::start(&[]).await);
    let (data, url) = (company.path(), redis.url().to_string());
    set_up(data, "url = \"redb:\"\n");
    let server = serve(data).await;
    let (me, conv) = talk(&company, &server, 20).await;
    let before = held(&company, &server, &me, conv).await;
    stopped(server).await;
    for _ in 0..2 {
        for ms in [30, 60, 90, 120, 150, 200, 250, 300, 400] {
            let from = fs::read_to_string(data.join(CONFIG)).unwrap();
            let to = if from.contains("redb:") { url.as_str() } else { "redb:" };
            let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
            command.args(["move", "--to", to, "--data-dir"]).arg(data).stdin(Stdio::null());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let from = fs::read_to_string(data.join(CONFIG)).unwrap();
        let to = if from.contains("redb:") { url.as_str() } else { "redb:" };
        // what a command that was killed held is free a while later
        while let (code @ 1.., said) = kefu(data, &["move", "--to", to]).await {
            let said = said["error"]["message"].as_str().unwrap();
            assert_eq!((code, said), (1, "this company is being moved by another command"));
        }
        let server = serve(data).await;
        assert_eq!(held(&company, &server, &me, conv).await, before);
        stopped(server).await;
        done(data, &["verify"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_redis_is_restored_to_a_file_and_to_redis() {
    let (redis, other) = (RedisServer::start(&[]).await, RedisServer::start(&[]).await);
    let company = Company::found_on(&super::config_for(&redis)).await;
    let data = company.path();
    set_up(data, &format!("url = \"{}\"\n", redis.url()));
    let server = serve(data).await;
    let (me, conv) = talk(&company, &server, 10).await;
    let before = held(&company, &server, &me, conv).await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("x.backup");
    let file = file.to_str().unwrap();
    // by the running server, and without one
    let made = done(data, &["backup", file]).await;
    assert_eq!(made["conversations"], 1);
    stopped(server).await;
    let again = done(data, &["backup", file]).await;
    assert_eq!(again["records"], made["records"]);
    assert!(again["missing"].as_array().unwrap().contains(&CLUSTER_KEY.into()), "{again}");
    done(data, &["verify", file]).await;
    let names: Vec<_> = fs::read_dir(data).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("rows")), "{names:?}");

    // where it still is, nothing is written
    let said = refused(&place.path().join("same"), &["restore", file]).await;
    assert!(said.contains("holds a company already"), "{said}");
    assert!(!place.path().join("same").exists());
    for (name, storage) in [("file", "redb:".to_owned()), ("redis", other.url().to_string())] {
        let new = place.path().join(name);
        let settings = place.path().join(format!("{name}.toml"));
        fs::write(&settings, [child::CONFIG, "[storage]\nurl = \"", &storage, "\"\n"].concat()).unwrap();
        let settings = settings.to_str().unwrap();
        done(&new, &["restore", file, "--config", settings]).await;
        fs::copy(data.join(OPAQUE_SETUP), new.join(OPAQUE_SETUP)).unwrap();
        let check = done(&new, &["verify", "--config", settings]).await;
        assert_eq!((&check["records"], check["faults"].as_array().unwrap().len()), (&made["records"], 0), "{check}");
        fs::copy(settings, new.join(CONFIG)).unwrap();
        let server = serve(&new).await;
        assert_eq!(held(&company, &server, &me, conv).await, before, "{name}");
        stopped(server).await;
    }
}
