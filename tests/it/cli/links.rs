//! Links planted under every name that kefu writes in its data directory: none is followed, whichever user runs the command.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Shell;

/// `nobody` of every Linux.
const NOBODY: u32 = 65_534;

/// The server itself.
const SERVE: &[&str] = &["serve"];

/// Everything that is made in the data directory of a company that is there, and what makes or replaces it.
const WRITERS: [(&str, &[&str]); 19] = [
    ("company.keys", &["team", "add", "more"]),
    ("company.keys.seen", &["team", "add", "more"]),
    ("kefu.toml", SERVE),
    ("kefu.lock", SERVE),
    ("kefu.redb", SERVE),
    ("kefu.redb", &["team", "add", "more"]),
    ("admin.sock", SERVE),
    ("metrics.token", SERVE),
    ("tls/ca.pem", SERVE),
    ("tls/ca.key", SERVE),
    ("tls/server.pem", SERVE),
    ("tls/hosts", SERVE),
    ("robot/sign.key", SERVE),
    ("robot/day.keys", SERVE),
    ("robot/day.keys", &["robot", "rotate"]),
    ("knowledge/teach.lock", &["knowledge", "add", "多久到", "三天"]),
    ("knowledge/knowledge.json", &["knowledge", "add", "多久到", "三天"]),
    ("knowledge/knowledge.vec", &["knowledge", "add", "多久到", "三天"]),
    ("knowledge/model", &["model", "use", "--embedded"]),
];

/// What a new company needs.
const FOUNDED: [&str; 9] = [
    "company.keys",
    "opaque.setup",
    "kefu.toml",
    "kefu.redb",
    "tls",
    "tls/ca.key",
    "tls/ca.pem",
    "tls/server.pem",
    "tls/hosts",
];

/// A company in a directory of `nobody`, and a file that must never be changed.
struct Planted {
    sh: Shell,
    victim: PathBuf,
    /// Who runs the commands; none: root, who is the owner of the victim then.
    user: Option<u32>,
}

impl Planted {
    fn new(user: Option<u32>) -> Self {
        let sh = Shell::new();
        fs::set_permissions(sh.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let victim = sh.path("victim");
        fs::write(&victim, "mine").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        // a copy, as the build may be where only its owner has access
        copy(Path::new(env!("CARGO_BIN_EXE_kefu")), &sh.path("kefu"));
        let planted = Self { sh, victim, user };
        chown(&planted.victim, user, user).unwrap();
        fs::create_dir(planted.data()).unwrap();
        fs::set_permissions(planted.data(), fs::Permissions::from_mode(0o700)).unwrap();
        chown(planted.data(), Some(NOBODY), Some(NOBODY)).unwrap();
        planted
    }

    fn data(&self) -> PathBuf {
        self.sh.path("data")
    }

    /// Runs a command to its end; whether it may fail is another matter.
    fn run(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new(self.sh.path("kefu"));
        command.args(args).arg("--data-dir").arg(self.data()).current_dir("/").stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.output().unwrap()
    }

    fn good(&self, args: &[&str]) {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// Starts a server and stops it as soon as it has printed something, or lets it fail.
    fn serve(&self) {
        let mut command = Command::new(self.sh.path("kefu"));
        command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data()).current_dir("/");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        // it may have failed already
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM);
        child.wait().unwrap();
    }

    /// Replaces a name by a link to the victim, or to where nothing is.
    fn plant(&self, name: &str, to: &Path) {
        let path = self.data().join(name);
        let dir = path.parent().unwrap();
        if !dir.exists() {
            fs::create_dir(dir).unwrap();
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
            chown(dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path).unwrap();
        } else if path.is_symlink() || path.exists() {
            fs::remove_file(&path).unwrap();
        }
        symlink(to, &path).unwrap();
        std::os::unix::fs::lchown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }

    fn unharmed(&self, when: &str) {
        assert_eq!(fs::read_to_string(&self.victim).unwrap(), "mine", "{when}");
        assert_eq!(fs::metadata(&self.victim).unwrap().permissions().mode() & 0o777, 0o600, "{when}");
        assert!(!self.sh.path("absent").exists(), "{when}");
    }

    /// Nothing in the data directory belongs to anyone but its owner.
    fn all_its_owners(&self) {
        let mut all = vec![self.data()];
        while let Some(path) = all.pop() {
            let meta = fs::symlink_metadata(&path).unwrap();
            assert_eq!((meta.uid(), meta.gid()), (NOBODY, NOBODY), "{}", path.display());
            if meta.is_dir() {
                all.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        }
    }
}

/// By a separate process: a child that another test starts meanwhile would keep the file open for writing, and then nobody
/// can run it.
pub(super) fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Only root can create directories of others and change users.
fn root() -> bool {
    rustix::process::geteuid().is_root()
}

const INIT: [&str; 5] = ["init", "--no-passphrase", "--name", "Bank", "--host=localhost"];

fn founded(user: Option<u32>) -> Planted {
    let planted = Planted::new(user);
    planted.good(&INIT);
    planted.good(&["team", "add", "svc"]);
    planted.good(&["site", "add", "web", "--team", "svc", "--origin", "https://www.example.com"]);
    planted.good(&["robot", "on", "web"]);
    planted.serve();
    planted
}

#[test]
fn root_works_as_the_owner_of_the_directory_and_leaves_nothing_of_its_own() {
    if !root() {
        return;
    }
    let planted = founded(None);
    for (_, command) in WRITERS.iter().filter(|(_, command)| *command != SERVE) {
        planted.run(command);
    }
    planted.all_its_owners();
    // a file that only root may read can't be read any more, and the error says why
    let out = planted.run(&[
        "team",
        "add",
        "x",
        "--passphrase-file",
        planted.victim.to_str().unwrap(),
        "--keys",
        planted.victim.to_str().unwrap(),
    ]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("kefu runs as nobody here"), "{said}");
}

#[test]
fn a_directory_of_root_that_somebody_else_could_exchange_is_refused() {
    if !root() {
        return;
    }
    let planted = Planted::new(None);
    chown(planted.sh.path(""), Some(NOBODY), None).unwrap();
    chown(planted.data(), Some(0), Some(0)).unwrap();
    let out = planted.run(&INIT);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("chown -R 65534"), "{said}");
    assert_eq!(fs::read_dir(planted.data()).unwrap().count(), 0);
}

#[test]
fn no_planted_link_is_followed() {
    if !root() {
        return;
    }
    for user in [None, Some(NOBODY)] {
        for to in ["victim", "absent"] {
            // before there is a company
            for name in FOUNDED {
                let planted = Planted::new(user);
                planted.plant(name, &planted.sh.path(to));
                planted.run(&INIT);
                planted.unharmed(&format!("init with {name} -> {to}, as {user:?}"));
            }
        }
        // in a company that is there
        let planted = founded(user);
        let good = planted.sh.path("good");
        copy(&planted.data(), &good);
        for (name, command) in WRITERS {
            for to in ["victim", "absent"] {
                fs::remove_dir_all(planted.data()).unwrap();
                copy(&good, &planted.data());
                planted.plant(name, &planted.sh.path(to));
                if command == SERVE {
                    planted.serve();
                } else {
                    drop(planted.run(command));
                }
                planted.unharmed(&format!("{name} -> {to}, {command:?} as {user:?}"));
            }
        }
    }
}
