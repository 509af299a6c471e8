//! `kefu export verify`: whether a saved conversation is what people wrote.

use std::{fs::File, io::Read as _, path::PathBuf};

use serde_json::json;

use super::{
    check::{Report, check, directory},
    file::{self, Export},
};
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        io_error::cannot,
        out,
        verified_directory::pinned,
    },
    crypto::{codec::Hash32, hash},
    proto::OrgFp,
};

/// Largest file that is read: some hundred thousand messages.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// Check the signatures and the words of a conversation that the console saved as JSON; exit code 1 if anything is wrong
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no server. The keys of the conversation are in the file, so its words are compared with what was \
                        sealed. Words of notes can't be: they are sealed to the key of a team. When the server says that something \
                        happened is not signed either. HTML is for reading and can't be checked."
)]
pub struct Args {
    /// What the console saved as JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The fingerprint of the company [default: that of the company keys, if they are here]
    #[arg(long, value_name = "K1-…")]
    org: Option<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let name = self.file.display().to_string();
        let fail = |why: String| CliError::failure(format!("{name}: {why}"));
        let export = file::read(&self.read()?).map_err(fail)?;
        let claimed = hash::parse_org_fp(&export.org).ok_or_else(|| fail("it names no company".to_owned()))?;
        let pin = self.pin(ctx)?;
        if pin.is_some_and(|pin| pin != claimed) {
            return Err(fail(format!("it is of another company: {}", export.org))
                .hint("its fingerprint is not the one you gave, or that of the keys here"));
        }
        let dir = directory(&export, claimed).map_err(|e| fail(format!("the directory in it does not verify: {e}")))?;
        let report = check(&export, &dir);
        show(ctx, &export, &report, dir.head(), &dir.state().org, pin);
        if report.faults.is_empty() { Ok(()) } else { Err(failed(ctx, &report)) }
    }

    fn read(&self) -> Result<Vec<u8>, CliError> {
        let file = File::open(&self.file).map_err(|e| cannot("read", &self.file, &e))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| cannot("read", &self.file, &e))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(CliError::failure(format!("{} is larger than any export", self.file.display())));
        }
        Ok(bytes)
    }

    fn pin(&self, ctx: &Context) -> Result<Option<OrgFp>, CliError> {
        let Some(text) = &self.org else { return Ok(pinned(ctx)) };
        let pin = hash::parse_org_fp(text).ok_or_else(|| {
            CliError::new(Kind::Usage, format!("{text:?} is not a fingerprint"))
                .hint("it is k1- and 32 hexadecimal digits")
        })?;
        Ok(Some(pin))
    }
}

fn failed(ctx: &Context, report: &Report) -> CliError {
    if ctx.json {
        return CliError::silent();
    }
    let count = report.faults.len() + report.more;
    CliError::failure(format!("{count} things are wrong"))
        .hint("do not rely on this file; export the conversation again")
}

fn show(ctx: &Context, export: &Export, report: &Report, head: [u8; 32], org: &str, pin: Option<OrgFp>) {
    if ctx.json {
        out::print_json(&json!({"conv": export.conv, "org": export.org, "pinned": pin.is_some(),
            "directory_head": Hash32(head), "records": export.records.len(), "messages": report.messages,
            "notes": report.notes, "locked": report.locked, "taken_back": report.taken_back,
            "faults": report.faults, "more": report.more}));
        return;
    }
    let mut facts = vec![
        ("company", format!("{org} ({})", export.org)),
        ("conversation", export.conv.to_string()),
        ("records", format!("{}, none is missing", export.records.len())),
        ("messages", format!("{}: signatures and words are right", report.messages)),
    ];
    let rest = [
        ("notes", report.notes, "signatures are right; their words are what the exporter says"),
        ("without key", report.locked, "signatures are right; their words are not in the file"),
        ("taken back", report.taken_back, "by their senders, who signed it"),
    ];
    facts.extend(rest.into_iter().filter(|(_, n, _)| *n > 0).map(|(name, n, what)| (name, format!("{n}: {what}"))));
    if !report.faults.is_empty() {
        facts.retain(|(name, _)| *name != "records");
    }
    out::facts(&facts);
    for fault in &report.faults {
        out::line(format!("wrong: {fault}"));
    }
    if report.more > 0 {
        out::line(format!("wrong: {} more", report.more));
    }
    if pin.is_none() {
        out::line(
            "The fingerprint is what the file itself claims: compare it with the one in your pages, or give --org.",
        );
    }
}
