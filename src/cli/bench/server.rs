//! The server under measurement: a process of its own, so that its cost can be read from outside.
//!
//! It is the same server as `kefu serve`; only the limits that protect it from one address are raised, since the
//! generator is one address.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::PathBuf,
    process::{self, Stdio},
};

use anyhow::{Context as _, bail};

use super::{machine, process::program, scratch::Scratch};
use crate::{
    app::{Admin, ServeOptions, runtime, serve},
    config::{Config, Files, Limits},
};

/// How long an agent may be away, seconds: conversations stay with their owners for the whole measurement.
const GRACE: u32 = 24 * 3_600;

/// `kefu bench server`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data directory of the company
    #[arg(long)]
    data_dir: PathBuf,
    /// Run on this core only
    #[arg(long)]
    core: Option<usize>,
    /// Speak TLS, with the certificate in the data directory
    #[arg(long)]
    tls: bool,
}

/// The settings it runs with.
pub fn config() -> Config {
    let mut config = Config::default();
    config.server.plain_http = true;
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.max_connections = 1_000_000;
    config.server.connections_per_address = 1_000_000;
    config.limits = Limits::none();
    config.files =
        Files { max_mb: 2_000, visitor_mb_per_day: 1_000_000, address_mb_per_day: 1_000_000, ..Files::default() };
    // what a filled store has of the past stays as it is
    (config.conversations.close_after_idle_hours, config.conversations.missed_after_days) = (0, 0);
    config.desk.grace_seconds = GRACE;
    config
}

impl Args {
    /// Serves until standard input ends: with the generator, that is.
    pub fn run(self) -> anyhow::Result<()> {
        if let Some(core) = self.core {
            machine::pin(core)?;
        }
        machine::raise_open_files()?;
        let runtime = runtime()?;
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(end);
        });
        let mut config = config();
        config.server.plain_http = !self.tls;
        let options = ServeOptions {
            data_dir: self.data_dir,
            config,
            listener: None,
            engine: None,
            knowledge: None,
            patience: Default::default(),
        };
        let served = runtime.block_on(serve(options, async { drop(ended.await) }, |ready| {
            println!("{}", ready.listen);
            let _ = std::io::stdout().flush();
        }));
        Ok(served?)
    }
}

/// A child process; dropping this ends it and removes its data directory.
#[derive(Debug)]
pub struct Child {
    /// Where it listens.
    pub address: SocketAddr,
    process: process::Child,
    dir: Scratch,
}

impl Child {
    /// Starts the server on a founded company.
    pub fn start(dir: Scratch, pin: bool, tls: bool) -> anyhow::Result<Self> {
        let mut command = program()?;
        command.args(["bench", "server", "--data-dir"]).arg(dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        if pin {
            command.args(["--core", "0"]);
        }
        if tls {
            command.arg("--tls");
        }
        let mut process = command.spawn().context("cannot start the server")?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let Ok(address) = line.trim().parse() else {
            let _ = process.kill();
            bail!("the server did not start; see its output above");
        };
        Ok(Self { address, process, dir })
    }

    /// Makes it bring its log to its database; returns whether it did.
    pub async fn settle(&self) -> bool {
        match Admin::connect(self.dir.path(), &config()).await {
            Ok(admin) => admin.call("POST", "/admin/checkpoint", None).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
