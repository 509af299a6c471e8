//! Moves the journal's records to the table of all records, sorted, so that a page that many records share is written
//! once. When the journal is long enough the groups so far become one move; each commit then takes a slice of it along,
//! and the last one takes the groups out of the journal. No message waits for a whole move.
//!
//! A move that was cut short is simply begun again: the same records under the same keys.

use super::{
    apply::Tables,
    journal::{self, Entry, Journal, Size},
};
use crate::StoreError;
use kefu_proto::ConvId;

/// Bytes after which the journal is long enough, however few records they are.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Commits that a move is spread over, about.
const SLICES: usize = 16;

/// Moves records from the journal to their table.
#[derive(Debug)]
pub(super) struct Mover {
    /// Records after which the journal is long enough.
    most: usize,
    /// In the journal and not in `move_`: records and bytes.
    records: usize,
    bytes: usize,
    /// The move under way.
    move_: Option<Move>,
}

#[derive(Debug)]
struct Move {
    /// The last group that belongs to it.
    last: u64,
    records: Vec<(ConvId, Entry)>,
    /// How many of them are in the table.
    done: usize,
}

impl Mover {
    /// For a journal that holds so much and should not hold more than `most` records for long.
    pub fn new(most: usize, held: Size) -> Self {
        Self { most: most.max(1), records: held.records, bytes: held.bytes, move_: None }
    }

    /// Takes a slice of the move along with a group that brought `records` records in `bytes` bytes, or begins a move that
    /// ends with the group `last`.
    pub fn along(
        &mut self,
        tables: &mut Tables<'_>,
        journal: &Journal,
        last: u64,
        records: usize,
        bytes: usize,
    ) -> Result<(), StoreError> {
        self.records += records;
        self.bytes += bytes;
        if self.move_.is_none() && (self.records >= self.most || self.bytes >= MOST_BYTES) {
            self.begin(journal, last);
        } else if let Some(under_way) = &mut self.move_ {
            // twice what came in, so that the journal is emptied faster than it grows
            under_way.step(tables, (2 * records).max(self.most / SLICES), (2 * bytes).max(MOST_BYTES / SLICES))?;
        }
        Ok(())
    }

    /// Moves everything, up to the group `last`. Returns whether there was anything.
    pub fn all(&mut self, tables: &mut Tables<'_>, journal: &Journal, last: u64) -> Result<bool, StoreError> {
        // what a move under way already did is done again, which changes nothing
        self.begin(journal, last);
        let Some(all) = self.move_.as_mut().filter(|all| !all.records.is_empty()) else { return Ok(false) };
        all.step(tables, usize::MAX, usize::MAX)?;
        Ok(true)
    }

    fn begin(&mut self, journal: &Journal, last: u64) {
        (self.records, self.bytes) = (0, 0);
        self.move_ = Some(Move { last, records: journal.up_to(last), done: 0 });
    }

    /// To be called when the transaction is on disk: what was moved completely leaves the memory.
    pub fn committed(&mut self, journal: &Journal) {
        if let Some(whole) = self.move_.take_if(|m| m.done == m.records.len()) {
            journal.forget(whole.last, &whole.records);
        }
    }
}

impl Move {
    /// Moves records until there are so many or they weigh so much, at least one; after the last, empties the journal.
    fn step(&mut self, tables: &mut Tables<'_>, records: usize, bytes: usize) -> Result<(), StoreError> {
        let (mut moved, mut weighed) = (0, 0);
        for same in self.records[self.done..].chunk_by(|(a, _), (b, _)| a == b) {
            let mut grown = 0;
            for (conv, entry) in same {
                if moved > 0 && (moved >= records || weighed >= bytes) {
                    break;
                }
                grown += tables.settle(*conv, entry.seq, &entry.frame)?;
                moved += 1;
                weighed += journal::weight(&entry.frame);
            }
            if grown != 0 {
                tables.grow(same[0].0, grown)?;
            }
            if moved >= records || weighed >= bytes {
                break;
            }
        }
        self.done += moved;
        if self.done == self.records.len() {
            tables.drop_groups(self.last)?;
        }
        Ok(())
    }
}
