//! What a company is, in numbers: counts, and SHA-256 of every row, so that a copy can be compared with what it was made from.
//!
//! The hashes of rows are added up without carry, so that their order makes no difference and a conversation that is copied again
//! can be taken out. That finds what a copy lost, doubled or altered; it is no defence against somebody who chooses the rows.

use std::collections::{BTreeMap, HashMap};

use kefu_proto::ConvId;
use ring::digest::{SHA256, digest};

use crate::{
    archive::Entry,
    redb::{CHANGED, Dumped},
};

/// Rows that belong together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Part {
    rows: u64,
    records: u64,
    has_row: bool,
    /// Of records, then of everything.
    hashes: [[u8; 32]; 2],
}

impl Part {
    fn add(&mut self, table: &str, is_record: bool, key: &[u8], value: &[u8]) {
        let [name, length] = [table.len() as u64, key.len() as u64].map(u64::to_be_bytes);
        let hash = digest(&SHA256, &[&name, table.as_bytes(), &length, key, value].concat());
        self.rows += 1;
        self.records += u64::from(is_record);
        self.has_row |= table == Dumped::Rows.name();
        for sum in self.hashes.iter_mut().skip(usize::from(!is_record)) {
            sum.iter_mut().zip(hash.as_ref()).for_each(|(sum, byte)| *sum ^= byte);
        }
    }
}

/// What was read, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Conversations that have a row.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Rows of all tables, records included.
    pub rows: u64,
    /// The hashes of all records.
    pub logs: [u8; 32],
    /// The hashes of all rows.
    pub all: [u8; 32],
}

/// Counts and hashes of what was read, by conversation and by table of the company.
#[derive(Debug, Default)]
pub struct Digests {
    conversations: HashMap<ConvId, Part>,
    tables: BTreeMap<&'static str, Part>,
    /// What the rows that come next belong to.
    now: Option<Dumped>,
    changed: bool,
}

impl Digests {
    /// Adds the next entry of a dump, or of what changed since: what changed counts in the place of what was there.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        match *entry {
            Entry::Table(name) => {
                (self.now, self.changed) = (Dumped::named(name), name == CHANGED);
                if let Some(Dumped::Small(table)) = self.now
                    && !table.is_index()
                {
                    self.tables.remove(Dumped::Small(table).name());
                }
            }
            Entry::Row(key, _) if self.changed => {
                ConvId::from_slice(key).and_then(|conv| self.conversations.remove(&conv));
            }
            Entry::Row(key, value) => {
                let Some(table) = self.now else { return };
                let part = match table.conversation_in(key) {
                    Some(conv) => self.conversations.entry(conv).or_default(),
                    None => self.tables.entry(table.name()).or_default(),
                };
                part.add(table.name(), table == Dumped::Records, key, value);
            }
            Entry::File(_) | Entry::Data(_) => {}
        }
    }

    /// All of it.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for part in self.conversations.values().chain(self.tables.values()) {
            sum.conversations += u64::from(part.has_row);
            sum.records += part.records;
            sum.rows += part.rows;
            for (sum, hash) in [&mut sum.logs, &mut sum.all].into_iter().zip(part.hashes) {
                sum.iter_mut().zip(hash).for_each(|(sum, byte)| *sum ^= byte);
            }
        }
        sum
    }

    /// Whether these conversations, and the tables of the company, are the same in both.
    pub fn agrees(&self, other: &Self, convs: &[ConvId]) -> bool {
        self.tables == other.tables
            && convs.iter().all(|conv| self.conversations.get(conv) == other.conversations.get(conv))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: [u8; 16] = [1; 16];

    fn record(conv: [u8; 16], seq: u64) -> Vec<u8> {
        [&conv[..], &seq.to_be_bytes()].concat()
    }

    fn of(entries: &[Entry<'_>]) -> Digests {
        let mut digests = Digests::default();
        entries.iter().for_each(|entry| digests.entry(entry));
        digests
    }

    #[test]
    fn order_makes_no_difference_and_every_byte_does() {
        let (a, b) = (record(ONE, 1), record(ONE, 2));
        let table = Entry::Table("records");
        let good = of(&[table, Entry::Row(&a, b"x"), Entry::Row(&b, b"y")]).sum();
        assert_eq!((good.records, good.rows, good.conversations), (2, 2, 0));
        assert_eq!(of(&[table, Entry::Row(&b, b"y"), Entry::Row(&a, b"x")]).sum(), good);
        for other in [
            &[table, Entry::Row(&a, b"y"), Entry::Row(&b, b"x")][..],
            &[table, Entry::Row(&a, b"x")],
            &[table, Entry::Row(&a, b"x"), Entry::Row(&b, b"")],
        ] {
            assert_ne!(of(other).sum(), good);
        }
    }

    #[test]
    fn what_changed_counts_in_the_place_of_what_was() {
        let (a, b) = (record(ONE, 1), record(ONE, 2));
        let mut digests = of(&[
            Entry::Table("records"),
            Entry::Row(&a, b"x"),
            Entry::Table("rows"),
            Entry::Row(&ONE, b"1234row"),
            Entry::Table("open_conv"),
            Entry::Row(&ONE, b""),
            Entry::Table("site"),
            Entry::Row(b"shop", b"1"),
        ]);
        let changes = [
            Entry::Table(CHANGED),
            Entry::Row(&ONE, b""),
            Entry::Table("records"),
            Entry::Row(&a, b"x"),
            Entry::Row(&b, b"y"),
            Entry::Table("rows"),
            Entry::Row(&ONE, b"1235row"),
            Entry::Table("site"),
            Entry::Row(b"shop", b"2"),
        ];
        changes.iter().for_each(|entry| digests.entry(entry));
        let fresh = of(&changes);
        assert_eq!(digests.sum(), fresh.sum());
        assert!(digests.agrees(&fresh, &[ConvId(ONE)]));
        digests.entry(&Entry::Table(CHANGED));
        digests.entry(&Entry::Row(&ONE, b""));
        assert_eq!((digests.sum().conversations, digests.sum().rows), (0, 1));
        assert!(!digests.agrees(&fresh, &[ConvId(ONE)]));
    }
}
