//! One change of a document, with its number and the counts, in one batch.

use bytes::Bytes;

use crate::{
    proto::{ErrorCode, Scope, StorageState},
    store::{self, Batch, Op, StoreError, Table},
};

use super::{
    Cap, Documents, DocumentsError, OWN, SHARED,
    rows::{self, Place, Stored, Tally},
};

/// How often a change is tried that another server's change was faster than.
const TRIES: usize = 8;

impl Documents {
    /// Replaces the revision `base` by `document`, or deletes it if there is none.
    pub(super) async fn change(&self, place: Place, base: u64, document: Option<Bytes>) -> Result<u64, DocumentsError> {
        if self.store.space() != StorageState::Ok {
            return Err(StoreError::Unwritable.into());
        }
        let _one = self.changing.lock().await;
        for _ in 0..TRIES {
            let (seq, ops) = self.plan(&place, base, document.clone()).await?;
            match store::write(&*self.store, Batch { ops, ..Batch::default() }).await {
                Ok(_) => {
                    self.announce(&place, seq);
                    return Ok(seq);
                }
                // another document changed, or this one: `plan` finds out
                Err(StoreError::Conflict) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(rows::conflict())
    }

    async fn plan(&self, place: &Place, base: u64, document: Option<Bytes>) -> Result<(u64, Vec<Op>), DocumentsError> {
        let key = rows::document_key(place.id);
        let old = rows::document(&*self.store, place.id).await?;
        let before = old.as_ref().map(Stored::encode);
        let of = place.scope.to_string();
        let (mut all, all_before) = rows::stored_tally(&*self.store, rows::ALL).await?;
        let (mut part, part_before) = rows::stored_tally(&*self.store, &of).await?;
        let mut ops = vec![
            Op::Expect { table: Table::Document, key: key.clone(), value: before },
            Op::Expect { table: Table::Document, key: rows::tally_key(rows::ALL), value: all_before },
            Op::Expect { table: Table::Document, key: rows::tally_key(&of), value: part_before },
        ];
        let seq = all.seq + 1;
        all.seq = seq;
        let gone = match &old {
            Some(stored) => {
                let view = stored.view()?;
                if view.rev() != base {
                    return Err(rows::conflict());
                }
                if view.scope != place.scope || view.kind != place.kind {
                    return Err(DocumentsError::new(
                        ErrorCode::Malformed,
                        "a document keeps its kind and its readers; delete it and write another one",
                    ));
                }
                ops.push(Op::Delete { table: Table::Document, key: rows::change_key(stored.seq) });
                stored.bytes.len() as u64
            }
            None if base != 0 || document.is_none() => return Err(rows::conflict()),
            None => 0,
        };
        match document {
            Some(bytes) => {
                let (count, size) = (u64::from(old.is_none()), bytes.len() as u64);
                let most = if matches!(place.scope, Scope::Own(_)) { OWN } else { SHARED };
                for (tally, most) in [(&mut part, most), (&mut all, super::ALL)] {
                    count_in(tally, count, size, gone, most)?;
                }
                let stored = Stored { at_ms: self.org.now_ms(), seq, bytes };
                ops.push(Op::Put { table: Table::Document, key, value: stored.encode() });
                ops.push(Op::Put { table: Table::Document, key: rows::change_key(seq), value: json(place)? });
            }
            None => {
                for tally in [&mut part, &mut all] {
                    tally.count = tally.count.saturating_sub(1);
                    tally.bytes = tally.bytes.saturating_sub(gone);
                    tally.deleted = seq;
                }
                ops.push(Op::Delete { table: Table::Document, key });
            }
        }
        ops.push(Op::Put { table: Table::Document, key: rows::tally_key(rows::ALL), value: json(&all)? });
        ops.push(Op::Put { table: Table::Document, key: rows::tally_key(&of), value: json(&part)? });
        Ok((seq, ops))
    }
}

/// Counts a document; refuses one too many. What makes something smaller always fits.
fn count_in(tally: &mut Tally, count: u64, size: u64, gone: u64, most: Cap) -> Result<(), DocumentsError> {
    let (documents, bytes) = (tally.count + count, (tally.bytes + size).saturating_sub(gone));
    if (count > 0 && documents > most.count) || (size > gone && bytes > most.bytes) {
        let text = format!(
            "there is room for {} documents of {} MiB together here: delete some first",
            most.count,
            most.bytes >> 20
        );
        return Err(DocumentsError::new(ErrorCode::TooLarge, text));
    }
    (tally.count, tally.bytes) = (documents, bytes);
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Invalid("a row of documents can't be written"))
}
