//! `kefu site add`: a place where a widget stands.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::{SiteId, TeamId};

/// Add a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the new site: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Where the pages are, such as https://www.example.com; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, num_args = 1..)]
    origins: Vec<String>,
    /// The team that answers
    #[arg(long)]
    team: TeamId,
    /// Name that agents see [default: the id]
    #[arg(long)]
    name: Option<String>,
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
