//! How a server that runs already is named, perhaps on another machine; and who the generator is there.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};

use super::prepare::Roster;
use crate::{
    client::{Address, AddressError},
    crypto::hash,
    loadgen::{LoadError, Target},
    proto::{OrgFp, SiteId},
};

/// How a server that runs already is named.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "A server that runs already")]
pub struct Remote {
    /// Measure this server, such as http://127.0.0.1:8443, instead of starting one
    #[arg(long)]
    pub url: Option<String>,
    /// The file that kefu bench prepare wrote on that server: its company, a site, and agents
    #[arg(long, value_name = "FILE", requires = "url")]
    pub agents: Option<PathBuf>,
    /// Or, for visitors only: one of its sites …
    #[arg(long, value_name = "ID", requires_all = ["url", "org"], conflicts_with = "agents")]
    pub site: Option<SiteId>,
    /// … and the company's fingerprint, k1-…
    #[arg(long, value_name = "K1-…", requires_all = ["url", "site"], value_parser = fingerprint)]
    pub org: Option<OrgFp>,
    /// For https: PEM file of the authority that issued its certificate, such as its tls/ca.pem
    #[arg(long, value_name = "FILE", requires = "url")]
    pub ca: Option<PathBuf>,
    /// Its process id, if it is on this machine, to measure its processor time and memory, too
    #[arg(long, requires = "url")]
    pub pid: Option<u32>,
}

fn fingerprint(text: &str) -> Result<OrgFp, String> {
    hash::parse_org_fp(text)
        .ok_or_else(|| format!("{text:?} is not a fingerprint: it is k1- and 32 hexadecimal digits"))
}

impl Remote {
    /// The server with its verified directory, and who to be there; none if none was named.
    pub async fn find(&self) -> anyhow::Result<Option<Target>> {
        let Some(url) = &self.url else { return Ok(None) };
        let (org, site, agents) = match (&self.agents, &self.site, self.org) {
            (Some(path), ..) => {
                let read = || -> anyhow::Result<Roster> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
                let roster = read().with_context(|| format!("cannot use {}", path.display()))?;
                (roster.org()?, roster.site.clone(), roster.keys()?)
            }
            (None, Some(site), Some(org)) => (org, site.clone(), Vec::new()),
            _ => bail!("--url needs --agents FILE (from kefu bench prepare), or --site and --org for visitors only"),
        };
        let address = Address::lookup(url, self.ca.as_deref()).await.map_err(|e| match e {
            AddressError::NoAuthority => anyhow!("https needs --ca FILE, the authority to trust"),
            e => e.into(),
        })?;
        let target = Target::find(address, org, site, agents).await.map_err(|e| match e {
            LoadError::NoSite(_) => anyhow!("{e}; kefu bench prepare makes one"),
            e => e.into(),
        })?;
        Ok(Some(target))
    }
}
