//! `kefu bench desk`: conversations of an agent that their console can open, for measurements of pages.

use std::collections::BTreeSet;

use serde_json::json;

use super::{sealed::SealedConversation, stored::Template};
use crate::{
    app,
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::CliError,
        keys::Signing,
        out,
        verified_directory::{VerifiedDirectory, same_company},
    },
    crypto::{directory::Role, keyring::Keyring, sign::SigningKey},
    org::acts::{DirectoryBuilder, INVITE_MS, NewUser, Signer},
    proto::UserId,
    store::{Batch, Reply, submit, write},
};

/// Who answers in them; the agent's own keys are in their browser.
const COLLEAGUE: &str = "bench-colleague";
/// Between the beginnings of two conversations, ms.
const INTERVAL_MS: u64 = 60_000;

/// `kefu bench desk`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent who has the conversations, a person of the company
    #[arg(long, value_name = "USER")]
    agent: UserId,
    /// Conversations that the agent has
    #[arg(long, default_value_t = 500)]
    conversations: u64,
    /// Messages in each
    #[arg(long, default_value_t = 12)]
    each: u64,
    /// More messages, all in the newest of them
    #[arg(long, default_value_t = 10_000)]
    long: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command. No server may run there.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let colleague = self.colleague(ctx)?;
        let config = ctx.load_config()?;
        let runtime = app::runtime()?;
        let filled: anyhow::Result<()> = runtime.block_on(async {
            let (store, directory) = app::store_and_directory(&ctx.data_dir, &config).await?;
            let (template, now) = (Template::new(&directory)?, out::now_ms());
            let put = async |batch: Batch| submit(&*store, batch, Reply::Feed(0)).await;
            for n in 0..self.conversations {
                let created = now - (self.conversations - n) * INTERVAL_MS;
                let mut conversation = SealedConversation::new(&template, &directory, &colleague, n, created)?;
                put(conversation.stored.opening()).await?;
                put(conversation.message()?).await?;
                put(conversation.stored.taking(&self.agent)).await?;
                let last = n + 1 == self.conversations;
                for _ in 0..self.each + if last { self.long } else { 0 } {
                    put(conversation.message()?).await?;
                }
            }
            // when this is on disk, all before it is
            write(&*store, Batch::default()).await?;
            store.close().await;
            Ok(())
        });
        filled.map_err(|e| CliError::failure(format!("{e:#}")))?;
        let (n, agent) = (self.conversations, &self.agent);
        ctx.say(json!({"conversations": n}), format!("{agent} has {n} more conversations."));
        Ok(())
    }

    /// Adds the colleague to the teams of the agent. The key is forgotten when the command ends.
    fn colleague(&self, ctx: &Context) -> Result<SigningKey, CliError> {
        let keys = self.signing.unlock(ctx)?;
        let admin = AdminClient::open(ctx)?;
        let company = VerifiedDirectory::load(ctx, &admin)?;
        same_company(&keys, &company)?;
        let user: UserId = COLLEAGUE.parse().map_err(|_| CliError::failure("the colleague's id is not valid"))?;
        if company.dir.user(&user).is_some() {
            return Err(CliError::failure(format!("{COLLEAGUE} is there already: this command is for a new company")));
        }
        let teams: BTreeSet<_> = match company.dir.user(&self.agent) {
            Some(agent) => agent.teams.iter().cloned().collect(),
            None => return Err(CliError::failure(format!("the company has no {}", self.agent))),
        };
        let days = ctx.load_config()?.directory.freshness_days.into();
        let act = Signer::new(company.dir.clone(), &company.view, &keys, company.now_ms)?.snapshot(days)?;
        let mut builder = DirectoryBuilder::new(company.after(&act)?, act, &keys, company.now_ms);
        let keyring = Keyring::generate();
        let new = NewUser { user, role: Role::Agent, name: "王强".into(), teams: teams.into_iter().collect() };
        builder.enrol(&new, &keyring, INVITE_MS).map_err(|e| CliError::failure(e.to_string()))?;
        let (commit, _) = builder.finish(days);
        admin.commit(&commit)?;
        let seen = self.signing.seen(ctx);
        seen.remember(&company.after(&commit)?);
        admin.close();
        Ok(keyring.signing)
    }
}
