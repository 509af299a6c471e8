//! What those who write to the store can say of what is stored: rules that a check of a whole database applies. The store
//! itself knows nothing about rows and keys of small tables.

use bytes::Bytes;

use crate::{StoreError, Table};
use kefu_proto::ConvId;

/// A conversation as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct StoredConversation<'a> {
    /// Its id.
    pub id: ConvId,
    /// Revision of its row.
    pub rev: u32,
    /// Content of its row.
    pub row: &'a [u8],
    /// Highest sequence number.
    pub last_seq: u64,
    /// Whether its last event that closed or reopened it closed it; none if there is no such event.
    pub closed: Option<bool>,
}

/// Questions that a rule may ask about the same moment.
pub trait Lookup {
    /// The value under a key.
    ///
    /// # Errors
    /// If the database can't be read; so has the other function.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// A conversation's row.
    fn row(&self, conv: ConvId) -> Result<Option<Bytes>, StoreError>;
}

/// What must be true of everything that is stored. The answers are what is wrong.
pub trait Rules {
    /// Of a conversation.
    ///
    /// # Errors
    /// If the database can't be read; so has the other function.
    fn conversation(&self, lookup: &dyn Lookup, conv: &StoredConversation<'_>) -> Result<Option<String>, StoreError>;

    /// Of a row of a small table.
    fn row(&self, lookup: &dyn Lookup, table: Table, key: &[u8], value: &[u8]) -> Result<Option<String>, StoreError>;
}
