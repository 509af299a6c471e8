//! What must be true of everything that is stored, put together from the rules of those who write it.

use crate::{
    chat::ConversationRules,
    documents,
    store::{
        StoreError, Table,
        rules::{Lookup, Rules, StoredConversation},
    },
};

/// All rules, for checks of a whole database.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredRules;

impl Rules for StoredRules {
    fn conversation(&self, lookup: &dyn Lookup, conv: &StoredConversation<'_>) -> Result<Option<String>, StoreError> {
        ConversationRules.conversation(lookup, conv)
    }

    fn row(&self, lookup: &dyn Lookup, table: Table, key: &[u8], value: &[u8]) -> Result<Option<String>, StoreError> {
        match table {
            Table::Document => documents::check_row(lookup, key, value),
            _ => ConversationRules.row(lookup, table, key, value),
        }
    }
}
