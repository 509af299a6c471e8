//! `kefu restore`: a data directory from a backup.

use std::{
    fs::{self, File},
    io::{BufReader, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    admin_client::runtime,
    archive::{Backup, KNOWLEDGE, PIECE, Progress, mode_of, unreadable, unusable},
    context::Context,
    data_dir::{self, BLOBS, CLUSTER_KEY, COMPANY_KEYS, CONFIG, OPAQUE_SETUP, PUBLIC_PART, TLS},
    error::{CliError, Kind},
    io_error::{cannot, quoted},
    lock, out,
    undo::Undo,
};
use crate::{
    app::{Target, blobs_path, bucket_to_restore, database_path, make_cluster_key},
    config::Config,
    files::{create_new, make_directory, sync_parent},
    store::{
        StoreError,
        archive::{Entry, Reader},
    },
};

/// Create a data directory from a backup
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The data directory must be empty or absent. The whole backup is checked before anything is created."
)]
pub struct Args {
    /// What kefu backup wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let dir = &ctx.data_dir;
        refuse_occupied(dir)?;
        let backup = Backup::check(&self.file)?;
        let is_new = !dir.exists();
        data_dir::make_private(dir)?;
        let held = lock::take(dir)?;
        // another command may have begun here meanwhile
        refuse_occupied(dir)?;
        let mut undo = Undo::default();
        for name in [CONFIG, PUBLIC_PART, OPAQUE_SETUP, CLUSTER_KEY, TLS, KNOWLEDGE, BLOBS] {
            undo.will_make(&dir.join(name));
        }
        if is_new {
            undo.made(dir);
        } else {
            undo.made(&dir.join(data_dir::LOCK));
        }
        if let Some(config) = &backup.config {
            data_dir::write_new(&dir.join(CONFIG), 0o644, config)?;
        }
        let config = ctx.load_config()?;
        let database = database_path(dir, &config);
        self.load(dir, &database, &config, &backup)?;
        undo.keep();
        drop(held);
        self.report(ctx, &backup, &database, &config);
        Ok(())
    }

    /// Creates the files, and the database last.
    fn load(&self, dir: &Path, database: &Path, config: &Config, backup: &Backup) -> Result<(), CliError> {
        let from = File::open(&self.file).map_err(|e| cannot("read", &self.file, &e))?;
        let mut reader = Reader::new(BufReader::with_capacity(PIECE, from)).map_err(|e| unreadable(&self.file, e))?;
        let wrong = |e: StoreError| {
            match e {
            StoreError::Io(e) => CliError::failure(format!("cannot create the database: {e}"))
                .hint("free some space, or move away what exists there, and try again"),
            StoreError::Server(e) => CliError::failure(format!("cannot restore to the Redis in storage.url: {e}"))
                .hint("nothing was changed here; --config names another configuration, KEFU_STORAGE__URL another database"),
            e => unusable(&self.file, &backup.header, &e),
        }
        };
        let blobs = blobs_path(dir, config);
        let unusable = |e: &dyn std::fmt::Display| {
            CliError::failure(format!("cannot write the files that people sent: {e}"))
                .hint("nothing was changed here; kefu doctor looks at the bucket; run the same command again")
        };
        let mut bucket = match backup.sent.len() {
            0 => None,
            _ => bucket_to_restore(&config.storage).map_err(|e| unusable(&format!("{e:#}")))?,
        };
        if !backup.sent.is_empty() && bucket.is_none() {
            make_directory(&blobs).map_err(|e| cannot("make", &blobs, &e))?;
        }
        let runtime = runtime()?;
        let mut target = runtime.block_on(Target::begin(database, config, &backup.header)).map_err(wrong)?;
        let mut open: Option<(File, PathBuf)> = None;
        let mut progress = Progress::new("restoring");
        loop {
            progress.at(reader.counts().rows, reader.bytes());
            let Some(entry) = reader.next_entry().map_err(|e| unreadable(&self.file, e))? else { break };
            match entry {
                Entry::File(name) => {
                    finish(open.take())?;
                    if let Some(bucket) = &mut bucket {
                        runtime.block_on(bucket.finish()).map_err(|e| unusable(&e))?;
                    }
                    // the configuration is there already
                    open = match (name.strip_prefix(BLOBS).and_then(|rest| rest.strip_prefix('/')), &mut bucket) {
                        _ if name == CONFIG => None,
                        (Some(rest), Some(bucket)) => {
                            runtime.block_on(bucket.begin(rest)).map_err(|e| unusable(&e))?;
                            None
                        }
                        (Some(rest), None) => Some(begin(&blobs, rest, 0o600)?),
                        (None, _) => Some(begin(dir, name, mode_of(name).unwrap_or(0o600))?),
                    };
                }
                Entry::Data(bytes) => {
                    if let Some((file, path)) = &mut open {
                        file.write_all(bytes).map_err(|e| cannot("write", path, &e))?;
                    } else if let Some(bucket) = &mut bucket {
                        runtime.block_on(bucket.add(bytes)).map_err(|e| unusable(&e))?;
                    }
                }
                entry => runtime.block_on(target.entry(&entry)).map_err(wrong)?,
            }
        }
        finish(open)?;
        if let Some(bucket) = &mut bucket {
            runtime.block_on(bucket.finish()).map_err(|e| unusable(&e))?;
        }
        if config.storage.is_shared() {
            make_cluster_key(dir).map_err(|e| CliError::failure(format!("{e:#}")))?;
        }
        runtime.block_on(target.finish(None)).map_err(wrong)
    }

    fn report(&self, ctx: &Context, backup: &Backup, database: &Path, config: &Config) {
        let needs_setup = !backup.has(OPAQUE_SETUP);
        if ctx.json {
            let mut facts = backup.facts();
            facts["data_dir"] = json!(ctx.data_dir);
            if !config.storage.is_shared() {
                facts["database"] = json!(database);
            }
            facts["missing"] = if needs_setup { json!([OPAQUE_SETUP, COMPANY_KEYS]) } else { json!([COMPANY_KEYS]) };
            out::print_json(&facts);
            return;
        }
        let made = out::date(backup.header.created_ms);
        let mut lines = vec![
            ("restored", ctx.data_dir.display().to_string()),
            ("from", format!("{} of {made}, made by kefu {}", self.file.display(), backup.header.kefu)),
            ("contains", backup.content()),
        ];
        if config.storage.is_shared() {
            lines.push(("database", "the Redis in storage.url".into()));
        } else if database.parent() != Some(&ctx.data_dir) {
            lines.push(("database", database.display().to_string()));
        }
        if let Some(bucket) = config.storage.bucket() {
            let files = match backup.sent.len() {
                0 => format!("those that people sent are in {bucket}, not in the backup: restore the bucket, too"),
                n => format!("{n} that people sent were written to {bucket}"),
            };
            lines.push(("files", files));
        }
        out::facts(&lines);
        out::line("\nnext:");
        if needs_setup {
            let place = quoted(&ctx.file(OPAQUE_SETUP));
            out::line(format!("  install -m 600 COPY-OF-{OPAQUE_SETUP} {place}   # without it no server starts"));
        }
        out::line("  kefu verify      # checks everything that was restored");
        out::line("  kefu doctor");
        out::line("  kefu robot on SITE   # for each site that had the robot: its keys are in no backup");
        out::line("  kefu serve");
        out::line(format!(
            "\n{COMPANY_KEYS} is in no backup: name your copy with --keys when you add people. What was written after the \
             backup is gone."
        ));
    }
}

/// Refuses a directory with anything in it, or with a server.
fn refuse_occupied(dir: &Path) -> Result<(), CliError> {
    if let Some(pid) = lock::running(dir).filter(|pid| *pid != std::process::id()) {
        return Err(CliError::new(
            Kind::Conflict,
            format!("{} is in use: a kefu server is running as process {pid}", dir.display()),
        )
        .hint("stop it, and name an empty directory with --data-dir"));
    }
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| cannot("read", dir, &e))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| cannot("read", dir, &e))?.file_name().to_string_lossy().into_owned();
        // a file system has its own directory, and a killed restore leaves its lock
        if name != "lost+found" && name != data_dir::LOCK {
            names.push(name);
        }
    }
    names.sort();
    let Some(first) = names.first() else { return Ok(()) };
    let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    Err(CliError::new(Kind::Exists, format!("{} is not empty: it contains {first}{more}", dir.display()))
        .hint("nothing was changed; name an empty directory with --data-dir, or move these away first"))
}

/// Creates a file of the backup, and the directories to it.
fn begin(dir: &Path, name: &str, mode: u32) -> Result<(File, PathBuf), CliError> {
    let path = dir.join(name);
    let parents: Vec<&Path> = path.ancestors().skip(1).take_while(|parent| *parent != dir).collect();
    for parent in parents.into_iter().rev() {
        make_directory(parent).map_err(|e| cannot("make", parent, &e))?;
    }
    let file = create_new(&path, mode).map_err(|e| cannot("write", &path, &e))?;
    Ok((file, path))
}

/// Brings a file to the disk.
fn finish(open: Option<(File, PathBuf)>) -> Result<(), CliError> {
    let Some((file, path)) = open else { return Ok(()) };
    file.sync_all().and_then(|()| sync_parent(&path)).map_err(|e| cannot("write", &path, &e))
}
