//! `kefu backup`: everything that a restore needs in one file, while the server runs.
//!
//! The rows come from the running server, which reads one moment of its database; the file is written here, where the
//! operator wants it. It gets its name only when it was read back whole.

mod files;
mod target;

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Read as _, Write},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    admin_client::AdminClient,
    archive::{Backup, PIECE, Progress},
    context::Context,
    data_dir,
    error::CliError,
    io_error::{cannot, io_reason},
    out, training,
};
use crate::store::archive::{ArchiveError, Counts, Entry, Reader, Writer};
use files::{Listed, each_blob};
use target::Part;

/// Write everything that a restore needs to one file, also while the server runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "company.keys and the robot's keys are never in it. It is ciphertext and metadata, and the key of \
                        the certificate: keep it private. kefu restore FILE restores it, kefu verify FILE checks it."
)]
pub struct Args {
    /// File to write; in an existing directory, kefu-YYYYMMDDTHHMMSSZ.backup
    #[arg(value_name = "FILE|DIR")]
    target: PathBuf,
    /// Also include opaque.setup, which a restore needs; with it, anyone who has the file can guess passwords
    #[arg(long)]
    with_opaque_setup: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let mut part = Part::create(&self.target, out::now_ms())?;
        // what other servers taught the robot is in files here
        training::refresh(ctx);
        let listed = Listed::of(ctx, self.with_opaque_setup)?;
        let admin = AdminClient::open(ctx)?;
        let written = write(&admin, &listed, &mut part);
        admin.close();
        let counts = written?;
        let backup = Backup::check(part.written()?)?;
        if backup.counts != counts {
            return Err(CliError::failure("the backup has other content on disk than was written: the disk is faulty"));
        }
        let path = part.keep()?;
        if ctx.json {
            let mut facts = backup.facts();
            facts["file"] = json!(path);
            facts["missing"] = listed.missing.iter().map(|(name, _)| *name).collect();
            out::print_json(&facts);
            return Ok(());
        }
        let mut lines = vec![
            ("backup", format!("{} ({}), read back and valid", path.display(), out::bytes(backup.bytes))),
            ("contains", backup.content()),
        ];
        let missing = listed.missing.iter().map(|(name, why)| format!("{name}: {why}"));
        lines.extend(missing.enumerate().map(|(n, line)| (if n == 0 { "not in it" } else { "" }, line)));
        out::facts(&lines);
        Ok(())
    }
}

/// Writes the rows as they come, then the files.
fn write(admin: &AdminClient, listed: &Listed, part: &mut Part) -> Result<Counts, CliError> {
    let mut rows = Reader::new(admin.dump()?).map_err(from_server)?;
    let failed = |e: std::io::Error| cannot("write", &part.path, &e);
    let mut writer = Writer::new(BufWriter::with_capacity(PIECE, &mut part.file), rows.header()).map_err(failed)?;
    let mut progress = Progress::new("backup");
    while let Some(entry) = rows.next_entry().map_err(from_server)? {
        match entry {
            Entry::Table(name) => writer.table(name),
            Entry::Row(key, value) => writer.row(key, value),
            // a server has no files to send
            Entry::File(_) | Entry::Data(_) => Ok(()),
        }
        .map_err(failed)?;
        progress.at(writer.counts().rows, writer.bytes());
    }
    for (name, path) in &listed.files {
        copy(&mut writer, name, path, File::open(path).map_err(|e| cannot("read", path, &e))?, &mut progress)?;
    }
    if let Some(blobs) = &listed.blobs {
        each_blob(blobs, &mut |name, path| match File::open(path) {
            Ok(file) => copy(&mut writer, name, path, file, &mut progress),
            // recalled or erased since the rows were read
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(e) => Err(cannot("read", path, &e)),
        })?;
    }
    let (mut buffered, counts) = writer.finish().map_err(failed)?;
    buffered.flush().map_err(failed)?;
    Ok(counts)
}

/// Writes a file of the backup.
fn copy<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    path: &Path,
    mut file: File,
    progress: &mut Progress,
) -> Result<(), CliError> {
    let failed = |e: std::io::Error| CliError::failure(format!("cannot write the backup: {}", io_reason(&e)));
    writer.file(name).map_err(failed)?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = file.read(&mut buffer).map_err(|e| cannot("read", path, &e))?;
        if read == 0 {
            return Ok(());
        }
        writer.data(&buffer[..read]).map_err(failed)?;
        progress.at(writer.counts().rows, writer.bytes());
    }
}

/// What went wrong with the rows.
fn from_server(e: ArchiveError) -> CliError {
    match e {
        ArchiveError::Incomplete(_) | ArchiveError::NotABackup => {
            CliError::failure("the server stopped before it had sent the whole database").hint("try again")
        }
        ArchiveError::Io(e) => {
            CliError::failure(format!("the database could not be read to its end: {}", io_reason(&e)))
                .hint("is the server still running? Try again")
        }
        e => CliError::failure(format!("the database could not be read to its end: {e}"))
            .hint("kefu doctor looks at disk and permissions, kefu verify at what is stored"),
    }
}
