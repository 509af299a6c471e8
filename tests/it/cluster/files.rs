//! Files in a bucket that the servers of a company share: an upload that changes servers, servers and stores that die, settings that
//! are wrong.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use bytes::Bytes;
use kefu::{
    blobs::PART,
    config::Config,
    proto::{ErrorCode, MsgId},
};
use kefu_redis_link::testing::{RedisServer, until};
use kefu_s3::testing::{BUCKET, KEY_ID, S3Server};

use super::{config_for, joined, owner};
use crate::{
    chat::files::{ask, begin, content, get, path, post, put, sealed, try_get, upload},
    support::{
        child::Process,
        company::Company,
        peer::{Me, Peer},
        server::{Server, config, in_bucket},
    },
};

/// `[storage]` as a file has it.
fn settings(config: &Config) -> String {
    let s = &config.storage;
    format!(
        "[storage]\nurl = {:?}\nblobs = {:?}\ns3_endpoint = {:?}\ns3_key_file = {:?}\n",
        s.url, s.blobs, s.s3_endpoint, s.s3_key_file
    )
}

async fn start(dir: &Path, config: &Config) -> Process {
    let (dir, text) = (dir.to_owned(), settings(config));
    tokio::task::spawn_blocking(move || Process::start_with(&dir, &text)).await.unwrap()
}

/// The same person at another server.
async fn moved(company: &Arc<Company>, to: &Process, me: &Me, peer: Peer) -> Peer {
    let views = peer.views;
    let mut peer = Peer::try_connect(company, to.addr, me).await.unwrap();
    peer.views = views;
    let convs: Vec<_> = peer.views.keys().copied().collect();
    for conv in convs {
        peer.follow(conv).await;
    }
    peer
}

#[tokio::test]
async fn an_upload_goes_on_at_another_server_and_both_read_it_after_one_was_killed() {
    let (redis, s3) = (RedisServer::start(&[]).await, S3Server::start().await);
    let config = in_bucket(config_for(&redis), &s3);
    let company = Company::found_on(&config).await;
    let second = joined(company.path());
    let (mut a, b) = (start(company.path(), &config).await, start(second.path(), &config).await);
    let me = Me::visitor("s1");
    let mut li = Peer::try_connect(&company, b.addr, &Me::agent(&company, "li")).await.unwrap();
    li.status(kefu::proto::AgentState::Online).await;
    let mut visitor = Peer::try_connect(&company, a.addr, &me).await.unwrap();
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    visitor.until(conv, |view| view.owner == owner("li")).await;
    let content = content(3 * PART + 7);
    let size = content.len() as u64;
    let part = |n: u64| content.slice((n * PART) as usize..((n + 1) * PART).min(size) as usize);

    let (msg, envelope) = sealed(&mut visitor, conv);
    assert_eq!(begin(&visitor, conv, msg, size).await.json()["have"], 0);
    assert_eq!(put(&visitor, conv, msg, 0, part(0)).await.json()["have"], PART);
    let at_a = Peer::try_connect(&company, a.addr, &me).await.unwrap();
    let mut visitor = moved(&company, &b, &me, visitor).await;
    // nobody else goes on with it there
    assert_eq!(put(&li, conv, msg, PART, part(1)).await.status, 404);
    assert_eq!(begin(&li, conv, msg, size).await.status, 403);
    assert_eq!(put(&visitor, conv, msg, PART, part(1)).await.json()["have"], 2 * PART);
    // a hears of it when it is asked
    assert_eq!(put(&at_a, conv, msg, PART, part(1)).await.json()["have"], 2 * PART);
    assert_eq!(begin(&at_a, conv, msg, size).await.json()["have"], 2 * PART);
    // b remembers two parts, a has stored the last: the message waits for neither
    assert_eq!(put(&at_a, conv, msg, 2 * PART, part(2)).await.json()["have"], 3 * PART);
    assert_eq!(put(&at_a, conv, msg, 3 * PART, part(3)).await.json()["have"], size);
    a.kill();
    assert_eq!(get(&visitor, conv, msg).await.status, 404, "no message names it yet");
    post(&mut visitor, conv, msg, envelope).await;
    for reader in [&visitor, &li] {
        assert_eq!(get(reader, conv, msg).await.body, content);
    }
    let a = start(company.path(), &config).await;
    let mut visitor = moved(&company, &a, &me, visitor).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);

    // all of it at a, its message at b, which never heard of it
    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    let mut visitor = moved(&company, &b, &me, visitor).await;
    assert_eq!(get(&li, conv, msg).await.status, 404);
    post(&mut visitor, conv, msg, envelope).await;
    let at_a = Peer::try_connect(&company, a.addr, &me).await.unwrap();
    for reader in [&li, &visitor, &at_a] {
        assert_eq!(get(reader, conv, msg).await.body, content);
    }
    // recalled at b, gone at a
    visitor.ask(|req| kefu::proto::ClientFrame::Recall { req, conv, msg }).await.unwrap();
    // one that is being removed ends in the middle
    until("a file that is gone", async || (try_get(&at_a, conv, msg).await?.status == 404).then_some(())).await;
    // cancelled where it was not begun
    let (msg, _) = sealed(&mut visitor, conv);
    upload(&at_a, conv, msg, &content).await;
    assert_eq!(ask(&li, "DELETE", &path(conv, msg), Bytes::new()).await.status, 404);
    assert_eq!(ask(&visitor, "DELETE", &path(conv, msg), Bytes::new()).await.status, 200);
    assert_eq!(begin(&at_a, conv, msg, size).await.json()["have"], 0);
}

#[tokio::test]
async fn servers_count_together_what_a_site_has() {
    let (redis, s3) = (RedisServer::start(&[]).await, S3Server::start().await);
    let config = in_bucket(config_for(&redis), &s3);
    let company = Company::found_on(&config).await;
    let second = joined(company.path());
    let limits =
        "[files]\nmax_mb = 700\nvisitor_mb_per_day = 100000\naddress_mb_per_day = 100000\nsite_totals = { s1 = 1 }\n";
    let text = format!("{}{limits}", settings(&config));
    let start = |dir: &Path| {
        let (dir, text) = (dir.to_owned(), text.clone());
        tokio::task::spawn_blocking(move || Process::start_with(&dir, &text))
    };
    let (a, b) = (start(company.path()).await.unwrap(), start(second.path()).await.unwrap());
    let me = Me::visitor("s1");
    let mut at_a = Peer::try_connect(&company, a.addr, &me).await.unwrap();
    let conv = at_a.open().await;
    let at_b = Peer::try_connect(&company, b.addr, &me).await.unwrap();
    let (size, first, next) = (600 << 20, MsgId([1; 16]), MsgId([2; 16]));
    assert_eq!(begin(&at_a, conv, first, size).await.status, 200);
    let refused = begin(&at_b, conv, next, size).await;
    assert_eq!((refused.status, refused.code()), (503, Some(ErrorCode::Storage as u64)), "{}", refused.json());
    assert_eq!(ask(&at_a, "DELETE", &path(conv, first), Bytes::new()).await.status, 200);
    assert_eq!(begin(&at_b, conv, next, size).await.status, 200);
    assert_eq!(begin(&at_a, conv, first, size).await.status, 503);
}

#[tokio::test]
async fn a_check_finds_files_that_the_bucket_has_lost_in_part() {
    let (redis, s3) = (RedisServer::start(&[]).await, S3Server::start().await);
    let config = in_bucket(config_for(&redis), &s3);
    let company = Company::found_on(&config).await;
    let server = start(company.path(), &config).await;
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    let content = content(2 * PART + 7);
    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    post(&mut visitor, conv, msg, envelope).await;
    until("a file in its place", async || s3.objects().iter().any(|path| path.ends_with("meta")).then_some(())).await;
    let (good, said) = kefu(company.path(), &["verify"]);
    assert!(good && said.contains("0 that no message names"), "{said}");
    s3.bucket("files/of/tests").delete(&format!("files/{conv}/{msg}/00001")).await.unwrap();
    let (good, said) = kefu(company.path(), &["verify"]);
    assert!(!good && said.contains(&format!("fault files {conv}/{msg}: its part 2")), "{said}");
    s3.bucket("files/of/tests").delete(&format!("files/{conv}/{msg}/00002")).await.unwrap();
    let (good, said) = kefu(company.path(), &["verify"]);
    assert!(!good && said.contains(&format!("{PART} of its {} bytes are there", content.len())), "{said}");
}

#[tokio::test]
async fn without_the_store_messages_go_on_and_files_wait() {
    let mut s3 = S3Server::start().await;
    let server = Server::start(&Company::found().await, in_bucket(config(), &s3)).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    let content = content(2 * PART + 5);
    let (stored, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, stored, &content).await;
    post(&mut visitor, conv, stored, envelope).await;
    let (whole, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, whole, &content).await;
    let (half, _) = sealed(&mut visitor, conv);
    begin(&visitor, conv, half, content.len() as u64).await;
    put(&visitor, conv, half, 0, content.slice(..PART as usize)).await;

    s3.kill();
    let refused = put(&visitor, conv, half, PART, content.slice(PART as usize..2 * PART as usize)).await;
    assert_eq!((refused.status, refused.code()), (503, Some(ErrorCode::Storage as u64)), "{}", refused.json());
    assert!(refused.json()["retry_ms"].as_u64().unwrap() > 0);
    assert_eq!(get(&visitor, conv, stored).await.status, 503);
    let (later, _) = sealed(&mut visitor, conv);
    assert_eq!(begin(&visitor, conv, later, 5).await.status, 503);
    // a message whose file was whole before, and one without
    post(&mut visitor, conv, whole, envelope).await;
    visitor.say(conv, "are you there?").await;

    s3.restart().await;
    until("an answer", async || (get(&visitor, conv, stored).await.body == content).then_some(())).await;
    assert_eq!(get(&visitor, conv, whole).await.body, content);
    upload(&visitor, conv, half, &content).await;
}

#[tokio::test]
async fn what_was_posted_while_the_store_was_away_is_put_in_its_place_by_the_next_start() {
    let mut s3 = S3Server::start().await;
    let company = Company::found().await;
    let config = in_bucket(Config::default(), &s3);
    let mut server = start(company.path(), &config).await;
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content(9)).await;
    s3.kill();
    post(&mut visitor, conv, msg, envelope).await;
    server.kill();
    s3.restart().await;
    let ends_with = |name: &str| s3.objects().iter().filter(|path| path.ends_with(name)).count();
    assert_eq!((s3.objects().len(), ends_with("meta")), (2, 0), "a mark and a part");
    let _server = start(company.path(), &config).await;
    until("a file in its place", async || (ends_with("meta") == 1 && s3.objects().len() == 2).then_some(())).await;
}

/// What `kefu` prints, on one line.
fn kefu(dir: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    let ended = command.args(["--data-dir"]).arg(dir).args(args).output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (ended.status.success(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn each_mistake_is_a_sentence_that_says_what_to_do() {
    let mut s3 = S3Server::start().await;
    let company = Company::found().await;
    let dir = company.path();
    let right = in_bucket(Config::default(), &s3);
    let doctor = |config: &Config| {
        fs::write(dir.join("kefu.toml"), settings(config)).unwrap();
        kefu(dir, &["doctor"]).1
    };
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = right.clone();
        change(&mut config);
        config
    };
    let said = doctor(&right);
    assert!(
        said.contains(&format!("listed, written, read and deleted in s3://{BUCKET}/files/of/tests/ at http")),
        "{said}"
    );
    assert_eq!(s3.objects(), [] as [PathBuf; 0], "the probe is gone");
    let other_key = dir.join("other.key");
    fs::write(&other_key, format!("{KEY_ID}\nanother/secret\n")).unwrap();
    fs::set_permissions(&other_key, fs::Permissions::from_mode(0o644)).unwrap();
    let wrong_key = with(&|config| config.storage.s3_key_file = other_key.display().to_string());
    let said = doctor(&wrong_key);
    assert!(said.contains("the key is refused (SignatureDoesNotMatch): correct the file"), "{said}");
    assert!(said.contains("other users can read") && said.contains("chmod 600"), "{said}");
    let said = doctor(&with(&|config| config.storage.blobs = "s3://not-there".into()));
    assert!(said.contains("there is no bucket \"not-there\": create it"), "{said}");

    // what can't be right is no reason to begin; what may be put right elsewhere is none to end
    let refused = |config: &Config| {
        fs::write(dir.join("kefu.toml"), settings(config)).unwrap();
        let (started, said) = kefu(dir, &["serve", "--plain-http", "--listen", "127.0.0.1:0"]);
        assert!(!started);
        said
    };
    let said = refused(&with(&|config| config.storage.s3_key_file = "/nowhere/key".into()));
    assert!(said.contains("cannot read /nowhere/key, the key of the store of files"), "{said}");
    let said = refused(&with(&|config| config.storage.blobs = "s3://Not_One".into()));
    assert!(said.contains("storage.blobs") && said.contains("3 to 63 small letters"), "{said}");
    let said = refused(&with(&|config| config.storage.s3_endpoint = "http://10.1.2.3:9000".into()));
    assert!(said.contains("without TLS"), "{said}");
    let said = refused(&with(&|config| {
        (config.storage.url, config.storage.blobs) = ("redis://127.0.0.1:1".into(), "/var/blobs".into());
    }));
    assert!(said.contains("have no directory in common"), "{said}");

    let server = start(dir, &wrong_key).await;
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    visitor.say(conv, "it runs").await;
    let (msg, _) = sealed(&mut visitor, conv);
    let refused = begin(&visitor, conv, msg, 5).await;
    assert_eq!((refused.status, refused.code()), (503, Some(ErrorCode::Storage as u64)));
    assert!(!refused.json().to_string().contains("SignatureDoesNotMatch"), "that is for the log");
    until("a line in the log", async || {
        let log = fs::read_to_string(dir.join("server.log")).unwrap();
        (log.contains("nobody can send or read files until it can") && log.contains("s3_key_file")).then_some(())
    })
    .await;
    drop(server);
    s3.kill();
    let said = doctor(&right);
    assert!(said.contains("is it running, and is storage.s3_endpoint right?"), "{said}");
}

#[tokio::test]
async fn a_backup_says_that_files_are_elsewhere_and_one_of_a_directory_is_restored_to_a_bucket() {
    let s3 = S3Server::start().await;
    let company = Company::found().await;
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let me = Me::visitor("s1");
    let content = content(PART + 7);
    // from a directory
    let server = tokio::task::spawn_blocking({
        let dir = company.path().to_owned();
        move || Process::start(&dir)
    });
    let server = server.await.unwrap();
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    let conv = visitor.open().await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    post(&mut visitor, conv, msg, envelope).await;
    let file = path("of-a-directory");
    let (done, said) = kefu(company.path(), &["backup", "--with-opaque-setup", file.to_str().unwrap()]);
    assert!(done, "{said}");
    drop(server);
    // to a bucket
    let config = in_bucket(Config::default(), &s3);
    fs::write(path("kefu.toml"), settings(&config)).unwrap();
    let restored = path("restored");
    let configured = ["--config", path("kefu.toml").to_str().unwrap()].map(str::to_owned);
    let args = ["restore", &configured[0], &configured[1], file.to_str().unwrap()];
    let (done, said) = kefu(&restored, &args);
    assert!(
        done && said.contains(&format!("1 that people sent were written to s3://{BUCKET}/files/of/tests")),
        "{said}"
    );
    assert_eq!(s3.objects().len(), 3, "two parts and a meta");
    assert!(!restored.join("blobs").exists());
    let server = start(&restored, &config).await;
    let visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    assert_eq!(get(&visitor, conv, msg).await.body, content);
    // from a bucket
    let file = path("of-a-bucket");
    let (done, said) = kefu(&restored, &["backup", "--with-opaque-setup", file.to_str().unwrap()]);
    assert!(done && said.contains("the files that people sent: they are in s3://"), "{said}");
    let (done, said) = kefu(&restored, &["verify", file.to_str().unwrap()]);
    assert!(done && said.contains("not in it the files that people sent: they are in s3://"), "{said}");
    drop(server);
    let (done, said) = kefu(&path("again"), &["restore", file.to_str().unwrap()]);
    assert!(done && said.contains("not in the backup: restore the bucket, too"), "{said}");
}
