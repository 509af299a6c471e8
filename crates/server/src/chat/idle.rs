//! Closing idle and missed conversations: the facts for [`crate::desk::EndRule`], and the transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    desk::{End, EndRule, Inactivity},
    proto::{ConvId, ConvState, Event, HeaderView, Kid, Kind, Owner, RecordView, StorageState, TeamId},
    store::{Batch, StoreError},
};
use parking_lot::Mutex;

use super::{
    Chat,
    conversation::{CachedConversation, LastMessage},
    missed,
    row::Row,
};

/// Who closed what was idle, in the event: not an id that a user could have.
const BY: &str = "@idle";
/// Maximum number closed at once: after an upgrade there may be years of them, and messages come first.
const AT_ONCE: usize = 200;
/// How far back the last word is looked for, and in which steps.
const LOOK_BACK: u64 = 200;
const STEP: u64 = 25;

/// Conversations that can't have ended before a time, ms: somebody wrote in them. They need not be read before.
#[derive(Debug, Default)]
pub(super) struct NotBefore(Mutex<HashMap<ConvId, u64>>);

impl NotBefore {
    /// Those of `open` that may have ended by now. The others of them are kept in mind.
    fn may_have_ended(&self, mut open: Vec<ConvId>, now_ms: u64) -> Vec<ConvId> {
        let mut known = self.0.lock();
        let still: HashSet<ConvId> = open.iter().copied().collect();
        known.retain(|conv, at| *at > now_ms && still.contains(conv));
        open.retain(|conv| !known.contains_key(conv));
        open
    }
}

impl CachedConversation {
    fn end(&self, rule: EndRule, now_ms: u64) -> Option<End> {
        let running = self.row.state == ConvState::Open && self.row.snoozed.is_none();
        let LastMessage { at, visitors } = self.last_message.filter(|_| running)?;
        let waits_since = (self.row.owner == Owner::Queue).then_some(self.row.arrived);
        rule.end(&Inactivity { spoke: at, unanswered: visitors, waits_since, last_change: self.last_at }, now_ms)
    }

    fn ended(&self, end: End, now_ms: u64, batch: &mut Batch) -> Row {
        match end {
            End::Idle => self.closing(BY, batch),
            End::Missed => Row { missed: Some(now_ms), ..self.closing(missed::BY, batch) },
        }
    }
}

impl Chat {
    /// Closes what has ended by `rule`, a limited number at once. Missed ones are logged in one line per batch.
    pub async fn close_inactive(&self, rule: EndRule, now_ms: u64) {
        if self.store.space() == StorageState::Full {
            return;
        }
        let mut missed = BTreeMap::new();
        for conv in self.inactive(rule, now_ms).await {
            let ended = Mutex::new(None);
            let closed = self.cache.change(conv, |conversation, batch| {
                // a message may have arrived since
                let end = conversation.end(rule, now_ms);
                *ended.lock() = end.map(|end| (end, conversation.row.team.clone()));
                Ok(end.map(|end| conversation.ended(end, now_ms, batch)))
            });
            match closed.await {
                Ok(()) => {
                    if let Some((End::Missed, team)) = ended.lock().take() {
                        *missed.entry(team).or_default() += 1;
                    }
                }
                Err(e) => tracing::warn!(%conv, error = %e, "an idle conversation could not be closed yet"),
            }
        }
        self.alarm(rule, &missed);
    }

    fn alarm(&self, rule: EndRule, missed: &BTreeMap<TeamId, u64>) {
        let all = missed.values().sum();
        if all == 0 {
            return;
        }
        self.metrics.conversations_missed.add(all);
        let teams: Vec<String> = missed.iter().map(|(team, n)| format!("{team} {n}")).collect();
        let days = rule.missed_after_ms.unwrap_or_default() as f64 / 86_400_000.0;
        tracing::warn!(
            conversations = all,
            teams = teams.join(", "),
            "waited {days} days without an answer: closed, and listed in the console under Missed"
        );
    }

    /// Those that have ended. Reads each that may have, by what was seen of it before.
    async fn inactive(&self, rule: EndRule, now_ms: u64) -> Vec<ConvId> {
        let mut over = Vec::new();
        let Some(least) = rule.least_ms() else { return over };
        let open = self.cache.open_since(now_ms.saturating_sub(least));
        for conv in self.not_before.may_have_ended(open, now_ms) {
            if over.len() == AT_ONCE {
                break;
            }
            match self.is_idle(conv, rule, least, now_ms).await {
                Ok(true) => over.push(conv),
                Ok(false) => {}
                Err(e) => tracing::warn!(%conv, error = %e, "could not check whether a conversation is idle"),
            }
        }
        over
    }

    async fn is_idle(&self, conv: ConvId, rule: EndRule, least: u64, now_ms: u64) -> Result<bool, StoreError> {
        let Some(shared) = self.cache.get(conv).await? else { return Ok(false) };
        let ended = |conversation: &CachedConversation| {
            let ended = conversation.end(rule, now_ms).is_some();
            if let Some(LastMessage { at, .. }) = conversation.last_message.filter(|_| !ended) {
                // whatever is written or changed from now on makes it later
                self.not_before.0.lock().insert(conv, at.saturating_add(least));
            }
            ended
        };
        let (last, visitor, created) = {
            let conversation = shared.lock();
            if conversation.last_message.is_some() {
                return Ok(ended(&conversation));
            }
            (conversation.last, conversation.visitor, conversation.row.created)
        };
        let word = self.last_word(conv, last, visitor).await?;
        let mut conversation = shared.lock();
        if conversation.last == last {
            // opened and never written in: as if its visitor had spoken then
            conversation.last_message = Some(word.unwrap_or(LastMessage { at: created, visitors: true }));
        }
        Ok(ended(&conversation))
    }

    async fn last_word(&self, conv: ConvId, last: u64, visitor: Kid) -> Result<Option<LastMessage>, StoreError> {
        let mut noted = None;
        let (mut end, floor) = (last, last.saturating_sub(LOOK_BACK));
        while end > floor {
            let begin = end.saturating_sub(STEP).max(floor);
            let records = self.store.records(conv, begin, (end - begin) as usize).await?;
            for (_, frame) in records.iter().rev() {
                let Some(record) = RecordView::parse(frame) else { continue };
                match HeaderView::parse(record.body) {
                    Ok((Kind::Message | Kind::Tombstone, h)) => {
                        let at = noted.unwrap_or(record.at_ms);
                        return Ok(Some(LastMessage { at, visitors: h.sender() == visitor }));
                    }
                    Ok((Kind::Note | Kind::NoteTombstone, _)) => noted = noted.or(Some(record.at_ms)),
                    Err(_) if matches!(record.event(), Some(Event::Woken { .. })) => {
                        noted = noted.or(Some(record.at_ms));
                    }
                    _ => {}
                }
            }
            end = begin;
        }
        Ok(noted.map(|at| LastMessage { at, visitors: true }))
    }
}
