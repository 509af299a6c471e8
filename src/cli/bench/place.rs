//! What is measured: a server of our own with a company of its own, or one that runs already.

use std::path::PathBuf;

use anyhow::ensure;

use super::{
    company::BenchCompany,
    dial::Address,
    machine::{self, Process},
    remote::Remote,
    server::{self, Child},
    terms::Target,
};
use crate::{crypto::sign::SigningKey, proto::SiteId};

/// What all measurements take.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Server on core 0, generator on core 1 (with --url: the generator alone)
    #[arg(long)]
    pub pin: bool,
    /// Make the data directory here, on the disk to be measured [default: the temporary directory]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub remote: Remote,
}

/// A running server, and who the generator may be there. A server of our own goes with its data when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where clients go.
    pub target: Target,
    /// Whose visitors they are.
    pub site: SiteId,
    /// Keys of agents of the site's team.
    pub agents: Vec<SigningKey>,
    /// What it costs.
    pub meter: Meter,
    /// Whether it is ours.
    pub own: Option<Child>,
}

impl Server {
    /// Founds a company with so many agents and starts a server, or finds the one that was named.
    pub async fn start(place: &Place, agents: usize) -> anyhow::Result<Self> {
        if place.pin {
            machine::pin(1)?;
        }
        if let Some((target, site, agents)) = place.remote.find().await? {
            let meter = Meter::of(place.remote.pid)?;
            return Ok(Self { target, site, agents, meter, own: None });
        }
        let base = place.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = base.join(format!("kefu-bench-{}", std::process::id()));
        let company = BenchCompany::found(&dir, &server::config(), agents).await?;
        let child = Child::start(dir, place.pin)?;
        let (socket, directory) = (child.address, company.directory);
        Ok(Self {
            target: Target { at: Address { socket, host: socket.to_string(), tls: None }, directory },
            site: company.site,
            agents: company.agents,
            meter: Meter::of(Some(child.pid()))?,
            own: Some(child),
        })
    }
}

/// What a server costs, if it can be seen from here.
#[derive(Debug, Clone, Copy)]
pub struct Meter(Option<Process>);

impl Meter {
    fn of(pid: Option<u32>) -> anyhow::Result<Self> {
        let process = pid.map(Process);
        ensure!(process.is_none_or(Process::exists), "there is no process {} on this machine", pid.unwrap_or_default());
        Ok(Self(process))
    }

    /// Whether it can be seen.
    pub fn sees(self) -> bool {
        self.0.is_some()
    }

    /// Processor time used so far, seconds.
    pub fn cpu_seconds(self) -> Option<f64> {
        self.0.map(Process::cpu_seconds)
    }

    /// Processor time used since it was `before`, seconds.
    pub fn cpu_since(self, before: Option<f64>) -> Option<f64> {
        Some(self.cpu_seconds()? - before?)
    }

    /// Resident memory, bytes.
    pub fn rss_bytes(self) -> Option<u64> {
        self.0.map(Process::rss_bytes)
    }
}
