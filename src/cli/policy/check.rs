//! `kefu policy check`: rules that can't take effect.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cli::{
    context::Context, data_dir, error::CliError, out, training::LoadedModel, verified_directory::VerifiedDirectory,
};

/// Look for rules that can't take effect; exit code 1 if there are any
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let policy = super::load(ctx)?;
        let intents: Option<BTreeSet<String>> = LoadedModel::open(ctx)
            .and_then(|loaded| loaded.classifier(ctx))
            .ok()
            .map(|classifier| classifier.intents.into_iter().map(|(name, _)| name).collect());
        let (mut teams, mut sites) = (None, None);
        if data_dir::require_initialised(&ctx.data_dir).is_ok() {
            let company = VerifiedDirectory::open(ctx)?;
            let state = company.dir.state();
            teams = Some(state.teams.keys().map(ToString::to_string).collect());
            sites = Some(state.sites.keys().map(ToString::to_string).collect());
        }
        let found = policy.check(intents.as_ref(), teams.as_ref(), sites.as_ref());
        if ctx.json {
            out::print_json(&json!({"problems": found}));
        } else if found.is_empty() {
            out::line("Every rule can take effect.");
        } else {
            found.iter().for_each(|f| out::line(out::printable(f)));
        }
        if found.is_empty() { Ok(()) } else { Err(CliError::silent()) }
    }
}
