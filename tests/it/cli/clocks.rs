//! A machine whose clock is behind what the company signed: reported before anything is signed there, with what to do.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use kefu::{
    app::Admin,
    config::Config,
    crypto::{directory::Directory, keyfile::CompanyKeys},
    org::{AdminView, acts::Signer},
};

use super::Shell;
use crate::support::company::now_ms;

const HOUR: u64 = 3_600_000;

/// Signs an act by a clock that is so far ahead of this machine's: this one is behind then.
async fn signed_elsewhere(sh: &Shell, ahead: u64) {
    let data = sh.path("data");
    let keys = CompanyKeys::from_text(&fs::read_to_string(data.join("company.keys")).unwrap(), None).unwrap();
    let admin = Admin::connect(&data, &Config::default()).await.unwrap();
    let view: AdminView = serde_json::from_value(admin.call("GET", "/admin/export", None).await.unwrap()).unwrap();
    let directory = Directory::replay(keys.fp(), &view.entries, view.snapshot.as_ref()).unwrap();
    let signer = Signer::new(directory, &view, &keys, now_ms() + ahead).unwrap();
    let commit = signer.team_add(&"svc".parse().unwrap(), "Service").unwrap();
    admin.call("POST", "/admin/commit", Some(serde_json::to_value(commit).unwrap())).await.unwrap();
    admin.close().await;
}

#[tokio::test]
async fn one_that_is_behind_is_named_by_every_command_that_goes_by_it() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--name", "Bank"]);
    let told = |sh: &Shell, args: &[&str]| String::from_utf8(sh.run(args).stderr).unwrap();
    assert!(!told(&sh, &["user", "add", "li"]).contains("clock"));
    signed_elsewhere(&sh, 20 * HOUR).await;

    let said = told(&sh, &["user", "add", "zhao", "--team", "svc"]);
    assert!(said.contains("warning: this machine's clock is 20 h behind") && said.contains("timedatectl"), "{said}");
    let doctor = sh.run(&["doctor"]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("behind the newest directory entry") && !doctor.status.success(), "{said}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--plain-http", "--data-dir"]).arg(sh.path("data"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let warned = lines.find_map(|line| line.ok().filter(|l| l.contains("clock")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(warned.unwrap().contains("behind the newest directory entry"));
}
