//! Reads of conversations and of tables.

use std::{cmp::Ordering, sync::Arc};

use kefu_proto::ConvId;
use kefu_redis_link::{Cmd, Value, cmd};

use super::{
    Shared,
    event::{frame, time_of},
    fill::read_head,
    keys::{COMPANY, lane_of},
    scripts::SCRIPTS,
    value::{bytes, parts, strings},
};
use crate::{Head, Pair, StoreError, StoredRecord, Table, check::Page};

/// Records in the first read of a page, and in the largest.
const FIRST: usize = 64;
const MOST: usize = 1_024;

impl Shared {
    pub(super) async fn get(self: &Arc<Self>, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if table.is_index() {
            return Ok(None);
        }
        let mut question = cmd("HGET");
        question.arg(self.keys.values(table)).arg(key);
        let answer = self.ask(self.slot(COMPANY), question).await?;
        Ok(bytes(&answer).map(<[u8]>::to_vec))
    }

    pub(super) async fn scan(
        self: &Arc<Self>,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        if limit == 0 || table.is_index() {
            return Ok(Vec::new());
        }
        let (low, high) = bounds(prefix, after, descending);
        let mut question = SCRIPTS.scan().call(&[self.keys.values(table), self.keys.keys(table)]);
        let limit = i64::try_from(limit).unwrap_or(-1);
        question.arg(low).arg(high).arg(u8::from(descending)).arg(limit);
        let mut flat = strings(self.ask(self.slot(COMPANY), question).await?).into_iter();
        let mut pairs = Vec::with_capacity(flat.len() / 2);
        while let (Some(key), Some(value)) = (flat.next(), flat.next()) {
            pairs.push((key, value));
        }
        Ok(pairs)
    }

    pub(super) async fn heads(self: &Arc<Self>, convs: &[ConvId]) -> Result<Vec<Option<Head>>, StoreError> {
        let questions = convs.iter().map(|conv| (self.slot(lane_of(*conv)), self.head_call(*conv, None)));
        let answers = self.ask_all(questions.collect()).await?;
        Ok(answers.into_iter().map(|answer| read_head(&parts(answer))).collect())
    }

    pub(super) async fn page(
        self: &Arc<Self>,
        conv: ConvId,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let mut page = Page::new(limit, bytes);
        // Redis counts with sign; no log is that long
        let (mut from, mut size) = (after.min(i64::MAX as u64 / 2), FIRST.min(limit));
        while page.has_room() {
            let (answer, safe) = self.ask_safe(lane_of(conv), self.range(conv, from, size), newest).await?;
            let mut records = strings(answer);
            let got = records.len();
            records.truncate(records.partition_point(|record| time_of(record) < safe));
            let all = records.len() == got;
            if records.is_empty() && page.records.is_empty() && safe < u64::MAX {
                // to say that there are none could be wrong, too
                return Err(StoreError::Reopening);
            }
            for record in records {
                from += 1;
                if !page.push((from, frame(from, &record))) {
                    break;
                }
            }
            if got < size || !all {
                break;
            }
            size = (size * 4).min(MOST);
        }
        Ok(page.records)
    }

    fn range(&self, conv: ConvId, from: u64, records: usize) -> Cmd {
        let mut question = cmd("LRANGE");
        question.arg(self.keys.records(conv)).arg(from).arg(from + records as u64 - 1);
        question
    }
}

/// The time of the last of some records. Without any it must be sure that there are none: a server that another one has replaced,
/// and does not know it yet, lacks the newest.
fn newest(records: &Value) -> u64 {
    match records {
        Value::Array(records) => records.last().and_then(bytes).map_or(u64::MAX, time_of),
        _ => u64::MAX,
    }
}

/// Lowest and highest key of a scan, as `ZRANGE BYLEX` has them.
fn bounds(prefix: &[u8], after: Option<&[u8]>, descending: bool) -> (Vec<u8>, Vec<u8>) {
    let with = |sign: u8, key: &[u8]| [&[sign], key].concat();
    let mut low = if prefix.is_empty() { b"-".to_vec() } else { with(b'[', prefix) };
    // the first key behind all that begin with the prefix
    let behind = prefix.iter().rposition(|byte| *byte != 0xff).map(|at| {
        let mut behind = prefix[..=at].to_vec();
        behind[at] += 1;
        behind
    });
    let mut high = behind.as_ref().map_or_else(|| b"+".to_vec(), |behind| with(b'(', behind));
    match after {
        Some(after) if descending && behind.is_none_or(|behind| after.cmp(&behind) == Ordering::Less) => {
            high = with(b'(', after);
        }
        Some(after) if !descending && after >= prefix => low = with(b'(', after),
        _ => {}
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_begins_and_ends_within_its_prefix() {
        let bounds = |prefix: &[u8], after: Option<&[u8]>, down| {
            let (low, high) = bounds(prefix, after, down);
            [low, high].map(|bound| bound.escape_ascii().to_string())
        };
        assert_eq!(bounds(b"", None, false), ["-", "+"]);
        assert_eq!(bounds(b"a", None, true), ["[a", "(b"]);
        assert_eq!(bounds(b"a\xff", None, true), ["[a\\xff", "(b"]);
        assert_eq!(bounds(b"\xff", None, true), ["[\\xff", "+"]);
        assert_eq!(bounds(b"a", Some(b"ab"), false), ["(ab", "(b"]);
        assert_eq!(bounds(b"b", Some(b"a"), false), ["[b", "(c"]);
        assert_eq!(bounds(b"a", Some(b"ab"), true), ["[a", "(ab"]);
        assert_eq!(bounds(b"a", Some(b"b"), true), ["[a", "(b"]);
        assert_eq!(bounds(b"\xff", Some(b"\xff\xff"), true), ["[\\xff", "(\\xff\\xff"]);
    }
}
