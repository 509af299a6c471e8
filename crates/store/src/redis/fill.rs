//! Reads what the feed lacks: what was published and lost, what another server wrote and could not publish, and whether a log
//! still is what the feed said of it.

use std::{sync::Arc, time::Duration};

use kefu_proto::{ConvId, Marks};
use kefu_redis_link::{Cmd, Value, cmd};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::sleep,
};

use super::{
    Shared,
    event::{frame, time_of},
    followed::{Next, Snapshot},
    keys::{Lane, lane_of},
    scripts::SCRIPTS,
    value::{bytes, number, parts, strings},
};
use crate::{Head, StoreError};

/// So long what is missing may still come by itself.
const MOMENT: Duration = Duration::from_millis(50);
/// So long what was written and not published may still be on its way: its writer may wait for replicas.
const WHILE: Duration = Duration::from_millis(500);
/// Records in one read.
const PAGE: u64 = 256;
/// Reads at the same time.
const READS: usize = 64;
/// After so many reads what is waited for does not exist.
const TRIES: u32 = 40;

/// Behind the end of every log.
const BEHIND: u64 = 1 << 60;

/// Something to look at.
#[derive(Debug)]
pub(super) enum Check {
    Conversation(ConvId, Next),
    /// All that are followed in these lanes, whose generations have risen.
    Lanes(Vec<Lane>),
}

/// Looks at what it is told to, until the store closes.
pub(super) async fn run(shared: Arc<Shared>, mut checks: mpsc::UnboundedReceiver<Check>) {
    let (mut tasks, reads) = (JoinSet::new(), Arc::new(Semaphore::new(READS)));
    while let Some(check) = checks.recv().await {
        while tasks.try_join_next().is_some() {}
        let convs = match check {
            Check::Conversation(conv, next) => vec![(conv, next)],
            Check::Lanes(lanes) => {
                let convs = shared.out.followed(|conv| lanes.contains(&lane_of(conv)));
                convs.into_iter().map(|conv| (conv, Next::Read)).collect()
            }
        };
        for (conv, next) in convs {
            if next != Next::Nothing && shared.out.claim(conv) {
                tasks.spawn(fill(shared.clone(), reads.clone(), conv, next));
            }
        }
    }
}

async fn fill(shared: Arc<Shared>, reads: Arc<Semaphore>, conv: ConvId, mut next: Next) {
    let mut tries = 0;
    while tries < TRIES {
        match next {
            Next::Wait => sleep(MOMENT).await,
            Next::Reach(..) => sleep(WHILE).await,
            Next::Read | Next::Nothing => {}
        }
        if !shared.out.must_read(conv, next) {
            return;
        }
        let Some((after, ..)) = shared.out.standing(conv) else { return };
        let read = {
            // the semaphore is never closed
            let _turn = reads.acquire().await;
            shared.snapshot(conv, after).await
        };
        match read {
            Ok(snapshot) => {
                tries += 1;
                next = shared.out.absorb(conv, after, &snapshot);
                if next == Next::Nothing || !shared.out.claim(conv) {
                    return;
                }
            }
            Err(StoreError::Closed) => return,
            Err(_) => {
                next = Next::Read;
                sleep(MOMENT).await;
            }
        }
    }
    shared.out.abandon(conv);
}

impl Shared {
    /// Has a conversation looked at, if something of it is missing.
    pub(super) fn check(&self, missing: impl IntoIterator<Item = (ConvId, Next)>) {
        for (conv, next) in missing {
            // an error means that the store has ended
            drop(self.checks.send(Check::Conversation(conv, next)));
        }
    }

    /// What a conversation is now, with records after this one, and that one, too: all of it as safe as a commit must be.
    pub(super) async fn snapshot(self: &Arc<Self>, conv: ConvId, after: u64) -> Result<Snapshot, StoreError> {
        self.snapshot_with(conv, after, |_| u64::MAX).await
    }

    /// Where it ends now. Waits for replicas only if its last record is new.
    pub(super) async fn end_of(self: &Arc<Self>, conv: ConvId) -> Result<Snapshot, StoreError> {
        self.snapshot_with(conv, BEHIND, newest).await
    }

    async fn snapshot_with(
        self: &Arc<Self>,
        conv: ConvId,
        after: u64,
        newest: fn(&Value) -> u64,
    ) -> Result<Snapshot, StoreError> {
        let (reply, safe) = self.ask_safe(lane_of(conv), self.head_call(conv, Some(after)), newest).await?;
        if safe < u64::MAX && newest(&reply) >= safe {
            return Err(StoreError::Reopening);
        }
        Ok(read_snapshot(reply, after.max(1)))
    }

    pub(super) fn head_call(&self, conv: ConvId, after: Option<u64>) -> Cmd {
        let lane = lane_of(conv);
        let mut call =
            SCRIPTS.head().call(&[self.keys.records(conv), self.keys.conversation(conv), self.keys.lane(lane)]);
        if let Some(after) = after {
            call.arg(after.saturating_sub(1)).arg(after + PAGE);
        }
        call
    }
}

/// A write of nothing, and a wait for replicas to have it: they have then all that was written before.
pub(super) fn wait(lane: Vec<u8>, replicas: u32) -> [Cmd; 2] {
    let (mut write, mut wait) = (cmd("HSET"), cmd("WAIT"));
    write.arg(lane).arg("w").arg("");
    wait.arg(replicas).arg(WAIT.as_millis() as u64);
    [write, wait]
}

/// So long a `WAIT` waits.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// The time of the last record in a reply of `head.lua`; 0 without any.
fn newest(reply: &Value) -> u64 {
    match reply {
        Value::Array(fields) => fields.get(6).and_then(bytes).map_or(0, time_of),
        _ => 0,
    }
}

fn read_snapshot(reply: Value, first: u64) -> Snapshot {
    let fields = parts(reply);
    let at = |n: usize| fields.get(n).map_or(0, number);
    let last = at(5);
    let records = fields.get(8).cloned().map(strings).unwrap_or_default();
    Snapshot {
        generation: at(7),
        rev: at(0) as u32,
        row: fields.get(1).and_then(bytes).unwrap_or_default().to_vec().into(),
        last,
        end: fields.get(6).and_then(bytes).map(|record| frame(last, record)),
        records: (first..).zip(&records).map(|(seq, record)| frame(seq, record)).collect(),
        head: read_head(&fields),
    }
}

/// The head in a reply of `head.lua`; none without a row.
pub(super) fn read_head(fields: &[Value]) -> Option<Head> {
    let at = |n: usize| fields.get(n).map_or(0, number);
    let marks = |n: usize| fields.get(n).and_then(bytes).map(marks_of).unwrap_or_default();
    (at(0) > 0).then(|| Head {
        rev: at(0) as u32,
        last_seq: at(5),
        last_at_ms: fields.get(6).and_then(bytes).map_or(0, time_of),
        bytes: at(2),
        marks: [marks(3), marks(4)],
        value: fields.get(1).and_then(bytes).unwrap_or_default().to_vec().into(),
    })
}

/// Two numbers, as the conversation has them.
fn marks_of(value: &[u8]) -> Marks {
    let half =
        |at: usize| value.get(at..at + 8).and_then(|half| half.first_chunk()).map_or(0, |n| u64::from_be_bytes(*n));
    Marks { delivered: half(0), read: half(8) }
}
