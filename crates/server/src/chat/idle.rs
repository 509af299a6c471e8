//! Closing idle and missed conversations: the facts for [`crate::desk::EndRule`], and the transaction.

use std::collections::BTreeMap;

use crate::{
    desk::{End, EndRule, Inactivity},
    proto::{ConvId, ConvState, HeaderView, Kid, Kind, Owner, RecordView, StorageState, TeamId},
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

impl CachedConversation {
    fn end(&self, rule: EndRule, now_ms: u64) -> Option<End> {
        let LastMessage { at, visitors } = self.last_message.filter(|_| self.row.state == ConvState::Open)?;
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

    /// Those that have ended. Reads each that was not checked before.
    async fn inactive(&self, rule: EndRule, now_ms: u64) -> Vec<ConvId> {
        let mut over = Vec::new();
        for conv in self.cache.open() {
            if over.len() == AT_ONCE {
                break;
            }
            match self.is_idle(conv, rule, now_ms).await {
                Ok(true) => over.push(conv),
                Ok(false) => {}
                Err(e) => tracing::warn!(%conv, error = %e, "could not check whether a conversation is idle"),
            }
        }
        over
    }

    async fn is_idle(&self, conv: ConvId, rule: EndRule, now_ms: u64) -> Result<bool, StoreError> {
        let Some(least) = rule.least_ms() else { return Ok(false) };
        let Some(shared) = self.cache.get(conv).await? else { return Ok(false) };
        let (last, visitor, created) = {
            let conversation = shared.lock();
            if conversation.last_message.is_some() || now_ms.saturating_sub(conversation.row.created) < least {
                return Ok(conversation.end(rule, now_ms).is_some());
            }
            (conversation.last, conversation.visitor, conversation.row.created)
        };
        let word = self.last_word(conv, last, visitor).await?;
        let mut conversation = shared.lock();
        if conversation.last == last {
            // opened and never written in: as if its visitor had spoken then
            conversation.last_message = Some(word.unwrap_or(LastMessage { at: created, visitors: true }));
        }
        Ok(conversation.end(rule, now_ms).is_some())
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
                    _ => {}
                }
            }
            end = begin;
        }
        Ok(noted.map(|at| LastMessage { at, visitors: true }))
    }
}
