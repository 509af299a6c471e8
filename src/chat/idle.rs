//! Closing what nobody ended: the facts for [`desk::IdleRule`], and the transaction.

use std::sync::Arc;

use crate::{
    desk::{IdleRule, Quiet},
    proto::{ConvId, ConvState, HeaderView, Kid, Kind, Owner, RecordView},
    store::StoreError,
};

use super::{Chat, cells::lock, conversation::Cell};

/// Who closed it, in the event: not an id that a user could have.
const BY: &str = "@idle";
/// Most that are closed at once: after an upgrade there may be years of them, and messages come first.
const AT_ONCE: usize = 200;
/// How far back the last word is looked for, and in which steps.
const LOOK_BACK: u64 = 200;
const STEP: u64 = 25;

/// Who wrote last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// A message or a note, ms.
    at: u64,
    /// Whether the last message was the visitor's.
    visitors: bool,
}

impl Word {
    /// After one more record, if it is a word.
    pub(super) fn then(word: Option<Self>, record: &RecordView<'_>, visitor: Kid) -> Option<Self> {
        match (HeaderView::parse(record.body), word) {
            (Ok((Kind::Message, h)), _) => Some(Self { at: record.at_ms, visitors: h.sender() == visitor }),
            (Ok((Kind::Note, _)), Some(w)) => Some(Self { at: record.at_ms, ..w }),
            _ => word,
        }
    }
}

impl Cell {
    fn is_over(&self, rule: IdleRule, now_ms: u64) -> bool {
        let Some(Word { at, visitors }) = self.word.filter(|_| self.row.state == ConvState::Open) else { return false };
        let queued = self.row.owner == Owner::Queue;
        rule.over(&Quiet { spoke: at, unanswered: visitors, queued, stirred: self.last_at }, now_ms)
    }
}

impl Chat {
    /// Closes what is over by `rule`, a limited number at once.
    pub async fn close_idle(self: &Arc<Self>, rule: IdleRule, now_ms: u64) {
        let chat = self.clone();
        let looked = tokio::task::spawn_blocking(move || chat.idle(rule, now_ms)).await;
        for conv in looked.unwrap_or_default() {
            let closed = self.change(conv, |_, cell, batch| {
                // somebody may have written since
                Ok(cell.is_over(rule, now_ms).then(|| cell.closing(BY, batch)))
            });
            if let Err(e) = closed.await {
                tracing::warn!(%conv, error = %e, "an idle conversation could not be closed yet");
            }
        }
    }

    /// Those that are over. Touches the disk for each that was not looked at before.
    fn idle(&self, rule: IdleRule, now_ms: u64) -> Vec<ConvId> {
        let mut over = Vec::new();
        for conv in self.cells.open() {
            if over.len() == AT_ONCE {
                break;
            }
            match self.is_idle(conv, rule, now_ms) {
                Ok(true) => over.push(conv),
                Ok(false) => {}
                Err(e) => tracing::warn!(%conv, error = %e, "could not see whether a conversation is idle"),
            }
        }
        over
    }

    fn is_idle(&self, conv: ConvId, rule: IdleRule, now_ms: u64) -> Result<bool, StoreError> {
        let Some(shared) = self.cell(conv)? else { return Ok(false) };
        let (last, visitor, created) = {
            let cell = lock(&shared);
            if cell.word.is_some() || now_ms.saturating_sub(cell.row.created) < rule.after_ms {
                return Ok(cell.is_over(rule, now_ms));
            }
            (cell.last, cell.visitor, cell.row.created)
        };
        let word = self.last_word(conv, last, visitor)?;
        let mut cell = lock(&shared);
        if cell.last == last {
            // opened and never written in: as if its visitor had spoken then
            cell.word = Some(word.unwrap_or(Word { at: created, visitors: true }));
        }
        Ok(cell.is_over(rule, now_ms))
    }

    fn last_word(&self, conv: ConvId, last: u64, visitor: Kid) -> Result<Option<Word>, StoreError> {
        let mut noted = None;
        let (mut end, floor) = (last, last.saturating_sub(LOOK_BACK));
        while end > floor {
            let begin = end.saturating_sub(STEP).max(floor);
            let records = self.store.records(conv, begin, (end - begin) as usize)?;
            for (_, frame) in records.iter().rev() {
                let Some(record) = RecordView::parse(frame) else { continue };
                match HeaderView::parse(record.body) {
                    Ok((Kind::Message | Kind::Tombstone, h)) => {
                        let at = noted.unwrap_or(record.at_ms);
                        return Ok(Some(Word { at, visitors: h.sender() == visitor }));
                    }
                    Ok((Kind::Note | Kind::NoteTombstone, _)) => noted = noted.or(Some(record.at_ms)),
                    _ => {}
                }
            }
            end = begin;
        }
        Ok(noted.map(|at| Word { at, visitors: true }))
    }
}
