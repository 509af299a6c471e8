//! Rows that wait in a file until their table comes: a dump has all records before the first row.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

/// Longest key or value. What is read is what was written; a disk may do otherwise.
const LONGEST: usize = 64 * 1024 * 1024;

/// Rows that are written first, then read in the same order.
#[derive(Debug)]
pub(super) struct Spool(BufWriter<File>);

impl Spool {
    /// In an empty file.
    pub fn new(file: File) -> Self {
        Self(BufWriter::new(file))
    }

    /// Adds a row.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        for part in [key, value] {
            self.0.write_all(&(part.len() as u64).to_be_bytes())?;
            self.0.write_all(part)?;
        }
        Ok(())
    }

    /// Reads from the first one on.
    pub fn read(self) -> io::Result<Spooled> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        let left = file.stream_position()?;
        file.rewind()?;
        Ok(Spooled { file: BufReader::new(file), left })
    }
}

/// Rows that were written.
#[derive(Debug)]
pub(super) struct Spooled {
    file: BufReader<File>,
    /// Bytes that were not read yet.
    left: u64,
}

impl Spooled {
    /// The next row.
    pub fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        if self.left == 0 { Ok(None) } else { Ok(Some((self.part()?, self.part()?))) }
    }

    fn part(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        self.file.read_exact(&mut length)?;
        let length = usize::try_from(u64::from_be_bytes(length)).ok().filter(|length| *length <= LONGEST);
        let length =
            length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a temporary file was changed"))?;
        let mut part = vec![0; length];
        self.file.read_exact(&mut part)?;
        self.left = self.left.saturating_sub(length as u64 + 8);
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_their_order() {
        let mut spool = Spool::new(tempfile::tempfile().unwrap());
        let rows = [(vec![1], vec![]), (vec![], vec![2; 9_000]), (vec![3, 3], vec![4])];
        rows.iter().for_each(|(key, value)| spool.push(key, value).unwrap());
        let mut spooled = spool.read().unwrap();
        assert_eq!(std::iter::from_fn(|| spooled.next().unwrap()).collect::<Vec<_>>(), rows);
        assert_eq!(Spool::new(tempfile::tempfile().unwrap()).read().unwrap().next().unwrap(), None);
    }
}
