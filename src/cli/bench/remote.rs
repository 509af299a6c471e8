//! A server that runs already, perhaps on another machine: finding it, and what it must show before it is trusted.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use hyper::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::lookup_host;

use super::{
    dial::{Address, Tls},
    http,
    prepare::Roster,
    terms::Target,
};
use crate::{
    crypto::{directory::Directory, hash, sign::SigningKey},
    org::DirectoryAnswer,
    proto::{OrgFp, SiteId},
};

/// How a server that runs already is named.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "A server that runs already")]
pub struct Remote {
    /// Measure this one, such as http://127.0.0.1:8443, instead of one of our own
    #[arg(long)]
    pub url: Option<String>,
    /// What kefu bench prepare wrote beside that server: its company, a site, and agents
    #[arg(long, value_name = "FILE", requires = "url")]
    pub agents: Option<PathBuf>,
    /// Or, for visitors alone: a site of it …
    #[arg(long, value_name = "ID", requires_all = ["url", "org"], conflicts_with = "agents")]
    pub site: Option<SiteId>,
    /// … and the company's fingerprint, k1-…
    #[arg(long, value_name = "K1-…", requires_all = ["url", "site"], value_parser = fingerprint)]
    pub org: Option<OrgFp>,
    /// For https: PEM file of the authority that made its certificate, such as its tls/ca.pem
    #[arg(long, value_name = "FILE", requires = "url")]
    pub ca: Option<PathBuf>,
    /// Its process, if it is on this machine: then its processor time and memory are measured, too
    #[arg(long, requires = "url")]
    pub pid: Option<u32>,
}

fn fingerprint(text: &str) -> Result<OrgFp, String> {
    hash::parse_org_fp(text)
        .ok_or_else(|| format!("{text:?} is not a fingerprint: it is k1- and 32 hexadecimal digits"))
}

impl Remote {
    /// The server with its verified directory, whose visitors to be, and the agents there are; none if none was named.
    pub async fn find(&self) -> anyhow::Result<Option<(Target, SiteId, Vec<SigningKey>)>> {
        let Some(url) = &self.url else { return Ok(None) };
        let (org, site, agents) = match (&self.agents, &self.site, self.org) {
            (Some(path), ..) => {
                let read = || -> anyhow::Result<Roster> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
                let roster = read().with_context(|| format!("cannot use {}", path.display()))?;
                (roster.org()?, roster.site.clone(), roster.keys()?)
            }
            (None, Some(site), Some(org)) => (org, site.clone(), Vec::new()),
            _ => bail!("--url needs --agents FILE (from kefu bench prepare), or --site and --org for visitors alone"),
        };
        let at = self.address(url).await?;
        let directory = Arc::new(directory(&at, org).await?);
        ensure!(
            directory.site(&site).is_some_and(|s| s.on),
            "the company has no site {site} that is on; kefu bench prepare makes one"
        );
        Ok(Some((Target { at, directory }, site, agents)))
    }

    async fn address(&self, url: &str) -> anyhow::Result<Address> {
        let form = || format!("{url:?} is not http://host:port or https://host:port");
        let parsed: Uri = url.parse().with_context(form)?;
        let secure = match parsed.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => bail!(form()),
        };
        ensure!(parsed.path() == "/" && parsed.query().is_none(), form());
        let host = parsed.authority().with_context(form)?;
        // a literal IPv6 address stands in brackets
        let name = host.host().trim_matches(['[', ']']);
        let port = host.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut found = lookup_host((name, port)).await.with_context(|| format!("cannot find {name}"))?;
        let socket = found.next().with_context(|| format!("{name} has no address"))?;
        let tls = if secure { Some(self.tls(name)?) } else { None };
        Ok(Address { socket, host: host.to_string(), tls })
    }

    fn tls(&self, name: &str) -> anyhow::Result<Tls> {
        let path = self.ca.as_ref().context("https needs --ca FILE: whom to believe that this is the server")?;
        let named = || format!("cannot use {}", path.display());
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_file_iter(path).with_context(named)? {
            roots.add(authority.with_context(named)?).with_context(named)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Tls { config: Arc::new(config), name: ServerName::try_from(name.to_owned())? })
    }
}

/// Fetches and verifies the whole log, as an agent does.
async fn directory(at: &Address, org: OrgFp) -> anyhow::Result<Directory> {
    let (status, body) = http::get(at, "/api/v1/directory?after=-1").await?;
    ensure!(status == 200, "{} answered the question for its directory with HTTP status {status}", at.host);
    let answer: DirectoryAnswer = serde_json::from_slice(&body).context("the answer is no directory")?;
    let snapshot = answer.snapshot.as_ref();
    Directory::replay(org, &answer.entries, snapshot).context("its directory does not verify")
}
