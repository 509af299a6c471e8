//! After the commit: deliver the records, and report them to the desk.
//!
//! One task reads the store's feed in order, so two records of a conversation can't overtake each other. It waits for no
//! client: outboxes are bounded, the desk's inbox is a channel. Only a conversation that is not in memory is waited for.

use std::{sync::Arc, time::Duration};

use crate::{
    hub::{Frame, Topic},
    proto::{ConvId, RecordView, ServerFrame, TeamId},
    store::{Commit, Feed, Outcome, StoreError},
};

use super::{
    Chat, RequestError,
    cache::Shared,
    conversation::CachedConversation,
    conversation::LastMessage,
    robot::visitor_wrote,
    row::{PublishedRow, Row},
    shown::{Reader, Views, shown},
    text,
};

/// Outcomes whose conversations are read together, where reading them takes a round trip.
const TOGETHER: usize = 256;
/// Between two looks at a database that is being opened again.
const REOPENING: Duration = Duration::from_millis(100);

impl Chat {
    /// Runs until the store closes the feed.
    pub async fn fan_out(self: Arc<Self>, mut feed: Feed) {
        while let Some(mut outcomes) = feed.recv().await {
            let mut held = Vec::new();
            if self.store.is_shared() {
                while outcomes.len() < TOGETHER
                    && let Ok(more) = feed.try_recv()
                {
                    outcomes.extend(more);
                }
                held = self.read_together(&mut outcomes).await;
            }
            for outcome in outcomes {
                self.deliver(outcome).await;
            }
            drop(held);
        }
    }

    /// Reads at once what is not in memory of the conversations of these outcomes: one by one, each would keep all those behind
    /// it waiting. What is returned is in memory while it is held.
    async fn read_together(&self, outcomes: &mut Vec<Outcome>) -> Vec<Shared> {
        let committed = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Committed(commit) if commit.rev > 0 || !commit.records.is_empty() => Some(commit.conv),
            _ => None,
        });
        let held = self.cache.read_ahead(committed.collect()).await;
        self.take_changed_elsewhere(outcomes).await;
        held
    }

    async fn deliver(&self, outcome: Outcome) {
        match outcome {
            Outcome::Committed(commit) => self.committed(commit).await,
            Outcome::Duplicate { origin, frame } => {
                self.metrics.duplicates.inc();
                // the sender may know the id of something they may not read
                if let Some(conn) = self.hub.get(origin) {
                    let reader = Reader { who: &conn.who, rev: conn.rev };
                    conn.outbox.push(Frame::Record(shown(reader, frame)));
                }
            }
            Outcome::Refused { origin, conv, id, error } => {
                if let (Some(conv), Some(id)) = (conv, id)
                    && let Some(conversation) = self.cache.cached(conv)
                {
                    conversation.lock().uncount(id);
                }
                if let (StoreError::Conflict, Some(conv)) = (&error, conv) {
                    let read = match self.conversation_of(conv).await {
                        Ok(_) => self.cache.refresh(conv).await,
                        Err(e) => Err(e),
                    };
                    if let Err(e) = read {
                        tracing::error!(%conv, error = %e, "could not read the conversation again");
                    }
                }
                let refusal = RequestError::from(error);
                self.metrics.refuse(refusal.code as u16);
                self.hub.send(origin, text(&refusal.frame(None, conv, id)));
            }
            Outcome::Changed { conv, rev, row } => self.changed_elsewhere(conv, rev, row).await,
            Outcome::Rewound { conv } => {
                if let Err(e) = self.rewound(conv).await {
                    tracing::error!(%conv, error = %e, "a conversation that the store lost the end of can't be read");
                }
            }
            Outcome::Unsure => {
                if let Err(e) = self.look_again().await {
                    tracing::error!(error = %e, "which conversations are open can't be read");
                }
            }
        }
    }

    async fn committed(&self, commit: Commit) {
        let conv = commit.conv;
        if commit.rev == 0 && commit.records.is_empty() {
            return self.erased(conv);
        }
        self.files_posted(conv, &commit.records);
        self.files_recalled(conv, &commit.redacted);
        match self.conversation_of(conv).await {
            Ok(Some(conversation)) => self.publish(&mut conversation.lock(), commit),
            // it was committed, so it is there unless the disk failed meanwhile; clients resume later
            other => tracing::error!(%conv, ?other, "a committed conversation can't be read"),
        }
    }

    /// The conversation of a commit. While the database is being opened again this waits: what was committed must reach
    /// everyone, including the desk.
    async fn conversation_of(&self, conv: ConvId) -> Result<Option<Shared>, StoreError> {
        if let Some(conversation) = self.cache.cached_for_commit(conv) {
            return Ok(Some(conversation));
        }
        loop {
            match self.cache.get(conv).await {
                Err(StoreError::Reopening) => tokio::time::sleep(REOPENING).await,
                read => return read,
            }
        }
    }

    /// What a commit changed, to everyone whom it concerns.
    pub(super) fn publish(&self, conversation: &mut CachedConversation, commit: Commit) {
        let conv = commit.conv;
        if commit.rev == 1 {
            self.visitors.changed(conversation.visitor);
        }
        if let Some(record) = commit.records.last().and_then(|frame| RecordView::parse(frame))
            && record.seq >= conversation.last
        {
            (conversation.last, conversation.last_at) = (record.seq, record.at_ms);
            conversation.bytes += commit.records.iter().map(|frame| frame.len() as u64).sum::<u64>();
        }
        for record in commit.records.iter().filter_map(|frame| RecordView::parse(frame)) {
            conversation.last_message = LastMessage::then(conversation.last_message, &record, conversation.visitor);
        }
        let wrote = visitor_wrote(conversation, &commit.records);
        for frame in commit.records {
            let event = commit.redacted.first().and_then(|seq| self.recalled_event(&frame, *seq, conversation.visitor));
            self.publish_record(conv, commit.origin, Views::new(frame, event));
        }
        let news = commit.row.filter(|_| commit.rev > conversation.told_rev);
        let Some(row) = news else { return self.participant.committed(conversation, false, wrote) };
        let row = match Row::decode(&row) {
            Ok(row) => row,
            Err(e) => return tracing::error!(%conv, error = %e, "a committed row can't be read"),
        };
        let published = PublishedRow::of(&row);
        conversation.told_rev = commit.rev;
        let old = conversation.told.replace(published.clone());
        // a conversation that was read or refreshed after this commit is ahead of the feed
        self.missed.note((commit.rev > conversation.rev).then_some(&conversation.row), &row);
        if conversation.row.empty.is_some() && row.empty.is_none() {
            self.metrics.opened.inc();
        }
        if commit.rev > conversation.rev {
            (conversation.rev, conversation.row) = (commit.rev, row.clone());
        }
        self.cache.mark(conv, &row);
        if old.as_ref() != Some(&published) {
            self.tell_desk(conv, &row);
        }
        self.publish_summary(conversation, old.map(|row| row.team));
        self.participant.committed(conversation, true, wrote);
    }

    /// Agents who have it open learn that it is gone; nobody follows it any more.
    pub(super) fn erased(&self, conv: ConvId) {
        if let Some(conversation) = self.cache.cached(conv) {
            let conversation = conversation.lock();
            self.missed.erased(&conversation.row);
            let gone = text(&ServerFrame::Gone { conv });
            self.hub.publish(&Topic::Team(conversation.row.team.clone()), |_| Some(gone.clone()));
        }
        self.participant.forget(conv);
        self.cache.forget(conv);
        self.visitors.erased();
        self.hub.retain(&Topic::Conv(conv), |_| false);
    }

    /// The record to everyone who follows; for the sender it is the acknowledgement.
    fn publish_record(&self, conv: ConvId, origin: u64, mut views: Views) {
        self.hub.publish(&Topic::Conv(conv), |conn| {
            if conn.id == origin
                && let Some(micros) = conn.outbox.since_posted()
            {
                self.metrics.delivery_latency.record(micros);
            }
            let frame = views.to(Reader { who: &conn.who, rev: conn.rev });
            self.metrics.records_out.inc();
            self.metrics.bytes_out.add(frame.len() as u64);
            Some(Frame::Record(frame))
        });
    }

    /// The new summary to its visitor and, unless it is empty, to all agents of its team; colleagues it left are told that it is
    /// gone.
    pub(super) fn publish_summary(&self, conversation: &CachedConversation, old_team: Option<TeamId>) {
        let (conv, team) = (conversation.id, &conversation.row.team);
        let theirs = text(&ServerFrame::Conv { conv: Box::new(conversation.summary_for_visitor()) });
        self.hub.publish(&Topic::Conv(conv), |c| c.who.user().is_none().then(|| theirs.clone()));
        if conversation.row.empty.is_some() {
            return;
        }
        let frame = text(&ServerFrame::Conv { conv: Box::new(conversation.summary()) });
        self.hub.publish(&Topic::Team(team.clone()), |_| Some(frame.clone()));
        if let Some(old) = old_team.filter(|old| old != team) {
            let gone = text(&ServerFrame::Gone { conv });
            self.hub.publish(&Topic::Team(old), |c| (!self.sees(&c.who, conversation)).then(|| gone.clone()));
            self.hub.retain(&Topic::Conv(conv), |c| self.sees(&c.who, conversation));
        }
    }

    /// The state of a conversation, as the desk needs it.
    pub(super) fn tell_desk(&self, conv: ConvId, row: &Row) {
        self.desk.fact(PublishedRow::of(row).fact(conv));
    }
}
