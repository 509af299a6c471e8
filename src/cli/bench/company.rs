//! The company of a measurement: a team, a site, and agents whose keys are here. It is made without prompts, passphrases or
//! passwords, so that nothing is stretched by Argon2.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context as _;

use crate::{
    app,
    cli::out,
    config::Config,
    crypto::{
        directory::{Directory, Role},
        keyfile::CompanyKeys,
        keyring::Keyring,
        opaque::{OpaqueServer, generate_setup},
        sign::SigningKey,
    },
    data_dir::OPAQUE_SETUP,
    files::{make_directory, private_directory, write_new},
    org::acts::{NewCompany, NewUser},
    proto::{IdError, SiteId, TeamId, UserId},
};

/// Where the pages of its site would be.
const ORIGIN: &str = "http://bench.example";

/// The user id of an agent, from 1.
pub fn agent_id(n: u64) -> Result<UserId, IdError> {
    format!("a{n}").parse()
}

/// A company that was founded, and who a load generator may be there.
#[derive(Debug, Clone)]
pub struct BenchCompany {
    /// The site of the visitors.
    pub site: SiteId,
    /// Signing keys of the agents who answer them.
    pub agents: Vec<SigningKey>,
    /// The verified directory.
    pub directory: Arc<Directory>,
}

impl BenchCompany {
    /// Founds it with so many agents in `data_dir` (made if it isn't there), and writes `opaque.setup`. The server must not
    /// run yet.
    pub async fn found(data_dir: &Path, config: &Config, agents: usize) -> anyhow::Result<Self> {
        make_directory(data_dir).with_context(|| format!("cannot create {}", data_dir.display()))?;
        // one that another user created first, in the temporary directory, would be theirs to change
        let found = fs::symlink_metadata(data_dir).with_context(|| format!("cannot read {}", data_dir.display()))?;
        private_directory(&found)
            .map_err(|_| anyhow::anyhow!("{} can be accessed by other users", data_dir.display()))?;
        let (keys, setup) = (CompanyKeys::generate(), generate_setup());
        let path = data_dir.join(OPAQUE_SETUP);
        write_new(&path, 0o600, &setup).with_context(|| format!("cannot write {}", path.display()))?;
        let opaque = OpaqueServer::new(&setup, keys.fp())?.public();

        let mut company = NewCompany::new("Bench", &keys, &opaque, out::now_ms())?;
        let (team, site): (TeamId, SiteId) = ("svc".parse()?, "s1".parse()?);
        company.team(&team, team.as_str())?;
        company.site(&site, site.as_str(), &[ORIGIN.to_owned()], &team)?;
        let mut signing_keys = Vec::new();
        for n in 1..=agents {
            let (keyring, user) = (Keyring::generate(), agent_id(n as u64)?);
            let agent = NewUser { name: user.to_string(), user, role: Role::Agent, teams: vec![team.clone()] };
            company.enrol(&agent, &keyring)?;
            signing_keys.push(keyring.signing);
        }
        let founded = company.finish();
        app::found(data_dir, config, founded.commit).await?;
        Ok(Self { site, agents: signing_keys, directory: Arc::new(founded.directory) })
    }
}
