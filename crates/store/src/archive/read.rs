//! Reading a backup: every length, order and count is checked before anything is handed out, and the checksum at the end.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read},
};

use ring::digest::{Context, SHA256};

use super::{
    ArchiveError, Counts, DATA, END, FAILURE, FILE, HASH, HEADER, Header, MAGIC, MAX_FILES, MAX_FRAME, MAX_NAME,
    MAX_TABLES, ROW, TABLE, VERSION, path_is_valid,
};

/// The next thing in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A table begins.
    Table(&'a str),
    /// A row of it.
    Row(&'a [u8], &'a [u8]),
    /// A file begins.
    File(&'a str),
    /// The next bytes of it.
    Data(&'a [u8]),
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Table,
    File,
    Ended,
}

/// Reads a backup from `R`.
pub struct Reader<R> {
    input: R,
    hash: Context,
    header: Header,
    counts: Counts,
    /// Bytes read.
    at: u64,
    within: Within,
    tables: BTreeSet<Vec<u8>>,
    files: BTreeSet<Vec<u8>>,
    pub(super) payload: Vec<u8>,
    /// The last key of the table; none before its first row.
    key: Option<Vec<u8>>,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// See [`ArchiveError`]; so have the other functions.
    pub fn new(input: R) -> Result<Self, ArchiveError> {
        let header = Header { schema: 0, created_ms: 0, kefu: String::new() };
        let mut reader = Self {
            input,
            hash: Context::new(&SHA256),
            header,
            counts: Counts::default(),
            at: 0,
            within: Within::Nothing,
            tables: BTreeSet::new(),
            files: BTreeSet::new(),
            payload: Vec::new(),
            key: None,
        };
        match reader.read_array() {
            Ok(magic) if magic == *MAGIC => {}
            Ok(_) | Err(ArchiveError::Incomplete(_)) => return Err(ArchiveError::NotABackup),
            Err(e) => return Err(e),
        }
        let version = u32::from_be_bytes(reader.read_array()?);
        if version > VERSION {
            return Err(ArchiveError::TooNew(version));
        }
        let at = reader.at;
        let header = |payload: &[u8]| {
            let (schema, rest) = payload.split_first_chunk()?;
            let (created, kefu) = rest.split_first_chunk()?;
            let kefu = std::str::from_utf8(kefu).ok().filter(|v| v.len() < 64 && !v.chars().any(char::is_control))?;
            let (schema, created_ms) = (u32::from_be_bytes(*schema), u64::from_be_bytes(*created));
            Some(Header { schema, created_ms, kefu: kefu.to_owned() })
        };
        let kind = reader.read_frame()?;
        if version == 0 || kind == FAILURE {
            return Err(reader.failure(at));
        }
        reader.header = Some(kind)
            .filter(|kind| *kind == HEADER)
            .and_then(|_| header(&reader.payload))
            .ok_or(ArchiveError::Damaged { at, what: "it has no valid header" })?;
        Ok(reader)
    }

    /// What the backup says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was read so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// The next entry; none at the end, when all of it was found valid.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, ArchiveError> {
        if self.within == Within::Ended {
            return Ok(None);
        }
        let at = self.at;
        let damaged = |what| ArchiveError::Damaged { at, what };
        match self.read_frame()? {
            TABLE => {
                if self.within == Within::File || self.tables.len() >= MAX_TABLES {
                    return Err(damaged("no table is expected here"));
                }
                (self.within, self.key) = (Within::Table, None);
                let name = text(&self.payload).ok_or(damaged("the name of a table is not valid"))?;
                if !self.tables.insert(self.payload.clone()) {
                    return Err(damaged("a table comes twice"));
                }
                Ok(Some(Entry::Table(name)))
            }
            ROW => {
                let row = |payload: &'_ [u8]| -> Option<usize> {
                    let (length, rest) = payload.split_first_chunk()?;
                    Some(u32::from_be_bytes(*length) as usize).filter(|length| *length <= rest.len())
                };
                let length = row(&self.payload).ok_or(damaged("a row is shorter than its key"))?;
                if self.within != Within::Table {
                    return Err(damaged("a row belongs to no table"));
                }
                let (key, value) = self.payload[4..].split_at(length);
                if self.key.as_deref().is_some_and(|before| before >= key) {
                    return Err(damaged("the keys of a table do not ascend"));
                }
                let last = self.key.get_or_insert_default();
                last.clear();
                last.extend_from_slice(key);
                self.counts.rows += 1;
                Ok(Some(Entry::Row(key, value)))
            }
            FILE => {
                self.within = Within::File;
                let path = text(&self.payload).filter(|path| path_is_valid(path));
                let path = path.ok_or(damaged("the path of a file is not valid"))?;
                if self.files.len() >= MAX_FILES || !self.files.insert(self.payload.clone()) {
                    return Err(damaged("a file comes twice, or there are too many"));
                }
                self.counts.files += 1;
                Ok(Some(Entry::File(path)))
            }
            DATA => {
                if self.within != Within::File {
                    return Err(damaged("bytes belong to no file"));
                }
                self.counts.file_bytes += self.payload.len() as u64;
                Ok(Some(Entry::Data(&self.payload)))
            }
            END => {
                self.end(at)?;
                Ok(None)
            }
            FAILURE => Err(self.failure(at)),
            _ => Err(damaged("a frame of an unknown kind")),
        }
    }

    /// What the last frame, which `read_frame` left out of the hash, says of all others.
    fn end(&mut self, at: u64) -> Result<(), ArchiveError> {
        let Counts { rows, files, file_bytes } = self.counts;
        let counts = [rows, files, file_bytes].map(u64::to_be_bytes).concat();
        let Some((said, hash)) = self.payload.split_last_chunk::<HASH>() else {
            return Err(ArchiveError::Damaged { at, what: "its end has a wrong length" });
        };
        self.hash.update(&[END]);
        self.hash.update(&(self.payload.len() as u32).to_be_bytes());
        self.hash.update(said);
        if self.hash.clone().finish().as_ref() != hash {
            return Err(ArchiveError::Checksum);
        }
        if said != counts {
            return Err(ArchiveError::Damaged { at, what: "it does not contain what it says it contains" });
        }
        self.within = Within::Ended;
        if self.input.by_ref().take(1).read_to_end(&mut Vec::new())? != 0 {
            return Err(ArchiveError::Damaged { at: self.at, what: "something follows its end" });
        }
        Ok(())
    }

    fn failure(&self, at: u64) -> ArchiveError {
        match text(&self.payload) {
            Some(why) => ArchiveError::Failed(why.to_owned()),
            None => ArchiveError::Damaged { at, what: "a frame of an unknown kind" },
        }
    }

    /// Reads a frame into `payload` and returns its kind. Memory is taken as bytes come, not as the length promises.
    fn read_frame(&mut self) -> Result<u8, ArchiveError> {
        let at = self.at;
        let [kind, length @ ..] = self.read_unhashed::<5>()?;
        let length = u32::from_be_bytes(length) as usize;
        let most = match kind {
            ROW | DATA => MAX_FRAME,
            _ => MAX_NAME,
        };
        if length > most {
            return Err(ArchiveError::Damaged { at, what: "a frame is longer than any may be" });
        }
        self.payload.clear();
        let read = self.input.by_ref().take(length as u64).read_to_end(&mut self.payload)?;
        self.at += read as u64;
        if read < length {
            return Err(ArchiveError::Incomplete(self.at));
        }
        if kind != END {
            self.hash.update(&[kind]);
            self.hash.update(&(length as u32).to_be_bytes());
            self.hash.update(&self.payload);
        }
        Ok(kind)
    }

    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let bytes = self.read_unhashed()?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn read_unhashed<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => ArchiveError::Incomplete(self.at),
            _ => ArchiveError::Io(e),
        })?;
        self.at += N as u64;
        Ok(bytes)
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}
