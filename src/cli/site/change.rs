//! `kefu site change`: other origins, team, name or form.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::{SiteId, TeamId};

/// Change a site; what is not named stays
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// All origins the site shall have
    #[arg(long = "origin", value_name = "URL", num_args = 1..)]
    origins: Vec<String>,
    /// The team that answers
    #[arg(long)]
    team: Option<TeamId>,
    /// Name that agents see
    #[arg(long)]
    name: Option<String>,
    /// Switch the site on again
    #[arg(long)]
    on: bool,
    /// Fields of the form before the chat, such as name,phone; empty for none
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    form: Option<Vec<String>>,
    /// What the widget says first
    #[arg(long, value_name = "TEXT")]
    greeting: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
