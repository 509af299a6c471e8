//! Backups as commands see them: reading one to its end before anything is believed, and the files that may be in one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use super::{
    data_dir::{BLOBS, CONFIG, OPAQUE_SETUP, PUBLIC_PART, TLS},
    error::CliError,
    io_error::cannot,
    out,
};
use crate::{
    config::Config,
    proto::{ConvId, HeaderView, Kind, MsgId},
    store::{
        StoreError,
        archive::{ArchiveError, Counts, Entry, Header, Reader},
        redb::DumpCheck,
    },
};

/// Directory of what the robot was taught (see [`crate::robot::engine::RobotFiles`]).
pub const KNOWLEDGE: &str = "knowledge";
/// Bytes that are read at once.
pub const PIECE: usize = 256 * 1024;
/// Largest configuration.
const MAX_CONFIG: usize = 1024 * 1024;

/// A backup that was read to its end and found valid.
#[derive(Debug)]
pub struct Backup {
    /// What it says of itself.
    pub header: Header,
    /// What is in it.
    pub counts: Counts,
    /// Its size.
    pub bytes: u64,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// Its files, but not those that people sent.
    pub files: Vec<String>,
    /// Files that people sent, by conversation and message, with their bytes.
    pub sent: BTreeMap<(ConvId, MsgId), u64>,
    /// The configuration, if it is in it.
    pub config: Option<Vec<u8>>,
}

impl Backup {
    /// Reads all of a backup. Nothing is created.
    pub fn check(path: &Path) -> Result<Self, CliError> {
        let file = File::open(path).map_err(|e| cannot("read", path, &e))?;
        let refused = |e: ArchiveError| unreadable(path, e);
        let mut reader = Reader::new(BufReader::with_capacity(PIECE, file)).map_err(refused)?;
        let header = reader.header().clone();
        let mut check = DumpCheck::new(&header).map_err(|e| unusable(path, &header, &e))?;
        let (mut tables, mut files, mut config, mut sent) = (BTreeMap::new(), Vec::new(), None, BTreeMap::new());
        let (mut table, mut in_config, mut progress) = (String::new(), false, Progress::new("checking"));
        let mut in_sent = None;
        loop {
            progress.at(reader.counts().rows, reader.bytes());
            let Some(entry) = reader.next_entry().map_err(refused)? else { break };
            check.entry(&entry).map_err(|e| unusable(path, &header, &e))?;
            match entry {
                Entry::Table(name) => {
                    name.clone_into(&mut table);
                    tables.insert(table.clone(), 0);
                }
                Entry::Row(..) => *tables.entry(table.clone()).or_default() += 1,
                Entry::File(path_in_it) => {
                    if mode_of(path_in_it).is_none() {
                        let what = format!("{} has a file that this kefu does not know: {path_in_it}", path.display());
                        return Err(CliError::failure(what).hint("use the kefu that made it, or a newer one"));
                    }
                    in_config = path_in_it == CONFIG;
                    if in_config {
                        config = Some(Vec::new());
                    }
                    in_sent = sent_file(path_in_it);
                    match in_sent {
                        Some(id) => drop(sent.insert(id, 0)),
                        None => files.push(path_in_it.to_owned()),
                    }
                }
                Entry::Data(bytes) => {
                    if let Some(size) = in_sent.as_ref().and_then(|id| sent.get_mut(id)) {
                        *size += bytes.len() as u64;
                    }
                    if let Some(config) = config.as_mut().filter(|_| in_config) {
                        if config.len() + bytes.len() > MAX_CONFIG {
                            return Err(CliError::failure(format!(
                                "the {CONFIG} in {} has more than 1 MiB: it is damaged, or was not made by kefu",
                                path.display()
                            )));
                        }
                        config.extend_from_slice(bytes);
                    }
                }
            }
        }
        check.finish().map_err(|e| unusable(path, &header, &e))?;
        Ok(Self { header, counts: reader.counts(), bytes: reader.bytes(), tables, files, sent, config })
    }

    /// Reads it once more for the files that people sent, if there are any: which of them no message names.
    pub fn unnamed(&self, path: &Path) -> Result<BTreeMap<(ConvId, MsgId), u64>, CliError> {
        let mut unnamed = self.sent.clone();
        let file = File::open(path).map_err(|e| cannot("read", path, &e))?;
        let refused = |e: ArchiveError| unreadable(path, e);
        let mut reader = Reader::new(BufReader::with_capacity(PIECE, file)).map_err(refused)?;
        let mut in_records = false;
        while !unnamed.is_empty()
            && let Some(entry) = reader.next_entry().map_err(refused)?
        {
            match entry {
                Entry::Table(name) => in_records = name == "records",
                // time, then the envelope
                Entry::Row(_, value) if in_records => {
                    let header = value.get(8..).and_then(|body| HeaderView::parse(body).ok());
                    if let Some((Kind::Message | Kind::Note, header)) = header {
                        unnamed.remove(&(header.conv(), header.msg_id()));
                    }
                }
                Entry::Row(..) | Entry::Data(_) => {}
                // rows come before files
                Entry::File(_) => break,
            }
        }
        Ok(unnamed)
    }

    /// Whether a file is in it.
    pub fn has(&self, file: &str) -> bool {
        self.files.iter().any(|f| f == file)
    }

    /// Rows of a table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).copied().unwrap_or_default()
    }

    /// The bucket that the files of its company are in; none: they were in a directory, and are in the backup.
    pub fn bucket(&self) -> Option<String> {
        let config = toml::from_str::<Config>(std::str::from_utf8(self.config.as_ref()?).ok()?).ok()?;
        config.storage.bucket().map(str::to_owned)
    }

    /// What is in it, for people.
    pub fn content(&self) -> String {
        let sent = match self.sent.len() {
            0 => String::new(),
            blobs => format!(", {blobs} of them sent by people"),
        };
        format!(
            "{} conversations, {} records, {} rows in all; {} files ({}){sent}",
            self.rows("rows"),
            self.rows("records"),
            self.counts.rows,
            self.counts.files,
            out::bytes(self.counts.file_bytes)
        )
    }

    /// What is in it and where it comes from, for programs.
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "bytes": self.bytes, "rows": self.counts.rows, "files": self.files, "blobs": self.sent.len(), "conversations": self.rows("rows"),
            "records": self.rows("records"), "schema": self.header.schema, "created_ms": self.header.created_ms,
            "version": self.header.kefu,
        })
    }
}

/// The mode with which a file of a backup is restored; none for a file that no backup contains.
pub fn mode_of(path: &str) -> Option<u32> {
    match path {
        CONFIG | PUBLIC_PART => Some(0o644),
        OPAQUE_SETUP => Some(0o600),
        _ if [TLS, KNOWLEDGE, BLOBS].iter().any(|dir| within(path, dir)) => Some(0o600),
        _ => None,
    }
}

/// The file that somebody sent with this path in a backup.
fn sent_file(path: &str) -> Option<(ConvId, MsgId)> {
    let mut ids = path.strip_prefix(BLOBS)?.strip_prefix('/')?.split('/').skip(1);
    Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
}

/// Whether a path leads into a directory.
pub fn within(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

/// A backup that can't be read, with what to do about it.
pub fn unreadable(path: &Path, e: ArchiveError) -> CliError {
    match e {
        ArchiveError::Io(e) => cannot("read", path, &e),
        e @ ArchiveError::TooNew(_) => CliError::failure(format!("{} can't be read: {e}", path.display())),
        e => CliError::failure(format!("{} can't be used: {e}", path.display()))
            .hint("use another backup; nothing was changed"),
    }
}

/// A backup whose rows can't be loaded.
pub fn unusable(path: &Path, header: &Header, e: &StoreError) -> CliError {
    match e {
        StoreError::TooNew { found, known } => {
            CliError::failure(format!("{} has schema version {found}, this kefu knows up to {known}", path.display()))
                .hint(format!("use kefu {}, which made it, or a newer one", header.kefu))
        }
        e => CliError::failure(format!("{} can't be used: {e}", path.display()))
            .hint("use another backup; nothing was changed"),
    }
}

/// A line on a terminal that shows how far a command is.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    /// When it was drawn last; none where nobody sees it.
    drawn: Option<Instant>,
}

impl Progress {
    const EACH: Duration = Duration::from_millis(200);

    /// For a command that does this.
    pub fn new(what: &'static str) -> Self {
        Self { what, drawn: std::io::stderr().is_terminal().then(Instant::now) }
    }

    /// So much was done.
    pub fn at(&mut self, rows: u64, bytes: u64) {
        if self.drawn.is_some_and(|at| at.elapsed() >= Self::EACH) {
            self.drawn = Some(Instant::now());
            // a terminal that is gone needs no progress
            let _ = write!(std::io::stderr(), "\r\x1b[K{}: {rows} rows, {}", self.what, out::bytes(bytes));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_files_are_restored() {
        for (path, mode) in [("kefu.toml", 0o644), ("tls/ca.key", 0o600), ("knowledge/model/config.json", 0o600)] {
            assert_eq!(mode_of(path), Some(mode), "{path}");
        }
        for path in ["company.keys", "robot/sign.key", "tls", "tlsx/a", "kefu.redb", "knowledge.json"] {
            assert_eq!(mode_of(path), None, "{path}");
        }
    }
}
