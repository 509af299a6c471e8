//! What other servers of the company do to conversations, as the store's feed reports it. Of those that are followed here every
//! commit comes; of the others only that their row changed, for the lists and the desk.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    hub::Topic,
    proto::{ConvId, ServerFrame},
    store::{Commit, Outcome, StoreError},
};

use super::{Chat, conversation::CachedConversation, row::PublishedRow, text};

impl Chat {
    /// Another server changed a row.
    pub(super) async fn changed_elsewhere(&self, conv: ConvId, rev: u32, row: Bytes) {
        if rev == 0 {
            // whose it was is known only of those in memory
            self.missed.count_all_again();
            return self.erased(conv);
        }
        if let Some(conversation) = self.cache.cached(conv) {
            // the commit comes, too; what comes first is published
            let commit = Commit { origin: 0, conv, rev, row: Some(row), records: Vec::new(), redacted: Vec::new() };
            return self.publish(&mut conversation.lock(), commit);
        }
        self.notice(&[conv]).await;
    }

    /// Takes out what other servers changed of conversations that are not in memory here, and looks at all of them together.
    pub(super) async fn take_changed_elsewhere(&self, outcomes: &mut Vec<Outcome>) {
        let changed = outcomes.extract_if(.., |outcome| match outcome {
            Outcome::Changed { conv, rev, .. } => *rev > 0 && self.cache.cached(*conv).is_none(),
            _ => false,
        });
        let convs: BTreeSet<_> = changed
            .filter_map(|outcome| match outcome {
                Outcome::Changed { conv, .. } => Some(conv),
                _ => None,
            })
            .collect();
        if !convs.is_empty() {
            self.notice(&Vec::from_iter(convs)).await;
        }
    }

    /// Other servers changed these, which are not in memory here.
    async fn notice(&self, convs: &[ConvId]) {
        let noticed = self.cache.look_at(convs, |c| {
            self.noticed(c);
            Some(())
        });
        if let Err(e) = noticed.await {
            tracing::warn!(conversations = convs.len(), error = %e, "what another server changed could not be read");
        }
    }

    /// Some changes may have been missed.
    pub(super) async fn look_again(&self) -> Result<(), StoreError> {
        let mut convs: BTreeSet<ConvId> = self.cache.open().into_iter().collect();
        convs.extend(self.store.open_conversations().await?);
        let convs: Vec<_> = convs.into_iter().collect();
        let seen = self.cache.look_at(&convs, |c| {
            self.noticed(c);
            Some(c.id)
        });
        let seen: BTreeSet<_> = seen.await?.into_iter().collect();
        convs.into_iter().filter(|conv| !seen.contains(conv)).for_each(|gone| self.erased(gone));
        self.missed.count_all_again();
        Ok(())
    }

    /// A conversation as it is now, of which only the row is known here.
    fn noticed(&self, conversation: &CachedConversation) {
        let (conv, row) = (conversation.id, &conversation.row);
        if conversation.rev == 1 {
            self.visitors.changed(conversation.visitor);
        }
        self.missed.note(None, row);
        let (old, new) = (self.cache.published(conv), PublishedRow::of(row));
        self.cache.mark(conv, row);
        self.participant.noticed(conv, row);
        if old.as_ref() != Some(&new) {
            self.tell_desk(conv, row);
            self.publish_summary(conversation, old.map(|row| row.team));
        }
    }

    /// The end of a conversation is lost. Its readers are told, read it again, and send again what is theirs.
    pub(super) async fn rewound(&self, conv: ConvId) -> Result<(), StoreError> {
        let Some(shared) = self.cache.cached(conv) else { return Ok(()) };
        // it may have answered what is lost
        self.participant.forget(conv);
        let Some(head) = self.store.head(conv).await? else {
            self.erased(conv);
            return Ok(());
        };
        let last = head.last_seq;
        {
            let mut conversation = shared.lock();
            let old = conversation.told.take().map(|row| row.team);
            *conversation = CachedConversation::stored(conv, head)?;
            let row = conversation.row.clone();
            self.cache.mark(conv, &row);
            self.participant.noticed(conv, &row);
            self.tell_desk(conv, &row);
            self.publish_summary(&conversation, old);
        }
        let frame = text(&ServerFrame::Rewound { conv, last, generation: self.store.generation() });
        let topic = Topic::Conv(conv);
        self.hub.publish(&topic, |conn| (conn.rev >= 2).then(|| frame.clone()));
        // those who know the frame resume; the others read again when they come back
        self.hub.retain(&topic, |conn| conn.rev < 2);
        Ok(())
    }
}
