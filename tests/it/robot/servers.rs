//! The robot of a company with several servers, over a real Redis: each server is the robot of the conversations whose visitors let in
//! one of its day keys, wherever they are connected.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kefu::{
    proto::{ServerFrame, Side},
    robot::{
        engine::{LazyEngine, RobotFiles},
        policy::Policy,
    },
};
use kefu_redis_link::testing::RedisServer;

use super::{restart::Process, *};
use crate::cluster::{config_for, joined};

/// Six seconds until a server counts as gone, three of grace, and what a busy machine takes.
const SOON: Duration = Duration::from_secs(20);
/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(1);

/// Asks again and again until there is an answer.
async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, asking).await.expect("waited in vain")
}

/// The day key that a server gives to visitors once it has one.
async fn own_day_key(server: &Server) -> DayKey {
    eventually(async || day_key(server, "s1").await).await
}

/// Two servers with a robot on `s1`, each with its own day keys.
struct Two {
    one: Server,
    other: Server,
    engines: [Arc<Script>; 2],
    second: tempfile::TempDir,
    _redis: RedisServer,
}

impl Two {
    async fn start() -> Self {
        let redis = RedisServer::start(&[]).await;
        let company = Company::found_on(&config_for(&redis)).await;
        let second = joined(company.path());
        let engines = [Script::new(), Script::new()];
        let one = Server::start_with(&company, config_for(&redis), Some(engines[0].clone())).await;
        robot_on(&company, &["s1"]).await;
        let other =
            Server::start_beside_with(&company, second.path(), config_for(&redis), Some(engines[1].clone())).await;
        Self { one, other, engines, second, _redis: redis }
    }

    /// A visitor at a server, with the robot of a server that is perhaps another.
    async fn opened(&self, at: &Server, day: &DayKey) -> (Peer, ConvId) {
        let mut visitor = Peer::visitor(at).await;
        let conv = open_for(&mut visitor, day).await;
        (visitor, conv)
    }
}

/// Opens a conversation with this robot in it. A server may not have heard yet of a key that another one has just made.
async fn open_for(visitor: &mut Peer, day: &DayKey) -> ConvId {
    let conv = loop {
        let (conv, frame) = opening(visitor, Some(day.x.0));
        match visitor.ask(frame).await {
            Ok(()) => break conv,
            Err((code, why)) => assert_eq!(code, ErrorCode::DirectoryStale, "{why}"),
        }
    };
    visitor.record(conv, 3).await;
    conv
}

/// The same visitor at another server.
async fn moved(visitor: Peer, conv: ConvId, to: &Server) -> Peer {
    let (me, views) = (visitor.me.clone(), visitor.views);
    let mut visitor = Peer::connect(to, &me).await;
    visitor.views = views;
    visitor.follow(conv).await;
    visitor
}

fn texts(said: &[Value]) -> Vec<&str> {
    said.iter().filter_map(|body| body["text"].as_str()).collect()
}

#[tokio::test]
async fn whoever_a_visitor_is_connected_to_the_robot_they_let_in_answers_once() {
    let two = Two::start().await;
    let (first, second) = (own_day_key(&two.one).await, own_day_key(&two.other).await);
    assert_eq!(first.bot, second.bot, "one robot");
    assert_ne!(first.x, second.x, "and two day keys, neither of which leaves its server");
    assert!(!two.second.path().join("robot/sign.key").exists());
    let keys = fs::read_to_string(two.second.path().join("robot/day.keys")).unwrap();
    assert!(!secrets(&two.one.company).iter().any(|key| keys.contains(&b64u(key.bytes()))));

    let (mut visitor, conv) = two.opened(&two.one, &first).await;
    visitor.say(conv, "hello").await;
    hear_robot(&mut visitor, conv, 1).await;
    let mut visitor = moved(visitor, conv, &two.other).await;
    two.engines[0].hold();
    visitor.say(conv, "still there?").await;
    let typing = |on| {
        move |f: &ServerFrame| {
            matches!(f, ServerFrame::Typing { side: Side::Agent, user: None, on: now, .. } if *now == on).then_some(())
        }
    };
    visitor.frame(typing(true)).await;
    two.engines[0].release();
    assert_eq!(texts(&hear_robot(&mut visitor, conv, 2).await), ["re: hello", "re: still there?"]);
    visitor.frame(typing(false)).await;
    assert_eq!(two.engines[0].heard(), ["hello", "still there?"]);
    assert!(two.engines[1].heard().is_empty());

    // a page got its key at one server and its socket at the other: the answer comes from where the key is
    let (mut other, conv) = two.opened(&two.one, &second).await;
    other.say(conv, "across").await;
    assert_eq!(texts(&hear_robot(&mut other, conv, 1).await), ["re: across"]);
    assert_eq!(two.engines[1].heard(), ["across"]);
    other.say(conv, "person").await;
    other.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut other, conv), [(Owner::Robot, OwnerWhy::Open), (Owner::Queue, OwnerWhy::Handoff)]);
}

#[tokio::test]
async fn all_servers_replace_their_day_keys_and_erase_them_with_the_robot() {
    let two = Two::start().await;
    let old = [own_day_key(&two.one).await, own_day_key(&two.other).await];
    let (mut visitor, conv) = two.opened(&two.one, &old[1]).await;
    visitor.say(conv, "hello").await;
    hear_robot(&mut visitor, conv, 1).await;

    let status = admin(&two.one.company, "GET", "/admin/robot").await;
    let holding = |status: &Value| {
        let servers = status["servers"].as_array().unwrap().iter();
        servers.filter(|s| s["alive"] == true && s["day_keys"].as_array().is_some_and(|keys| !keys.is_empty())).count()
    };
    assert_eq!((&status["shared"], holding(&status)), (&Value::Bool(true), 2));

    admin(&two.one.company, "POST", "/admin/robot/rotate").await;
    for (server, old) in [&two.one, &two.other].into_iter().zip(&old) {
        eventually(async || day_key(server, "s1").await.filter(|key| key.x != old.x)).await;
    }
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv).len(), 2, "handed over once");

    robot_off(&two.one.company, &["s1"]).await;
    for (server, dir) in [(&two.one, two.one.company.path()), (&two.other, two.second.path())] {
        eventually(async || day_key(server, "s1").await.is_none().then_some(())).await;
        crate::support::until(|| fs::read_dir(dir.join("robot")).unwrap().count() == 0).await;
    }
    assert_eq!(robot_on(&two.one.company, &["s1"]).await.as_str(), "robot-2");
    for server in [&two.one, &two.other] {
        assert_eq!(own_day_key(server).await.bot.as_str(), "robot-2");
    }
}

#[tokio::test]
async fn two_servers_that_hold_the_same_key_give_one_answer() {
    let redis = RedisServer::start(&[]).await;
    let company = Company::found_on(&config_for(&redis)).await;
    let engines = [Script::new(), Script::new()];
    let one = Server::start_with(&company, config_for(&redis), Some(engines[0].clone())).await;
    robot_on(&company, &["s1"]).await;
    let day = own_day_key(&one).await;
    // a data directory that was copied with everything in it
    let second = joined(company.path());
    fs::DirBuilder::new().mode(0o700).create(second.path().join("robot")).unwrap();
    let copy = second.path().join("robot/day.keys");
    fs::copy(key_file(&company, "day.keys"), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    let two = Server::start_beside_with(&company, second.path(), config_for(&redis), Some(engines[1].clone())).await;
    assert_eq!(own_day_key(&two).await, day);

    let mut visitor = Peer::visitor(&one).await;
    let conv = open_for(&mut visitor, &day).await;
    for n in 1..=5 {
        engines.iter().for_each(|engine| engine.hold());
        visitor.say(conv, &format!("question {n}")).await;
        for engine in &engines {
            crate::support::until(|| engine.heard().iter().any(|text| text.ends_with(&format!("question {n}")))).await;
        }
        // both have decided; either may be the first
        let order = if n % 2 == 0 { [0, 1] } else { [1, 0] };
        order.iter().for_each(|n| engines[*n].release());
        hear_robot(&mut visitor, conv, n).await;
    }
    let said = robot_said(&mut visitor, conv);
    let wanted: Vec<String> = (1..=5).map(|n| format!("re: question {n}")).collect();
    assert_eq!(texts(&said), wanted);
    // one decides about less than the other
    engines.iter().for_each(|engine| engine.hold());
    visitor.say(conv, "one").await;
    for engine in &engines {
        crate::support::until(|| engine.heard().last().is_some_and(|text| text == "one")).await;
    }
    visitor.say(conv, "two").await;
    engines.iter().for_each(|engine| engine.release());
    let said = hear_robot(&mut visitor, conv, 7).await;
    assert_eq!(texts(&said)[5..], ["re: one", "re: two"]);
    // it leaves once, too
    visitor.say(conv, "person").await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv).len(), 2);
    assert_eq!(robot_said(&mut visitor, conv).len(), 9, "words and the hand-over, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_back_soon_goes_on_and_one_that_stays_away_leaves_its_conversations_to_people() {
    let redis = RedisServer::start(&[]).await;
    let company = Company::found_on(&config_for(&redis)).await;
    let (second, url) = (joined(company.path()), redis.url().to_string());
    let two = Server::start_with(&company, config_for(&redis), Some(Script::new())).await;
    robot_on(&company, &["s1"]).await;
    own_day_key(&two).await;
    let start = || {
        let (dir, url) = (second.path().to_owned(), url.clone());
        tokio::task::spawn_blocking(move || Process::start_on(&dir, Some(&url), false))
    };
    let mut one = start().await.unwrap();
    let day = served_by(&one, &company).await;
    let mut visitor = Peer::visitor(&two).await;
    let conv = open_for(&mut visitor, &day).await;
    visitor.say(conv, "hello").await;
    hear_robot(&mut visitor, conv, 1).await;

    one.kill();
    visitor.say(conv, "are you back?").await;
    let mut one = start().await.unwrap();
    let said = hear_robot(&mut visitor, conv, 2).await;
    assert_eq!(texts(&said), ["re: hello", "re: are you back?"]);
    assert_eq!(visitor.view(conv).owner, Owner::Robot);

    one.kill();
    let died = Instant::now();
    visitor.say(conv, "and now?").await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    println!("with people {:?} after the death", died.elapsed());
    assert!(died.elapsed() < SOON);
    let handed = [(Owner::Robot, OwnerWhy::Open), (Owner::Queue, OwnerWhy::Handoff)];
    assert_eq!(owners(&mut visitor, conv), handed);
    // it comes back to a conversation that is not its own any more
    let one = start().await.unwrap();
    served_by(&one, &company).await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv), handed);
    assert_eq!(robot_said(&mut visitor, conv).len(), 2);
}

/// The day key of a server in another process.
async fn served_by(server: &Process, company: &Company) -> DayKey {
    let signed: SignedDayKey = eventually(async || {
        let answer = http::get(server.addr, "/api/v1/site/s1", "").await?.json();
        serde_json::from_value(answer.get("bot")?.clone()).ok()
    })
    .await;
    let key = signed.verify(&company.directory(), &id("s1"), now_ms()).unwrap();
    company.learn_day(key.box_kid(), key.x.0);
    key
}

/// The content of all files in a directory and below.
fn everything_in(dir: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        content.extend(if path.is_dir() { everything_in(&path) } else { fs::read(&path).unwrap_or_default() });
    }
    content
}

/// Runs a command of the executable; what it printed, as JSON.
async fn kefu(dir: &Path, args: &[&str], url: &str) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(args).arg("--json").arg("--data-dir").arg(dir).env("KEFU_STORAGE__URL", url).stdin(Stdio::null());
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    if out.status.success() { serde_json::from_slice(&out.stdout).map_err(|_| text) } else { Err(text) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_is_taught_on_one_machine_it_answers_on_all() {
    let redis = RedisServer::start(&[]).await;
    let config = config_for(&redis);
    let company = Company::found_on(&config).await;
    let (second, third) = (joined(company.path()), joined(company.path()));
    let url = redis.url().to_string();
    let engine = || {
        let policy = Policy::new(&config.robot).unwrap();
        Arc::new(LazyEngine::new(RobotFiles::of(second.path()), policy))
    };
    let two = Server::start_beside_with(&company, second.path(), config.clone(), Some(engine())).await;
    // no server runs on these two machines
    let add = ["knowledge", "add", "Where is the crimson lighthouse?", "Behind the old mill.", "--id", "mill"];
    kefu(third.path(), &add, &url).await.unwrap();
    robot_on(&company, &["s1"]).await;
    let day = own_day_key(&two).await;
    let knows = || {
        fs::read_to_string(second.path().join("knowledge/knowledge.json"))
            .is_ok_and(|text| text.contains("crimson lighthouse"))
    };
    crate::support::until(knows).await;
    let mut visitor = Peer::visitor(&two).await;
    let conv = open_for(&mut visitor, &day).await;
    visitor.say(conv, "Where is the crimson lighthouse?").await;
    assert_eq!(texts(&hear_robot(&mut visitor, conv, 1).await), ["Behind the old mill."]);

    // the next machine continues what the one before it taught, and the running server learns that, too
    let list = kefu(company.path(), &["knowledge", "list"], &url).await.unwrap();
    assert_eq!(list["entries"].as_array().map(Vec::len), Some(1), "{list}");
    kefu(company.path(), &["knowledge", "edit", "mill", "--answer", "It was pulled down."], &url).await.unwrap();
    let edited = || {
        fs::read_to_string(second.path().join("knowledge/knowledge.json"))
            .is_ok_and(|text| text.contains("pulled down"))
    };
    crate::support::until(edited).await;
    // nothing of it is in Redis in clear
    let stored = everything_in(redis.directory());
    let holds = |word: &str| stored.windows(word.len()).any(|found| found == word.as_bytes());
    assert!(holds("robot-key") && holds("robot-knowledge"));
    for word in ["crimson", "lighthouse", "pulled down", "\"seed\"", "\"sk\""] {
        assert!(!holds(word), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_robot_and_what_it_knows_move_with_the_company_and_back() {
    let (redis, engine) = (RedisServer::start(&[]).await, Script::new());
    let server = server_with(&engine).await;
    let company = server.company.clone();
    kefu(company.path(), &["knowledge", "add", "Where?", "Here."], "redb:").await.unwrap();
    let day = own_day_key(&server).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = open_for(&mut visitor, &day).await;
    visitor.say(conv, "in the file").await;
    hear_robot(&mut visitor, conv, 1).await;
    server.stopped().await;

    let url = redis.url().to_string();
    fs::write(company.path().join("kefu.toml"), "[storage]\nurl = \"redb:\"\n").unwrap();
    done(company.path(), &["move", "--to", &url]).await;
    let server = Server::start_with(&company, config_for(&redis), Some(engine.clone())).await;
    let mut visitor = moved(visitor, conv, &server).await;
    visitor.say(conv, "in Redis").await;
    assert_eq!(texts(&hear_robot(&mut visitor, conv, 2).await), ["re: in the file", "re: in Redis"]);
    assert_eq!(own_day_key(&server).await, day);
    // another server finds the robot and its knowledge
    let second = joined(company.path());
    let other = Server::start_beside_with(&company, second.path(), config_for(&redis), Some(Script::new())).await;
    assert_eq!(own_day_key(&other).await.bot, day.bot);
    crate::support::until(|| second.path().join("knowledge/knowledge.json").exists()).await;
    kefu(second.path(), &["knowledge", "add", "And now?", "There."], &url).await.unwrap();
    other.stopped().await;
    server.stopped().await;

    done(company.path(), &["move", "--to", "redb:"]).await;
    let knowledge = fs::read_to_string(company.path().join("knowledge/knowledge.json")).unwrap();
    assert!(knowledge.contains("And now?"), "taught at the other server");
    let server = Server::start_with(&company, config(), Some(engine.clone())).await;
    let mut visitor = moved(visitor, conv, &server).await;
    visitor.say(conv, "and back").await;
    assert_eq!(texts(&hear_robot(&mut visitor, conv, 3).await)[2], "re: and back");
    assert_eq!(own_day_key(&server).await, day);
}

/// Runs a command that must succeed, with the configuration of the data directory.
async fn done(dir: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(args).arg("--data-dir").arg(dir).stdin(Stdio::null());
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
