//! Webhooks of the real executable: what they are told, and that they are told once whatever dies.

use std::{fs, path::Path, process::Command, sync::Arc};

use kefu::proto::{AgentState, ConvId};
use kefu_notices::testing::{Act, Asked, Browser, Receiver, claims};
use kefu_redis_link::testing::RedisServer;
use serde_json::{Value, json};

use crate::{
    cluster::{config_for, joined},
    support::{
        child::Process,
        company::Company,
        http,
        peer::{Me, Peer},
    },
};

const WECOM_OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// A generic webhook to this machine, soon told, with its secret in a file.
fn webhook(dir: &Path, receiver: &Receiver, more: &str) -> String {
    let (url, secret) = (dir.join("hook.url"), dir.join("hook.secret"));
    fs::write(&url, receiver.url("/hook?token=not-for-the-log")).unwrap();
    fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    format!(
        "[[webhook]]\nname = \"crm\"\nurl_file = \"{}\"\nsecret_file = \"{}\"\nallow_private = true\n\
         after_seconds = 1\nnobody_after_seconds = 1\n{more}\n",
        url.display(),
        secret.display(),
    )
}

async fn peer(company: &Arc<Company>, server: &Process, me: &Me) -> Peer {
    Peer::try_connect(company, server.addr, me).await.expect("a welcome")
}

/// A visitor of a site who has written.
async fn waits(company: &Arc<Company>, server: &Process, site: &str) -> (Peer, ConvId) {
    let mut visitor = peer(company, server, &Me::visitor(site)).await;
    let conv = visitor.open().await;
    visitor.say(conv, "a text that nobody else may read").await;
    (visitor, conv)
}

/// What was told in all requests: event, team and conversations.
fn told(asked: &[Asked]) -> Vec<(String, String, Vec<String>)> {
    let groups = asked.iter().flat_map(|asked| asked.json()["notices"].as_array().cloned().unwrap_or_default());
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    groups
        .map(|g| {
            let convs = g["conversations"].as_array().unwrap().iter().map(text).collect();
            (text(&g["event"]), text(&g["team"]["id"]), convs)
        })
        .collect()
}

fn of(event: &str, asked: &[Asked]) -> Vec<(String, Vec<String>)> {
    told(asked).into_iter().filter(|t| t.0 == event).map(|t| (t.1, t.2)).collect()
}

fn kefu(dir: &Path, args: &[&str]) -> (bool, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_kefu")).args(["--data-dir"]).arg(dir).args(args).output().unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_once_also_after_a_kill() {
    let company = Company::found().await;
    let receiver = Receiver::start(Act::status(500));
    let more = webhook(company.path(), &receiver, "");
    let mut server = Process::start_with(company.path(), &more);
    let mut boss = peer(&company, &server, &Me::agent(&company, "boss")).await;
    boss.status(AgentState::Online).await;
    boss.status(AgentState::Busy).await;
    let (_visitor, conv) = waits(&company, &server, "s1").await;
    let failed = receiver.wait_async(2).await;
    assert_eq!(failed[0].headers["webhook-id"], failed[1].headers["webhook-id"], "tried again under one id");
    assert_eq!(failed[0].body, failed[1].body);
    server.kill();
    receiver.usually(Act::status(204));
    let before = receiver.asked().len();
    let server = Process::start_with(company.path(), &more);
    let asked = receiver.wait_async(before + 1).await;
    assert_eq!(asked[before].headers["webhook-id"], failed[0].headers["webhook-id"], "the queue was on disk");
    // who comes later is told of by themselves, in a message of their own
    let (_other, second) = waits(&company, &server, "s2").await;
    let asked = receiver.wait_async(before + 2).await;
    let all = of("waiting", &asked[before..]);
    assert_eq!(all, [("svc".to_owned(), vec![conv.to_string()]), ("vip".to_owned(), vec![second.to_string()])]);
    let text: String = asked.iter().map(|a| String::from_utf8_lossy(&a.body).into_owned()).collect();
    assert!(!text.contains("nobody else may read"));
    let log = fs::read_to_string(company.path().join("server.log")).unwrap();
    assert!(log.contains("a webhook failed; it is tried again") && log.contains("status 500"), "{log}");
    assert!(!log.contains("not-for-the-log") && !log.contains("MfKQ9r8GK"), "a secret is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_online_is_told_once_until_somebody_was() {
    let company = Company::found().await;
    let receiver = Receiver::start(Act::status(204));
    let more = webhook(company.path(), &receiver, "events = [\"nobody\"]\nteams = [\"svc\"]");
    let server = Process::start_with(company.path(), &more);
    let (_one, _) = waits(&company, &server, "s1").await;
    let (_vip, _) = waits(&company, &server, "s2").await;
    let asked = receiver.wait_async(1).await;
    assert_eq!(told(&asked), [("nobody".to_owned(), "svc".to_owned(), vec![])]);
    let notice = &asked[0].json()["notices"][0];
    assert_eq!((&notice["count"], &notice["site"]), (&json!(1), &Value::Null));
    // somebody comes, full of work, and goes again
    let mut li = peer(&company, &server, &Me::agent(&company, "li")).await;
    li.status(AgentState::Online).await;
    let taken = |f: &kefu::proto::ServerFrame| matches!(f, kefu::proto::ServerFrame::Offer { .. }).then_some(());
    li.frame(taken).await;
    stored(&company, |hook| hook["nobody"] == json!([])).await;
    li.status(AgentState::Offline).await;
    let asked = receiver.wait_async(2).await;
    assert_eq!(told(&asked).len(), 2, "{:?}", told(&asked));
}

/// Waits until what is stored of the webhook is so.
async fn stored(company: &Arc<Company>, so: impl Fn(&Value) -> bool) {
    while !so(&company.admin("GET", "/admin/webhooks").await[0]) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_what_works_and_what_does_not() {
    let company = Company::found().await;
    let receiver = Receiver::start(Act::ok(WECOM_OK));
    let dir = company.path().to_owned();
    let hook = |name: &str, url: &str, more: &str| {
        format!("[[webhook]]\nname = {name:?}\nkind = \"wecom\"\nurl = {url:?}\n{more}\n")
    };
    let inside = receiver.url("/send?key=a-secret-key");
    let config = hook("duty", &inside, "allow_private = true")
        + &hook("far", &inside.replace("http:", "https:"), "")
        + &hook("off", "https://no-such-host.invalid/x?key=a-secret-key", "");
    let _server = Process::start_with(&dir, &config);
    let (receiving, dir) = (receiver.clone(), dir.clone());
    tokio::task::spawn_blocking(move || {
        let (fine, said) = kefu(&dir, &["webhook", "test", "duty"]);
        assert!(fine && said.contains("took the test message"), "{said}");
        assert_eq!(receiving.wait(1)[0].json()["msgtype"], "text");
        receiving.then([Act::ok(r#"{"errcode":93000,"errmsg":"invalid webhook url a-secret-key"}"#)]);
        for (name, says) in [
            ("duty", "errcode 93000"),
            ("far", "which is an address of this machine"),
            ("off", "can't be resolved"),
            ("none", "there is no such webhook"),
        ] {
            let (fine, said) = kefu(&dir, &["webhook", "test", name]);
            assert!(!fine && said.contains(says) && !said.contains("a-secret-key"), "{name}: {said}");
        }
        let (fine, said) = kefu(&dir, &["webhook", "list"]);
        assert!(fine && said.contains("duty") && said.contains("waiting, nobody, missed"), "{said}");
        assert!(!said.contains("a-secret-key"), "{said}");
        let (_, said) = kefu(&dir, &["doctor"]);
        assert!(said.contains("3 configured, none fails"), "{said}");
        let (_, said) = kefu(&dir, &["stats"]);
        assert!(said.contains("3 configured, 0 notices wait"), "{said}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_tells_and_the_other_goes_on_when_it_dies() {
    let redis = RedisServer::start(&[]).await;
    let company = Company::found_on(&config_for(&redis)).await;
    let second = joined(company.path());
    let receiver = Receiver::start(Act::status(204));
    let more = format!("[storage]\nurl = {:?}\n", redis.url().to_string())
        + &webhook(company.path(), &receiver, "events = [\"waiting\"]");
    let start = |dir: &Path| {
        let (dir, more) = (dir.to_owned(), more.clone());
        tokio::task::spawn_blocking(move || Process::start_with(&dir, &more))
    };
    let mut first = start(company.path()).await.unwrap();
    let mut agent = peer(&company, &first, &Me::agent(&company, "boss")).await;
    agent.status(AgentState::Busy).await;
    let other = start(second.path()).await.unwrap();
    let (_one, conv) = waits(&company, &other, "s1").await;
    let asked = receiver.wait_async(1).await;
    assert_eq!(of("waiting", &asked), [("svc".to_owned(), vec![conv.to_string()])]);
    drop(agent);
    // killed sooner, it would be told again, under the same id
    stored(&company, |hook| hook["delivered"] == 1).await;
    first.kill();
    let (_two, next) = waits(&company, &other, "s2").await;
    let asked = receiver.wait_async(2).await;
    assert_eq!(
        of("waiting", &asked),
        [("svc".to_owned(), vec![conv.to_string()]), ("vip".to_owned(), vec![next.to_string()])],
        "the second server knows what the first told"
    );
}

/// Settings of pushes to this machine, soon sent.
const PUSH: &str = "[push]\nenabled = true\ncontact = \"mailto:it@example.com\"\nhosts = [\"127.0.0.1\"]\n\
                    allow_private = true\nafter_seconds = 1\n";

async fn post(server: &Process, path: &str, token: &str, body: &Value) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    http::ask(server.addr, "POST", path, &headers, body.to_string()).await.unwrap().status
}

async fn pushes(server: &Process, token: &str) -> Value {
    http::get(server.addr, "/api/v1/push", token).await.unwrap().json()
}

async fn an_agent_whose_console_is_closed_is_woken(company: &Arc<Company>, server: &Process) {
    let receiver = Receiver::start(Act::status(201));
    let mut li = peer(company, server, &Me::agent(company, "li")).await;
    li.status(AgentState::Online).await;
    let key = pushes(server, &li.token).await["key"].as_str().unwrap().to_owned();
    let (here, gone, left) = (Browser::new(), Browser::new(), Browser::new());
    for (browser, path) in [(&here, "/here"), (&gone, "/gone"), (&left, "/left")] {
        let subscription = serde_json::to_value(browser.subscription(receiver.url(path))).unwrap();
        assert_eq!(post(server, "/api/v1/push", &li.token, &subscription).await, 200);
    }
    // another host than those in the settings, and a visitor, get nothing
    let elsewhere = serde_json::to_value(left.subscription("http://localhost:9/x".into())).unwrap();
    assert_eq!(post(server, "/api/v1/push", &li.token, &elsewhere).await, 400);
    let stranger = peer(company, server, &Me::visitor("s1")).await;
    assert_eq!(post(server, "/api/v1/push", &stranger.token, &elsewhere).await, 403);
    let remove = json!({ "endpoint": receiver.url("/left") });
    assert_eq!(post(server, "/api/v1/push/remove", &li.token, &remove).await, 200);
    assert_eq!(pushes(server, &li.token).await["browsers"], 2);
    let token = li.token.clone();
    drop(li);
    receiver.usually(Act::status(410));
    let (_visitor, _) = waits(company, server, "s1").await;
    let asked = receiver.wait_async(2).await;
    let paths: std::collections::BTreeSet<_> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, ["/gone", "/here"].into(), "who signed out is not woken");
    for (browser, path) in [(here, "/here"), (gone, "/gone")] {
        let asked = asked.iter().find(|asked| asked.path == path).unwrap();
        assert_eq!(claims(asked, &key)["aud"], format!("http://{}", receiver.addr()));
        assert_eq!(browser.open(&asked.body), b"look");
    }
    // the push service knows neither any more
    while pushes(server, &token).await["browsers"] != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_wake_and_are_forgotten_with_a_key_that_stays() {
    let company = Company::found().await;
    let mut server = Process::start_with(company.path(), PUSH);
    an_agent_whose_console_is_closed_is_woken(&company, &server).await;
    let boss = peer(&company, &server, &Me::agent(&company, "boss")).await;
    let key = pushes(&server, &boss.token).await;
    server.kill();
    let server = Process::start_with(company.path(), PUSH);
    let boss = peer(&company, &server, &Me::agent(&company, "boss")).await;
    assert_eq!(pushes(&server, &boss.token).await, key);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(company.path().join("push.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_a_redis_push_under_one_key() {
    let redis = RedisServer::start(&[]).await;
    let company = Company::found_on(&config_for(&redis)).await;
    let second = joined(company.path());
    let more = format!("[storage]\nurl = {:?}\n{PUSH}", redis.url().to_string());
    let start = |dir: &Path| {
        let (dir, more) = (dir.to_owned(), more.clone());
        tokio::task::spawn_blocking(move || Process::start_with(&dir, &more))
    };
    let (one, two) = (start(company.path()).await.unwrap(), start(second.path()).await.unwrap());
    let boss = peer(&company, &one, &Me::agent(&company, "boss")).await;
    assert_eq!(pushes(&one, &boss.token).await, pushes(&two, &boss.token).await);
    assert!(!company.path().join("push.key").exists(), "it is in Redis, sealed");
    drop(boss);
    an_agent_whose_console_is_closed_is_woken(&company, &two).await;
}
