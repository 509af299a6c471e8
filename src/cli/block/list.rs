//! `kefu block list`: who may not write now.

use serde_json::json;

use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError, out, out::Table},
    proto::Block,
};

/// List visitors who may not write now
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("GET", "/admin/blocks", None);
        admin.close();
        let blocks: Vec<Block> = serde_json::from_value(answer?)?;
        let mut table = Table::new(&["visitor", "site", "until", "why", "by", "conversation"], "Nobody is blocked.");
        for block in &blocks {
            table.row([
                block.visitor.to_string(),
                block.site.to_string(),
                out::date(block.until),
                block.reason.as_str().into(),
                block.by.to_string(),
                block.conv.to_string(),
            ]);
        }
        ctx.list("blocks", blocks.iter().map(|block| json!(block)).collect(), &table);
        Ok(())
    }
}
