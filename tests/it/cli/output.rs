//! What a command prints reaches its reader, or the command fails.

use std::{fs::File, process::Stdio};

use super::Shell;

/// `/dev/full` takes nothing, like a disk that is full.
#[test]
fn output_that_cannot_be_written_fails_the_command() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--origin", "https://www.example.com"]);
    for (args, next) in [
        (&["site", "snippet", "web"][..], "ask again"),
        (&["knowledge", "export"], "ask again"),
        (&["site", "list", "--json"], "ask again"),
        (&["completions", "bash"], "ask again"),
        (&["--help"], "ask again"),
        (&["user", "add", "li"], "kefu user invite revoke li"),
        (&["user", "add", "wang", "--json"], "kefu user invite revoke wang"),
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let out = sh.command(args).stdout(Stdio::from(full)).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("no space left on device") && said.contains(next), "{args:?}: {said}");
    }
    // the printed way to get the code again works
    sh.json(&["user", "invite", "revoke", "li"]);
    assert!(sh.json(&["user", "add", "li"])["invite"]["code"].as_str().is_some_and(|c| c.len() > 60));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let sh = Shell::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let out = sh.command(&["completions", "bash"]).stdout(writer).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
