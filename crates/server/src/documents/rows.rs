//! Rows of the table of documents. Keys begin with a letter:
//!
//! - `d` ‖ id → u64 time, ms ‖ u64 number of the last change ‖ the document
//! - `s` ‖ u64 number, big-endian → [`Place`], JSON: the order of the last changes
//! - `c` ‖ scope → [`Tally`], JSON; the one of all documents is under `c` alone

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    proto::{DocumentId, DocumentView, ErrorCode, Scope},
    store::{Store, StoreError, Table, rules::Lookup},
};

use super::DocumentsError;

/// What keys of changes begin with.
pub(super) const CHANGES: &[u8] = b"s";
/// Name of the tally of all documents.
pub(super) const ALL: &str = "";

/// Which document changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The document.
    pub id: DocumentId,
    /// Its kind.
    pub kind: String,
    /// Who has it.
    pub scope: Scope,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Documents.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Number of the last change; only of all documents.
    #[serde(default)]
    pub seq: u64,
    /// Number of the last deletion.
    #[serde(default)]
    pub deleted: u64,
}

/// A stored document.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// When it changed last, ms.
    pub at_ms: u64,
    /// The number of that change.
    pub seq: u64,
    /// The document.
    pub bytes: Bytes,
}

impl Stored {
    /// As it is in the table.
    pub fn encode(&self) -> Vec<u8> {
        [&self.at_ms.to_be_bytes()[..], &self.seq.to_be_bytes(), &self.bytes].concat()
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let (at, rest) = value.split_first_chunk()?;
        let (seq, bytes) = rest.split_first_chunk()?;
        let bytes = Bytes::copy_from_slice(bytes);
        Some(Self { at_ms: u64::from_be_bytes(*at), seq: u64::from_be_bytes(*seq), bytes })
    }

    /// Its fields.
    pub fn view(&self) -> Result<DocumentView<'_>, DocumentsError> {
        let damaged = |e| StoreError::Corrupt(format!("a document is not valid: {e}"));
        Ok(DocumentView::parse(&self.bytes).map_err(damaged)?)
    }
}

/// Key of a document.
pub(super) fn document_key(id: DocumentId) -> Vec<u8> {
    [b"d", &id.0[..]].concat()
}

/// Key of a change.
pub(super) fn change_key(seq: u64) -> Vec<u8> {
    [CHANGES, &seq.to_be_bytes()].concat()
}

/// The number in a key of a change.
pub(super) fn change_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(CHANGES)?.try_into().ok()?))
}

/// Key of a tally.
pub(super) fn tally_key(of: &str) -> Vec<u8> {
    [b"c", of.as_bytes()].concat()
}

/// A stored document, if it is there.
pub(super) async fn document(store: &dyn Store, id: DocumentId) -> Result<Option<Stored>, StoreError> {
    let value = store.get(Table::Document, &document_key(id)).await?;
    value.map(|v| Stored::decode(&v).ok_or_else(|| StoreError::Corrupt("a document is too short".into()))).transpose()
}

/// A tally, with its value as it is stored.
pub(super) async fn stored_tally(store: &dyn Store, of: &str) -> Result<(Tally, Option<Vec<u8>>), StoreError> {
    let value = store.get(Table::Document, &tally_key(of)).await?;
    let damaged = |e| StoreError::Corrupt(format!("the count of documents is not valid: {e}"));
    let tally = value.as_deref().map(serde_json::from_slice).transpose().map_err(damaged)?;
    Ok((tally.unwrap_or_default(), value))
}

/// A tally.
pub(super) async fn tally(store: &dyn Store, of: &str) -> Result<Tally, StoreError> {
    Ok(stored_tally(store, of).await?.0)
}

/// What is wrong with a row, for checks of a whole database; none: nothing.
///
/// # Errors
/// If the database can't be read.
pub fn check_row(lookup: &dyn Lookup, key: &[u8], value: &[u8]) -> Result<Option<String>, StoreError> {
    let Some((first, rest)) = key.split_first() else { return Ok(Some("the key has a wrong form".into())) };
    let wrong = match first {
        b'd' => {
            let Some(stored) = Stored::decode(value) else { return Ok(Some("it is too short".into())) };
            let view = match DocumentView::parse(&stored.bytes) {
                Ok(view) => view,
                Err(e) => return Ok(Some(format!("the document is not valid: {e}"))),
            };
            let place = lookup.get(Table::Document, &change_key(stored.seq))?;
            let place = place.and_then(|value| serde_json::from_slice::<Place>(&value).ok());
            let own = Place { id: view.id(), kind: view.kind.to_owned(), scope: view.scope.clone() };
            match place {
                _ if view.id().0 != *rest => Some("the document has another id than its key".into()),
                Some(place) if place == own => None,
                _ => Some(format!("its change {} is not listed", stored.seq)),
            }
        }
        b's' => match (change_of(key), serde_json::from_slice::<Place>(value)) {
            (Some(seq), Ok(place)) => {
                let stored = lookup.get(Table::Document, &document_key(place.id))?;
                let same = stored.and_then(|value| Stored::decode(&value)).is_some_and(|stored| stored.seq == seq);
                (!same).then(|| format!("it names document {}, which has not this change", place.id))
            }
            _ => Some("the change is not valid".into()),
        },
        b'c' => serde_json::from_slice::<Tally>(value).err().map(|e| format!("the count is not valid: {e}")),
        _ => Some("the key has a wrong form".into()),
    };
    Ok(wrong)
}

/// Refuses with `conflict`.
pub(super) fn conflict() -> DocumentsError {
    DocumentsError::new(ErrorCode::Conflict, "someone changed this document first; look at it again")
}
