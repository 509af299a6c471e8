//! `kefu move`: a company goes from a file to Redis, back, or from one Redis to another.

use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    context::Context,
    data_dir,
    error::{CliError, Kind},
    io_error::cannot,
    lock, out,
};
use crate::{
    app::{Move, MoveError, Moved, Step, Sum, blobs_path},
    config::{self, Config},
};

/// Move what is stored to Redis or Valkey, or back to a file, also while servers run
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Servers serve while everything is copied. For the last changes they send their clients away and store nothing, \
                        then they end, and are to be started again. The copy is read back and compared before the old place is \
                        left; that is then marked, and kefu serve refuses it. Interrupted, run it again: until the end the \
                        servers go on as if nothing had been. The other settings of Redis (password_file, ca, prefix, \
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
        // without it a server runs here, and has the database file
        let held = match lock::take(&ctx.data_dir) {
            Err(e) if e.kind == Kind::Conflict => None,
            held => Some(held?),
        };
        let json = ctx.json;
        let progress = move |step: Step| {
            if !json {
                out::line(said(&step));
            }
        };
        let dir = &ctx.data_dir;
        let company = Move { dir, source: &source, target: &target, running: held.is_none(), progress: &progress };
        let moved = runtime()?.block_on(company.run(self.dry_run))?;
        if !self.dry_run {
            set_url(ctx, &target)?;
        }
        let running = held.is_none();
        drop(held);
        self.report(ctx, [&source, &target], &moved, running);
        Ok(())
    }

    fn report(&self, ctx: &Context, [source, target]: [&Config; 2], moved: &Moved, running: bool) {
        let hash = |sum: &Sum| data_encoding::HEXLOWER.encode(&sum.all);
        let Moved { sum, to, made_cluster_key, passes, stopped } = moved;
        if ctx.json {
            out::print_json(&json!({
                "to": to, "dry_run": self.dry_run, "made_cluster_key": made_cluster_key,
                "conversations": sum.as_ref().map(|sum| sum.conversations),
                "records": sum.as_ref().map(|sum| sum.records),
                "rows": sum.as_ref().map(|sum| sum.rows),
                "sha256": sum.as_ref().map(hash), "passes": passes, "stopped_ms": stopped.as_millis() as u64,
            }));
            return;
        }
        let mut lines = vec![(if self.dry_run { "would move to" } else { "moved to" }, to.clone())];
        if let Some(sum) = sum {
            let Sum { conversations, records, rows, .. } = sum;
            lines.push(("contains", format!("{conversations} conversations, {records} records, {rows} rows in all")));
            lines.push(("SHA-256 of all rows", hash(sum)));
            if !self.dry_run {
                lines.push(("stopped for", format!("{:.1} seconds", stopped.as_secs_f64())));
            }
        } else {
            lines.push(("contains", "what an earlier try had copied and compared".into()));
        }
        if !self.dry_run {
            lines.push(("storage.url", format!("set in {}", ctx.config_path().display())));
        }
        lines.push(("files", files(ctx, source, target)));
        out::facts(&lines);
        if self.dry_run {
            out::line("\nNothing was changed.");
            return;
        }
        out::line("\nnext:");
        if running {
            out::line("  the server of this machine ends by itself: start it again, unless systemd does");
        }
        if source.storage.is_shared() {
            out::line("  on every other machine: write that storage.url into kefu.toml, and start the server again");
        }
        out::line("  kefu verify");
        if !running {
            out::line("  kefu serve");
        }
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

/// Where the files that people sent are now: they are not moved.
fn files(ctx: &Context, source: &Config, target: &Config) -> String {
    if let Some(bucket) = source.storage.bucket() {
        return format!("stay in {bucket}, and are found there");
    }
    let dir = blobs_path(&ctx.data_dir, source);
    match dir.exists() {
        false => "there are none".to_owned(),
        true if target.storage.is_shared() => format!(
            "stay in {}, and no server finds them there: servers that share a Redis have files in a bucket (storage.blobs)",
            dir.display()
        ),
        true => format!("stay in {}, and are found there", dir.display()),
    }
}

/// What was done, in a line.
fn said(step: &Step) -> String {
    match step {
        Step::Copied(sum) => format!("copied {} conversations, {} records", sum.conversations, sum.records),
        Step::Compared => "read the copy back: it is the same".to_owned(),
        Step::Changes(convs, took) => {
            format!("copied what changed in {convs} conversations, in {:.1} seconds", took.as_secs_f64())
        }
        Step::Held => "servers store nothing for a moment".to_owned(),
        Step::Left => "the old place is left".to_owned(),
    }
}

/// A runtime that says that the move goes on while something else waits for a disk.
fn runtime() -> Result<Runtime, CliError> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|e| CliError::failure(format!("cannot start: {e}")))
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
