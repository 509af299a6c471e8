//! Checks that everything in a database makes sense: sequence numbers without gaps, an index of ids that has every message
//! once, right sizes, bodies that parse and name their conversation, and the rules of those who write rows ([`Rules`]).
//! Only reads.

use ::redb::ReadOnlyTable;
use bytes::Bytes;

use super::{
    dump::{Snapshot, guarded},
    tables::{self, RecordKey, RowValue, map_db_error},
};
use crate::{
    StoreError, Table,
    check::remembered_id,
    rules::{Lookup, Rules, StoredConversation},
};
use kefu_proto::{ConvId, Event, RecordView};

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
    /// Entries of the index of ids.
    pub ids: u64,
    /// Rows of small tables.
    pub rows: u64,
}

/// One check of one snapshot.
struct Walk<'a> {
    snapshot: &'a Snapshot,
    records: ReadOnlyTable<RecordKey, &'static [u8]>,
    ids: ReadOnlyTable<&'static [u8; 32], u64>,
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
}

impl Snapshot {
    /// Checks everything and passes each fault to `faults`. Reads the whole database, in bounded memory.
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
            walk.each_id()?;
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
        snapshot.each::<_, _, StoreError, StoreError>(tables::RECORDS, |key, value| {
            let conv = tables::conv_of(key);
            if current.as_ref().is_none_or(|c| c.id != conv) {
                self.conversation(current.take())?;
            }
            let now = current.get_or_insert(Current { id: conv, last_seq: 0, bytes: 0, closed: None });
            let seq = tables::seq_of(key);
            if seq != now.last_seq + 1 {
                self.fault("records", key, format!("number {seq} follows number {}", now.last_seq));
            }
            now.last_seq = seq;
            now.bytes += value.len() as u64;
            self.totals.records += 1;
            self.totals.bytes += value.len() as u64;
            self.record(now, key, value)
        })?;
        self.conversation(current)
    }

    fn record(&mut self, now: &mut Current, key: &[u8; 24], value: &[u8]) -> Result<(), StoreError> {
        let frame = tables::frame(now.last_seq, value);
        let Some(record) = RecordView::parse(&frame) else {
            self.fault("records", key, "the record is too short to be one");
            return Ok(());
        };
        if record.conv() != now.id {
            self.fault("records", key, format!("the record names another conversation, {}", record.conv()));
        }
        if let Some(id) = remembered_id(record.body) {
            let found = self.ids.get(&tables::id_key(now.id, id)).map_err(map_db_error)?.map(|seq| seq.value());
            match found {
                Some(seq) if seq == now.last_seq => {}
                Some(seq) => self.fault(
                    "ids",
                    &tables::id_key(now.id, id),
                    format!("the index says that this message is record {seq}, but it is record {}", now.last_seq),
                ),
                None => self.fault("records", key, "the message is missing in the index of ids"),
            }
            return Ok(());
        }
        match record.event() {
            Some(Event::Closed { .. }) => now.closed = Some(true),
            Some(Event::Reopened { .. }) => now.closed = Some(false),
            Some(_) => {}
            None => self.fault("records", key, "the record is neither a valid envelope nor a valid event"),
        }
        Ok(())
    }

    /// All records of a conversation were read.
    fn conversation(&mut self, current: Option<Current>) -> Result<(), StoreError> {
        let Some(Current { id, last_seq, bytes, closed }) = current else { return Ok(()) };
        self.totals.conversations += 1;
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

    /// Each id belongs to a record that has it.
    fn each_id(&mut self) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        snapshot.each::<_, _, StoreError, StoreError>(tables::IDS, |key, seq| {
            self.totals.ids += 1;
            let mut conv = [0; 16];
            conv.copy_from_slice(&key[..16]);
            let record = self.records.get(&tables::record_key(ConvId(conv), seq)).map_err(map_db_error)?;
            let id =
                record.as_ref().and_then(|value| remembered_id(tables::body_of(value.value()).unwrap_or_default()));
            let what = match (record.is_some(), id) {
                (_, Some(id)) if id.0 == key[16..] => return Ok(()),
                (false, _) => format!("the index names record {seq}, which does not exist"),
                (true, _) => format!("the index names record {seq}, which is another message"),
            };
            self.fault("ids", key, what);
            Ok(())
        })
    }

    /// Rows and sizes belong to conversations that have records; others were looked at with those.
    fn each_conversation(&mut self) -> Result<(), StoreError> {
        let snapshot = self.snapshot;
        snapshot.each::<_, _, StoreError, StoreError>(tables::ROWS, |key, _| self.has_records("rows", key))?;
        snapshot.each::<_, _, StoreError, StoreError>(tables::SIZES, |key, _| self.has_records("sizes", key))
    }

    fn has_records(&mut self, table: &'static str, key: &[u8; 16]) -> Result<(), StoreError> {
        if tables::last_seq(&self.records, ConvId(*key))? == 0 {
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
