//! `kefu bench prepare`: agents for the load generator, in the directory of a server that is to be measured as it runs.
//!
//! They are ordinary agents: invited by the root key, enrolled by their own, in a team and with a site of their own, all in
//! one signed act. They have no password, so only someone who has the file can sign in as them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        data_dir,
        error::CliError,
        keys::Signing,
        verified_directory::{VerifiedDirectory, same_company},
    },
    crypto::{
        codec::{b64u, from_b64u_exact},
        directory::{Body, Role, SiteBody},
        hash,
        keyring::Keyring,
        sign::SigningKey,
    },
    org::{
        Commit,
        acts::{DirectoryBuilder, INVITE_MS, NewUser, Signer},
    },
    proto::{OrgFp, SiteId, TeamId, UserId},
};

/// Id of the team and the site; ids of the agents are this, a dash and a number.
const NAME: &str = "bench";
/// A site names an origin; no page can have this one.
const ORIGIN: &str = "http://bench.invalid";

/// `kefu bench prepare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of agents
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    agents: u16,
    /// File to write their keys to, for --agents of kefu bench chat
    #[arg(long, value_name = "FILE", required_unless_present = "off")]
    out: Option<PathBuf>,
    /// Switch the site and the previous agents off, and create none
    #[arg(long, conflicts_with_all = ["agents", "out"])]
    off: bool,
    #[command(flatten)]
    signing: Signing,
}

/// The file: who the generator's agents are, and where it finds them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Roster {
    /// The company, as `k1-…`.
    pub org: String,
    /// The site whose visitors they answer.
    pub site: SiteId,
    agents: Vec<Agent>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Agent {
    user: UserId,
    /// Seed of the signing key, b64u.
    ed: Zeroizing<String>,
}

impl Roster {
    /// The company's fingerprint.
    pub fn org(&self) -> anyhow::Result<OrgFp> {
        hash::parse_org_fp(&self.org).ok_or_else(|| anyhow::anyhow!("{:?} is not a fingerprint", self.org))
    }

    /// The agents' signing keys.
    pub fn keys(&self) -> anyhow::Result<Vec<SigningKey>> {
        self.agents.iter().map(|a| Ok(SigningKey::from_seed(&from_b64u_exact(&a.ed)?))).collect()
    }
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        refuse_strangers(&VerifiedDirectory::open(ctx)?)?;
        let keys = self.signing.unlock(ctx)?;
        let admin = AdminClient::open(ctx)?;
        let company = VerifiedDirectory::load(ctx, &admin)?;
        same_company(&keys, &company)?;
        refuse_strangers(&company)?;
        let days = ctx.load_config()?.directory.freshness_days.into();
        let signer = Signer::new(company.dir.clone(), &company.view, &keys, company.now_ms)?;
        let act = signer.snapshot(days)?;
        let count = if self.off { 0 } else { self.agents };
        let seen = self.signing.seen(ctx);
        seen.check(&company.dir)?;
        let builder = DirectoryBuilder::new(company.after(&act)?, act, &keys, company.now_ms);
        let enlisted = enlist(&company, builder, count, days);
        let (commit, roster) = enlisted.map_err(|e| CliError::failure(e.to_string()))?;
        admin.commit(&commit)?;
        seen.remember(&company.after(&commit)?);
        admin.close();
        match self.out {
            Some(path) => {
                data_dir::replace(&path, 0o600, serde_json::to_string_pretty(&roster)?.as_bytes())?;
                ctx.say(
                    json!({"agents": count, "site": roster.site, "file": path}),
                    format!("{count} agents answer the site {NAME}. Their keys are in {}.", path.display()),
                );
            }
            None => ctx.say(json!({"agents": 0}), format!("The site {NAME} and its agents are off.")),
        }
        Ok(())
    }
}

/// Whether an agent was created by this command.
fn ours(user: &UserId) -> bool {
    user.as_str().strip_prefix(NAME).is_some_and(|rest| rest.starts_with('-'))
}

/// The team gets a new key that only the generator's agents have: no person may be in it.
fn refuse_strangers(company: &VerifiedDirectory) -> Result<(), CliError> {
    let team = NAME.parse().map_err(|_| CliError::failure("the team's id is not valid"))?;
    match company.members(&team).find(|(user, _)| !ours(user)) {
        Some((user, _)) => {
            Err(CliError::failure(format!("{user} is in the team {NAME}, which is reserved for the load generator"))
                .hint(format!("remove them: kefu user teams {user} --remove {NAME}")))
        }
        None => Ok(()),
    }
}

/// Switches the previous agents off and adds `count` new ones.
fn enlist(
    company: &VerifiedDirectory,
    mut builder: DirectoryBuilder<'_>,
    count: u16,
    days: u64,
) -> anyhow::Result<(Commit, Roster)> {
    let (team, site): (TeamId, SiteId) = (NAME.parse()?, NAME.parse()?);
    for (user, _) in company.dir.users().filter(|(id, u)| ours(id) && u.on) {
        builder.disable(user)?;
    }
    if count > 0 {
        builder.team(&team, NAME)?;
        builder.site(&site, NAME, &[ORIGIN.to_owned()], &team)?;
    } else if let Some(s) = company.dir.site(&site).cloned() {
        let (name, origins) = (s.name, s.origins);
        builder.add(&Body::Site(SiteBody { id: site.clone(), name, origins, team: s.team, on: false, bot: None }))?;
    }
    let mut agents = Vec::new();
    for n in 1..=count {
        let (keyring, name) = (Keyring::generate(), format!("{NAME}-{n}"));
        let user: UserId = name.parse()?;
        let agent = NewUser { user: user.clone(), role: Role::Agent, name, teams: vec![team.clone()] };
        builder.enrol(&agent, &keyring, INVITE_MS)?;
        agents.push(Agent { user, ed: Zeroizing::new(b64u(keyring.signing.seed())) });
    }
    let (commit, directory) = builder.finish(days);
    Ok((commit, Roster { org: hash::org_fp_text(&directory.fp()), site, agents }))
}
