//! Checks that everything in the database makes sense, as `redb/verify.rs` does for a file: bodies that parse and name their
//! conversation, a hash of ids that has every message once, right sizes, and the rules of those who write rows ([`Rules`]). Only
//! reads, while servers write; each conversation is checked as it was at one moment. That numbers have no gaps follows from the
//! form of a list.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use kefu_proto::{ConvId, Event, RecordView};

use super::{RedisStore, Shared, event::frame, export::index_rows, whole::Whole};
use crate::{
    FactsOf, Pair, StoreError, Table,
    check::remembered_id,
    redb::{Dumped, Fault, Totals},
    rules::{Lookup, Rules, StoredConversation},
};

/// Entries of indexes that nothing explains, named at most.
const STRANGE: usize = 10_000;
/// Conversations that are read together.
const TOGETHER: usize = 32;

impl RedisStore {
    /// Checks everything and passes each fault to `faults`. In memory are some conversations at a time, and the tables of the
    /// company.
    ///
    /// # Errors
    /// Redis can't be read, or a server of it was replaced meanwhile.
    pub async fn verify(
        &self,
        facts_of: &FactsOf,
        rules: &(dyn Rules + Sync),
        faults: &mut (dyn FnMut(Fault) + Send),
    ) -> Result<Totals, StoreError> {
        let shared: &Arc<Shared> = &self.shared;
        let standing = shared.standing();
        let mut check = Check { rules, faults, totals: Totals::default() };
        for convs in shared.conversations().await?.chunks(TOGETHER) {
            for whole in shared.read_whole(convs, facts_of, true).await? {
                check.conversation(&whole)?;
            }
        }
        let mut most = STRANGE;
        let mut note = |table, key: &[u8], what| {
            check.fault(table, key, what);
            most -= 1;
            if most == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        shared.unexplained(facts_of, &mut note).await?;
        let tables = shared.tables().await?;
        shared.still(&standing)?;
        check.company(&tables)?;
        Ok(check.totals)
    }
}

struct Check<'a> {
    rules: &'a (dyn Rules + Sync),
    faults: &'a mut (dyn FnMut(Fault) + Send),
    totals: Totals,
}

impl Check<'_> {
    fn fault(&mut self, table: &'static str, key: &[u8], what: impl Into<String>) {
        (self.faults)(Fault { table, key: key.to_vec(), what: what.into() });
    }

    fn conversation(&mut self, whole: &Whole) -> Result<(), StoreError> {
        let id = whole.id;
        self.totals.conversations += u64::from(!whole.records.is_empty());
        self.totals.ids += whole.ids.len() as u64;
        let mut ids: HashMap<_, _> = whole.ids.iter().copied().collect();
        let (mut closed, mut size) = (None, 0);
        for (seq, record) in (1u64..).zip(&whole.records) {
            let (key, bytes) = ([&id.0[..], &seq.to_be_bytes()].concat(), frame(seq, record));
            self.totals.records += 1;
            self.totals.bytes += bytes.len() as u64;
            size += record.len() as u64;
            let Some(record) = RecordView::parse(&bytes) else {
                self.fault("records", &key, "the record is too short to be one");
                continue;
            };
            if record.conv() != id {
                self.fault("records", &key, format!("the record names another conversation, {}", record.conv()));
            }
            if let Some(message) = remembered_id(record.body) {
                match ids.remove(&message) {
                    Some(listed) if listed == seq => {}
                    Some(listed) => {
                        let what = format!("the ids say that this message is record {listed}, but it is {seq}");
                        self.fault("ids", &key, what);
                    }
                    None => self.fault("records", &key, "the message is missing in the ids"),
                }
                continue;
            }
            match record.event() {
                Some(Event::Closed { .. }) => closed = Some(true),
                Some(Event::Reopened { .. }) => closed = Some(false),
                Some(_) => {}
                None => self.fault("records", &key, "the record is neither a valid envelope nor a valid event"),
            }
        }
        for seq in ids.into_values() {
            let key = [&id.0[..], &seq.to_be_bytes()].concat();
            self.fault("ids", &key, format!("the ids name record {seq}, which does not exist or is another message"));
        }
        if size != whole.bytes {
            let what = format!("its size is {}, but its records have {size} bytes", whole.bytes);
            self.fault("sizes", &id.0, what);
        }
        let last_seq = whole.records.len() as u64;
        let rows = index_rows(whole);
        let lookup = Known { whole, rows: &rows };
        let wrong = match &whole.row {
            _ if last_seq == 0 => Some("the conversation has no records".to_owned()),
            None => Some("the conversation has records but no row".to_owned()),
            Some((rev, row)) => {
                self.rules.conversation(&lookup, &StoredConversation { id, rev: *rev, row, last_seq, closed })?
            }
        };
        wrong.into_iter().for_each(|wrong| self.fault("rows", &id.0, wrong));
        for (table, key, value) in &rows {
            self.totals.rows += 1;
            let wrong = self.rules.row(&lookup, *table, key, value)?;
            wrong.into_iter().for_each(|wrong| self.fault(Dumped::Small(*table).name(), key, wrong));
        }
        self.places(whole);
        Ok(())
    }

    /// The indexes that Redis alone has, and those that must have every conversation.
    fn places(&mut self, whole: &Whole) {
        let Some(facts) = &whole.facts else { return };
        if !whole.of_visitor {
            self.fault("visitor_conv", &whole.id.0, "the index of its visitor does not have it");
        }
        let expected = super::batch::places(facts);
        for (place, there) in &whole.places {
            if matches!(place, super::batch::Place::OfTeam(..)) && *there != expected.contains(place) {
                let what = if *there { "has it, and should not" } else { "does not have it" };
                self.fault("conv_by_time", &whole.id.0, format!("the index of its team by time {what}"));
            }
        }
    }

    fn company(&mut self, tables: &HashMap<Table, Vec<Pair>>) -> Result<(), StoreError> {
        let lookup = Company::of(tables);
        for table in Table::ALL.iter().filter(|table| !table.is_index()) {
            for (key, value) in tables.get(table).map_or(&[][..], Vec::as_slice) {
                self.totals.rows += 1;
                let wrong = self.rules.row(&lookup, *table, key, value)?;
                wrong.into_iter().for_each(|wrong| self.fault(Dumped::Small(*table).name(), key, wrong));
            }
        }
        Ok(())
    }
}

/// What rules can ask about a conversation.
struct Known<'a> {
    whole: &'a Whole,
    rows: &'a [(Table, Vec<u8>, Vec<u8>)],
}

impl Lookup for Known<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.rows.iter().find(|(in_table, at, _)| *in_table == table && at == key);
        Ok(row.map(|(_, _, value)| value.clone()))
    }

    fn row(&self, conv: ConvId) -> Result<Option<Bytes>, StoreError> {
        Ok(self.whole.row.as_ref().filter(|_| conv == self.whole.id).map(|(_, row)| row.clone()))
    }
}

/// What rules can ask about the tables of the company, which name no conversation.
struct Company<'a>(HashMap<(Table, &'a [u8]), &'a [u8]>);

impl<'a> Company<'a> {
    fn of(tables: &'a HashMap<Table, Vec<Pair>>) -> Self {
        let rows = tables.iter().flat_map(|(table, pairs)| pairs.iter().map(move |pair| (*table, pair)));
        Self(rows.map(|(table, (key, value))| ((table, &key[..]), &value[..])).collect())
    }
}

impl Lookup for Company<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key)).map(|value| value.to_vec()))
    }

    fn row(&self, _: ConvId) -> Result<Option<Bytes>, StoreError> {
        Ok(None)
    }
}
