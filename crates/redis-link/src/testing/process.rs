//! One process: its directory, its port, its life.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::Host;

/// A server's process with a configuration file of its own.
pub(super) struct Process {
    directory: TempDir,
    host: Host,
    sentinel: bool,
    child: Child,
}

impl Process {
    /// Writes the configuration and starts.
    pub(super) fn start(host: &Host, configuration: &str, sentinel: bool) -> Self {
        // A Sentinel writes its state to disk again and again, also during a failover. Held up there for two seconds, it takes its
        // clock for broken and does nothing for half a minute (TILT mode).
        let memory = Path::new("/dev/shm");
        let parent = if sentinel && memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = TempDir::with_prefix_in("kefu-redis-", parent).expect("a temporary directory");
        fs::write(directory.path().join("server.conf"), configuration).expect("writing a configuration");
        let child = spawn(host, directory.path(), sentinel);
        Self { directory, host: host.clone(), sentinel, child }
    }

    /// Starts again, in the same directory, with the configuration that is there now.
    pub(super) fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.host, self.directory.path(), self.sentinel);
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// SIGKILL, and waits until it is dead.
    pub(super) fn kill(&mut self) {
        // an error means that it is dead already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process has a number");
        kill_process(pid, signal).expect("signalling a child");
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("asking for a child").is_some()
    }

    /// What it wrote.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            // the test that fails shows it
            println!("--- {}:\n{}", self.directory.path().display(), self.log());
        }
    }
}

fn spawn(host: &Host, directory: &Path, sentinel: bool) -> Child {
    let executable = std::env::var_os("KEFU_REDIS").unwrap_or_else(|| "redis-server".into());
    let log = File::options().create(true).append(true).open(directory.join("log")).expect("a log");
    let mut command = host.command(&executable);
    command.arg("server.conf").current_dir(directory).stdin(Stdio::null());
    if sentinel {
        command.arg("--sentinel");
    }
    command.stderr(log.try_clone().expect("a log")).stdout(log);
    command.spawn().unwrap_or_else(|e| {
        panic!(
            "cannot run {}: {e}. Install Redis 7 or Valkey (Debian: redis-server) or set KEFU_REDIS to its executable",
            executable.display()
        )
    })
}

/// A port of the loopback address that nobody uses now.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
