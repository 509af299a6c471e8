//! A workload over the lives of a disk, and the books on it: what was handed in, what was acknowledged, and whether the
//! store keeps the promises.
//!
//! How the batches fall into groups depends on the threads, so a seed gives the same batches again, not the same run.

use std::collections::{BTreeMap, BTreeSet};

use kefu_proto::{ConvId, HeaderView, Marks, MsgId, RecordView, Side};
use kefu_store::{Batch, Feed, Op, Outcome, Reply, StoreError, redb::RedbStore, submit, write};
use tokio::sync::oneshot;

use super::{
    batch::{conv, post_with},
    disk::Random,
};

const CONVS: u8 = 3;

fn id_of(n: u64) -> MsgId {
    MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap())
}

fn marks(read: u64) -> Op {
    Op::Marks { side: Side::Visitor, marks: Marks { delivered: read, read } }
}

/// A workload over the life of a disk: what was handed in and what was acknowledged.
#[derive(Default)]
pub struct Ledger {
    pub submitted: BTreeMap<MsgId, ConvId>,
    /// By the answer to the caller or by the feed.
    pub acknowledged: BTreeMap<(ConvId, u64), MsgId>,
    /// Those that the store reported as not kept.
    pub refused: BTreeSet<MsgId>,
    /// Highest revision acknowledged.
    revs: BTreeMap<ConvId, u32>,
    next: u64,
    /// Marks say nothing any more.
    resent: bool,
}

impl Ledger {
    /// A batch with one or two messages, sometimes a row, and marks that name the last message.
    fn batch(&mut self, random: &mut Random) -> (Batch, Vec<MsgId>) {
        let c = conv(random.below(u64::from(CONVS)) as u8);
        let mut batch = Batch { conv: Some(c), rev: None, ops: Vec::new() };
        let mut ids = Vec::new();
        for _ in 0..=random.below(2) {
            let id = id_of(self.next);
            self.next += 1;
            self.submitted.insert(id, c);
            ids.push(id);
            batch.ops.extend(post_with(c, id).ops);
        }
        batch.ops.push(marks(self.next));
        if random.below(3) == 0 {
            batch.ops.push(Op::Row { value: id_of(self.next).0.to_vec().into(), facts: None });
        }
        (batch, ids)
    }

    /// Submits `rounds` waves of batches, until the store stops. Returns whether it did.
    pub async fn work(&mut self, store: &RedbStore, feed: &mut Feed, rounds: u64, random: &mut Random) -> bool {
        let mut stopped = false;
        for _ in 0..rounds {
            let mut waiting = Vec::new();
            for _ in 0..=random.below(12) {
                let (batch, ids) = self.batch(random);
                let (c, (tx, rx)) = (batch.conv.unwrap(), oneshot::channel());
                let waits = random.below(2) == 0;
                let reply = if waits { Reply::Wait(tx) } else { Reply::Feed(1) };
                if let Err(e) = submit(store, batch, reply).await {
                    assert!(matches!(e, StoreError::Closed | StoreError::Unwritable), "{e}");
                    self.refused.extend(&ids);
                    stopped = true;
                    continue;
                }
                if waits {
                    waiting.push((c, ids, rx));
                }
            }
            for (c, ids, rx) in waiting {
                match rx.await {
                    Ok(Ok(written)) => {
                        self.acknowledged.extend(written.seqs.iter().map(|seq| (c, *seq)).zip(ids));
                        self.revs.entry(c).and_modify(|r| *r = written.rev.max(*r)).or_insert(written.rev);
                    }
                    Ok(Err(StoreError::Unwritable)) => {
                        self.refused.extend(&ids);
                        stopped = true;
                    }
                    // kept or not: that is open
                    Ok(Err(StoreError::Io(_) | StoreError::Closed)) | Err(_) => stopped = true,
                    Ok(Err(e)) => panic!("unexpected answer: {e}"),
                }
            }
            self.listen(feed);
            if stopped {
                break;
            }
        }
        stopped
    }

    pub fn listen(&mut self, feed: &mut Feed) {
        while let Ok(outcomes) = feed.try_recv() {
            for outcome in outcomes {
                match outcome {
                    Outcome::Committed(c) => {
                        for frame in c.records {
                            let record = RecordView::parse(&frame).unwrap();
                            let id = HeaderView::parse(record.body).unwrap().1.msg_id();
                            let other = self.acknowledged.insert((c.conv, record.seq), id);
                            assert!(other.is_none_or(|other| other == id), "one number for two messages");
                        }
                    }
                    Outcome::Refused { error: StoreError::Closed | StoreError::Unwritable, id, .. } => {
                        self.refused.extend(id);
                    }
                    other => panic!("unexpected outcome: {other:?}"),
                }
            }
        }
    }

    /// Holds what the store has against the promises.
    pub fn check(&self, store: &RedbStore) {
        self.try_check(store).unwrap();
    }

    /// The same where the disk may fail meanwhile, under a checkpoint.
    pub fn try_check(&self, store: &RedbStore) -> Result<(), StoreError> {
        let mut stored = BTreeSet::new();
        for n in 0..CONVS {
            let c = conv(n);
            let records = store.records(c, 0, usize::MAX)?;
            for (i, (seq, frame)) in records.iter().enumerate() {
                assert_eq!(*seq, i as u64 + 1, "a gap");
                let record = RecordView::parse(frame).unwrap();
                assert_eq!(record.seq, *seq);
                let id = HeaderView::parse(record.body).unwrap().1.msg_id();
                assert_eq!(self.submitted.get(&id), Some(&c), "a message nobody sent");
                assert_eq!(&post_with(c, id).ops, &[Op::Append { id, body: record.body.to_vec().into() }]);
                assert!(stored.insert(id), "a message twice");
                assert!(self.acknowledged.get(&(c, *seq)).is_none_or(|acked| *acked == id), "another message");
            }
            let rev = store.head(c)?.map_or(0, |head| head.rev);
            // the number of its newest message; of those without a row nothing is known
            let newest = records.last().map(|(_, frame)| RecordView::parse(frame).unwrap());
            let newest = newest.map(|record| HeaderView::parse(record.body).unwrap().1.msg_id());
            let number = newest.map_or(0, |id| u64::from_be_bytes(id.0[..8].try_into().unwrap()) + 1);
            let marked = store.head(c)?.map_or(number, |head| head.marks[0].read);
            assert!(marked == number || self.resent, "half a batch");
            assert!(rev >= self.revs.get(&c).copied().unwrap_or(0), "an acknowledged revision is gone");
        }
        let lied = self.refused.iter().find(|id| stored.contains(id));
        assert_eq!(lied, None, "refused, and kept all the same");
        for id in self.acknowledged.values() {
            assert!(stored.contains(id), "an acknowledged message is gone");
        }
        Ok(())
    }

    /// Sends everything again, as clients do that never saw their record: each message must be there exactly once.
    pub async fn resend(&mut self, store: &RedbStore) {
        self.refused.clear();
        self.resent = true;
        for (id, c) in &self.submitted {
            match write(store, post_with(*c, *id)).await {
                Ok(_) | Err(StoreError::Duplicate { .. }) => {}
                Err(e) => panic!("{e}"),
            }
        }
        self.check(store);
        let all: usize = (0..CONVS).map(|n| store.records(conv(n), 0, usize::MAX).unwrap().len()).sum();
        assert_eq!(all, self.submitted.len());
    }
}
