//! Erasing conversations that were closed long ago, with everything that is stored of them.
//!
//! Works on the store and the files alone, so it runs with or without a server. A conversation that someone writes in or reopens
//! meanwhile is left: each is erased under the revision and the number of records that were looked at. The fan-out tells
//! those who have it open.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    blobs::Blobs,
    crypto::hash,
    proto::{ConvId, ConvState, SiteId, StorageState},
    store::{self, Batch, Head, Op, Place, Store, StoreError},
};

use super::{persons, row::Row};

/// Conversations that one step looks at.
const STEP: usize = 500;
/// How many are looked at, and erased, in one pass beside a server's other work.
const LOOKED_AT: usize = 5_000;
const ERASED: usize = 200;

/// How long closed conversations are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Of sites that have no time of their own, ms; none: forever.
    pub default_ms: Option<u64>,
    /// Of single sites.
    pub sites: BTreeMap<SiteId, Option<u64>>,
}

impl Retention {
    fn of(&self, site: &SiteId) -> Option<u64> {
        self.sites.get(site).copied().unwrap_or(self.default_ms)
    }

    /// The shortest time, if anything is ever erased.
    fn least(&self) -> Option<u64> {
        self.sites.values().copied().chain([self.default_ms]).flatten().min()
    }
}

/// What is due, or was erased, of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Conversations.
    pub conversations: u64,
    /// Bytes of their records.
    pub bytes: u64,
    /// When the oldest was last written in, ms.
    pub oldest: u64,
}

/// By site.
pub type DueBySite = BTreeMap<SiteId, Due>;

fn note(due: &mut DueBySite, found: &Found) {
    let due = due.entry(found.row.site.clone()).or_default();
    due.oldest = if due.conversations == 0 { found.last_at } else { due.oldest.min(found.last_at) };
    due.conversations += 1;
    due.bytes += found.bytes;
}

/// A conversation that is due.
struct Found {
    conv: ConvId,
    rev: u32,
    last_seq: u64,
    bytes: u64,
    last_at: u64,
    row: Row,
}

/// What one step found, and where the next begins; none: there are no more.
struct Step {
    found: Vec<Found>,
    next: Option<Place>,
}

/// Looks at conversations after `after`, in the order of the store.
async fn look(store: &dyn Store, rule: &Retention, now_ms: u64, after: Option<Place>) -> Result<Step, StoreError> {
    let Some(newest) = rule.least().and_then(|least| now_ms.checked_sub(least)) else {
        return Ok(Step { found: Vec::new(), next: None });
    };
    let places = store.begun_by(newest, after, STEP).await?;
    let mut found = Vec::new();
    for place in &places {
        found.extend(examine(store, rule, now_ms, place.conv).await?);
    }
    Ok(Step { found, next: places.last().copied().filter(|_| places.len() == STEP) })
}

async fn examine(store: &dyn Store, rule: &Retention, now_ms: u64, conv: ConvId) -> Result<Option<Found>, StoreError> {
    let Some(head) = store.head(conv).await? else { return Ok(None) };
    let row = Row::decode(&head.value)?;
    let Some(kept) = rule.of(&row.site).filter(|_| row.state == ConvState::Closed) else { return Ok(None) };
    let last_at = if head.last_at_ms == 0 { row.created } else { head.last_at_ms };
    let due = last_at.saturating_add(kept) <= now_ms;
    let Head { rev, last_seq, bytes, .. } = head;
    Ok(due.then_some(Found { conv, rev, last_seq, bytes, last_at, row }))
}

/// Erases one, then its files; false if it changed meanwhile.
async fn erase(store: &dyn Store, blobs: Option<&dyn Blobs>, found: &Found) -> Result<bool, StoreError> {
    let Found { conv, rev, last_seq, row, .. } = found;
    let visitor = hash::kid(&row.visitor_ed()?);
    let ops = vec![Op::Erase { last_seq: *last_seq, facts: Some(Box::new(row.facts(visitor))) }];
    match store::write(store, Batch { conv: Some(*conv), rev: Some(*rev), ops }).await {
        Ok(_) => {
            persons::forget(store, *conv).await?;
            if let Some(blobs) = blobs
                && let Err(e) = blobs.remove_all(*conv).await
            {
                // they are looked for again once a day
                tracing::warn!(%conv, error = %e, "the files of an erased conversation could not be removed yet");
            }
            Ok(true)
        }
        Err(StoreError::Conflict) => Ok(false),
        Err(e) => Err(e),
    }
}

/// What is due now. Reads the row of every conversation that is old enough.
///
/// # Errors
/// If the disk can't be read.
pub async fn due(store: &dyn Store, rule: &Retention, now_ms: u64) -> Result<DueBySite, StoreError> {
    run(store, None, rule, now_ms, false).await
}

/// Erases everything that is due now, and returns what it was.
///
/// # Errors
/// If the disk can't be read or written; what was erased before stays so.
pub async fn erase_due(
    store: &dyn Store,
    blobs: Option<&dyn Blobs>,
    rule: &Retention,
    now_ms: u64,
) -> Result<DueBySite, StoreError> {
    run(store, blobs, rule, now_ms, true).await
}

async fn run(
    store: &dyn Store,
    blobs: Option<&dyn Blobs>,
    rule: &Retention,
    now_ms: u64,
    erases: bool,
) -> Result<DueBySite, StoreError> {
    let (mut all, mut after) = (DueBySite::new(), None);
    loop {
        let step = look(store, rule, now_ms, after).await?;
        for found in &step.found {
            if !erases || erase(store, blobs, found).await? {
                note(&mut all, found);
            }
        }
        after = step.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Erases beside a server's other work, a limited number at once.
#[derive(Debug)]
pub struct Eraser {
    rule: Retention,
    /// Where the next pass begins.
    after: Option<Place>,
}

impl Eraser {
    /// By this rule.
    pub fn new(rule: Retention) -> Self {
        Self { rule, after: None }
    }

    /// One pass. To be called once a minute.
    pub async fn pass(&mut self, store: &dyn Store, blobs: Option<&dyn Blobs>, now_ms: u64) {
        if self.rule.least().is_none() || store.space() == StorageState::Full {
            return;
        }
        let mut erased = DueBySite::new();
        if let Err(e) = self.try_pass(store, blobs, now_ms, &mut erased).await {
            tracing::warn!(error = %e, "old conversations could not be erased yet");
        }
        for (site, due) in erased {
            tracing::info!(%site, conversations = due.conversations, "erased conversations that were closed long ago");
        }
    }

    async fn try_pass(
        &mut self,
        store: &dyn Store,
        blobs: Option<&dyn Blobs>,
        now_ms: u64,
        erased: &mut DueBySite,
    ) -> Result<(), StoreError> {
        let mut count = 0;
        for _ in 0..LOOKED_AT / STEP {
            let before = self.after;
            let step = look(store, &self.rule, now_ms, before).await?;
            for found in &step.found {
                if count == ERASED {
                    // the rest of this step is looked at again
                    self.after = before;
                    return Ok(());
                }
                count += 1;
                if erase(store, blobs, found).await? {
                    note(erased, found);
                }
            }
            self.after = step.next;
            if self.after.is_none() {
                break;
            }
        }
        Ok(())
    }
}
