//! What is measured: a server of our own with a company of its own, or one that runs already.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::{
    company::BenchCompany,
    machine,
    populate::{Content, fill},
    remote::Remote,
    scratch::Scratch,
    server::{self, Child},
};
use crate::{
    cli::out,
    client::{Address, Tls},
    data_dir,
    loadgen::{Process, ServerMeter, Target},
    tls::{self, CA_CERT},
};

/// What all measurements take.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// Server on core 0, generator on core 1 (with --url: only the generator)
    #[arg(long)]
    pub pin: bool,
    /// Fill the store with so many messages before the server starts, 40 in each conversation
    #[arg(long, value_name = "MESSAGES", conflicts_with = "url")]
    pub stored: Option<u64>,
    /// The server speaks TLS, with a certificate made for it
    #[arg(long, conflicts_with = "url")]
    pub tls: bool,
    /// Create the data directory here, on the disk to measure [default: the temporary directory]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub remote: Remote,
}

/// A running server. One of our own goes with its data when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it is, and who the generator may be there.
    pub target: Target,
    /// Measures the server's CPU time and memory.
    pub meter: ServerMeter,
    /// Whether it is ours.
    pub own: Option<Child>,
    /// What its store was filled with.
    pub stored: Option<u64>,
}

impl Server {
    /// Founds a company with so many agents and starts a server, or finds the one that was named.
    pub async fn start(args: &TargetArgs, agents: usize) -> anyhow::Result<Self> {
        Self::filled(args, agents, Content::default()).await
    }

    /// The same with a store that has this, and the messages that are asked for, in it.
    pub async fn filled(args: &TargetArgs, agents: usize, content: Content) -> anyhow::Result<Self> {
        if args.pin {
            machine::pin(1)?;
        }
        if let Some(target) = args.remote.find().await? {
            return Ok(Self { target, meter: meter(args.remote.pid)?, own: None, stored: None });
        }
        let dir = Scratch::new(args.dir.as_deref())?;
        let company = BenchCompany::found(dir.path(), &server::config(), agents).await?;
        let content = Content { messages: args.stored.unwrap_or(content.messages), ..content };
        let stored = Some(content.total()).filter(|_| content.conversations() > 0);
        if stored.is_some() {
            fill(dir.path(), content, true)?;
        }
        let authority = args.tls.then(|| certificate(dir.path())).transpose()?;
        let child = Child::start(dir, args.pin, args.tls)?;
        let address = Address { tls: authority, ..Address::plain(child.address) };
        let meter = meter(Some(child.pid()))?;
        let BenchCompany { site, agents, directory } = company;
        Ok(Self { target: Target { address, directory, site, agents }, meter, own: Some(child), stored })
    }
}

/// Makes a certificate for this machine in a data directory; clients believe its authority.
fn certificate(dir: &Path) -> anyhow::Result<Tls> {
    const HOST: &str = "127.0.0.1";
    let files = dir.join(data_dir::TLS);
    tls::make(&files, &[HOST.to_owned()], out::now_ms())?;
    Ok(Tls::new(HOST, &files.join(CA_CERT))?)
}

fn meter(pid: Option<u32>) -> anyhow::Result<ServerMeter> {
    let process = pid.map(Process);
    ensure!(process.is_none_or(Process::exists), "there is no process {} on this machine", pid.unwrap_or_default());
    Ok(ServerMeter(process))
}
