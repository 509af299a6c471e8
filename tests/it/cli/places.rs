//! Where data may be stored and who owns it.

use std::{
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, chown},
    },
    path::Path,
    process::Command,
};

use super::{Shell, serving::Server};

/// A Unix socket has an address of at most 107 bytes; a directory may have a longer path.
#[test]
fn a_data_directory_may_lie_as_deep_as_files_may() {
    let mut sh = Shell::new();
    let deep = sh.path("客服数据".repeat(8).as_str()).join("很深".repeat(20));
    fs::create_dir_all(&deep).unwrap();
    sh.below = deep.strip_prefix(sh.tmp.path()).unwrap().to_owned();
    assert!(sh.path("data/admin.sock").as_os_str().as_bytes().len() > 107);
    sh.json(&["init", "--no-passphrase"]);
    let server = Server::start(&sh);
    assert_eq!(sh.json(&["stats"])["running"], true);
    sh.json(&["team", "add", "svc"]);
    sh.json(&["healthcheck"]);

    // by another way to the same place
    let mut near = Command::new(env!("CARGO_BIN_EXE_kefu"));
    near.current_dir(sh.path("data")).args(["stats", "--json", "--data-dir", "."]).env_remove("KEFU_CONFIG");
    let out = near.output().unwrap();
    assert!(out.status.success());
    let stats: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(stats["running"], true);
    assert!(server.stop().success());
    assert_eq!(sh.json(&["team", "list"])["teams"].as_array().unwrap().len(), 1);
}

#[test]
fn files_of_somebody_else_are_found_by_doctor() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run: only root can give files away");
        return;
    }
    const NOBODY: u32 = 65_534;
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let found = || {
        let out = sh.run(&["doctor", "--json"]);
        let all: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        all["findings"].as_array().unwrap().iter().find(|f| f["check"] == "owners").cloned()
    };
    assert_eq!(found(), None);
    for file in ["tls/server.pem", "kefu.toml"] {
        let path = sh.path("data").join(file);
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        let finding = found().unwrap();
        assert_eq!(finding["level"], "problem");
        assert!(finding.to_string().contains(path.to_str().unwrap()), "{finding}");
        assert!(finding["next"].as_str().unwrap().starts_with("chown -R 0 "), "{finding}");
        chown(&path, Some(0), Some(0)).unwrap();
    }
    assert_eq!(found(), None);
}

#[test]
fn the_directory_of_files_is_looked_at_by_doctor() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let found = || -> Vec<String> {
        let out = sh.run(&["doctor", "--json"]);
        let all: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let findings = all["findings"].as_array().unwrap().iter().filter(|f| f["check"] == "files");
        findings.map(|f| format!("{}: {} → {}", f["level"], f["what"], f["next"])).collect()
    };
    assert!(found()[0].starts_with("\"ok\": ") && found()[0].contains("which the first file makes"), "{:?}", found());
    let blobs = sh.path("data").join("blobs");
    fs::create_dir_all(blobs.join("uploads")).unwrap();
    fs::set_permissions(&blobs, Permissions::from_mode(0o700)).unwrap();
    fs::write(blobs.join("boot"), "x").unwrap();
    assert!(found().len() == 1 && found()[0].starts_with("\"ok\": "), "{:?}", found());

    fs::write(blobs.join("holiday.jpg"), "x").unwrap();
    fs::set_permissions(&blobs, Permissions::from_mode(0o755)).unwrap();
    let [open, strange] = &found()[..] else { panic!("{:?}", found()) };
    assert!(open.starts_with("\"warning\"") && open.contains("chmod 700"), "{open}");
    assert!(strange.starts_with("\"warning\"") && strange.contains("holiday.jpg"), "{strange}");
    if rustix::process::geteuid().is_root() {
        chown(blobs.join("boot"), Some(65_534), Some(65_534)).unwrap();
        assert!(found().iter().any(|f| f.starts_with("\"problem\"") && f.contains("chown -R 0")), "{:?}", found());
    }
}

/// What root teaches, the server of another user must be able to read.
#[test]
fn what_root_adds_belongs_to_whom_the_data_belongs_to() {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run: only root is somebody else here");
        return;
    }
    const NOBODY: u32 = 65_534;
    let sh = Shell::new();
    fs::set_permissions(sh.path(""), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(sh.path("data")).unwrap();
    fs::set_permissions(sh.path("data"), Permissions::from_mode(0o700)).unwrap();
    chown(sh.path("data"), Some(NOBODY), Some(NOBODY)).unwrap();
    sh.json(&["init", "--no-passphrase", "--origin", "https://www.example.com"]);
    sh.json(&["knowledge", "add", "Where are you?", "In Beijing."]);
    fn all(dir: &Path, see: &mut dyn FnMut(&Path, u32)) {
        for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            see(&entry, fs::metadata(&entry).unwrap().uid());
            if entry.is_dir() {
                all(&entry, see);
            }
        }
    }
    let mut seen = 0;
    all(&sh.path("data"), &mut |path, uid| {
        seen += 1;
        assert_eq!(uid, NOBODY, "{}", path.display());
    });
    assert!(seen > 5 && sh.path("data/knowledge").is_dir());
}
