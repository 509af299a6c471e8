//! `kefu bench start`: how long `kefu serve` takes until it answers, with many messages stored and after a kill.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{
    company::BenchCompany,
    populate::{Content, fill},
    process::{Killed, program},
    report::Report,
    scratch::Scratch,
    server,
};
use crate::{files::open_or_create, loadgen::load_average};

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two tries to reach it: what the figure may be too long by.
const PAUSE: Duration = Duration::from_micros(500);

/// `kefu bench start`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stored messages, 40 in each conversation
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Conversations that are still open
    #[arg(long, default_value_t = 500)]
    open: u64,
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
        let dir = Scratch::new(self.dir.as_deref())?;
        BenchCompany::found(dir.path(), &server::config(), 1).await?;
        fill(dir.path(), Content { messages: self.messages, open: self.open, ..Content::default() }, false)?;
        eprintln!("starting {} times", self.rounds);
        let mut took = Vec::new();
        for _ in 0..self.rounds {
            took.push(start(dir.path())?.as_secs_f64() * 1000.0);
        }
        took.sort_by(f64::total_cmp);
        Ok(Report {
            command: "start",
            stored_messages: Some(self.messages),
            start_median_ms: Some(took[took.len() / 2]),
            start_slowest_ms: took.last().copied(),
            load_average: load_average(),
            ..Report::default()
        })
    }
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
