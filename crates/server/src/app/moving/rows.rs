//! The rows of a company on their way from one place to the other.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use tokio::{sync::mpsc, task::spawn_blocking};

use super::MoveError;
use crate::store::{
    archive::{ArchiveError, Reader},
    redis::{Export, Exported},
};

/// Entries that go together, and how many such groups wait.
const TOGETHER: usize = 500;
const WAITING: usize = 8;

/// Everything, or what changed, in the order of a dump.
pub(super) enum Rows<'a> {
    /// From a file.
    File(mpsc::Receiver<Result<Vec<Exported>, ArchiveError>>),
    /// From a Redis.
    Shared(Box<Export<'a>>),
}

impl Rows<'_> {
    /// The next entries; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Exported>>, MoveError> {
        match self {
            Self::File(entries) => match entries.recv().await.transpose() {
                Ok(entries) => Ok(entries),
                Err(e) => Err(anyhow::anyhow!("the database can't be read to its end: {e}").into()),
            },
            Self::Shared(export) => Ok(export.next().await?),
        }
    }
}

/// Takes a dump apart, in a thread that may wait for it.
pub(super) fn decoded(pieces: mpsc::Receiver<Bytes>) -> mpsc::Receiver<Result<Vec<Exported>, ArchiveError>> {
    let (entries, received) = mpsc::channel(WAITING);
    spawn_blocking(move || {
        if let Err(e) = decode(pieces, &entries) {
            // nobody to tell: then nobody wants to know
            drop(entries.blocking_send(Err(e)));
        }
    });
    received
}

fn decode(
    pieces: mpsc::Receiver<Bytes>,
    entries: &mpsc::Sender<Result<Vec<Exported>, ArchiveError>>,
) -> Result<(), ArchiveError> {
    let gone = |_| ArchiveError::Io(io::ErrorKind::BrokenPipe.into());
    let mut reader = Reader::new(Pieces { pieces, piece: Bytes::new() })?;
    let mut together = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        together.extend(Exported::of(&entry));
        if together.len() >= TOGETHER {
            entries.blocking_send(Ok(std::mem::take(&mut together))).map_err(gone)?;
        }
    }
    entries.blocking_send(Ok(together)).map_err(gone)
}

/// Reads pieces as they come.
struct Pieces {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.pieces.blocking_recv().unwrap_or_default();
        }
        let read = self.piece.len().min(into.len());
        self.piece.copy_to_slice(&mut into[..read]);
        Ok(read)
    }
}
