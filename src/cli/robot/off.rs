//! `kefu robot off`: sites without it.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        out,
        verified_directory::VerifiedDirectory,
    },
    proto::SiteId,
};

/// Remove the robot from sites; after the last one its keys are erased and nothing on the server can read
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ids of the sites
    #[arg(value_name = "SITE", required = true)]
    sites: Vec<SiteId>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check =
            |company: &VerifiedDirectory| {
                let mut any = false;
                for id in &self.sites {
                    any |= company.site(id)?.bot.is_some();
                }
                match any {
                    true => Ok(()),
                    false => Err(CliError::new(Kind::Exists, "these sites have no robot")
                        .hint("kefu robot status shows its sites")),
                }
            };
        self.signing.act(ctx, check, |_, signer| Ok((signer.robot_off(&self.sites)?, ())))?;
        let left = VerifiedDirectory::open(ctx)?.dir.state().sites.values().filter(|s| s.bot.is_some()).count();
        if ctx.json {
            out::print_json(&json!({"sites": self.sites, "on": false, "left": left}));
            return Ok(());
        }
        let sites: Vec<&str> = self.sites.iter().map(SiteId::as_str).collect();
        out::line(format!("The robot is off for {}. Its open conversations go to people.", sites.join(", ")));
        if left == 0 {
            out::line("No site has a robot any more: its keys were erased.");
        }
        Ok(())
    }
}
