//! `kefu directory show`: the log.

use serde_json::json;

use super::line::Line;
use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
        verified_directory::VerifiedDirectory,
    },
    crypto::hash,
};

/// Show the log
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only entries after this number
    #[arg(long, value_name = "SEQ")]
    after: Option<u32>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        let lines: Vec<Line> = company.view.entries.iter().filter_map(|e| Line::read(&company, e)).collect();
        let wanted = || lines.iter().filter(|l| self.after.is_none_or(|after| l.seq > after));
        if ctx.json {
            out::print_json(&json!({"org": hash::org_fp_text(&company.dir.fp()), "name": company.org(),
                "entries": wanted().collect::<Vec<_>>()}));
            return Ok(());
        }
        let mut table = Table::new(&["seq", "when", "what", "signed by", "hash"], "No entries after that number.");
        for l in wanted() {
            let hash = l.hash.chars().take(12).collect();
            table.row([l.seq.to_string(), out::relative(l.at, company.now_ms), l.what.clone(), l.signer.clone(), hash]);
        }
        table.print();
        Ok(())
    }
}
