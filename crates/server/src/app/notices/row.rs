//! What is stored of a webhook: its queue and what was told, in one row that is replaced only if nobody else replaced it.

use serde::{Deserialize, Serialize};

use crate::{
    notices::{Queue, Told},
    store::{self, Batch, Op, Store, StoreError, Table},
};

/// Queue and memory of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::app) struct Row {
    pub queue: Queue,
    pub told: Option<Told>,
}

/// The row with the bytes that it was read from.
pub(in crate::app) struct Stored {
    key: Vec<u8>,
    bytes: Option<Vec<u8>>,
    pub row: Row,
}

impl Stored {
    /// Reads it. One that a newer kefu wrote begins anew.
    pub async fn read(store: &dyn Store, name: &str) -> Result<Self, StoreError> {
        Self::read_at(store, &format!("webhook:{name}")).await
    }

    /// The same under a key of its own.
    pub async fn read_at(store: &dyn Store, key: &str) -> Result<Self, StoreError> {
        let key = key.as_bytes().to_vec();
        let bytes = store.get(Table::Meta, &key).await?;
        let row = bytes.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        Ok(Self { key, bytes, row: row.unwrap_or_else(|| Row { queue: Queue::default(), told: None }) })
    }

    /// Writes it if it changed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: somebody else did meanwhile.
    pub async fn write(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        // derived serialisation of plain data has no way to fail
        let value = serde_json::to_vec(&self.row).unwrap_or_default();
        if self.bytes.as_ref() == Some(&value) {
            return Ok(());
        }
        let ops = vec![
            Op::Expect { table: Table::Meta, key: self.key.clone(), value: self.bytes.clone() },
            Op::Put { table: Table::Meta, key: self.key.clone(), value: value.clone() },
        ];
        store::write(store, Batch { ops, ..Batch::default() }).await?;
        self.bytes = Some(value);
        Ok(())
    }
}
