//! Lists of conversations: each lane has a part, in order, and all parts are asked at once.

use std::sync::Arc;

use kefu_proto::{ConvId, Kid, TeamId};
use kefu_redis_link::{
    Cmd, Value, cmd,
    lanes::{LANES, slot},
};

use super::{
    Shared,
    keys::{Lane, lane_of},
    value::{bytes, number, strings},
};
use crate::{Place, StoreError};

/// Lanes that are asked together where one after the other would do.
const AHEAD: u16 = 64;

impl Shared {
    /// The same question to these lanes.
    async fn each(
        self: &Arc<Self>,
        lanes: impl Iterator<Item = Lane>,
        question: impl Fn(Lane) -> Vec<Cmd>,
    ) -> Result<Vec<Value>, StoreError> {
        let questions = lanes.flat_map(|lane| question(lane).into_iter().map(move |question| (lane, question)));
        self.ask_all(questions.map(|(lane, question)| (self.slot(lane), question)).collect()).await
    }

    pub(super) async fn open_conversations(self: &Arc<Self>) -> Result<Vec<ConvId>, StoreError> {
        let question = |lane| {
            let mut question = cmd("SMEMBERS");
            question.arg(self.keys.open(lane));
            vec![question]
        };
        let answers = self.each(0..LANES, question).await?;
        Ok(answers.into_iter().flat_map(members).filter_map(|conv| ConvId::from_slice(&conv)).collect())
    }

    pub(super) async fn of_visitor(self: &Arc<Self>, visitor: Kid, limit: usize) -> Result<Vec<ConvId>, StoreError> {
        let key = self.keys.of_visitor(visitor);
        let mut question = cmd("SMEMBERS");
        question.arg(&key);
        let answer = self.ask(slot(&key), question).await?;
        let mut convs: Vec<ConvId> = members(answer).iter().filter_map(|conv| ConvId::from_slice(conv)).collect();
        convs.sort_unstable();
        let has_row = |conv: &ConvId| {
            let mut question = cmd("HEXISTS");
            question.arg(self.keys.conversation(*conv)).arg("v");
            (self.slot(lane_of(*conv)), question)
        };
        let rows = self.ask_all(convs.iter().map(has_row).collect()).await?;
        let there = convs.into_iter().zip(rows).filter(|(_, row)| number(row) == 1);
        Ok(there.map(|(conv, _)| conv).take(limit).collect())
    }

    pub(super) async fn listed(
        self: &Arc<Self>,
        teams: &[TeamId],
        before: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let question = |lane| teams.iter().map(|team| newest(&self.keys.of_team(lane, team), before, limit)).collect();
        if limit == 0 { Ok(Vec::new()) } else { Ok(merged(self.each(0..LANES, question).await?, limit)) }
    }

    pub(super) async fn missed(
        self: &Arc<Self>,
        team: &TeamId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let question = |lane| vec![newest(&self.keys.missed(lane, team), before, limit)];
        if limit == 0 { Ok(Vec::new()) } else { Ok(merged(self.each(0..LANES, question).await?, limit)) }
    }

    pub(super) async fn count_missed(
        self: &Arc<Self>,
        team: &TeamId,
        limit: usize,
    ) -> Result<(usize, Option<u64>), StoreError> {
        let question = |lane| {
            let (key, mut count, mut oldest) = (self.keys.missed(lane, team), cmd("ZCARD"), cmd("ZRANGE"));
            count.arg(&key);
            oldest.arg(&key).arg(0).arg(0);
            vec![count, oldest]
        };
        let (mut count, mut oldest) = (0, None::<u64>);
        for answer in self.each(0..LANES, question).await? {
            match answer {
                Value::Int(number) => count += usize::try_from(number).unwrap_or(0),
                first => {
                    let first = places(first).into_iter().map(|place| place.at_ms).next();
                    oldest = [oldest, first].into_iter().flatten().min();
                }
            }
        }
        Ok((count.min(limit), oldest.filter(|_| limit > 0)))
    }

    pub(super) async fn begun_by(
        self: &Arc<Self>,
        at_ms: u64,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let mut found = Vec::new();
        let first = after.map_or(0, |place| lane_of(place.conv));
        let mut lanes = first..LANES;
        while found.len() < limit && !lanes.is_empty() {
            let some = lanes.start..lanes.end.min(lanes.start + AHEAD);
            lanes.start = some.end;
            let question = |lane| {
                let mut question = cmd("ZRANGE");
                let from = after.filter(|place| lane_of(place.conv) == lane);
                let low = from.map_or_else(|| b"-".to_vec(), |place| [b"(", &place.key()[..]].concat());
                let high =
                    at_ms.checked_add(1).map_or_else(|| b"+".to_vec(), |end| [b"(", &end.to_be_bytes()[..]].concat());
                question.arg(self.keys.by_time(lane)).arg(low).arg(high);
                question.arg("BYLEX").arg("LIMIT").arg(0).arg(limit - found.len());
                vec![question]
            };
            let answers = self.each(some, question).await?;
            found.extend(answers.into_iter().flat_map(places));
        }
        found.truncate(limit);
        Ok(found)
    }
}

/// The newest places of an index, before one of them.
fn newest(key: &[u8], before: Option<Place>, limit: usize) -> Cmd {
    let high = before.map_or_else(|| b"+".to_vec(), |place| [b"(", &place.key()[..]].concat());
    let mut question = cmd("ZRANGE");
    question.arg(key).arg(high).arg("-").arg("BYLEX").arg("REV").arg("LIMIT").arg(0);
    question.arg(i64::try_from(limit).unwrap_or(-1));
    question
}

/// Places of all lanes in one order, the newest first.
fn merged(answers: Vec<Value>, limit: usize) -> Vec<Place> {
    let mut all: Vec<Place> = answers.into_iter().flat_map(places).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.dedup();
    all.truncate(limit);
    all
}

fn places(answer: Value) -> Vec<Place> {
    strings(answer).iter().filter_map(|key| Place::at_end_of(key)).collect()
}

/// Members of a set.
fn members(answer: Value) -> Vec<Vec<u8>> {
    match answer {
        Value::Set(members) => members.iter().filter_map(|member| bytes(member).map(<[u8]>::to_vec)).collect(),
        other => strings(other),
    }
}
