//! `kefu knowledge list`: what the robot can answer.

use serde_json::json;

use super::store::{read, unknown};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
    },
    nlu::knowledge::Entry,
};

/// List the entries, or show one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show this entry
    id: Option<String>,
    /// Only entries that apply to this site
    #[arg(long)]
    site: Option<String>,
    /// Only entries with this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let book = read(ctx)?;
        if let Some(id) = &self.id {
            let entry = book.entries.get(id).ok_or_else(|| unknown(id, &book))?;
            show(ctx, entry);
            return Ok(());
        }
        let here = |e: &&Entry| self.site.is_none() || e.site.is_none() || e.site == self.site;
        let with = |e: &&Entry| {
            self.search.as_ref().is_none_or(|s| e.answer.contains(s) || e.phrases().any(|p| p.contains(s)))
        };
        let found: Vec<&Entry> = book.entries.values().filter(here).filter(with).collect();
        if ctx.json {
            out::print_json(&json!({"entries": found}));
            return Ok(());
        }
        let mut table =
            Table::new(&["id", "question", "similar", "site", "valid"], "No entries: kefu knowledge import FILE");
        for e in found {
            let similar = if e.similar.is_empty() { String::new() } else { e.similar.len().to_string() };
            table.row([e.id.clone(), e.question.clone(), similar, e.site.clone().unwrap_or_default(), days(e)]);
        }
        table.print();
        Ok(())
    }
}

fn days(e: &Entry) -> String {
    match (&e.from, &e.until) {
        (None, None) => String::new(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(from), Some(until)) => format!("{from} to {until}"),
    }
}

fn show(ctx: &Context, e: &Entry) {
    if ctx.json {
        out::print_json(&json!({"entry": e}));
        return;
    }
    let optional = |field: &Option<String>| field.clone().unwrap_or_default();
    out::facts(&[
        ("id", e.id.clone()),
        ("question", e.question.clone()),
        ("similar", e.similar.join(" | ")),
        ("site", optional(&e.site)),
        ("valid", days(e)),
        ("language", optional(&e.lang)),
    ]);
    out::line("");
    e.answer.lines().for_each(|l| out::line(out::printable(l)));
}
