//! The real executable as a process of its own, so that it can be killed without a word.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
};

use kefu_redis_link::testing::Host;
use rustix::process::{Pid, Signal, kill_process};

/// Limits that no test meets by accident, and the shortest grace.
pub const CONFIG: &str = "\
[server]
connections_per_address = 10000
[desk]
grace_seconds = 5
[limits]
visitor_messages_per_minute = 100000
visitor_burst = 100000
address_messages_per_minute = 1000000
conversations_per_hour = 100000
agent_messages_per_minute = 100000
visitor_conversations_per_hour = 1000000
visitor_changes_per_hour = 1000000
address_changes_per_hour = 10000000
visitor_keys_per_hour = 1000000
address_keys_per_hour = 10000000
visitor_kb_per_day = 10000000
visitor_records_per_day = 10000000
address_records_per_day = 10000000
conversation_records = 10000000
visitor_reads_per_minute = 1000000
address_reads_per_minute = 10000000
agent_reads_per_minute = 1000000
address_mb_per_day = 1000000
conversation_mb = 100000
";

/// `kefu serve` on a data directory.
pub struct Process {
    child: Child,
    log: File,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Process {
    /// Starts it and waits until it answers.
    pub fn start(dir: &Path) -> Self {
        Self::start_with(dir, "")
    }

    /// The same with more in its configuration.
    pub fn start_with(dir: &Path, more: &str) -> Self {
        Self::start_at(&Host::local(), dir, more)
    }

    /// The same on a host of a network.
    pub fn start_at(host: &Host, dir: &Path, more: &str) -> Self {
        // over the network plain HTTP is for proxies only; the name of one is enough
        let proxies = "[server]\ntrusted_proxies = [\"198.19.255.254\"]\n";
        let usual = if *host == Host::local() { CONFIG.to_owned() } else { CONFIG.replace("[server]\n", proxies) };
        let (config, text) = (dir.join("kefu.toml"), usual + more);
        if fs::read_to_string(&config).ok().as_deref() != Some(&text) {
            fs::write(&config, &text).unwrap();
        }
        let log = File::options().create(true).append(true).read(true).open(dir.join("server.log")).unwrap();
        let listen = format!("{}:0", host.address());
        let mut child = host
            .command(env!("CARGO_BIN_EXE_kefu"))
            .args(["--json", "serve", "--plain-http", "--listen", &listen, "--data-dir"])
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(addr) = ready["listen"].as_str().and_then(|a| a.parse().ok()) else {
            out.read_to_string(&mut line).unwrap();
            panic!(
                "the server did not start: {line}{}",
                fs::read_to_string(dir.join("server.log")).unwrap_or_default()
            );
        };
        Self { child, log, addr }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGSTOP: it answers nothing and stays connected.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn cont(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid().cast_signed()).unwrap(), signal).unwrap();
    }

    /// Whether it runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL, and nothing left of it when this returns.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // the test that fails shows it, also if its directory is gone
            let mut text = String::new();
            let read = self.log.rewind().and_then(|()| self.log.read_to_string(&mut text));
            println!("--- the server at {}: {read:?}\n{text}", self.addr);
        }
    }
}
