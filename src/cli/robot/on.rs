//! `kefu robot on`: certify the robot and put it on sites.

use serde::Deserialize;
use serde_json::json;

use crate::{
    cli::{
        admin_client::AdminClient,
        args,
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        out,
        verified_directory::VerifiedDirectory,
    },
    crypto::codec::Key32,
    proto::{BotId, SiteId},
};

/// Let the robot answer on sites; it can read those conversations until a person takes over
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ids of the sites
    #[arg(value_name = "SITE", required = true)]
    sites: Vec<SiteId>,
    /// Name that visitors see [default: the one it has, else Robot]
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// The robot's name and key, as the server made them.
#[derive(Debug, Deserialize)]
struct Prepared {
    id: BotId,
    ed: Key32,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| self.sites.iter().try_for_each(|id| company.site(id).map(|_| ()));
        let company = VerifiedDirectory::open(ctx)?;
        check(&company)?;
        let admin = AdminClient::open(ctx)?;
        let robot: Prepared = serde_json::from_value(admin.call("POST", "/admin/robot/prepare", None)?)?;
        admin.close();
        let all_have = |company: &VerifiedDirectory| {
            let has = |id: &SiteId| company.dir.bot_of(id).is_some_and(|(bot, b)| *bot == robot.id && b.ed == robot.ed);
            self.sites.iter().all(has) && self.name.is_none()
        };
        if all_have(&company) {
            return Err(CliError::new(Kind::Exists, "the robot is already on for these sites")
                .hint("kefu robot status shows all"));
        }
        self.signing.act(ctx, check, |_, signer| {
            Ok((signer.robot_on(&robot.id, robot.ed, self.name.as_deref(), &self.sites)?, ()))
        })?;
        if ctx.json {
            out::print_json(&json!({"robot": robot.id, "sites": self.sites, "on": true}));
        } else {
            let sites: Vec<&str> = self.sites.iter().map(SiteId::as_str).collect();
            out::line(format!(
                "Robot {} answers on {}. It reads those conversations until a person takes over.",
                robot.id,
                sites.join(", ")
            ));
            if ctx.load_config()?.storage.is_shared() {
                out::line("All servers of this company answer there within seconds.");
            } else {
                out::line("Keep its keys out of backups: kefu robot status shows where they are stored.");
            }
        }
        Ok(())
    }
}
