//! What is true of every stored conversation, whatever happened in it: for checks of a whole database. A rule belongs here
//! only if each batch that is written keeps it.

use super::row::Row;
use crate::{
    crypto::hash,
    proto::{ConvId, ConvState, Marks, Owner},
    store::{
        StoreError, Table,
        rules::{Lookup, Rules, StoredConversation},
    },
};

/// The rules of conversations and of the small tables that name them.
#[derive(Debug, Clone, Copy)]
pub struct ConversationRules;

impl Rules for ConversationRules {
    fn conversation(&self, lookup: &dyn Lookup, conv: &StoredConversation<'_>) -> Result<Option<String>, StoreError> {
        let row = match Row::decode(conv.row).and_then(|row| row.visitor_ed().map(|_| row)) {
            Ok(row) => row,
            Err(e) => return Ok(Some(format!("the row is not valid: {e}"))),
        };
        let closed = row.state == ConvState::Closed;
        let is = |closed| if closed { "closed" } else { "open" };
        if closed != conv.closed.unwrap_or(false) {
            return Ok(Some(format!("the row says {}, the conversation's events say {}", is(closed), is(!closed))));
        }
        if closed != (row.owner == Owner::None) {
            return Ok(Some(format!("the conversation is {} and its owner is {}", is(closed), row.owner)));
        }
        if closed && row.snoozed.is_some() {
            return Ok(Some("the conversation is closed and put aside".into()));
        }
        let listed = lookup.get(Table::OpenConv, &conv.id.0)?.is_some();
        if listed && closed {
            return Ok(Some("the conversation is closed, but the table open_conv lists it".into()));
        }
        if !listed && !closed && row.empty.is_none() {
            return Ok(Some("the conversation is open, but the table open_conv does not list it".into()));
        }
        Ok(None)
    }

    fn row(&self, lookup: &dyn Lookup, table: Table, key: &[u8], value: &[u8]) -> Result<Option<String>, StoreError> {
        let Some(named) = named(table, key) else { return Ok(None) };
        let Some((conv, before)) = named else { return Ok(Some("the key has a wrong form".into())) };
        let Some(row) = lookup.row(conv)? else {
            return Ok(Some(format!("it belongs to conversation {conv}, which does not exist")));
        };
        // one that is not valid is reported with its conversation
        let Ok(row) = Row::decode(&row) else { return Ok(None) };
        let number = |bytes: &[u8]| bytes.last_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let wrong = match table {
            Table::Receipt => {
                serde_json::from_slice::<Marks>(value).err().map(|e| format!("the marks are not valid: {e}"))
            }
            Table::VisitorConv => {
                let theirs = row.visitor_ed().is_ok_and(|ed| hash::kid(&ed).0 == before);
                (!theirs).then(|| format!("conversation {conv} belongs to another visitor"))
            }
            Table::ConvByTime => (number(before) != Some(row.created))
                .then(|| format!("conversation {conv} was created at {}", row.created)),
            Table::Missed => {
                let team = before.split_last_chunk::<9>().map(|(team, _)| team);
                let listed = team == Some(row.team.as_str().as_bytes()) && number(before) == row.missed;
                (!listed).then(|| format!("conversation {conv} was not missed by this team at this time"))
            }
            _ => None,
        };
        Ok(wrong)
    }
}

/// The conversation that a key names, and what comes before it; none for tables without conversations, and a none within for
/// keys of a wrong form.
fn named(table: Table, key: &[u8]) -> Option<Option<(ConvId, &[u8])>> {
    let at_end = |before: Option<usize>| {
        let (rest, conv) = key.split_last_chunk::<16>()?;
        before.is_none_or(|length| rest.len() == length).then_some((ConvId(*conv), rest))
    };
    match table {
        Table::Receipt => Some(match key.split_last() {
            Some((0 | 1, conv)) => ConvId::from_slice(conv).map(|conv| (conv, &key[..0])),
            _ => None,
        }),
        Table::VisitorConv => Some(at_end(Some(16))),
        Table::OpenConv => Some(at_end(Some(0))),
        Table::ConvByTime => Some(at_end(Some(8))),
        Table::Missed => Some(at_end(None)),
        _ => None,
    }
}
