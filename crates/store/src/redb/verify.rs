//! Checks that everything in a database makes sense: sequence numbers without gaps, a list of ids that has every message
//! once, right sizes, bodies that parse and name their conversation, and the rules of those who write rows ([`Rules`]).
//! Only reads.

use std::collections::HashMap;

use ::redb::ReadOnlyTable;
use bytes::Bytes;

use super::{
    blocks,
    dump::{Snapshot, guarded},
    tables::{self, RecordKey, RowValue, map_db_error},
};
use crate::{
    StoreError, Table,
    check::remembered_id,
    rules::{Lookup, Rules, StoredConversation},
};
use kefu_proto::{ConvId, Event, MsgId, RecordView};

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In which table.
    pub table: &'static str,
    /// Under which key.
    pub key: Vec<u8>,
    /// What is wrong.
    pub what: String,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Bytes of records.
    pub bytes: u64,
    /// Entries of the lists of ids.
    pub ids: u64,
    /// Rows of small tables.
    pub rows: u64,
}

/// One check of one snapshot.
struct Walk<'a> {
    snapshot: &'a Snapshot,
    records: ReadOnlyTable<RecordKey, &'static [u8]>,
    ids: ReadOnlyTable<RecordKey, &'static [u8]>,
    sizes: ReadOnlyTable<&'static [u8; 16], u64>,
    rows: ReadOnlyTable<&'static [u8; 16], RowValue>,
    rules: &'a dyn Rules,
    faults: &'a mut dyn FnMut(Fault),
    totals: Totals,
}

/// A conversation whose records are being read.
struct Current {
    id: ConvId,
    last_seq: u64,
    bytes: u64,
    closed: Option<bool>,
    /// What the list of ids says, without those that were found in records.
    ids: HashMap<MsgId, u64>,
}

impl Snapshot {
    /// Checks everything and passes each fault to `faults`. Reads the whole database; in memory are the message ids of one
    /// conversation at a time.
    ///
    /// # Errors
    /// The database can't be read, or was closed meanwhile.
    pub fn verify(&self, rules: &dyn Rules, faults: &mut dyn FnMut(Fault)) -> Result<Totals, StoreError> {
        guarded(|| {
            let mut walk = Walk {
                snapshot: self,
                records: self.txn.open_table(tables::RECORDS).map_err(map_db_error)?,
                ids: self.txn.open_table(tables::IDS).map_err(map_db_error)?,
                sizes: self.txn.open_table(tables::SIZES).map_err(map_db_error)?,
                rows: self.txn.open_table(tables::ROWS).map_err(map_db_error)?,
                rules,
                faults,
                totals: Totals::default(),
            };
            walk.each_record()?;
            walk.each_conversation()?;
            Table::ALL.iter().try_for_each(|table| walk.each_small(*table))?;
            Ok(walk.totals)
        })
    }
}

impl Lookup for Snapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.txn.open_table(tables::small(table)).map_err(map_db_error)?;
        Ok(table.get(key).map_err(map_db_error)?.map(|value| value.value().to_vec()))
    }

    fn row(&self, conv: ConvId) -> Result<Option<Bytes>, StoreError> {
        Ok(tables::row(&self.txn, conv)?.map(|(_, row)| row))
    }
}

impl Walk<'_> {
    fn fault(&mut self, table: &'static str, key: &[u8], what: impl Into<String>) {
        (self.faults)(Fault { table, key: key.to_vec(), what: what.into() });
    }

    /// Records in order: their numbers, their bodies, and what other tables say of them.
    fn each_record(&mut self) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        let mut current: Option<Current> = None;
        snapshot.each::<_, _, StoreError, StoreError>(tables::RECORDS, |key, block| {
            let conv = tables::conv_of(key);
            if current.as_ref().is_none_or(|c| c.id != conv) {
                self.conversation(current.take())?;
                current = Some(self.begin(conv)?);
            }
            let Some(now) = &mut current else { return Ok(()) };
            for record in blocks::records_in(block) {
                match record {
                    Ok((seq, frame)) => self.record(now, seq, frame),
                    Err(e) => self.fault("records", key, e.to_string()),
                }
            }
            if tables::seq_of(key) != now.last_seq {
                self.fault("records", key, format!("the block ends with number {}", now.last_seq));
            }
            Ok(())
        })?;
        self.conversation(current)
    }

    fn begin(&mut self, id: ConvId) -> Result<Current, StoreError> {
        let mut now = Current { id, last_seq: 0, bytes: 0, closed: None, ids: HashMap::new() };
        let mut count = 0;
        let read = blocks::ids(&self.ids, id, |id, seq| {
            count += 1;
            now.ids.insert(id, seq);
        });
        self.totals.ids += count;
        match read {
            Err(StoreError::Corrupt(what)) => self.fault("ids", &id.0, what),
            read => read?,
        }
        Ok(now)
    }

    fn record(&mut self, now: &mut Current, seq: u64, frame: &[u8]) {
        let key = tables::record_key(now.id, seq);
        if seq != now.last_seq + 1 {
            self.fault("records", &key, format!("number {seq} follows number {}", now.last_seq));
        }
        now.last_seq = seq;
        now.bytes += frame.len() as u64;
        self.totals.records += 1;
        self.totals.bytes += frame.len() as u64;
        let Some(record) = RecordView::parse(frame) else {
            return self.fault("records", &key, "the record is too short to be one");
        };
        if record.conv() != now.id {
            self.fault("records", &key, format!("the record names another conversation, {}", record.conv()));
        }
        if let Some(id) = remembered_id(record.body) {
            return match now.ids.remove(&id) {
                Some(listed) if listed == seq => {}
                Some(listed) => {
                    let what = format!("the list of ids says that this message is record {listed}, but it is {seq}");
                    self.fault("ids", &key, what);
                }
                None => self.fault("records", &key, "the message is missing in the list of ids"),
            };
        }
        match record.event() {
            Some(Event::Closed { .. }) => now.closed = Some(true),
            Some(Event::Reopened { .. }) => now.closed = Some(false),
            Some(_) => {}
            None => self.fault("records", &key, "the record is neither a valid envelope nor a valid event"),
        }
    }

    /// All records of a conversation were read.
    fn conversation(&mut self, current: Option<Current>) -> Result<(), StoreError> {
        let Some(Current { id, last_seq, bytes, closed, ids }) = current else { return Ok(()) };
        self.totals.conversations += 1;
        for seq in ids.into_values() {
            let what = if seq > last_seq { "does not exist" } else { "is another message" };
            self.fault(
                "ids",
                &tables::record_key(id, seq),
                format!("the list of ids names record {seq}, which {what}"),
            );
        }
        let size = self.sizes.get(&id.0).map_err(map_db_error)?.map(|size| size.value());
        if size != Some(bytes) {
            let said = size.map_or_else(|| "none".to_owned(), |size| size.to_string());
            self.fault("sizes", &id.0, format!("its size is {said}, but its records have {bytes} bytes"));
        }
        let row = self.rows.get(&id.0).map_err(map_db_error)?.map(|row| (row.value().0, row.value().1.to_vec()));
        let wrong = match row {
            None => Some("the conversation has records but no row".to_owned()),
            Some((rev, row)) => {
                let stored = StoredConversation { id, rev, row: &row, last_seq, closed };
                self.rules.conversation(self.snapshot, &stored)?
            }
        };
        wrong.into_iter().for_each(|wrong| self.fault("rows", &id.0, wrong));
        Ok(())
    }

    /// Rows, sizes and ids belong to conversations that have records; others were looked at with those.
    fn each_conversation(&mut self) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        snapshot.each::<_, _, StoreError, StoreError>(tables::ROWS, |key, _| self.has_records("rows", key))?;
        snapshot.each::<_, _, StoreError, StoreError>(tables::SIZES, |key, _| self.has_records("sizes", key))?;
        snapshot.each::<_, _, StoreError, StoreError>(tables::IDS, |key, _| {
            self.has_records("ids", &tables::conv_of(key).0)
        })
    }

    fn has_records(&mut self, table: &'static str, key: &[u8; 16]) -> Result<(), StoreError> {
        if blocks::last(&self.records, ConvId(*key))? == 0 {
            self.fault(table, key, "the conversation has no records");
        }
        Ok(())
    }

    fn each_small(&mut self, table: Table) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        snapshot.each::<_, _, StoreError, StoreError>(tables::small(table), |key, value| {
            self.totals.rows += 1;
            let wrong = self.rules.row(snapshot, table, key, value)?;
            wrong.into_iter().for_each(|wrong| self.fault(tables::name(table), key, wrong));
            Ok(())
        })
    }
}
