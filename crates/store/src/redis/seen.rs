//! What a copy has of each conversation, in few bytes: what changes with any change of it. So a copy that is made while servers
//! write is brought up to date without reading everything again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use kefu_proto::ConvId;
use ring::digest::{Context, SHA256};

use super::{
    Shared,
    event::AT,
    keys::{Lane, lane_of},
    scripts::SCRIPTS,
    value::{Value, bytes, number, parts},
    whole::Whole,
};
use crate::StoreError;

/// Conversations of a lane that are asked about together: the server does nothing else meanwhile.
const TOGETHER: usize = 256;
/// Questions that are sent together.
const QUESTIONS: usize = 64;

/// A hash of generation, revision, size, marks, number of records and the time of the last one.
type Stamp = [u8; 16];

/// The conversations that were read, as they were then.
#[derive(Debug, Default)]
pub struct Seen(HashMap<ConvId, Stamp>);

impl Seen {
    pub(super) fn note(&mut self, whole: &Whole) {
        let at = whole.records.last().and_then(|record| record.get(..AT));
        let (rev, marks) = (whole.row.as_ref().map_or(0, |(rev, _)| *rev), whole.marks);
        let stamp = stamp(whole.generation, rev.into(), whole.bytes, marks, whole.records.len() as u64, at);
        self.0.insert(whole.id, stamp);
    }
}

fn stamp(generation: u64, rev: u64, size: u64, marks: [Option<[u8; 16]>; 2], records: u64, at: Option<&[u8]>) -> Stamp {
    let mut hash = Context::new(&SHA256);
    [generation, rev, size, records].iter().for_each(|number| hash.update(&number.to_be_bytes()));
    for marks in marks {
        hash.update(&[u8::from(marks.is_some())]);
        hash.update(&marks.unwrap_or_default());
    }
    hash.update(at.unwrap_or_default());
    let mut stamp = Stamp::default();
    stamp.copy_from_slice(&hash.finish().as_ref()[..16]);
    stamp
}

/// From a reply of `stamps.lua`.
fn stamp_in(generation: u64, fields: Value) -> Stamp {
    let fields = parts(fields);
    let at = |n: usize| fields.get(n).map_or(0, number);
    let marks = [2, 3].map(|n| fields.get(n).and_then(bytes).and_then(|marks| marks.try_into().ok()));
    stamp(generation, at(0), at(1), marks, at(4), fields.get(5).and_then(bytes))
}

impl Shared {
    /// Which conversations are new, or are not what they were, or are gone, in order.
    pub(super) async fn changed_since(self: &Arc<Self>, seen: &mut Seen) -> Result<Vec<ConvId>, StoreError> {
        let convs = self.conversations().await?;
        let mut changed: BTreeSet<ConvId> = seen.0.keys().copied().collect();
        for conv in &convs {
            changed.remove(conv);
        }
        // what is left is gone
        for conv in &changed {
            seen.0.remove(conv);
        }
        let lanes: Vec<_> =
            convs.chunk_by(|a, b| lane_of(*a) == lane_of(*b)).flat_map(|lane| lane.chunks(TOGETHER)).collect();
        for lanes in lanes.chunks(QUESTIONS) {
            let question = |convs: &&[ConvId]| {
                let lane: Lane = convs.first().copied().map_or(0, lane_of);
                let mut names = vec![self.keys.lane(lane)];
                names.extend(convs.iter().flat_map(|conv| [self.keys.records(*conv), self.keys.conversation(*conv)]));
                (self.slot(lane), SCRIPTS.stamps().call(&names))
            };
            let answers = self.ask_all(lanes.iter().map(question).collect()).await?;
            for (convs, answer) in lanes.iter().zip(answers) {
                let mut answer = parts(answer).into_iter();
                let generation = answer.next().as_ref().map_or(0, number);
                let stamps = answer.next().map(parts).unwrap_or_default();
                if stamps.len() != convs.len() {
                    return Err(StoreError::Corrupt(
                        "Redis answered something unexpected about conversations".to_owned(),
                    ));
                }
                for (conv, fields) in convs.iter().zip(stamps) {
                    if seen.0.get(conv) != Some(&stamp_in(generation, fields)) {
                        changed.insert(*conv);
                    }
                }
            }
        }
        Ok(changed.into_iter().collect())
    }
}
