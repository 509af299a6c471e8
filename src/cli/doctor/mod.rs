//! `kefu doctor`: what is wrong, or soon will be. Looks, and changes nothing (in a bucket of files, it writes an object and removes it).

mod blobs;
mod files;
mod finding;
mod machine;
mod queue;
mod server;
mod webhooks;

use std::path::PathBuf;

use serde_json::json;

use super::{context::Context, data_dir, error::CliError, out};
use crate::data_dir::DATABASE;
use finding::{Finding, Level};

/// Check for problems; exit code 1 if there are any
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let findings = examine(ctx);
        let problems = findings.iter().filter(|f| f.level == Level::Problem).count();
        if ctx.json {
            out::print_json(&json!({"findings": findings, "problems": problems}));
        } else {
            findings.iter().for_each(|f| f.print(ctx.color_stdout()));
            let warnings = findings.iter().filter(|f| f.level == Level::Warning).count();
            out::line(match (problems, warnings) {
                (0, 0) => "\nNo problems found.".to_owned(),
                (0, n) => format!("\nNothing is broken; {n} to check."),
                (n, _) => format!("\n{n} to fix."),
            });
        }
        if problems > 0 { Err(CliError::silent()) } else { Ok(()) }
    }
}

/// Checks in order of dependency: what depends on something broken is skipped.
fn examine(ctx: &Context) -> Vec<Finding> {
    let mut findings = vec![files::data_directory(ctx)];
    findings.extend(files::owners(ctx));
    if data_dir::require_initialised(&ctx.data_dir).is_err() {
        findings.extend([machine::clock_of_the_world(), machine::open_files(None)]);
        return findings;
    }
    findings.extend(files::secrets(ctx));
    let config = ctx.load_config();
    findings.push(match &config {
        Ok(_) => Finding::ok("configuration", ctx.config_path().display().to_string()),
        Err(fail) => Finding::from_fail("configuration", fail),
    });
    let storage = config.as_ref().map(|c| c.storage.clone()).unwrap_or_default();
    if storage.is_shared() {
        findings.extend(server::redis(&storage));
    } else {
        let database = storage.redb_path().map_or_else(|| ctx.file(DATABASE), PathBuf::from);
        findings.push(machine::disk(&database, storage.reserve_mb));
    }
    let Ok(config) = config else { return findings };
    findings.extend(files::named_secrets(&config));
    findings.extend(server::bucket(&storage));
    findings.extend(blobs::directory(ctx, &config));
    findings.push(files::certificate(ctx, &config));
    findings.push(server::server(ctx, &config));
    findings.extend(server::limited(ctx));
    findings.extend(server::storage(ctx));
    findings.extend(server::directory(ctx));
    if config.storage.is_shared() {
        findings.extend(server::robot(ctx));
    }
    findings.extend(queue::waiting(ctx, &config));
    findings.extend(webhooks::webhooks(ctx, &config));
    findings.push(machine::clock_of_the_world());
    findings.push(machine::open_files(Some(config.server.max_connections)));
    findings
}
