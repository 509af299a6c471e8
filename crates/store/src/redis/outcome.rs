//! What is told of a batch, and to whom, when its answer is safe.

use super::{
    batch::{self, Answer},
    event::{Event, Own, frame},
    feed::{Item, not_written},
    queue::Job,
};
use crate::{Outcome, Reply, StoreError, check};

/// An answer, and the generation of the lane in which it was given.
pub(super) struct Answered {
    pub answer: Answer,
    pub generation: u64,
}

/// A batch that was executed and is safe.
pub(super) struct Done {
    pub item: Item,
    /// For other servers, with the number of the change of a row, if it is one.
    pub told: Option<(Event, u64)>,
}

/// What is told.
pub(super) fn outcome(job: Job, Answered { answer, generation }: Answered) -> Done {
    let Job { batch, reply, .. } = job;
    let (conv, id) = (batch.conv, check::name(&batch));
    let item = match answer {
        Answer::Written { after, at_ms, rev, change, missed, row } => {
            let (written, event) = batch::event(&batch, generation, (after, at_ms, rev), (missed, row));
            match (event, reply) {
                (Some(mut event), reply) => {
                    let told = event.copy();
                    let own = event.own.get_or_insert_with(Own::default);
                    match reply {
                        Reply::Feed(origin) => own.origin = origin,
                        Reply::Wait(tx) => own.waits = Some((tx, written)),
                    }
                    return Done { item: Item::Committed(Box::new(event)), told: Some((told, change)) };
                }
                (None, Reply::Wait(tx)) => Item::Answer(tx, Ok(written)),
                (None, Reply::Feed(_)) => Item::Nothing,
            }
        }
        Answer::Known { seq, record, rev } => {
            let frame = frame(seq, &record);
            // whoever wrote it may have ended before it could tell anybody
            let told = conv.zip(seq.checked_sub(1)).map(|(conv, after)| {
                let (records, revs) = (vec![frame.clone()], (rev, rev));
                let (row, redacted, erased, own) = (None, vec![], false, None);
                (Event { conv, generation, after, records, revs, row, redacted, erased, own }, 0)
            });
            let item = match reply {
                Reply::Feed(origin) => Item::Told(Outcome::Duplicate { origin, frame }),
                Reply::Wait(tx) => Item::Answer(tx, Err(StoreError::Duplicate { seq })),
            };
            return Done { item, told };
        }
        Answer::Refused(error) => not_written(reply, conv, id, error),
        Answer::Generation => not_written(reply, conv, id, StoreError::Unwritable),
    };
    Done { item, told: None }
}
