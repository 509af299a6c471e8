//! Entries of indexes that no row explains: of conversations that are not there, or are elsewhere. Readers skip them, but something
//! wrote what a batch does not write.

use std::{ops::ControlFlow, sync::Arc};

use kefu_proto::ConvId;
use kefu_redis_link::{cmd, lanes::slot};

use super::{
    Shared,
    batch::places,
    keys::lane_of,
    value::{Value, bytes, parts, strings},
};
use crate::{FactsOf, StoreError};

/// Entries that are looked at together, and keys that a step of a scan looks at.
const TOGETHER: usize = 500;
const SCANNED: usize = 2_000;
/// Rows change while they are read: an entry is strange if it is each of these times.
const TIMES: usize = 3;

/// The indexes of lanes, and how faults name them. What visitors have is kept more loosely: a place too many is allowed there.
const INDEXES: [(&str, &str); 4] =
    [("{*}open", "open_conv"), ("{*}time", "conv_by_time"), ("{*}T:*", "conv_by_time"), ("{*}M:*", "missed")];

/// An entry: the key of its index, its member there, and the conversation that names.
struct Entry {
    key: Vec<u8>,
    member: Vec<u8>,
    conv: ConvId,
}

/// Takes the table of an entry, its member, and what is wrong; says whether to go on.
pub(super) type Note<'a> = dyn FnMut(&'static str, &[u8], String) -> ControlFlow<()> + Send + 'a;

impl Shared {
    /// Passes each entry that no row explains.
    pub(super) async fn unexplained(
        self: &Arc<Self>,
        facts_of: &FactsOf,
        note: &mut Note<'_>,
    ) -> Result<(), StoreError> {
        for (pattern, table) in INDEXES {
            for key in self.keys_like(pattern).await? {
                let is_set = table == "open_conv";
                let mut question = if is_set { cmd("SMEMBERS") } else { cmd("ZRANGE") };
                question.arg(&key);
                if !is_set {
                    question.arg(0).arg(-1);
                }
                let members = match self.ask(slot(&key), question).await? {
                    Value::Set(members) => strings(Value::Array(members)),
                    members => strings(members),
                };
                let entries = members.into_iter().filter_map(|member| {
                    let conv = ConvId(*member.last_chunk()?);
                    Some(Entry { key: key.clone(), member, conv })
                });
                let mut entries: Vec<Entry> = entries.collect();
                while !entries.is_empty() {
                    let rest = entries.split_off(entries.len().min(TOGETHER));
                    for entry in self.strange(std::mem::replace(&mut entries, rest), facts_of, is_set).await? {
                        let what = format!("the index {} has it, and no row says so", entry.key.escape_ascii());
                        if note(table, &entry.member, what).is_break() {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn strange(
        self: &Arc<Self>,
        mut entries: Vec<Entry>,
        facts_of: &FactsOf,
        is_set: bool,
    ) -> Result<Vec<Entry>, StoreError> {
        for _ in 0..TIMES {
            let row = |entry: &Entry| {
                let mut question = cmd("HGET");
                question.arg(self.keys.conversation(entry.conv)).arg("r");
                (self.slot(lane_of(entry.conv)), question)
            };
            let rows = self.ask_all(entries.iter().map(row).collect()).await?;
            let mut rows = rows.iter();
            entries.retain(|entry| {
                let facts = rows.next().and_then(bytes).and_then(facts_of);
                let is = |place: &super::batch::Place| {
                    let (key, member) = place.at(&self.keys, entry.conv);
                    key == entry.key && member == entry.member
                };
                !facts.is_some_and(|facts| places(&facts).iter().any(is))
            });
            if entries.is_empty() {
                break;
            }
            // after the row: what is erased goes with its entries
            let there = |entry: &Entry| {
                let mut question = cmd(if is_set { "SISMEMBER" } else { "ZSCORE" });
                question.arg(&entry.key).arg(&entry.member);
                (slot(&entry.key), question)
            };
            let there = self.ask_all(entries.iter().map(there).collect()).await?;
            let mut there = there.iter();
            entries.retain(|_| !matches!(there.next(), None | Some(Value::Nil | Value::Int(0))));
        }
        Ok(entries)
    }

    async fn keys_like(self: &Arc<Self>, pattern: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let (map, mut all) = (self.link.map(), Vec::new());
        for slots in map.shards().iter().filter_map(|shard| shard.slots.first()) {
            let mut cursor = b"0".to_vec();
            loop {
                let mut question = cmd("SCAN");
                question.arg(&cursor).arg("MATCH").arg(self.keys.pattern(pattern)).arg("COUNT").arg(SCANNED);
                let mut reply = parts(self.ask(*slots.start(), question).await?).into_iter();
                cursor = reply.next().as_ref().and_then(bytes).unwrap_or(b"0").to_vec();
                all.extend(reply.next().map(strings).unwrap_or_default());
                if cursor == b"0" {
                    break;
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}
