//! The format of a backup: the rows of a database and some files in one stream, with a checksum.
//!
//! ```text
//! backup  = "kefu backup\n" ‖ u32 version (1) ‖ frame …
//! frame   = u8 kind ‖ u32 length ‖ payload
//!
//! H       the first: u32 schema version of the rows ‖ u64 time, ms since 1970 ‖ version of kefu, UTF-8
//! T       a table begins: its name
//! R       a row of it: u32 length of the key ‖ key ‖ value; keys ascend, each once
//! F       a file begins: its path in the data directory, see [`path_is_valid`]
//! D       the next bytes of it
//! X       only on the way from a server: why it could not read on; nothing follows
//! E       the last: u64 rows ‖ u64 files ‖ u64 bytes of files ‖ SHA-256 of everything before the hash
//! ```
//!
//! Numbers are big-endian. All tables come before all files. A row is stored as the table documents it (`redb/tables.rs`),
//! numbers in values as above. Nothing in a backup is believed: lengths are limits for reading, not sizes to reserve, and a
//! backup counts only when it was read to its end.
//!
//! Here: the format, written and read as streams of bounded memory. What is in the tables is not known here.

mod read;
mod write;

pub use read::{Entry, Reader};
pub use write::Writer;

use std::io;

/// What a backup begins with.
pub const MAGIC: &[u8; 12] = b"kefu backup\n";
/// The version of the format.
pub const VERSION: u32 = 1;
/// Largest frame, in bytes.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;
/// Maximum number of files.
const MAX_FILES: usize = 10_000;
/// Longest path and longest name of a table, in bytes.
const MAX_NAME: usize = 1_024;
/// Maximum number of tables.
const MAX_TABLES: usize = 256;
/// Bytes of a hash.
const HASH: usize = 32;

const HEADER: u8 = b'H';
const TABLE: u8 = b'T';
const ROW: u8 = b'R';
const FILE: u8 = b'F';
const DATA: u8 = b'D';
const FAILURE: u8 = b'X';
const END: u8 = b'E';

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Schema version of the rows.
    pub schema: u32,
    /// When it was made, ms since 1970.
    pub created_ms: u64,
    /// Version of the kefu that made it.
    pub kefu: String,
}

/// What a backup contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of all tables.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub file_bytes: u64,
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It begins with something else.
    #[error("it is not a backup made by kefu backup")]
    NotABackup,
    /// A later version of the format.
    #[error("it has version {0} of the format, this kefu reads version {VERSION}: use a newer kefu")]
    TooNew(u32),
    /// It ends before its end.
    #[error("it is incomplete: it ends after {0} bytes")]
    Incomplete(u64),
    /// Its checksum is not that of its content.
    #[error("it is damaged: its checksum does not match its content")]
    Checksum,
    /// Its structure makes no sense.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged {
        /// Where the frame begins.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Whoever made it could not read on, and said why.
    #[error("{0}")]
    Failed(String),
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Whether a backup may contain a file of this path: relative, of at most five plain names, none of them hidden. So it leads
/// to no place outside the directory where it is restored.
pub fn path_is_valid(path: &str) -> bool {
    let plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['\\', '\0']);
    path.len() <= MAX_NAME
        && !path.chars().any(char::is_control)
        && path.split('/').count() <= 5
        && path.split('/').all(plain)
}

#[cfg(test)]
mod tests;
