//! The command line as people type it: sessions as text in `tests/cli`, and what text can't express.

mod backup;
mod bench;
mod certificates;
mod clocks;
mod coming;
mod liar;
mod links;
mod lying_socket;
mod models;
mod output;
mod places;
mod schema;
mod service;
mod serving;
mod waiting;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Each session has a data directory of its own and no terminal.
#[test]
fn sessions() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut files: Vec<_> = fs::read_dir(&cases).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "trycmd"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let tmp = tempfile::tempdir().unwrap();
        let data = tmp.path().join("data");
        let t = trycmd::TestCases::new();
        t.insert_var("[DATA]", data.to_str().unwrap().to_owned()).unwrap();
        t.env("KEFU_DATA_DIR", data.to_str().unwrap()).env("COLUMNS", "100").env("NO_COLOR", "1").env("TZ", "UTC");
        t.case(&file);
        t.run();
    }
}

/// A data directory and the executable.
struct Shell {
    tmp: tempfile::TempDir,
    /// Subdirectory.
    below: std::path::PathBuf,
}

impl Shell {
    fn new() -> Self {
        Self { tmp: tempfile::tempdir().unwrap(), below: "".into() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.tmp.path().join(&self.below).join(name)
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(args).stdin(Stdio::null()).env_remove("KEFU_DATA_DIR").env_remove("CREDENTIALS_DIRECTORY");
        command.arg("--data-dir").arg(self.path("data"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The JSON of a command that must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let out = self.run(&[args, &["--json"]].concat());
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stdout));
        serde_json::from_slice(&out.stdout).unwrap()
    }

    /// Exit code and kind of a command that must fail.
    fn fails(&self, args: &[&str]) -> (i32, String) {
        let out = self.run(&[args, &["--json"]].concat());
        let value: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert!(value["error"]["message"].as_str().is_some_and(|m| !m.is_empty()), "{value}");
        (out.status.code().unwrap(), value["error"]["kind"].as_str().unwrap().to_owned())
    }
}

/// A data directory that kefu accepts.
fn private_dir(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn secrets_are_for_their_owner_alone() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    assert_eq!(mode(&sh.path("data")), 0o700);
    for secret in ["company.keys", "opaque.setup", "tls/ca.key", "tls/server.pem", "kefu.redb"] {
        assert_eq!(mode(&sh.path("data").join(secret)), 0o600, "{secret}");
    }
    fs::set_permissions(sh.path("data"), fs::Permissions::from_mode(0o750)).unwrap();
    let out = sh.run(&["serve"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("next: chmod 700 "));
    assert_eq!(sh.run(&["doctor"]).status.code(), Some(1));
}

#[test]
fn sealed_keys_want_their_passphrase_and_no_other() {
    let sh = Shell::new();
    let right = sh.file("right", "correct horse battery\n");
    let wrong = sh.file("wrong", "incorrect horse\n");
    sh.json(&["init", "--passphrase-file", &right]);
    let text = fs::read_to_string(sh.path("data/company.keys")).unwrap();
    assert!(text.contains("\"sealed\": true"));
    assert_eq!(sh.fails(&["team", "add", "svc"]), (6, "needs_passphrase".into()));
    assert_eq!(sh.fails(&["team", "add", "svc", "--passphrase-file", &wrong]), (6, "needs_passphrase".into()));
    sh.json(&["team", "add", "svc", "--passphrase-file", &right]);
    // mistakes show before the passphrase is asked for
    assert_eq!(sh.fails(&["team", "add", "svc"]), (4, "already_exists".into()));
    assert_eq!(sh.fails(&["user", "add", "li", "--team", "scv"]), (1, "failure".into()));
}

#[test]
fn keys_made_elsewhere_never_come_to_the_server() {
    let (home, server) = (Shell::new(), Shell::new());
    let dir = home.path("vault");
    let made = home.json(&["init", "--name", "Bank", "--offline", dir.to_str().unwrap(), "--no-passphrase"]);
    assert!(made["invite"]["code"].as_str().is_some_and(|c| c.len() > 60));
    for file in ["public.json", "opaque.setup"] {
        fs::copy(dir.join(file), server.path(file)).unwrap();
    }
    let public = server.path("public.json");
    let there = server.json(&["init", "--from", public.to_str().unwrap()]);
    assert_eq!(there["org"], made["org"]);
    assert_eq!(there["keys"]["at"], "elsewhere");
    assert!(!server.path("data/company.keys").exists());
    assert_eq!(server.json(&["directory", "verify"])["pinned"], true);
    assert_eq!(server.json(&["user", "list"])["users"][0]["state"], "invited");
    assert_eq!(server.fails(&["team", "add", "svc"]).0, 1);
    let keys = dir.join("company.keys");
    server.json(&["team", "add", "svc", "--keys", keys.to_str().unwrap()]);
    // the keys of another company sign nothing here
    let other = Shell::new();
    other.json(&["init", "--no-passphrase"]);
    let keys = other.path("data/company.keys");
    assert_eq!(server.fails(&["team", "add", "x", "--keys", keys.to_str().unwrap()]).0, 1);
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let sh = Shell::new();
    let junk = sh.file("junk.pem", "hello");
    assert_eq!(sh.fails(&["init", "--no-passphrase", "--tls-cert", &junk, "--tls-key", &junk]).0, 1);
    assert!(!sh.path("data").exists());
    let config = sh.file("bad.toml", "[server]\nlisten = 7\n");
    assert_eq!(sh.fails(&["init", "--no-passphrase", "--config", &config]).0, 1);
    assert!(!sh.path("data").exists());
    sh.json(&["init", "--no-passphrase"]);
}

#[test]
fn commands_at_the_same_moment_wait_for_each_other() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    std::thread::scope(|scope| {
        for team in ["a", "b", "c", "d"] {
            let sh = &sh;
            scope.spawn(move || sh.json(&["team", "add", team]));
        }
    });
    assert_eq!(sh.json(&["team", "list"])["teams"].as_array().unwrap().len(), 4);
    assert_eq!(sh.json(&["directory", "verify"])["entries"], 6);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sh = Shell::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kefu"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&out.stderr).contains("panicked"));
    assert!(sh.run(&["completions", "zsh"]).status.success());
    let man = sh.path("man");
    sh.json(&["man", man.to_str().unwrap()]);
    assert!(man.join("kefu-user-add.1").exists());
}

#[tokio::test]
async fn a_person_comes_moves_goes_and_comes_back() {
    let sh = Shell::new();
    let data = sh.path("data");
    sh.json(&["init", "--no-passphrase"]);
    for team in ["svc", "sales"] {
        sh.json(&["team", "add", team]);
    }
    sh.json(&["team", "rotate", "svc"]);
    let invite = sh.json(&["user", "add", "li", "--name", "李娜", "--team", "svc"]);
    // rotating while the invite is open must reach it too
    sh.json(&["team", "rotate", "svc"]);
    let keys = coming::accept(&data, invite["invite"]["code"].as_str().unwrap()).await;
    assert_eq!(keys, [1, 2, 3].map(|epoch| ("svc".to_owned(), epoch)));

    let li = sh.json(&["user", "show", "li"]);
    assert_eq!((&li["state"], &li["name"], &li["teams"][0]), (&"active".into(), &"李娜".into(), &"svc".into()));
    assert_eq!(sh.json(&["team", "members", "svc"])["members"][0]["id"], "li");
    assert_eq!(sh.fails(&["user", "add", "li"]), (4, "already_exists".into()));
    assert_eq!(sh.fails(&["user", "enable", "li"]), (4, "already_exists".into()));
    assert_eq!(sh.json(&["user", "role", "li", "supervisor"])["role"], "supervisor");
    assert_eq!(sh.fails(&["user", "role", "li", "supervisor"]).0, 4);

    sh.json(&["user", "teams", "li", "--add", "sales", "--remove", "svc"]);
    assert_eq!(sh.json(&["user", "show", "li"])["teams"], serde_json::json!(["sales"]));
    assert_eq!(sh.json(&["team", "show", "svc"])["epoch"], 4, "a team that somebody left gets a new key");

    assert_eq!(sh.json(&["user", "disable", "li"])["rotated"], serde_json::json!(["sales"]));
    assert_eq!(sh.json(&["user", "show", "li"])["state"], "disabled");
    assert_eq!(sh.fails(&["user", "disable", "li"]).0, 4);
    let again = sh.json(&["user", "enable", "li"]);
    assert_eq!(again["invite"]["role"], "supervisor");
    let keys = coming::accept(&data, again["invite"]["code"].as_str().unwrap()).await;
    assert_eq!(keys, [1, 2].map(|epoch| ("sales".to_owned(), epoch)));
    assert_eq!(sh.json(&["user", "show", "li"])["keys"].as_array().unwrap().len(), 2);

    let lost = sh.json(&["user", "reset", "li"]);
    assert_eq!(sh.json(&["user", "show", "li"])["state"], "invited");
    coming::accept(&data, lost["invite"]["code"].as_str().unwrap()).await;
    assert_eq!(sh.json(&["directory", "verify"])["problem"], Value::Null);
}
