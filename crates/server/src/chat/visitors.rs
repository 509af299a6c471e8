//! Which conversations visitors have, in memory: when all of them come back at once, those who were here before are greeted
//! without the disk.

use parking_lot::Mutex;

use super::generations::Generations;
use crate::proto::{ConvId, Kid};

/// Visitors remembered.
const KEEP: usize = 100_000;
/// Conversations remembered of one; who has more is greeted from the disk.
const MOST: usize = 16;

/// See the module. An entry is complete or not there.
#[derive(Debug)]
pub(super) struct VisitorIndex(Mutex<Known>);

#[derive(Debug)]
struct Known {
    conversations: Generations<Kid, Box<[ConvId]>>,
    /// Changes so far: what was read before one may lack it.
    changes: u64,
}

/// When something was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since(u64);

impl Default for VisitorIndex {
    fn default() -> Self {
        Self(Mutex::new(Known { conversations: Generations::keeping(KEEP), changes: 0 }))
    }
}

impl VisitorIndex {
    /// The conversations of a visitor, if they are known.
    pub fn of(&self, visitor: Kid) -> Option<Vec<ConvId>> {
        self.0.lock().conversations.peek(&visitor).map(|known| known.to_vec())
    }

    /// To be asked before the conversations of a visitor are read.
    pub fn since(&self) -> Since {
        Since(self.0.lock().changes)
    }

    /// Remembers what was read, unless something changed meanwhile.
    pub fn remember(&self, visitor: Kid, conversations: &[ConvId], since: Since) {
        let mut known = self.0.lock();
        if known.changes == since.0 && conversations.len() <= MOST {
            *known.conversations.entry(visitor, Box::default) = conversations.into();
        }
    }

    /// A visitor has one more.
    pub fn changed(&self, visitor: Kid) {
        let mut known = self.0.lock();
        known.changes += 1;
        known.conversations.remove(&visitor);
    }

    /// Somebody has one less.
    pub fn erased(&self) {
        let mut known = self.0.lock();
        known.changes += 1;
        known.conversations.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_with_many_conversations_takes_no_memory() {
        let (index, visitor) = (VisitorIndex::default(), Kid([1; 16]));
        index.remember(visitor, &[ConvId([7; 16]); MOST + 1], index.since());
        assert_eq!(index.of(visitor), None);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered() {
        let (index, one, other) = (VisitorIndex::default(), Kid([1; 16]), Kid([2; 16]));
        let (before, conv) = (index.since(), ConvId([7; 16]));
        index.remember(other, &[], before);
        index.changed(one);
        index.remember(one, &[], before);
        assert_eq!((index.of(one), index.of(other)), (None, Some(vec![])));
        index.remember(one, &[conv], index.since());
        assert_eq!(index.of(one), Some(vec![conv]));
        index.erased();
        assert_eq!((index.of(one), index.of(other)), (None, None));
    }
}
