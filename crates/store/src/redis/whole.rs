//! Reading everything, conversation by conversation, while servers write: for copies (`export.rs`) and checks (`verify.rs`).
//! Each conversation is as it was at one moment; the tables of the company are read after all conversations, so that no log
//! names a directory entry that is missing.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use kefu_proto::{ConvId, MsgId};
use kefu_redis_link::{Cmd, cmd, lanes::slot};

use super::{
    Shared,
    batch::{Place, places},
    keys::{COMPANY, lane_of},
    scripts::SCRIPTS,
    value::{Value, bytes, number, parts, strings},
};
use crate::{Facts, FactsOf, Pair, StoreError, Table};

/// Keys that a step of a scan looks at.
const SCANNED: usize = 2_000;
/// Records that are read in the same moment as the row. What is before them is read first.
const AT_ONCE: usize = 128;
/// Records in one read of those before.
const PAGE: usize = 1_024;
/// So often a conversation is read again because it changed meanwhile.
const TRIES: usize = 64;

/// All of a conversation.
#[derive(Debug)]
pub(super) struct Whole {
    pub id: ConvId,
    /// Revision and row; none if it has no row.
    pub row: Option<(u32, Bytes)>,
    /// What the row says; none without a row, or for one that can't be read.
    pub facts: Option<Facts>,
    /// Bytes of its records, as counted.
    pub bytes: u64,
    /// By side: two numbers, big-endian.
    pub marks: [Option<[u8; 16]>; 2],
    /// `at ‖ body`, from number 1 on.
    pub records: Vec<Vec<u8>>,
    /// Message ids and their numbers, if they were asked for.
    pub ids: Vec<(MsgId, u64)>,
    /// Which indexes have it, of all that could.
    pub places: Vec<(Place, bool)>,
    /// Whether the index of its visitor has it.
    pub of_visitor: bool,
    /// Of its lane, as it was before that was held.
    pub generation: u64,
}

/// That nothing was lost or moved from server to server while everything was read.
#[derive(Debug, PartialEq)]
pub(super) struct Standing {
    generation: kefu_proto::Generation,
    slots: Vec<Vec<RangeInclusive<u16>>>,
}

impl Shared {
    /// How the servers are now.
    pub(super) fn standing(&self) -> Standing {
        let map = self.link.map();
        Standing { generation: self.lanes.all(), slots: map.shards().iter().map(|shard| shard.slots.clone()).collect() }
    }

    /// Compares with how they were.
    pub(super) fn still(&self, standing: &Standing) -> Result<(), StoreError> {
        if *standing == self.standing() {
            return Ok(());
        }
        Err(StoreError::Server(
            "a server of Redis was restarted or replaced, or slots moved, while everything was read: try again"
                .to_owned(),
        ))
    }

    /// All conversations, in order.
    pub(super) async fn conversations(self: &Arc<Self>) -> Result<Vec<ConvId>, StoreError> {
        let map = self.link.map();
        let mut convs = Vec::new();
        for slots in map.shards().iter().filter_map(|shard| shard.slots.first()) {
            let mut cursor = b"0".to_vec();
            loop {
                let mut question = cmd("SCAN");
                question.arg(&cursor).arg("MATCH").arg(self.keys.pattern("{*}[lc]:*")).arg("COUNT").arg(SCANNED);
                let mut reply = parts(self.ask(*slots.start(), question).await?).into_iter();
                cursor = reply.next().as_ref().and_then(bytes).unwrap_or(b"0").to_vec();
                let keys = reply.next().map(strings).unwrap_or_default();
                convs.extend(keys.iter().filter_map(|key| self.keys.conversation_in(key)));
                if cursor == b"0" {
                    break;
                }
            }
        }
        convs.sort_unstable();
        convs.dedup();
        Ok(convs)
    }

    /// Reads conversations. Those that are gone meanwhile are left out.
    pub(super) async fn read_whole(
        self: &Arc<Self>,
        convs: &[ConvId],
        facts_of: &FactsOf,
        ids: bool,
    ) -> Result<Vec<Whole>, StoreError> {
        let row = |conv: &ConvId| {
            let mut question = cmd("HGET");
            question.arg(self.keys.conversation(*conv)).arg("r");
            (self.slot(lane_of(*conv)), question)
        };
        let rows = self.ask_all(convs.iter().map(row).collect()).await?;
        let expected: Vec<_> = rows.iter().map(|row| bytes(row).and_then(facts_of)).collect();
        let question = |(conv, facts): (&ConvId, &Option<Facts>)| {
            (self.slot(lane_of(*conv)), self.whole_call(*conv, 0, ids, facts.as_ref()))
        };
        let replies = self.ask_all(convs.iter().zip(&expected).map(question).collect()).await?;
        let mut wholes = Vec::with_capacity(convs.len());
        for ((conv, expected), reply) in convs.iter().zip(expected).zip(replies) {
            let found = match read(*conv, Vec::new(), reply, expected, facts_of)? {
                Found::All(whole) => Some(whole),
                Found::Changed(..) => self.read_again(*conv, facts_of, ids).await?,
            };
            wholes.extend(found.filter(|whole| !whole.is_gone()));
        }
        self.of_visitors(&mut wholes).await?;
        Ok(wholes)
    }

    /// Reads one that is long, or that changed while it was read.
    async fn read_again(
        self: &Arc<Self>,
        conv: ConvId,
        facts_of: &FactsOf,
        ids: bool,
    ) -> Result<Option<Whole>, StoreError> {
        let slot = self.slot(lane_of(conv));
        let (mut expected, mut begun) = (None, None);
        let mut records = Vec::new();
        for left in (0..TRIES).rev() {
            let call = self.whole_call(conv, records.len(), ids, expected.as_ref());
            let reply = self.ask(slot, call).await?;
            let (length, facts) = match read(conv, std::mem::take(&mut records), reply, expected, facts_of)? {
                // with a record that was added, one that was read before may have been recalled; one that changes all the time is
                // taken like this in the end
                Found::All(whole) if left < TRIES / 2 || begun.is_none_or(|begun| begun == whole.records.len()) => {
                    return Ok(Some(whole));
                }
                Found::All(whole) => (whole.records.len(), whole.facts),
                Found::Changed(length, facts) => (length, facts),
            };
            (expected, begun) = (facts, None);
            if length > AT_ONCE {
                begun = Some(length);
                // what remains is read with the row
                while records.len() < length.saturating_sub(AT_ONCE / 2) {
                    let mut question = cmd("LRANGE");
                    let last = (records.len() + PAGE).min(length - AT_ONCE / 2) - 1;
                    question.arg(self.keys.records(conv)).arg(records.len()).arg(last);
                    let page = strings(self.ask(slot, question).await?);
                    if page.is_empty() {
                        break;
                    }
                    records.extend(page);
                }
            }
        }
        Err(StoreError::Server(format!("conversation {conv} changes too quickly to be read: try again")))
    }

    fn whole_call(&self, conv: ConvId, from: usize, ids: bool, facts: Option<&Facts>) -> Cmd {
        let mut names = vec![
            self.keys.records(conv),
            self.keys.ids(conv),
            self.keys.conversation(conv),
            self.keys.lane(lane_of(conv)),
        ];
        let mut members = Vec::new();
        for place in facts.map(widest).unwrap_or_default() {
            let (key, member) = place.at(&self.keys, conv);
            names.push(key);
            members.push((if place == Place::Open { "S" } else { "Z" }, member));
        }
        let mut call = SCRIPTS.whole().call(&names);
        call.arg(from).arg(AT_ONCE).arg(u8::from(ids));
        for (kind, member) in members {
            call.arg(kind).arg(member);
        }
        call
    }

    /// Looks whether the indexes of visitors have them, which are in other slots.
    async fn of_visitors(self: &Arc<Self>, wholes: &mut [Whole]) -> Result<(), StoreError> {
        let (mut which, mut questions) = (Vec::new(), Vec::new());
        for (at, whole) in wholes.iter().enumerate() {
            let Some(facts) = &whole.facts else { continue };
            let (key, mut question) = (self.keys.of_visitor(facts.visitor), cmd("SISMEMBER"));
            question.arg(&key).arg(&whole.id.0);
            which.push(at);
            questions.push((slot(&key), question));
        }
        for (at, answer) in which.into_iter().zip(self.ask_all(questions).await?) {
            wholes[at].of_visitor = number(&answer) == 1;
        }
        Ok(())
    }

    /// All tables of the company at one moment, in order of their keys.
    pub(super) async fn tables(self: &Arc<Self>) -> Result<HashMap<Table, Vec<Pair>>, StoreError> {
        let which: Vec<Table> = Table::ALL.iter().copied().filter(|table| !table.is_index()).collect();
        let names: Vec<_> = which.iter().map(|table| self.keys.values(*table)).collect();
        let reply = parts(self.ask(self.slot(COMPANY), SCRIPTS.tables().call(&names)).await?);
        let sorted = |flat: Value| {
            let mut pairs = pairs(strings(flat));
            pairs.sort_unstable();
            pairs
        };
        Ok(which.into_iter().zip(reply.into_iter().map(sorted)).collect())
    }
}

impl Whole {
    /// It was erased before it could be read.
    fn is_gone(&self) -> bool {
        self.row.is_none() && self.records.is_empty() && self.marks == [None; 2]
    }
}

/// All indexes that could have a conversation, also such that should not: an earlier kefu listed more.
pub(super) fn widest(facts: &Facts) -> Vec<Place> {
    places(&Facts { listed: true, open: true, ..facts.clone() })
}

/// What a reply of `whole.lua` is.
enum Found {
    All(Whole),
    /// Something to ask differently: number of records, and what the row says now.
    Changed(usize, Option<Facts>),
}

/// Reads a reply to a question with these facts, after these records.
fn read(
    id: ConvId,
    mut records: Vec<Vec<u8>>,
    reply: Value,
    expected: Option<Facts>,
    facts_of: &FactsOf,
) -> Result<Found, StoreError> {
    let Ok([rev, row, size, m0, m1, length, generation, rest, ids, there]) = <[Value; 10]>::try_from(parts(reply))
    else {
        return Err(StoreError::Corrupt(format!("conversation {id} is stored in another form")));
    };
    let facts = bytes(&row).and_then(facts_of);
    records.extend(strings(rest));
    let length = number(&length) as usize;
    if records.len() != length || facts != expected {
        return Ok(Found::Changed(length, facts));
    }
    let marks = [m0, m1].map(|marks| bytes(&marks).and_then(|marks| marks.try_into().ok()));
    let known = facts.as_ref().map(widest).unwrap_or_default();
    let places = known.into_iter().zip(parts(there)).map(|(place, there)| (place, number(&there) == 1)).collect();
    let number_of = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let ids = pairs(strings(ids)).into_iter();
    let ids = ids.filter_map(|(id, seq)| Some((MsgId(id.try_into().ok()?), number_of(&seq)))).collect();
    let row = bytes(&row).map(|row| (number(&rev) as u32, Bytes::copy_from_slice(row)));
    let (bytes, generation) = (number(&size), number(&generation));
    Ok(Found::All(Whole { id, row, facts, bytes, marks, records, ids, places, of_visitor: false, generation }))
}

fn pairs(flat: Vec<Vec<u8>>) -> Vec<Pair> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}
