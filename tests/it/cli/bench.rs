//! The load generator against a server that runs already, and the measurement of its start.

use std::{fs, process::Command};

use serde_json::{Value, json};

use super::{Shell, coming, mode, serving::Server};
use crate::support::child::Process;

impl Shell {
    fn bench(&self, server: &Process, what: &str, more: &[&str]) -> Value {
        let (url, agents) = (format!("http://{}", server.addr), self.path("agents.json"));
        let named = ["bench", what, "--url", &url, "--agents", agents.to_str().unwrap()];
        self.json(&[&named, more].concat())
    }
}

#[test]
fn a_server_that_runs_already_is_measured_with_agents_made_for_it() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    sh.json(&["team", "add", "svc"]);
    let server = Process::start(&sh.path("data"));
    let file = sh.path("agents.json");
    let prepare = ["bench", "prepare", "--agents", "4", "--out", file.to_str().unwrap()];
    assert_eq!(sh.json(&prepare)["agents"], 4);
    assert_eq!(mode(&file), 0o600);

    let run = ["--pairs", "4", "--rate", "80", "--seconds", "1"];
    let report = sh.bench(&server, "chat", &run);
    assert_eq!((&report["lost"], &report["doubled"]), (&json!(0), &json!(0)), "{report}");
    assert!(report["messages"].as_u64().unwrap() > 0, "{report}");
    // without access to the process, nothing is claimed about it
    assert_eq!(report["server_cpu_percent"], Value::Null);
    let seen = sh.bench(&server, "chat", &[&run[..], &["--pid", &server.pid().to_string()]].concat());
    assert!(seen["server_cpu_percent"].is_f64() && seen["lost"] == 0, "{seen}");
    // nothing waits for an agent who will never come back
    let desk = sh.json(&["stats"])["desk"].clone();
    assert_eq!((&desk["owned"], &desk["waiting"]), (&json!(0), &json!(0)));

    let idle = sh.bench(&server, "idle", &["--connections", "3", "--seconds", "1"]);
    assert_eq!((&idle["connections"], &idle["rss_bytes_per_connection"]), (&json!(3), &Value::Null));
    let storm = sh.bench(&server, "storm", &["--connections", "3"]);
    assert!(storm["all_back_seconds"].is_f64(), "{storm}");

    // after another run, the previous agents are off
    let before = fs::read(&file).unwrap();
    sh.json(&prepare);
    fs::write(&file, before).unwrap();
    let url = format!("http://{}", server.addr);
    let old = ["bench", "chat", "--url", &url, "--agents", file.to_str().unwrap(), "--pairs", "1", "--seconds", "1"];
    assert_eq!(sh.fails(&old).0, 1);
    sh.json(&["bench", "prepare", "--off"]);
    assert_eq!(sh.json(&["site", "show", "bench"])["on"], false);
    let users = sh.json(&["user", "list"])["users"].clone();
    assert!(users.as_array().unwrap().iter().all(|u| u["state"] != "active"), "{users}");
    assert!(sh.json(&["directory", "verify"])["entries"].as_u64().unwrap() > 10);
}

/// Most tests speak plain HTTP, as behind a proxy; this is what a server of its own certificate does.
#[test]
fn conversations_run_over_tls() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--host", "127.0.0.1"]);
    let server = Server::start_tls(&sh);
    let (url, agents, ca) = (format!("https://{}", server.addr), sh.path("agents.json"), sh.path("data/tls/ca.pem"));
    let (agents, ca) = (agents.to_str().unwrap(), ca.to_str().unwrap());
    sh.json(&["bench", "prepare", "--agents", "1", "--out", agents]);
    let run = ["bench", "chat", "--url", &url, "--ca", ca, "--agents", agents, "--pairs", "1", "--rate", "2"];
    let report = sh.json(&[&run[..], &["--seconds", "1"]].concat());
    assert_eq!((&report["lost"], &report["doubled"]), (&json!(0), &json!(0)), "{report}");
    assert!(report["messages"].as_u64().unwrap() > 0, "{report}");
    assert!(server.stop().success());
}

#[test]
fn a_person_in_the_team_of_the_generator_is_not_locked_out() {
    let sh = Shell::new();
    let founded = sh.json(&["init", "--no-passphrase", "--admin", "boss"]);
    let code = founded["invite"]["code"].as_str().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(coming::accept(&sh.path("data"), code));
    sh.json(&["team", "add", "bench"]);
    sh.json(&["user", "teams", "boss", "--add", "bench"]);
    let file = sh.path("agents.json");
    assert_eq!(sh.fails(&["bench", "prepare", "--out", file.to_str().unwrap()]).0, 1);
    assert!(!file.exists());
}

/// What a measurement with a server of its own reports. It leaves nothing behind.
fn measured(args: &[&str]) -> Value {
    let tmp = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    let out = command.args(["--json", "bench"]).args(args).arg("--dir").arg(tmp.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0, "something is left behind");
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn the_start_is_measured_with_a_store_that_was_killed() {
    let report = measured(&["start", "--messages", "1000", "--open", "5", "--rounds", "2"]);
    assert_eq!(report["stored_messages"], 1000);
    let ms = |key: &str| report[key].as_f64().unwrap();
    assert!(ms("start_median_ms") > 0.0 && ms("start_median_ms") <= ms("start_slowest_ms"));
}

#[test]
fn a_server_with_much_stored_is_measured_under_tls() {
    let run = ["--stored", "100", "--tls", "--seconds", "1"];
    let chat = measured(&[&["chat", "--pairs", "1", "--rate", "20", "--every", "1"], &run[..]].concat());
    assert_eq!((&chat["stored_messages"], &chat["lost"], &chat["doubled"]), (&json!(100), &json!(0), &json!(0)));
    assert_eq!(chat["intervals"][0]["messages"], chat["messages"], "{chat}");
    let idle = measured(&[&["idle", "--connections", "2"], &run[..]].concat());
    assert!(idle["stored_messages"] == 100 && idle["rss_bytes_per_connection"].is_f64(), "{idle}");
}
