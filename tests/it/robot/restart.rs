//! SIGKILL between a question and its answer: it is answered once, not twice and not never.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use kefu::app::{self, ServeOptions};

use super::*;
use crate::support::peer::Me;

const DIR: &str = "KEFU_TEST_ROBOT_DIR";
const HOLD: &str = "KEFU_TEST_ROBOT_HOLD";
const STORAGE: &str = "KEFU_TEST_ROBOT_STORAGE";

/// Reports when it is asked, and then does as configured.
struct Loud(Script);

impl DecisionEngine for Loud {
    fn decide(&self, turn: &TurnInput<'_>) -> Decision {
        println!("asked {}", turn.text);
        self.0.decide(turn)
    }
}

/// Not a test by itself: the server of the test below, in a process that can be killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test below"]
async fn a_server_of_its_own() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let engine = Loud(Script::default());
    if std::env::var_os(HOLD).is_some() {
        engine.0.hold();
    }
    let (data_dir, engine) = (dir.into(), Some(Arc::new(engine) as _));
    let mut config = config();
    if let Ok(url) = std::env::var(STORAGE) {
        config.storage.url = url;
    }
    let options =
        ServeOptions { data_dir, config, listener: None, engine, knowledge: None, patience: Default::default() };
    app::serve(options, std::future::pending(), |ready| println!("listens {}", ready.listen)).await.unwrap();
}

/// A server with a robot, in a process of its own.
pub struct Process {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Process {
    fn start(dir: &Path, hold: bool) -> Self {
        Self::start_on(dir, None, hold)
    }

    /// Starts one; `storage`: where the company is, if it is in no file. If it holds, its robot thinks forever.
    pub fn start_on(dir: &Path, storage: Option<&str>, hold: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "robot::restart::a_server_of_its_own", "--ignored", "--nocapture"]);
        command.env(DIR, dir).stdin(Stdio::null()).stdout(Stdio::piped());
        if hold {
            command.env(HOLD, "1");
        }
        if let Some(url) = storage {
            command.env(STORAGE, url);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, lines, addr: ([127, 0, 0, 1], 0).into() };
        process.addr = process.line("listens ").parse().unwrap();
        process
    }

    /// The rest of the next line that begins so.
    pub fn line(&mut self, begin: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the server ended");
            // the harness writes the name of the test before the first line
            if let Some(at) = line.find(begin) {
                return line[at + begin.len()..].trim().to_owned();
            }
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_answers_what_was_not_answered_and_nothing_twice() {
    // the robot is put on its site by a server that stops gracefully
    let server = server_with(&Script::new()).await;
    let day = day_key(&server, "s1").await.unwrap();
    let company = server.stopped().await;
    let me = Me::visitor("s1");

    let mut process = Process::start(company.path(), true);
    let mut visitor = Peer::try_connect(&company, process.addr, &me).await.unwrap();
    let (conv, frame) = opening(&visitor, Some(day.x.0));
    visitor.ask(frame).await.unwrap();
    visitor.record(conv, 3).await;
    visitor.say(conv, "first").await;
    assert_eq!(process.line("asked "), "first");
    process.kill();

    let views = visitor.views;
    let mut process = Process::start(company.path(), false);
    let mut visitor = Peer::try_connect(&company, process.addr, &me).await.unwrap();
    visitor.views = views;
    visitor.follow(conv).await;
    assert_eq!(hear_robot(&mut visitor, conv, 1).await[0]["text"], "re: first");
    process.kill();

    // answered, and killed right after it: the next one finds nothing to do until the visitor writes
    let views = visitor.views;
    let mut process = Process::start(company.path(), false);
    let mut visitor = Peer::try_connect(&company, process.addr, &me).await.unwrap();
    visitor.views = views;
    visitor.follow(conv).await;
    visitor.say(conv, "second").await;
    hear_robot(&mut visitor, conv, 2).await;
    assert_eq!(process.line("asked "), "second", "the first is not thought of again");
    process.kill();
    let texts: Vec<_> = robot_said(&mut visitor, conv).iter().map(|b| b["text"].clone()).collect();
    assert_eq!(texts, ["re: first", "re: second"]);
}

#[tokio::test]
async fn what_was_asked_while_it_answered_something_else_is_not_lost() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    engine.hold();
    visitor.say(conv, "one").await;
    engine.asked(1).await;
    visitor.say(conv, "two").await;
    engine.let_one();
    hear_robot(&mut visitor, conv, 1).await;
    // its answer follows both questions, and it works on the second when the server ends
    engine.asked(2).await;
    let (me, views) = (visitor.me.clone(), visitor.views);
    let company = server.stopped().await;
    engine.release();
    let next = Script::new();
    let server = Server::start_with(&company, config(), Some(next.clone())).await;
    let mut visitor = Peer::connect(&server, &me).await;
    visitor.views = views;
    visitor.follow(conv).await;
    let said = hear_robot(&mut visitor, conv, 2).await;
    assert_eq!([&said[0]["text"], &said[1]["text"]], ["re: one", "re: two"]);
    assert_eq!(next.heard(), ["two"]);
}
