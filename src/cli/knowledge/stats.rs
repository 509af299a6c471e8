//! `kefu knowledge stats`: how much there is, and what to look at.

use serde_json::json;

use super::store::read;
use crate::{
    cli::{context::Context, error::CliError, out},
    config::Robot,
    nlu::text_file::Report,
    robot::policy::Policy,
};

/// Show how much knowledge there is, and what to look at
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let book = read(ctx)?;
        let offset = ctx.load_config()?.robot.utc_offset;
        let policy = Policy::new(&Robot { utc_offset: offset, ..Robot::default() });
        let today = policy.map_err(|e| CliError::failure(e.to_string()))?.day(out::now_ms());
        let entries = book.entries.len();
        let phrases: usize = book.entries.values().map(|e| e.phrases().count()).sum();
        let ended = book.entries.values().filter(|e| e.until.as_ref().is_some_and(|u| *u < today)).count();
        let coming = book.entries.values().filter(|e| e.from.as_ref().is_some_and(|f| *f > today)).count();
        let single = book.entries.values().filter(|e| e.similar.is_empty()).count();
        let mut report = Report::default();
        book.check(&mut report);
        if ctx.json {
            out::print_json(&json!({
                "entries": entries, "phrases": phrases, "ended": ended, "coming": coming,
                "without_similar": single, "problems": report.problems,
            }));
            return Ok(());
        }
        out::facts(&[
            ("entries", entries.to_string()),
            ("phrasings", phrases.to_string()),
            ("with one phrasing only", single.to_string()),
            ("ended", ended.to_string()),
            ("not valid yet", coming.to_string()),
        ]);
        report.problems.iter().for_each(|p| out::line(out::printable(&p.to_string())));
        Ok(())
    }
}
