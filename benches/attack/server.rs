//! A given executable as a server with a company, and what its process costs.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use kefu::{
    client::{Address, fetch_directory},
    crypto::{codec::from_b64u_exact, hash::parse_org_fp, sign::SigningKey},
    proto::SiteId,
};
use serde::Deserialize;

use super::target::Target;

/// Limits of a server that is only filled, so that it takes minutes, not hours.
const FILLING: [(&str, &str); 8] = [
    ("KEFU_LIMITS__VISITOR_MESSAGES_PER_MINUTE", "100000"),
    ("KEFU_LIMITS__VISITOR_BURST", "100000"),
    ("KEFU_LIMITS__ADDRESS_MESSAGES_PER_MINUTE", "1000000"),
    ("KEFU_LIMITS__CONVERSATIONS_PER_HOUR", "100000"),
    ("KEFU_LIMITS__VISITOR_KB_PER_DAY", "1000000"),
    ("KEFU_LIMITS__ADDRESS_MB_PER_DAY", "1000"),
    ("KEFU_LIMITS__CONVERSATION_MB", "1000"),
    ("KEFU_LIMITS__VISITOR_CONVERSATIONS_PER_HOUR", "100000"),
];
/// How many of these version 0.1 knows.
const OF_OLD: usize = 4;

/// What `kefu bench prepare` writes.
#[derive(Deserialize)]
struct Roster {
    org: String,
    site: SiteId,
    agents: Vec<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    ed: String,
}

/// A company in a directory of its own.
pub struct Company {
    dir: tempfile::TempDir,
    executable: PathBuf,
}

/// A server of it that runs.
pub struct Server {
    child: Child,
    dir: PathBuf,
    /// Where it is.
    pub at: Arc<Target>,
}

impl Company {
    /// Founded with so many agents by the executable itself, so that old ones can be measured, too.
    pub fn found(executable: &Path, agents: usize) -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir()?;
        let company = Self { dir, executable: executable.into() };
        company.run(&["init", "--no-passphrase", "--name", "Attacked"])?;
        let roster = company.roster();
        let path = roster.to_str().context("a path that is no text")?;
        company.run(&["bench", "prepare", "--agents", &agents.to_string(), "--out", path])?;
        Ok(company)
    }

    fn roster(&self) -> PathBuf {
        self.dir.path().join("agents.json")
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        let out = Command::new(&self.executable).arg("--data-dir").arg(self.dir.path()).args(args).output()?;
        ensure!(out.status.success(), "kefu {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    /// A server with the limits of the default configuration, or with hardly any on what is written.
    pub async fn serve(&self, filling: bool) -> anyhow::Result<Server> {
        match filling {
            false => self.serve_with(&[]).await,
            true => match self.serve_with(&FILLING).await {
                Ok(server) => Ok(server),
                Err(_) => self.serve_with(&FILLING[..OF_OLD]).await,
            },
        }
    }

    async fn serve_with(&self, limits: &[(&str, &str)]) -> anyhow::Result<Server> {
        let log = File::options().create(true).append(true).open(self.dir.path().join("server.log"))?;
        let mut child = Command::new(&self.executable)
            .args(["--json", "serve", "--plain-http", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.dir.path())
            .envs(limits.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("the server did not start")?;
        let addr = ready["listen"].as_str().and_then(|a| a.parse().ok()).context("the server listens nowhere")?;
        let roster: Roster = serde_json::from_slice(&fs::read(self.roster())?)?;
        let org = parse_org_fp(&roster.org).context("no fingerprint in the roster")?;
        let directory = fetch_directory(&Address::plain(addr), org).await?;
        let key = |a: &Agent| Ok(SigningKey::from_seed(&from_b64u_exact(&a.ed)?));
        let agents = roster.agents.iter().map(key).collect::<anyhow::Result<_>>()?;
        let at = Target { addr, directory, agents, site: roster.site };
        Ok(Server { child, dir: self.dir.path().into(), at: Arc::new(at) })
    }
}

impl Server {
    /// Resident memory, bytes.
    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }

    /// Processor time so far, seconds.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Bytes of the database on disk.
    pub fn stored(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.dir.join("kefu.redb")).map_or(0, |m| m.blocks() * 512)
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
