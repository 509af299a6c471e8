//! A whole company as a dump, with the tables, rows and order that a dump of redb has (`redb/dump.rs`), while servers write.
//!
//! Records, row, marks and indexes of a conversation are of one moment; another conversation may be of a later one. The tables of
//! the company are of one moment after all of them. Rows wait in a file until all records were handed out; in memory are the
//! keys of the indexes, some hundred bytes a conversation.

use std::{collections::HashMap, fs::File, io, sync::Arc, vec};

use kefu_proto::{ConvId, Side};

use super::{
    RedisStore, Shared,
    batch::Place,
    seen::Seen,
    spool::{Spool, Spooled},
    whole::{Standing, Whole},
};
use crate::{
    FactsOf, Pair, StoreError, Table,
    archive::Entry,
    check::SCHEMA_VERSION,
    index,
    redb::{CHANGED, Dumped},
};
use kefu_proto::Marks;

/// Conversations that are read together.
const TOGETHER: usize = 32;
/// Rows that are handed out together.
const ROWS: usize = 1_000;

/// An entry of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// A table begins.
    Table(String),
    /// A row of it.
    Row(Vec<u8>, Vec<u8>),
}

impl Exported {
    /// From an entry; none for files.
    pub fn of(entry: &Entry<'_>) -> Option<Self> {
        match *entry {
            Entry::Table(name) => Some(Self::Table(name.to_owned())),
            Entry::Row(key, value) => Some(Self::Row(key.to_vec(), value.to_vec())),
            Entry::File(_) | Entry::Data(_) => None,
        }
    }

    /// As archives have it.
    pub fn entry(&self) -> Entry<'_> {
        match self {
            Self::Table(name) => Entry::Table(name),
            Self::Row(key, value) => Entry::Row(key, value),
        }
    }
}

/// A dump that is being read.
pub struct Export<'a> {
    shared: Arc<Shared>,
    facts_of: &'a FactsOf,
    standing: Standing,
    /// Conversations that come next.
    convs: vec::IntoIter<ConvId>,
    /// What to remember of them.
    seen: Option<&'a mut Seen>,
    /// The list that begins what changed.
    changed: Option<Vec<ConvId>>,
    tables: vec::IntoIter<Dumped>,
    table: Option<Dumped>,
    rows: Rows,
    /// What the tables of the company contain.
    company: HashMap<Table, Vec<Pair>>,
    /// Keys of the other tables.
    keys: HashMap<Table, Vec<Pair>>,
}

enum Rows {
    Written(Spool),
    Read(Spooled),
    Over,
}

impl RedisStore {
    /// Begins a dump. `facts_of` reads rows of conversations; `waiting` is an empty file for them, which nobody else uses.
    ///
    /// # Errors
    /// Redis can't be read.
    pub async fn export<'a>(&self, facts_of: &'a FactsOf, waiting: File) -> Result<Export<'a>, StoreError> {
        let standing = self.shared.standing();
        let convs = self.shared.conversations().await?;
        Ok(self.export_of(facts_of, waiting, standing, convs))
    }

    /// The same, and remembers in `seen` what was read.
    ///
    /// # Errors
    /// Redis can't be read.
    pub async fn export_seen<'a>(
        &self,
        facts_of: &'a FactsOf,
        waiting: File,
        seen: &'a mut Seen,
    ) -> Result<Export<'a>, StoreError> {
        let export = self.export(facts_of, waiting).await?;
        Ok(Export { seen: Some(seen), ..export })
    }

    /// Begins a dump of what is not as it was seen, and remembers that: a list of conversations, what they are now, and the tables
    /// of the company.
    ///
    /// # Errors
    /// Redis can't be read.
    pub async fn export_changes<'a>(
        &self,
        facts_of: &'a FactsOf,
        waiting: File,
        seen: &'a mut Seen,
    ) -> Result<Export<'a>, StoreError> {
        let standing = self.shared.standing();
        let changed = self.shared.changed_since(seen).await?;
        let export = self.export_of(facts_of, waiting, standing, changed.clone());
        Ok(Export { seen: Some(seen), changed: Some(changed), ..export })
    }

    /// Begins a dump of these conversations and the tables of the company, in the form of what changed.
    pub fn export_these<'a>(&self, facts_of: &'a FactsOf, waiting: File, convs: Vec<ConvId>) -> Export<'a> {
        let export = self.export_of(facts_of, waiting, self.shared.standing(), convs.clone());
        Export { changed: Some(convs), ..export }
    }

    fn export_of<'a>(
        &self,
        facts_of: &'a FactsOf,
        waiting: File,
        standing: Standing,
        convs: Vec<ConvId>,
    ) -> Export<'a> {
        let (shared, convs) = (self.shared.clone(), convs.into_iter());
        let tables = Dumped::all().collect::<Vec<_>>().into_iter();
        let (rows, company, keys) = (Rows::Written(Spool::new(waiting)), HashMap::new(), HashMap::new());
        let (seen, changed, table) = (None, None, None);
        Export { shared, facts_of, standing, convs, seen, changed, tables, table, rows, company, keys }
    }
}

impl Export<'_> {
    /// The schema version of the rows.
    pub fn schema(&self) -> u32 {
        SCHEMA_VERSION
    }

    /// The next entries; none at the end.
    ///
    /// # Errors
    /// Redis, or the file of rows, can't be read, or a server of Redis was replaced meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<Exported>>, StoreError> {
        if let Some(changed) = self.changed.take() {
            let rows = changed.into_iter().map(|conv| Exported::Row(conv.0.to_vec(), Vec::new()));
            return Ok(Some(std::iter::once(Exported::Table(CHANGED.to_owned())).chain(rows).collect()));
        }
        let entries = match self.table {
            None => Vec::new(),
            Some(Dumped::Records) => self.records().await?,
            Some(Dumped::Rows) => self.rows().map_err(|e| spool_failed(&e))?,
            Some(Dumped::Small(table)) => self.small(table),
        };
        if !entries.is_empty() {
            return Ok(Some(entries));
        }
        if self.table == Some(Dumped::Records) {
            self.company = self.shared.tables().await?;
            self.shared.still(&self.standing)?;
            self.keys.values_mut().for_each(|keys| keys.sort_unstable());
            self.rows = match std::mem::replace(&mut self.rows, Rows::Over) {
                Rows::Written(spool) => Rows::Read(spool.read().map_err(|e| spool_failed(&e))?),
                rows => rows,
            };
        }
        self.table = self.tables.next();
        Ok(self.table.map(|table| vec![Exported::Table(table.name().to_owned())]))
    }

    async fn records(&mut self) -> Result<Vec<Exported>, StoreError> {
        loop {
            let convs: Vec<_> = self.convs.by_ref().take(TOGETHER).collect();
            if convs.is_empty() {
                return Ok(Vec::new());
            }
            let mut entries = Vec::new();
            for mut whole in self.shared.read_whole(&convs, self.facts_of, false).await? {
                if let Some(seen) = &mut self.seen {
                    seen.note(&whole);
                }
                self.keep(&whole).map_err(|e| spool_failed(&e))?;
                let records = std::mem::take(&mut whole.records);
                entries.extend(records.into_iter().zip(1u64..).map(|(record, seq)| {
                    let key = [&whole.id.0[..], &seq.to_be_bytes()].concat();
                    Exported::Row(key, record)
                }));
            }
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
    }

    /// Keeps what comes later.
    fn keep(&mut self, whole: &Whole) -> io::Result<()> {
        if let (Some((rev, row)), Rows::Written(spool)) = (&whole.row, &mut self.rows) {
            spool.push(&whole.id.0, &[&rev.to_be_bytes(), &row[..]].concat())?;
        }
        for (table, key, value) in index_rows(whole) {
            self.keys.entry(table).or_default().push((key, value));
        }
        Ok(())
    }

    fn rows(&mut self) -> io::Result<Vec<Exported>> {
        let Rows::Read(spooled) = &mut self.rows else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        while let Some((key, value)) = spooled.next()? {
            entries.push(Exported::Row(key, value));
            if entries.len() >= ROWS {
                return Ok(entries);
            }
        }
        self.rows = Rows::Over;
        Ok(entries)
    }

    fn small(&mut self, table: Table) -> Vec<Exported> {
        let pairs = [&mut self.company, &mut self.keys].into_iter().find_map(|tables| tables.remove(&table));
        pairs.unwrap_or_default().into_iter().map(|(key, value)| Exported::Row(key, value)).collect()
    }
}

/// The rows of small tables that a conversation has, as it is.
pub(super) fn index_rows(whole: &Whole) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for (side, marks) in [Side::Visitor, Side::Agent].into_iter().zip(whole.marks) {
        if let Some(marks) = marks.map(marks_of) {
            rows.push((Table::Receipt, index::marks_key(whole.id, side), index::encode_marks(marks)));
        }
    }
    if let Some(facts) = whole.facts.as_ref().filter(|_| whole.of_visitor) {
        rows.push((Table::VisitorConv, [facts.visitor.0, whole.id.0].concat(), Vec::new()));
    }
    let conv = whole.id;
    for (place, _) in whole.places.iter().filter(|(_, there)| *there) {
        let at = |at_ms: u64| crate::Place { at_ms, conv }.key();
        match place {
            Place::Open => rows.push((Table::OpenConv, conv.0.to_vec(), Vec::new())),
            Place::ByTime(created) => rows.push((Table::ConvByTime, at(*created).to_vec(), Vec::new())),
            Place::Missed(team, since) => {
                rows.push((Table::Missed, [&index::team_prefix(team)[..], &at(*since)].concat(), Vec::new()));
            }
            // follows from the row and its place by time
            Place::OfTeam(..) => {}
        }
    }
    rows
}

fn marks_of(marks: [u8; 16]) -> Marks {
    let numbers = u128::from_be_bytes(marks);
    Marks { delivered: (numbers >> 64) as u64, read: numbers as u64 }
}

fn spool_failed(e: &io::Error) -> StoreError {
    StoreError::Io(format!("the rows that wait for their place in a temporary file: {e}"))
}
