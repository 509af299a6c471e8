//! What is measured: a server of our own with a company of its own, or one that runs already.

use std::path::PathBuf;

use anyhow::ensure;

use super::{
    company::BenchCompany,
    machine,
    remote::Remote,
    server::{self, Child},
};
use crate::{
    client::Address,
    loadgen::{Process, ServerMeter, Target},
};

/// What all measurements take.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// Server on core 0, generator on core 1 (with --url: only the generator)
    #[arg(long)]
    pub pin: bool,
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
}

impl Server {
    /// Founds a company with so many agents and starts a server, or finds the one that was named.
    pub async fn start(args: &TargetArgs, agents: usize) -> anyhow::Result<Self> {
        if args.pin {
            machine::pin(1)?;
        }
        if let Some(target) = args.remote.find().await? {
            return Ok(Self { target, meter: meter(args.remote.pid)?, own: None });
        }
        let base = args.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = base.join(format!("kefu-bench-{}", std::process::id()));
        let company = BenchCompany::found(&dir, &server::config(), agents).await?;
        let child = Child::start(dir, args.pin)?;
        let (address, meter) = (Address::plain(child.address), meter(Some(child.pid()))?);
        let BenchCompany { site, agents, directory } = company;
        Ok(Self { target: Target { address, directory, site, agents }, meter, own: Some(child) })
    }
}

fn meter(pid: Option<u32>) -> anyhow::Result<ServerMeter> {
    let process = pid.map(Process);
    ensure!(process.is_none_or(Process::exists), "there is no process {} on this machine", pid.unwrap_or_default());
    Ok(ServerMeter(process))
}
