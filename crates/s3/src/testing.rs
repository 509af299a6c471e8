//! A real server for tests: `rclone serve s3` on a temporary directory and a free port of the loopback address, killed when
//! dropped. It checks signatures. The executable is what `KEFU_RCLONE` names, else the one that `packaging/test-tools.sh` installs,
//! else `rclone` on the path (1.65 or newer). Without one, tests fail.
//!
//! All functions panic with a sentence when something does not come about in time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

use std::{
    fs::{self, File, Permissions},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{Bucket, Endpoint, Key, Place};

/// The id of the key that servers know.
pub const KEY_ID: &str = "KEFUTEST";
/// Its secret.
pub const SECRET: &str = "a+secret/of=40+characters/as+AWS+makes01";
/// The bucket that servers have.
pub const BUCKET: &str = "files-of-tests";

/// A server with one bucket.
pub struct S3Server {
    directory: TempDir,
    port: u16,
    /// Certificate and key, PEM files.
    tls: Option<(PathBuf, PathBuf)>,
    child: Child,
}

impl S3Server {
    /// Starts one and waits until it answers.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same with TLS: the files of its certificate and key.
    pub async fn start_tls(certificate: &Path, key: &Path) -> Self {
        Self::start_with(Some((certificate.to_owned(), key.to_owned()))).await
    }

    async fn start_with(tls: Option<(PathBuf, PathBuf)>) -> Self {
        loop {
            let directory = TempDir::with_prefix("kefu-s3-").expect("a temporary directory");
            fs::create_dir_all(directory.path().join("data").join(BUCKET)).expect("a bucket");
            fs::write(directory.path().join("key"), format!("{KEY_ID}\n{SECRET}\n")).expect("a key file");
            fs::set_permissions(directory.path().join("key"), Permissions::from_mode(0o600)).expect("a private file");
            let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
            let child = spawn(directory.path(), port, tls.as_ref());
            let mut server = Self { directory, port, tls: tls.clone(), child };
            if server.answers().await {
                return server;
            }
            // somebody was quicker to take the port; anything else is the test's mistake
            assert!(server.log().contains("address already in use"), "the server ended at once:\n{}", server.log());
        }
    }

    /// Waits until it accepts connections or ends.
    async fn answers(&mut self) -> bool {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            if self.child.try_wait().expect("asking for a child").is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            assert!(Instant::now() < end, "no S3 server after a minute:\n{}", self.log());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its address, as `storage.s3_endpoint` has it.
    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.tls.is_some() { "https" } else { "http" }, self.port)
    }

    /// The file with its key.
    pub fn key_file(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// Its bucket below a prefix.
    pub fn bucket(&self, prefix: &str) -> Bucket {
        self.bucket_as(prefix, SECRET)
    }

    /// The same with another secret.
    pub fn bucket_as(&self, prefix: &str, secret: &str) -> Bucket {
        let endpoint = Endpoint::new(&self.endpoint(), None).expect("our own address");
        let place: Place = format!("s3://{BUCKET}/{prefix}").parse().expect("a right prefix");
        Bucket::new(endpoint, place, "us-east-1".to_owned(), Key::parse(&format!("{KEY_ID}\n{secret}")).expect("a key"))
    }

    /// All objects of the bucket, as files.
    pub fn objects(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, all: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                if entry.path().is_dir() { walk(&entry.path(), all) } else { all.push(entry.path()) }
            }
        }
        let mut all = Vec::new();
        walk(&self.directory.path().join("data").join(BUCKET), &mut all);
        all.sort();
        all
    }

    /// SIGKILL, and waits until it is dead.
    pub fn kill(&mut self) {
        // an error means that it is dead already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it if it runs, starts it on the same port with the same objects, and waits until it answers.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.directory.path(), self.port, self.tls.as_ref());
        assert!(self.answers().await, "the server did not start again:\n{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            // the test that fails shows it
            println!("--- {}:\n{}", self.directory.path().display(), self.log());
        }
    }
}

fn executable() -> PathBuf {
    if let Some(named) = std::env::var_os("KEFU_RCLONE") {
        return named.into();
    }
    let installed = std::env::home_dir().unwrap_or_default().join(".cache/kefu/test-tools/bin/rclone");
    if installed.exists() { installed } else { "rclone".into() }
}

fn spawn(directory: &Path, port: u16, tls: Option<&(PathBuf, PathBuf)>) -> Child {
    let executable = executable();
    let log = File::options().create(true).append(true).open(directory.join("log")).expect("a log");
    let mut command = Command::new(&executable);
    command.args(["serve", "s3", "--config", "/dev/null", "--addr", &format!("127.0.0.1:{port}")]);
    command.arg("--auth-key").arg(format!("{KEY_ID},{SECRET}"));
    if let Some((certificate, key)) = tls {
        command.arg("--cert").arg(certificate).arg("--key").arg(key);
    }
    command.arg(directory.join("data")).stdin(Stdio::null());
    command.stderr(log.try_clone().expect("a log")).stdout(log);
    command.spawn().unwrap_or_else(|e| {
        panic!(
            "cannot run {}: {e}. packaging/test-tools.sh installs rclone; or set KEFU_RCLONE to its executable, 1.65 or newer",
            executable.display()
        )
    })
}
