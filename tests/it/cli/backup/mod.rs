//! Backups: whole while messages are written, restored where nothing was, and without the secrets that do not belong there.

mod damage;
mod stored;

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use kefu::proto::ConvId;
use serde_json::Value;
use tokio::sync::watch;

use super::{Shell, mode, serving};
use crate::support::{
    child::Process,
    company::Company,
    peer::{Me, Peer},
};

/// A command on a data directory.
fn kefu(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    command.args(args).arg("--data-dir").arg(data).stdin(Stdio::null());
    command.output().unwrap()
}

/// The JSON of a command that must succeed.
fn json(data: &Path, args: &[&str]) -> Value {
    let out = kefu(data, &[args, &["--json"]].concat());
    let stdout = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{args:?}: {stdout}{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_str(&stdout).unwrap()
}

/// Exit code and message of a command that must fail.
fn error(data: &Path, args: &[&str]) -> (i32, String) {
    let out = kefu(data, &[args, &["--json"]].concat());
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    (out.status.code().unwrap(), value["error"]["message"].as_str().unwrap_or_default().to_owned())
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What visitors have had acknowledged.
#[derive(Default)]
struct Acknowledged {
    last: Mutex<BTreeMap<ConvId, u64>>,
    count: watch::Sender<u64>,
    enough: AtomicBool,
}

/// A visitor who writes until it is enough; who they are, and what they hold then.
async fn write_on(
    company: Arc<Company>,
    server: std::net::SocketAddr,
    acked: Arc<Acknowledged>,
) -> (Me, ConvId, Vec<Bytes>) {
    let me = Me::visitor("s1");
    let mut visitor = Peer::try_connect(&company, server, &me).await.unwrap();
    let conv = visitor.open().await;
    while !acked.enough.load(Ordering::Relaxed) {
        let seq = visitor.say(conv, "a word more").await;
        acked.last.lock().unwrap().insert(conv, seq);
        acked.count.send_modify(|n| *n += 1);
    }
    let records = visitor.view(conv).records.clone();
    (me, conv, records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_what_was_acknowledged_before_and_clients_read_on_after_a_restore() {
    let company = Company::found().await;
    let mut server = Process::start(company.path());
    let acked = Arc::new(Acknowledged::default());
    let writers: Vec<_> = (0..4).map(|_| tokio::spawn(write_on(company.clone(), server.addr, acked.clone()))).collect();
    let mut count = acked.count.subscribe();
    count.wait_for(|n| *n > 100).await.unwrap();
    let before = acked.last.lock().unwrap().clone();
    let (data, place) = (company.path().to_owned(), tempfile::tempdir().unwrap());
    let dir = place.path().to_owned();
    let made = tokio::task::spawn_blocking(move || json(&data, &["backup", dir.to_str().unwrap()])).await.unwrap();
    let then = *count.borrow_and_update();
    count.wait_for(|n| *n > then + 20).await.unwrap();
    acked.enough.store(true, Ordering::Relaxed);
    let mut visitors = Vec::new();
    for writer in writers {
        visitors.push(writer.await.unwrap());
    }
    server.kill();

    let file = Path::new(made["file"].as_str().unwrap()).to_owned();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert_eq!(names(place.path()), [name]);
    assert!(name.starts_with("kefu-2") && name.ends_with("Z.backup") && name.len() == 28, "{name}");
    assert_eq!((mode(&file), made["conversations"].as_u64()), (0o600, Some(4)));

    let new = place.path().join("new");
    let file = file.to_str().unwrap();
    assert_eq!(json(&new, &["restore", file])["records"], made["records"]);
    fs::copy(company.path().join("opaque.setup"), new.join("opaque.setup")).unwrap();
    let found = json(&new, &["verify"]);
    assert_eq!((found["faults"].as_array().unwrap().len(), &found["structure"]), (0, &"valid".into()), "{found}");
    assert_eq!(found["records"], made["records"]);

    let server = Process::start(&new);
    let mut agent = Peer::try_connect(&company, server.addr, &Me::agent(&company, "chen")).await.unwrap();
    let mut fewer = 0;
    for (me, conv, records) in visitors {
        let mut visitor = Peer::try_connect(&company, server.addr, &me).await.unwrap();
        visitor.follow(conv).await;
        agent.follow(conv).await;
        let restored = visitor.view(conv).records.clone();
        assert!(restored.len() as u64 >= before[&conv], "an acknowledged message is missing");
        assert_eq!(restored, records[..restored.len()]);
        assert_eq!(agent.view(conv).records, restored);
        fewer += records.len() - restored.len();
        assert_eq!(visitor.say(conv, "again").await, restored.len() as u64 + 1);
    }
    assert!(fewer > 0, "nothing was written after the backup: a weak test");
    // what is running can be verified, too
    let found = json(&new, &["verify"]);
    assert_eq!(found["faults"].as_array().unwrap().len(), 0, "{found}");
    assert!(found["structure"].as_str().unwrap().starts_with("not checked"));
}

/// Every run of 20 characters of the secret values in a file of keys.
fn secrets_in(path: &Path) -> Vec<Vec<u8>> {
    fn strings(value: &Value, name: &str, found: &mut Vec<Vec<u8>>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| strings(value, name, found)),
            Value::Array(values) => values.iter().for_each(|value| strings(value, name, found)),
            Value::String(text) if ["keys", "seed", "sk"].contains(&name) => {
                found.extend(text.as_bytes().windows(20).map(<[u8]>::to_vec));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    strings(&serde_json::from_slice(&fs::read(path).unwrap()).unwrap(), "", &mut found);
    assert!(!found.is_empty(), "a weak test: {}", path.display());
    found
}

#[test]
fn secrets_that_are_kept_elsewhere_are_not_in_a_backup() {
    let sh = Shell::new();
    let data = sh.path("data");
    sh.json(&["init", "--no-passphrase", "--origin", "https://www.example.com"]);
    sh.json(&["robot", "on", "web"]);
    let server = serving::Server::start(&sh);
    let (plain, with) = (sh.path("plain"), sh.path("with"));
    let made = sh.json(&["backup", plain.to_str().unwrap()]);
    assert_eq!(made["missing"], serde_json::json!(["opaque.setup", "company.keys", "keys of the robot"]));
    sh.json(&["backup", with.to_str().unwrap(), "--with-opaque-setup"]);
    server.stop();
    let setup = fs::read(data.join("opaque.setup")).unwrap();
    for (file, has_setup) in [(&plain, false), (&with, true)] {
        let archive = fs::read(file).unwrap();
        let has = |secret: &[u8]| archive.windows(secret.len()).any(|window| window == secret);
        assert_eq!((has(&setup), has(&setup[..16])), (has_setup, has_setup));
        assert!(has(b"PRIVATE KEY"), "the certificate's key is needed after a restore");
        let keys = ["company.keys", "robot/sign.key", "robot/day.keys"];
        let secrets: Vec<_> = keys.iter().flat_map(|name| secrets_in(&data.join(name))).collect();
        assert!(!secrets.iter().any(|secret| has(secret)));
    }
}

#[test]
fn a_restore_without_opaque_setup_says_what_is_missing_and_works_with_it() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--origin", "https://www.example.com"]);
    fs::create_dir_all(sh.path("data/knowledge/model")).unwrap();
    fs::write(sh.path("data/knowledge/model/config.json"), "{}").unwrap();
    let file = sh.path("b");
    // no server is running
    sh.json(&["backup", file.to_str().unwrap()]);
    let (old, new) = (sh.path("data"), sh.path("deep/new"));
    let restored = json(&new, &["restore", file.to_str().unwrap()]);
    assert_eq!(restored["missing"], serde_json::json!(["opaque.setup", "company.keys"]));
    let told = kefu(&sh.path("told"), &["restore", file.to_str().unwrap()]);
    let told = String::from_utf8(told.stdout).unwrap();
    for line in
        ["install -m 600 COPY-OF-opaque.setup", "kefu verify", "kefu robot on SITE", "company.keys is in no backup"]
    {
        assert!(told.contains(line), "{told}");
    }
    let told = String::from_utf8(sh.run(&["backup", file.to_str().unwrap()]).stdout).unwrap();
    for line in ["read back and valid", "not in it  opaque.setup: a restore needs it", "company.keys: keep two copies"]
    {
        assert!(told.contains(line), "{told}");
    }
    for (name, expected) in [
        ("", 0o700),
        ("tls", 0o700),
        ("tls/server.pem", 0o600),
        ("kefu.toml", 0o644),
        ("kefu.redb", 0o600),
        ("knowledge/model/config.json", 0o600),
    ] {
        assert_eq!(mode(&new.join(name)), expected, "{name}");
    }
    for name in ["kefu.toml", "tls/ca.pem", "tls/ca.key", "knowledge/model/config.json"] {
        assert_eq!(fs::read(new.join(name)).unwrap(), fs::read(old.join(name)).unwrap(), "{name}");
    }
    for command in [&["serve"][..], &["verify"], &["stats"], &["backup", "x"]] {
        let (code, message) = error(&new, command);
        assert!(code == 3 && message.contains("no opaque.setup"), "{message}");
    }
    fs::copy(old.join("opaque.setup"), new.join("opaque.setup")).unwrap();
    assert_eq!(json(&new, &["directory", "verify"])["org"], sh.json(&["directory", "verify"])["org"]);
    json(&new, &["verify"]);
}

#[test]
fn only_an_empty_directory_without_a_server_is_restored_to() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let file = sh.file("b", "");
    fs::remove_file(&file).unwrap();
    sh.json(&["backup", &file]);
    assert_eq!(sh.fails(&["restore", &file]), (4, "already_exists".into()));
    let server = serving::Server::start(&sh);
    assert_eq!(sh.fails(&["restore", &file]), (5, "conflict".into()));
    server.stop();
    let other = sh.path("other");
    super::private_dir(&other);
    json(&other, &["restore", &file]);
    let full = sh.path("full");
    super::private_dir(&full);
    fs::write(full.join("mine"), "text").unwrap();
    let (code, message) = error(&full, &["restore", &file]);
    assert!(code == 4 && message.contains("it contains mine"), "{message}");
    assert_eq!(names(&full), ["mine"]);
    // an existing file is replaced only by a backup's successor
    let precious = sh.file("precious", "text");
    assert_eq!(sh.fails(&["backup", &precious]), (4, "already_exists".into()));
    sh.json(&["backup", &file]);
}

#[test]
fn the_database_is_restored_where_the_configuration_says() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let (elsewhere, file) = (sh.path("elsewhere.redb"), sh.path("b"));
    fs::rename(sh.path("data/kefu.redb"), &elsewhere).unwrap();
    fs::rename(sh.path("data/kefu.redb.wal"), sh.path("elsewhere.redb.wal")).unwrap();
    let config = format!("[storage]\nurl = \"redb:{}\"\n", elsewhere.display());
    fs::write(sh.path("data/kefu.toml"), config).unwrap();
    sh.json(&["backup", file.to_str().unwrap()]);
    let new = sh.path("new");
    let (_, message) = error(&new, &["restore", file.to_str().unwrap()]);
    assert!(message.contains("elsewhere.redb already exists"), "{message}");
    assert!(!new.exists());
    fs::remove_file(&elsewhere).unwrap();
    fs::remove_dir_all(sh.path("elsewhere.redb.wal")).unwrap();
    let made = json(&new, &["restore", file.to_str().unwrap()]);
    assert_eq!(made["database"], elsewhere.to_str().unwrap());
    assert!(elsewhere.exists() && !new.join("kefu.redb").exists());
    fs::copy(sh.path("data/opaque.setup"), new.join("opaque.setup")).unwrap();
    json(&new, &["verify"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_command_that_goes_away_leave_the_server_unharmed() {
    let company = Company::found().await;
    let server = Process::start(company.path());
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    let long = "x".repeat(60_000);
    for _ in 0..30 {
        visitor.say(conv, &long).await;
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("b");
    // no file of the command may have more than 512 KiB
    let out = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" backup \"$1\" --data-dir \"$2\" --json"])
        .arg(env!("CARGO_BIN_EXE_kefu"))
        .arg(&file)
        .arg(company.path())
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(value["error"]["message"].as_str().unwrap().starts_with("cannot write "), "{value}");
    assert_eq!(names(place.path()), Vec::<String>::new());

    // the server may not have noticed yet that the command is gone; a refusal ends with the connection
    let gone = loop {
        let mut gone = UnixStream::connect(company.path().join("admin.sock")).unwrap();
        gone.write_all(b"GET /admin/dump HTTP/1.1\r\nhost: kefu\r\nconnection: close\r\n\r\n").unwrap();
        if gone.read_exact(&mut [0; 1000]).is_ok() {
            break gone;
        }
    };
    // while that one is read, there is no other
    let (_, message) = error(company.path(), &["backup", file.to_str().unwrap()]);
    assert!(message.contains("another backup or check"), "{message}");
    drop(gone);
    // the server notices it when it writes on
    while !kefu(company.path(), &["backup", file.to_str().unwrap()]).status.success() {}
    assert_eq!(json(company.path(), &["verify"])["conversations"], 1);
    visitor.say(conv, "still there").await;
}
