//! Whether all changes of rows were heard. Each has a number in its lane; a number that stays missing means that lists must be
//! read again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::keys::Lane;

/// Two servers may publish in another order than they wrote: so long a number may be missing.
const LATE: Duration = Duration::from_secs(1);

/// What was heard of each lane.
#[derive(Debug)]
pub(super) struct Rows(Mutex<Vec<Heard>>);

#[derive(Debug, Default, Clone)]
struct Heard {
    /// All numbers up to this one.
    all: u64,
    /// And these.
    more: BTreeSet<u64>,
    /// There is one as high as this, since then.
    expected: Option<(u64, Instant)>,
}

impl Rows {
    pub fn new(lanes: usize) -> Self {
        Self(Mutex::new(vec![Heard::default(); lanes]))
    }

    /// All numbers up to this one don't matter: lists are read after this.
    pub fn begin(&self, lane: Lane, number: u64) {
        self.with(lane, |heard| *heard = Heard { all: number, ..Heard::default() });
    }

    /// A change was heard.
    pub fn heard(&self, lane: Lane, number: u64) {
        self.with(lane, |heard| {
            if number > heard.all {
                heard.more.insert(number);
                heard.settle();
            }
        });
    }

    /// There is a change with this number.
    pub fn expect(&self, lane: Lane, number: u64) {
        self.with(lane, |heard| {
            let highest = heard.more.last().copied().unwrap_or(heard.all);
            if number > highest && heard.expected.is_none() {
                heard.expected = Some((number, Instant::now()));
            }
        });
    }

    /// Whether changes are missing for too long. They don't count as missing any more.
    pub fn overdue(&self) -> bool {
        let mut lanes = self.0.lock();
        let mut any = false;
        for heard in lanes.iter_mut() {
            if heard.expected.is_some_and(|(_, since)| since.elapsed() > LATE) {
                any = true;
                heard.skip();
            }
        }
        any
    }

    fn with(&self, lane: Lane, change: impl FnOnce(&mut Heard)) {
        if let Some(heard) = self.0.lock().get_mut(usize::from(lane)) {
            change(heard);
        }
    }
}

impl Heard {
    fn settle(&mut self) {
        while self.more.first() == Some(&(self.all + 1)) {
            self.more.pop_first();
            self.all += 1;
        }
        let highest = self.more.last().copied();
        match (highest, self.expected) {
            (None, Some((number, _))) if number <= self.all => self.expected = None,
            (Some(highest), None) => self.expected = Some((highest, Instant::now())),
            _ => {}
        }
    }

    fn skip(&mut self) {
        let expected = self.expected.take().map_or(0, |(number, _)| number);
        self.all = self.more.last().copied().unwrap_or(0).max(expected).max(self.all);
        self.more.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(rows: &Rows) -> (u64, usize, bool) {
        let heard = rows.0.lock()[0].clone();
        (heard.all, heard.more.len(), heard.expected.is_some())
    }

    #[test]
    fn numbers_may_come_in_any_order() {
        let rows = Rows::new(1);
        rows.begin(0, 5);
        for number in [5, 8, 7] {
            rows.heard(0, number);
        }
        assert_eq!(state(&rows), (5, 2, true));
        rows.heard(0, 6);
        assert_eq!(state(&rows), (8, 0, false));
        assert!(!rows.overdue());
    }

    #[test]
    fn one_that_is_known_to_be_there_is_waited_for() {
        let rows = Rows::new(1);
        rows.begin(0, 5);
        rows.expect(0, 5);
        assert_eq!(state(&rows), (5, 0, false));
        rows.expect(0, 6);
        assert_eq!(state(&rows), (5, 0, true));
        rows.heard(0, 6);
        assert_eq!(state(&rows), (6, 0, false));
        rows.expect(0, 9);
        let Some(early) = Instant::now().checked_sub(2 * LATE) else { return };
        rows.0.lock()[0].expected = Some((9, early));
        assert!(rows.overdue() && !rows.overdue());
        assert_eq!(state(&rows), (9, 0, false));
    }
}
