//! Files of messages: uploaded in parts, bound to conversation, sender and message, read by both sides, gone with their message.
//! The server does not look into them, so their bytes here are no sealed chunks. What does not depend on where files are is done with
//! a directory and with a bucket of a real S3 server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use kefu::{
    blobs::{BlobDirectory, BlobId, Blobs, PART, Upload},
    config::Config,
    proto::{Limit, MsgId},
};

use kefu_redis_link::testing::until;
use kefu_s3::testing::S3Server;

use super::*;
use crate::support::{child::Process, http, server::in_bucket};

/// A test with files in a directory, and one with files in a bucket.
macro_rules! for_both {
    ($($test:ident),* $(,)?) => {
        mod directory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::Server::new().await).await;
            })*
        }
        mod bucket {
            $(#[tokio::test]
            async fn $test() {
                let s3 = super::S3Server::start().await;
                let config = super::in_bucket(super::config(), &s3);
                super::$test(&super::Server::start(&super::Company::found().await, config).await).await;
            })*
        }
    };
}

for_both!(
    a_file_is_uploaded_before_its_message_and_read_by_both_sides,
    a_message_waits_for_all_of_its_file,
    parts_that_do_not_fit_change_nothing,
    parts_that_come_at_once_are_stored_in_their_order,
    nobody_touches_what_is_not_theirs,
    one_has_only_so_many_uploads_begun,
);

/// Bytes that differ from place to place.
pub fn content(length: u64) -> Bytes {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// The address of the file of a message.
pub fn path(conv: ConvId, msg: MsgId) -> String {
    format!("/api/v1/conversations/{conv}/files/{msg}")
}

pub async fn ask(peer: &Peer, method: &str, path: &str, body: impl Into<Bytes>) -> http::Answer {
    let token = format!("Bearer {}", peer.token);
    http::ask(peer.addr, method, path, &[("authorization", &token)], body).await.expect("an answer")
}

pub async fn begin(peer: &Peer, conv: ConvId, msg: MsgId, size: u64) -> http::Answer {
    ask(peer, "POST", &path(conv, msg), format!("{{\"size\":{size}}}")).await
}

pub async fn put(peer: &Peer, conv: ConvId, msg: MsgId, at: u64, part: Bytes) -> http::Answer {
    ask(peer, "PUT", &format!("{}?at={at}", path(conv, msg)), part).await
}

async fn range(peer: &Peer, conv: ConvId, msg: MsgId, bytes: &str) -> http::Answer {
    let token = format!("Bearer {}", peer.token);
    let headers = [("authorization", token.as_str()), ("range", bytes)];
    http::ask(peer.addr, "GET", &path(conv, msg), &headers, Bytes::new()).await.expect("an answer")
}

pub async fn get(peer: &Peer, conv: ConvId, msg: MsgId) -> http::Answer {
    ask(peer, "GET", &path(conv, msg), Bytes::new()).await
}

/// The same; none if the answer ends in the middle.
pub async fn try_get(peer: &Peer, conv: ConvId, msg: MsgId) -> Option<http::Answer> {
    let token = format!("Bearer {}", peer.token);
    http::ask(peer.addr, "GET", &path(conv, msg), &[("authorization", &token)], Bytes::new()).await
}

/// Uploads all of a file from where it is.
pub async fn upload(peer: &Peer, conv: ConvId, msg: MsgId, content: &Bytes) {
    let begun = begin(peer, conv, msg, content.len() as u64).await;
    assert_eq!(begun.status, 200, "{}", begun.json());
    let mut have = begun.json()["have"].as_u64().unwrap();
    while have < content.len() as u64 {
        let end = (have + PART).min(content.len() as u64);
        let answer = put(peer, conv, msg, have, content.slice(have as usize..end as usize)).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        have = answer.json()["have"].as_u64().unwrap();
        assert_eq!(have, end);
    }
}

/// Posts the message of a file and waits until it is stored.
pub async fn post(peer: &mut Peer, conv: ConvId, msg: MsgId, envelope: Vec<u8>) -> u64 {
    peer.wire.send_envelope(envelope).await.unwrap();
    peer.until(conv, |view| view.said.iter().any(|said| said.msg == msg)).await;
    peer.view(conv).said.iter().find(|said| said.msg == msg).unwrap().seq
}

/// A message that was not sent yet.
pub fn sealed(peer: &mut Peer, conv: ConvId) -> (MsgId, Vec<u8>) {
    let key = peer.me.key.clone();
    peer.view(conv).seal("a file", &key)
}

/// All files below a directory.
fn files_in(dir: PathBuf) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files_in(path)) } else { all.push(path) }
    }
    all.retain(|path| path.file_name().is_some_and(|name| name != "boot"));
    all
}

async fn a_file_is_uploaded_before_its_message_and_read_by_both_sides(server: &Server) {
    let (mut visitor, li, conv) = talk(server).await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    let content = content(2 * PART + 100);
    upload(&visitor, conv, msg, &content).await;
    assert_eq!(get(&visitor, conv, msg).await.status, 404, "no message names it yet");
    post(&mut visitor, conv, msg, envelope).await;
    for reader in [&visitor, &li] {
        let whole = get(reader, conv, msg).await;
        assert_eq!((whole.status, &whole.body), (200, &content));
        let header = |name: &str| whole.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("application/octet-stream"));
        assert_eq!(header("content-disposition").as_deref(), Some("attachment"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(header("access-control-allow-origin").as_deref(), Some("*"));
    }
    let part = range(&li, conv, msg, &format!("bytes={PART}-{}", PART + 9)).await;
    assert_eq!((part.status, &part.body[..]), (206, &content[PART as usize..][..10]));
    assert_eq!(part.headers["content-range"], format!("bytes {PART}-{}/{}", PART + 9, content.len()));
    assert_eq!(range(&li, conv, msg, "bytes=99999999-").await.status, 416);
    // an agent's goes the same way
    let mut li = li;
    let (msg, envelope) = sealed(&mut li, conv);
    upload(&li, conv, msg, &content).await;
    post(&mut li, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);
}

async fn a_message_waits_for_all_of_its_file(server: &Server) {
    let (mut visitor, _li, conv) = talk(server).await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    let content = content(PART + 1);
    begin(&visitor, conv, msg, content.len() as u64).await;
    put(&visitor, conv, msg, 0, content.slice(..PART as usize)).await;
    visitor.wire.send_envelope(envelope.clone()).await.unwrap();
    let refused = visitor.frame(|frame| match frame {
        ServerFrame::Error { code, msg: Some(of), .. } if *of == msg => Some(*code),
        _ => None,
    });
    assert_eq!(refused.await, ErrorCode::Conflict);
    put(&visitor, conv, msg, PART, content.slice(PART as usize..)).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);
}

async fn parts_that_do_not_fit_change_nothing(server: &Server) {
    let (mut visitor, _li, conv) = talk(server).await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    let content = content(PART + 10);
    assert_eq!(put(&visitor, conv, msg, 0, content.slice(..10)).await.status, 404, "never begun");
    assert_eq!(begin(&visitor, conv, msg, content.len() as u64).await.json()["have"], 0);
    let first = content.slice(..PART as usize);
    for (at, part, status) in [
        (0, content.slice(..9), 400),
        (0, content.clone(), 413),
        (PART, content.slice(PART as usize..), 409),
        (0, first.clone(), 200),
        (0, first.clone(), 409),
        (PART, content.slice(..9), 400),
        (PART, content.slice(..11), 400),
        (2 * PART, content.slice(..9), 409),
    ] {
        let length = part.len();
        let answer = put(&visitor, conv, msg, at, part).await;
        assert_eq!(answer.status, status, "{length} bytes at {at}: {}", answer.json());
        if status == 409 {
            assert!(answer.json()["have"].is_u64(), "{}", answer.json());
        }
    }
    assert_eq!(begin(&visitor, conv, msg, content.len() as u64).await.json()["have"], PART, "goes on where it is");
    assert_eq!(begin(&visitor, conv, msg, content.len() as u64 + 1).await.status, 403, "of one length");
    put(&visitor, conv, msg, PART, content.slice(PART as usize..)).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);
    assert_eq!(begin(&visitor, conv, msg, 5).await.status, 403, "it is stored");
    assert_eq!(put(&visitor, conv, msg, 0, content.slice(..5)).await.status, 404);
}

async fn parts_that_come_at_once_are_stored_in_their_order(server: &Server) {
    let (mut visitor, _li, conv) = talk(server).await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    let content = content(5 * PART + 10);
    begin(&visitor, conv, msg, content.len() as u64).await;
    let part = |n: u64| content.slice((n * PART) as usize..((n + 1) * PART).min(content.len() as u64) as usize);
    let send = |n: u64| put(&visitor, conv, msg, n * PART, part(n));
    // whichever comes first
    let (third, second, first) = tokio::join!(send(2), send(1), send(0));
    for (n, answer) in [first, second, third].iter().enumerate() {
        assert_eq!((answer.status, answer.json()["have"].as_u64()), (200, Some((n as u64 + 1) * PART)), "{n}");
    }
    // one whose predecessor fails, one whose predecessor nobody sends, and one that is too far ahead
    let (behind, failed) = tokio::join!(send(4), put(&visitor, conv, msg, 3 * PART, part(5)));
    assert_eq!((failed.status, behind.status), (400, 409));
    for n in [4, 5] {
        let answer = send(n).await;
        assert_eq!((answer.status, answer.json()["have"].as_u64()), (409, Some(3 * PART)), "{n}");
    }
    let far = put(&visitor, conv, msg, 7 * PART, part(5)).await;
    assert_eq!((far.status, far.json()["have"].as_u64()), (409, Some(3 * PART)));
    let (fourth, fifth, rest) = tokio::join!(send(3), send(4), send(5));
    assert_eq!([fourth.status, fifth.status, rest.status], [200; 3]);
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);
}

async fn nobody_touches_what_is_not_theirs(server: &Server) {
    let (mut visitor, mut li, conv) = talk(server).await;
    let stranger = Peer::visitor(server).await;
    let (msg, envelope) = sealed(&mut visitor, conv);
    let content = content(20);
    let nobody = http::ask(server.addr, "POST", &path(conv, msg), &[], "{\"size\":20}").await.unwrap();
    assert_eq!(nobody.status, 401);
    assert_eq!(begin(&stranger, conv, msg, 20).await.status, 404);
    assert_eq!(begin(&visitor, conv, msg, 20).await.status, 200);
    // neither a stranger nor the other side goes on with it, cancels it, or takes its id
    for other in [&stranger, &li] {
        assert_eq!(put(other, conv, msg, 0, content.clone()).await.status, 404);
        assert_eq!(ask(other, "DELETE", &path(conv, msg), Bytes::new()).await.status, 404);
    }
    assert_eq!(begin(&li, conv, msg, 20).await.status, 403);
    let key = li.me.key.clone();
    let theirs = li.view(conv).seal_as(msg, "mine now", &key);
    li.wire.send_envelope(theirs).await.unwrap();
    let code = li.frame(|frame| match frame {
        ServerFrame::Error { code, msg: Some(of), .. } if *of == msg => Some(*code),
        _ => None,
    });
    assert_eq!(code.await, ErrorCode::Forbidden);
    put(&visitor, conv, msg, 0, content.clone()).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&stranger, conv, msg).await.status, 404);
    for other in [&stranger, &li] {
        ask(other, "DELETE", &path(conv, msg), Bytes::new()).await;
    }
    assert_eq!(get(&visitor, conv, msg).await.body, content, "nothing is left to cancel");
    for wrong in ["x", "../../../opaque.setup", "%2e%2e", ""] {
        let answer = ask(&visitor, "GET", &format!("/api/v1/conversations/{conv}/files/{wrong}"), Bytes::new()).await;
        assert_eq!(answer.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_cancelled_or_recalled_is_gone_from_the_disk() {
    let server = Server::new().await;
    let (mut visitor, _li, conv) = talk(&server).await;
    let blobs = server.company.path().join("blobs");
    let content = content(PART + 1);
    let (msg, _) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    assert_eq!(files_in(blobs.clone()).len(), 2);
    for _ in 0..2 {
        assert_eq!(ask(&visitor, "DELETE", &path(conv, msg), Bytes::new()).await.status, 200);
    }
    assert_eq!(files_in(blobs.clone()), [] as [PathBuf; 0]);

    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.status, 200);
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    until("a file that is gone", async || files_in(blobs.clone()).is_empty().then_some(())).await;
    assert_eq!(get(&visitor, conv, msg).await.status, 404);
}

#[tokio::test]
async fn what_is_cancelled_or_recalled_is_gone_from_the_bucket() {
    let s3 = S3Server::start().await;
    let company = Company::found().await;
    let server = Server::start(&company, in_bucket(config(), &s3)).await;
    let (mut visitor, _li, conv) = talk(&server).await;
    let content = content(PART + 1);
    let (msg, _) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    assert_eq!(s3.objects().len(), 3, "a mark and two parts");
    for _ in 0..2 {
        assert_eq!(ask(&visitor, "DELETE", &path(conv, msg), Bytes::new()).await.status, 200);
    }
    assert_eq!(s3.objects(), [] as [PathBuf; 0]);

    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.status, 200);
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    until("a file that is gone", async || s3.objects().is_empty().then_some(())).await;
    assert_eq!(get(&visitor, conv, msg).await.status, 404);
    assert!(!company.path().join("blobs").exists(), "no directory is made");
}

#[tokio::test]
async fn an_upload_goes_on_after_the_server_was_killed() {
    let company = Company::found().await;
    let mut server = Process::start(company.path());
    let me = Me::visitor("s1");
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    let conv = visitor.open().await;
    let content = content(3 * PART + 7);
    let (msg, envelope) = sealed(&mut visitor, conv);
    begin(&visitor, conv, msg, content.len() as u64).await;
    put(&visitor, conv, msg, 0, content.slice(..PART as usize)).await;
    let views = visitor.views;
    server.kill();
    server = Process::start(company.path());
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    visitor.views = views;
    visitor.follow(conv).await;
    assert_eq!(begin(&visitor, conv, msg, content.len() as u64).await.json()["have"], PART);
    upload(&visitor, conv, msg, &content).await;
    // complete, and killed before its message: then posted
    let views = visitor.views;
    server.kill();
    server = Process::start(company.path());
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    visitor.views = views;
    visitor.follow(conv).await;
    post(&mut visitor, conv, msg, envelope).await;
    assert_eq!(get(&visitor, conv, msg).await.body, content);
    // killed right after that: wherever the file is, it is read
    server.kill();
    let server = Process::start(company.path());
    let visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    until("the file", async || (get(&visitor, conv, msg).await.body == content).then_some(())).await;
}

#[tokio::test]
async fn sizes_and_quotas_are_the_sites_the_persons_and_the_companys() {
    let limited = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config
    };
    let company = Company::found().await;
    let server = Server::start(
        &company,
        limited(|config| {
            config.files.max_mb = 3;
            config.files.visitor_mb_per_day = 6;
        }),
    )
    .await;
    let (mut visitor, li, conv) = talk(&server).await;
    let site = http::ask(server.addr, "GET", "/api/v1/site/s1", &[], Bytes::new()).await.unwrap().json();
    assert_eq!(site["max_file"], 3 << 20);
    let (msg, _) = sealed(&mut visitor, conv);
    let large = begin(&visitor, conv, msg, 4 << 20).await;
    assert_eq!((large.status, large.json()["text"].as_str()), (413, Some("a file here may have at most 3 MiB")));
    assert_eq!(begin(&visitor, conv, msg, 0).await.status, 413);
    // half of a day's at once
    let (msg, _) = sealed(&mut visitor, conv);
    assert_eq!(begin(&visitor, conv, msg, 3 << 20).await.status, 200);
    assert_eq!(begin(&visitor, conv, msg, 3 << 20).await.status, 200, "the same is not counted again");
    let (msg, _) = sealed(&mut visitor, conv);
    let refused = begin(&visitor, conv, msg, 1 << 20).await;
    assert_eq!((refused.status, refused.json()["limit"].as_str()), (429, Some(Limit::Files.name())));
    assert!(refused.json()["retry_ms"].as_u64().unwrap() > 60_000);
    assert_eq!(begin(&li, conv, msg, 3 << 20).await.status, 200, "agents have their own");
    drop((visitor, li));
    server.stopped().await;

    let server = Server::start(&company, limited(|config| config.files.sites = [("s1".to_owned(), 0)].into())).await;
    let (mut visitor, _li, conv) = talk(&server).await;
    let (msg, _) = sealed(&mut visitor, conv);
    assert_eq!(begin(&visitor, conv, msg, 10).await.status, 403, "switched off");
    let site = http::ask(server.addr, "GET", "/api/v1/site/s1", &[], Bytes::new()).await.unwrap().json();
    assert_eq!(site["max_file"], 0);
    drop(visitor);
    server.stopped().await;

    let server = Server::start(&company, limited(|config| config.storage.reserve_mb = 16_777_216)).await;
    let me = Me::agent(&company, "li");
    let li = Peer::connect(&server, &me).await;
    let refused = begin(&li, conv, id_of(7), 10).await;
    assert_eq!((refused.status, refused.code()), (503, Some(ErrorCode::Storage as u64)), "{}", refused.json());
}

#[tokio::test]
async fn a_site_has_only_so_much_also_after_a_restart() {
    let company = Company::found().await;
    let mut settings = config();
    settings.files.max_mb = 700;
    settings.files.visitor_mb_per_day = 1_000_000;
    settings.files.address_mb_per_day = 10_000_000;
    settings.files.site_totals = [("s1".to_owned(), 1)].into();
    let server = Server::start(&company, settings.clone()).await;
    let (mut visitor, li, conv) = talk(&server).await;
    const SIZE: u64 = 600 << 20;
    let full = |answer: &http::Answer| {
        let said = answer.json();
        answer.status == 503 && said["text"].as_str().unwrap().starts_with("this site has no more room for files")
    };
    assert_eq!(begin(&visitor, conv, id_of(1), SIZE).await.status, 200);
    let refused = begin(&visitor, conv, id_of(2), SIZE).await;
    assert!(full(&refused), "{}", refused.json());
    assert_eq!(begin(&visitor, conv, id_of(1), SIZE).await.status, 200, "what is begun is counted once");
    ask(&visitor, "DELETE", &path(conv, id_of(1)), Bytes::new()).await;
    assert_eq!(begin(&visitor, conv, id_of(2), SIZE).await.status, 200);

    // what is recalled makes room, too
    let (msg, envelope) = sealed(&mut visitor, conv);
    let small = content(PART + 1);
    upload(&visitor, conv, msg, &small).await;
    post(&mut visitor, conv, msg, envelope).await;
    let rest = (1 << 30) - SIZE - small.len() as u64;
    assert!(full(&begin(&visitor, conv, id_of(3), rest + 1).await));
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    until("room", async || (begin(&visitor, conv, id_of(3), rest + 1).await.status == 200).then_some(())).await;

    // a new server counts what is there
    let (key, views) = (visitor.me.clone(), std::mem::take(&mut visitor.views));
    drop((visitor, li));
    server.stopped().await;
    let server = Server::start(&company, settings).await;
    let mut visitor = Peer::connect(&server, &key).await;
    visitor.views = views;
    until("a count", async || {
        let begun = begin(&visitor, conv, id_of(4), SIZE).await;
        ask(&visitor, "DELETE", &path(conv, id_of(4)), Bytes::new()).await;
        full(&begun).then_some(())
    })
    .await;
}

fn id_of(n: u8) -> MsgId {
    MsgId([n; 16])
}

async fn one_has_only_so_many_uploads_begun(server: &Server) {
    let (visitor, li, conv) = talk(server).await;
    for n in 0..32 {
        assert_eq!(begin(&visitor, conv, id_of(n), 10).await.status, 200, "{n}");
    }
    assert_eq!(begin(&visitor, conv, id_of(32), 10).await.status, 429);
    assert_eq!(begin(&li, conv, id_of(33), 10).await.status, 200);
    ask(&visitor, "DELETE", &path(conv, id_of(0)), Bytes::new()).await;
    assert_eq!(begin(&visitor, conv, id_of(32), 10).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_origin_may_send_them() {
    let server = Server::new().await;
    let path = path(ConvId([1; 16]), id_of(1));
    let headers = [("origin", "https://shop.example"), ("access-control-request-method", "PUT")];
    let preflight = http::ask(server.addr, "OPTIONS", &path, &headers, Bytes::new()).await.unwrap();
    assert_eq!(preflight.status, 204);
    let allowed = preflight.headers["access-control-allow-methods"].to_str().unwrap();
    assert!(["GET", "POST", "PUT", "DELETE"].iter().all(|method| allowed.contains(method)), "{allowed}");
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(["authorization", "content-type", "range"].iter().all(|name| allowed.contains(name)), "{allowed}");
}

#[tokio::test]
async fn a_backup_brings_files_along() {
    let company = Company::found().await;
    let server = Process::start(company.path());
    let me = Me::visitor("s1");
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    let conv = visitor.open().await;
    let content = content(PART + 7);
    let (msg, envelope) = sealed(&mut visitor, conv);
    upload(&visitor, conv, msg, &content).await;
    post(&mut visitor, conv, msg, envelope).await;
    // one that was not posted stays behind
    let (unposted, _) = sealed(&mut visitor, conv);
    upload(&visitor, conv, unposted, &content).await;

    let place = tempfile::tempdir().unwrap();
    let (backup, restored) = (place.path().join("all.backup"), place.path().join("restored"));
    let kefu = |dir: &Path, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        let done = command.args(["--json", "--data-dir"]).arg(dir).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<serde_json::Value>(&done.stdout).unwrap()
    };
    let file = backup.to_str().unwrap();
    assert_eq!(kefu(company.path(), &["backup", "--with-opaque-setup", file])["blobs"], 1);
    assert_eq!(kefu(company.path(), &["verify", file])["blobs"], 1);
    drop(server);
    assert_eq!(kefu(&restored, &["restore", file])["blobs"], 1);
    assert_eq!(files_in(restored.join("blobs")).len(), 1);
    let server = Process::start(&restored);
    let visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    assert_eq!(get(&visitor, conv, msg).await.body, content);
    assert_eq!(get(&visitor, conv, unposted).await.status, 404);
}

#[tokio::test]
async fn a_check_names_files_that_no_message_names_and_those_that_are_cut() {
    let company = Company::found().await;
    let server = Process::start(company.path());
    let me = Me::visitor("s1");
    let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
    let conv = visitor.open().await;
    let content = content(PART + 7);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let (msg, envelope) = sealed(&mut visitor, conv);
        upload(&visitor, conv, msg, &content).await;
        post(&mut visitor, conv, msg, envelope).await;
        assert_eq!(get(&visitor, conv, msg).await.body, content);
        sent.push(msg);
    }
    let (unposted, _) = sealed(&mut visitor, conv);
    upload(&visitor, conv, unposted, &content).await;
    let data = company.path();
    let verify = |file: Option<&Path>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        let command = command.args(["--json", "--data-dir"]).arg(data).arg("verify").args(file);
        let done = command.output().unwrap();
        (done.status.success(), serde_json::from_slice::<serde_json::Value>(&done.stdout).unwrap())
    };
    let (good, found) = verify(None);
    assert!(good, "{found}");
    assert_eq!([&found["files"]["count"], &found["files"]["unnamed"], &found["files"]["uploads"]], [2, 0, 1]);

    let path = |msg| data.join("blobs").join(&conv.to_string()[..2]).join(conv.to_string()).join(format!("{msg}"));
    let stray = kefu::proto::MsgId([9; 16]);
    std::fs::copy(path(sent[0]), path(stray)).unwrap();
    let (good, found) = verify(None);
    assert!(good, "it is no fault: {found}");
    assert_eq!(found["files"]["list"][0]["key"], format!("{conv}/{stray}"));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("all.backup");
    let mut backup = Command::new(env!("CARGO_BIN_EXE_kefu"));
    assert!(backup.args(["--data-dir"]).arg(data).arg("backup").arg(&file).output().unwrap().status.success());
    let (good, found) = verify(Some(&file));
    assert!(good && found["blobs"] == 3, "{found}");
    assert_eq!(found["unnamed"], serde_json::json!([format!("{conv}/{stray}")]));

    std::fs::write(path(sent[1]), "short").unwrap();
    // also without a server
    drop(server);
    let (good, found) = verify(None);
    assert!(!good);
    assert_eq!(found["faults"][0]["key"], format!("{conv}/{}", sent[1]), "{found}");
}

#[tokio::test]
async fn what_nobody_posted_for_a_day_is_gone_at_the_next_look() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    let (key, views) = (visitor.me.clone(), std::mem::take(&mut visitor.views));
    drop(visitor);
    let company = server.stopped().await;
    let blobs = BlobDirectory::open(&company.path().join("blobs")).unwrap();
    let now = crate::support::company::now_ms();
    for (n, begun_ms) in [(1, now - 25 * 3_600_000), (2, now - 23 * 3_600_000)] {
        let id = BlobId { conv, msg: id_of(n) };
        blobs.begin(id, Upload { sender: key.kid(), size: 20, begun_ms }).await.unwrap();
        blobs.append(id, 0, content(20)).await.unwrap();
    }
    drop(blobs);
    let server = Server::start(&company, config()).await;
    let mut visitor = Peer::connect(&server, &key).await;
    visitor.views = views;
    kefu_redis_link::testing::until("the old one is gone", async || {
        (begin(&visitor, conv, id_of(1), 20).await.json()["have"] == 0).then_some(())
    })
    .await;
    assert_eq!(begin(&visitor, conv, id_of(2), 20).await.json()["have"], 20);
}

#[tokio::test]
async fn parts_that_nobody_expects_are_limited_like_other_requests() {
    let mut config = config();
    config.limits.visitor_reads_per_minute = 20;
    let server = Server::start(&Company::found().await, config).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    let mut refused = None;
    for _ in 0..40 {
        let answer = put(&visitor, conv, id_of(1), 0, content(1)).await;
        refused = (answer.status == 429).then_some(answer);
        if refused.is_some() {
            break;
        }
    }
    assert!(refused.expect("a limit").json()["retry_ms"].as_u64().unwrap() > 0);
}
