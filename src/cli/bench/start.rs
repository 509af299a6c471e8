//! `kefu bench start`: how long `kefu serve` takes until it answers, with many messages stored and after a kill.

use std::{
    fs::DirBuilder,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use super::{company::BenchCompany, populate::Amount, report::Report, server};
use crate::{files::open_or_create, loadgen::load_average};

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two tries to reach it: what the figure may be too long by.
const PAUSE: Duration = Duration::from_micros(500);

/// `kefu bench start`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    amount: Amount,
    /// Number of starts; each server is killed once it has answered
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Create the data directory here, on the disk to measure [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        let base = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = Dir(base.join(format!("kefu-bench-{}", std::process::id())));
        DirBuilder::new().mode(0o700).create(&dir.0).with_context(|| format!("cannot create {}", dir.0.display()))?;
        BenchCompany::found(&dir.0, &server::config(), 1).await?;
        eprintln!("storing {} messages in {} conversations", self.amount.messages, self.amount.conversations());
        populate(&dir.0, self.amount)?;
        eprintln!("starting {} times", self.rounds);
        let mut took = Vec::new();
        for _ in 0..self.rounds {
            took.push(start(&dir.0)?.as_secs_f64() * 1000.0);
        }
        took.sort_by(f64::total_cmp);
        Ok(Report {
            command: "start",
            stored_messages: Some(self.amount.messages),
            start_median_ms: Some(took[took.len() / 2]),
            start_slowest_ms: took.last().copied(),
            load_average: load_average(),
            ..Report::default()
        })
    }
}

/// A data directory, removed in the end.
struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed in the end: nothing is closed, as after a crash.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("cannot find this program")?))
}

fn populate(dir: &Path, amount: Amount) -> anyhow::Result<()> {
    let mut command = program()?;
    command.args(["bench", "fill", "--data-dir"]).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    command.args(["--messages", &amount.messages.to_string(), "--open", &amount.open.to_string()]);
    let mut filling = Killed(command.spawn().context("cannot start the process that fills the store")?);
    let mut line = String::new();
    if let Some(out) = filling.0.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    ensure!(line.trim() == "full", "the store was not filled; see the reason above");
    Ok(())
}

/// From the start of the process to the first answer.
fn start(dir: &Path) -> anyhow::Result<Duration> {
    // free a moment ago, so most likely still
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let log = dir.join("serve.log");
    let mut command = program()?;
    command.args(["serve", "--plain-http", "--listen", &address.to_string(), "--data-dir"]).arg(dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(open_or_create(&log, 0o600)?);
    let began = Instant::now();
    let mut server = Killed(command.spawn().context("cannot start the server")?);
    while !answers(address) {
        if began.elapsed() > PATIENCE || server.0.try_wait()?.is_some() {
            bail!("the server does not answer: {}", std::fs::read_to_string(&log).unwrap_or_default().trim());
        }
        // nothing reports from outside that it answers; and nobody unparks this thread
        std::thread::park_timeout(PAUSE);
    }
    Ok(began.elapsed())
}

fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        write!(socket, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        socket.read_exact(&mut head)?;
        Ok(head == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
