//! The uploads that a server knows of, counted as they change: what is asked for every file must not walk all of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use kefu_proto::Kid;

use crate::{BlobId, Progress};

/// Uploads, by id.
#[derive(Default)]
pub struct Known {
    all: HashMap<BlobId, (Progress, Instant)>,
    /// How many each person has.
    of: HashMap<Kid, usize>,
    /// Bytes that are still to come, of all.
    missing: u64,
}

fn missing(progress: &Progress) -> u64 {
    progress.upload.size.saturating_sub(progress.have)
}

impl Known {
    pub fn get(&self, id: BlobId) -> Option<&Progress> {
        self.all.get(&id).map(|(progress, _)| progress)
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (BlobId, &Progress)> {
        self.all.iter().map(|(id, (progress, _))| (*id, progress))
    }

    /// How many uploads a person has.
    pub fn of(&self, sender: Kid) -> usize {
        self.of.get(&sender).copied().unwrap_or(0)
    }

    /// Bytes of all of them that are still to come.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    pub fn insert(&mut self, id: BlobId, progress: Progress) {
        self.remove(id);
        *self.of.entry(progress.upload.sender).or_default() += 1;
        self.missing += missing(&progress);
        self.all.insert(id, (progress, Instant::now()));
    }

    pub fn remove(&mut self, id: BlobId) {
        let Some((progress, _)) = self.all.remove(&id) else { return };
        self.missing -= missing(&progress);
        let sender = progress.upload.sender;
        let left = self.of.get(&sender).map_or(0, |n| n - 1);
        if left == 0 {
            self.of.remove(&sender)
        } else {
            self.of.insert(sender, left)
        };
    }

    pub fn change(&mut self, id: BlobId, change: impl FnOnce(&mut Progress)) {
        let Some((progress, touched)) = self.all.get_mut(&id) else { return };
        let before = missing(progress);
        change(progress);
        *touched = Instant::now();
        self.missing = self.missing - before + missing(progress);
    }

    /// Forgets those that nothing happened to for so long.
    pub fn forget_older(&mut self, age: Duration) {
        let old: Vec<_> =
            self.all.iter().filter(|(_, (_, touched))| touched.elapsed() >= age).map(|(id, _)| *id).collect();
        old.into_iter().for_each(|id| self.remove(id));
    }
}

#[cfg(test)]
mod tests {
    use kefu_proto::{ConvId, MsgId};

    use super::*;
    use crate::Upload;

    #[test]
    fn counts_are_those_of_what_is_there() {
        let mut known = Known::default();
        let id = |n| BlobId { conv: ConvId([1; 16]), msg: MsgId([n; 16]) };
        for n in 0..9 {
            let upload = Upload { sender: Kid([n % 2; 16]), size: 100, begun_ms: 0 };
            known.insert(id(n), Progress { upload, have: u64::from(n), posted: false });
        }
        known.remove(id(1));
        known.remove(id(77));
        known.change(id(0), |progress| progress.have = 100);
        let again = Progress { have: 50, ..known.get(id(2)).unwrap().clone() };
        known.insert(id(2), again);
        let sum: u64 = known.iter().map(|(_, progress)| progress.upload.size - progress.have).sum();
        assert_eq!((known.len(), known.missing()), (8, sum));
        assert_eq!([0, 1, 2].map(|n| known.of(Kid([n; 16]))), [5, 3, 0]);
        known.forget_older(Duration::from_hours(1));
        assert_eq!(known.len(), 8);
        known.forget_older(Duration::ZERO);
        assert_eq!((known.len(), known.missing(), known.of(Kid([0; 16]))), (0, 0, 0));
    }
}
