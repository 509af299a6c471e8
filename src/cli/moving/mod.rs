//! `kefu move`: a company goes from a file to Redis, back, or from one Redis to another.

use serde_json::json;

use super::{
    admin_client::runtime,
    context::Context,
    data_dir,
    error::{CliError, Kind},
    io_error::cannot,
    lock, out,
};
use crate::{
    app::{Move, MoveError, Moved, Sum},
    config::{self, Config},
};

/// Move what is stored to Redis or Valkey, or back to a file, while no server runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The copy is read back and compared before the old place is left; that is then marked, and kefu serve \
                        refuses it. Interrupted, run it again. The other settings of Redis (password_file, ca, prefix, \
                        ack_replicas) are those of [storage] in kefu.toml: set them first."
)]
pub struct Args {
    /// Where to, as storage.url in kefu.toml has it: redis://host:6379, redb:, …
    #[arg(long, value_name = "URL")]
    to: String,
    /// Only check both places, and read everything once
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let source = ctx.load_config()?;
        let target = ctx.load_config_with(vec![("storage.url".into(), self.to.clone())])?;
        let held = lock::take(&ctx.data_dir)?;
        let company = Move { dir: &ctx.data_dir, source: &source, target: &target };
        let moved = runtime()?.block_on(company.run(self.dry_run))?;
        if !self.dry_run {
            set_url(ctx, &target)?;
        }
        drop(held);
        self.report(ctx, &source, &moved);
        Ok(())
    }

    fn report(&self, ctx: &Context, source: &Config, moved: &Moved) {
        let hash = |sum: &Sum| data_encoding::HEXLOWER.encode(&sum.logs);
        let Moved { sum, to, made_cluster_key } = moved;
        if ctx.json {
            out::print_json(&json!({
                "to": to, "dry_run": self.dry_run, "made_cluster_key": made_cluster_key,
                "conversations": sum.as_ref().map(|sum| sum.conversations),
                "records": sum.as_ref().map(|sum| sum.records),
                "rows": sum.as_ref().map(|sum| sum.rows),
                "sha256": sum.as_ref().map(hash),
            }));
            return;
        }
        let mut lines = vec![(if self.dry_run { "would move to" } else { "moved to" }, to.clone())];
        if let Some(sum) = sum {
            let Sum { conversations, records, rows, .. } = sum;
            lines.push(("contains", format!("{conversations} conversations, {records} records, {rows} rows in all")));
            lines.push(("SHA-256 of all records", hash(sum)));
        } else {
            lines.push(("contains", "what an earlier try had copied and compared".into()));
        }
        if !self.dry_run {
            lines.push(("storage.url", format!("set in {}", ctx.config_path().display())));
        }
        out::facts(&lines);
        if self.dry_run {
            out::line("\nNothing was changed.");
            return;
        }
        out::line("\nnext:");
        out::line("  kefu verify");
        out::line("  kefu serve");
        if *made_cluster_key {
            out::line(
                "\ncluster.key was made: a second server of this company needs a copy of it, and of opaque.setup.",
            );
        }
        if !source.storage.is_shared() {
            out::line(
                "\nThe old database file stays where it was; it is no longer served. Delete it when you have a backup.",
            );
        }
    }
}

/// Names the new place in the configuration.
fn set_url(ctx: &Context, target: &Config) -> Result<(), CliError> {
    let path = ctx.config_path();
    let url = &target.storage.url;
    let by_hand = |what: String| {
        CliError::failure(what).hint(format!("the company is moved; write url = {url:?} into [storage] yourself"))
    };
    let text = match std::fs::read_to_string(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.map_err(|e| by_hand(cannot("read", &path, &e).what))?,
    };
    data_dir::replace(&path, 0o644, config::with_value(&text, "storage", "url", url).as_bytes())
        .map_err(|e| by_hand(e.what))?;
    let now = ctx.load_config()?;
    if now.storage.url != *url {
        return Err(by_hand(format!("storage.url is still {:?}: does KEFU_STORAGE__URL set it?", now.storage.url)));
    }
    Ok(())
}

impl From<MoveError> for CliError {
    fn from(e: MoveError) -> Self {
        Self::new(Kind::Failure, e.what).hint(e.next)
    }
}
