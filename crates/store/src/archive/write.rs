//! Writing a backup.

use std::io::{self, ErrorKind, Write};

use ring::digest::{Context, SHA256};

use super::{
    Counts, DATA, END, FAILURE, FILE, HEADER, Header, MAGIC, MAX_FRAME, MAX_NAME, ROW, TABLE, VERSION, path_is_valid,
};

/// Writes a backup to `W` and hashes what it writes.
pub struct Writer<W> {
    out: W,
    hash: Context,
    pub(super) counts: Counts,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// Of `out`; so have the other functions.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { out, hash: Context::new(&SHA256), counts: Counts::default(), bytes: 0 };
        writer.write(MAGIC)?;
        writer.write(&VERSION.to_be_bytes())?;
        writer
            .frame(HEADER, &[&header.schema.to_be_bytes(), &header.created_ms.to_be_bytes(), header.kefu.as_bytes()])?;
        Ok(writer)
    }

    /// Begins a table.
    pub fn table(&mut self, name: &str) -> io::Result<()> {
        self.frame(TABLE, &[name.as_bytes()])
    }

    /// Adds a row to the table that was begun last.
    pub fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.counts.rows += 1;
        // a key that long makes the frame too long
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.frame(ROW, &[&length.to_be_bytes(), key, value])
    }

    /// Begins a file.
    pub fn file(&mut self, path: &str) -> io::Result<()> {
        if !path_is_valid(path) {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("a backup cannot contain the path {path:?}")));
        }
        self.counts.files += 1;
        self.frame(FILE, &[path.as_bytes()])
    }

    /// Adds bytes to the file that was begun last.
    pub fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.counts.file_bytes += bytes.len() as u64;
        self.frame(DATA, &[bytes])
    }

    /// Ends it with the reason why it cannot be completed.
    pub fn fail(mut self, why: &str) -> io::Result<()> {
        let end = why.floor_char_boundary(MAX_NAME);
        self.frame(FAILURE, &[&why.as_bytes()[..end]])?;
        self.out.flush()
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let Counts { rows, files, file_bytes } = self.counts;
        let counts = [rows, files, file_bytes].map(u64::to_be_bytes).concat();
        let length = counts.len() + super::HASH;
        self.write(&[END])?;
        self.write(&(length as u32).to_be_bytes())?;
        self.write(&counts)?;
        let hash = self.hash.clone().finish();
        self.write(hash.as_ref())?;
        self.out.flush()?;
        Ok((self.out, self.counts))
    }

    /// Rows and files so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn frame(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if length > MAX_FRAME {
            let what = format!("a row or name has {length} bytes, and a backup can contain at most {MAX_FRAME}");
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        }
        self.write(&[kind])?;
        self.write(&(length as u32).to_be_bytes())?;
        parts.iter().try_for_each(|part| self.write(part))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}
