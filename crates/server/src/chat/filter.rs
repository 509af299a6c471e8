//! All conversations of an agent's teams, open and closed, newest first: those that a filter takes.
//!
//! The order is that of their beginning, which never changes once one is listed: pages neither skip nor repeat anything, whatever
//! is written between two requests. The dates of a filter are looked up in the index; the rest is read from the rows, of at most
//! [`LOOKED_AT`] conversations for one request. A new fact to filter by is a field of [`Filter`] and a line in [`Filter::takes`].

use crate::{
    proto::{ConvId, ConvState, LabelId, Owner, SiteId, TeamId, UserId},
    store::Place,
};

use super::{
    CachedConversation, Chat, RequestError,
    list::{Cursor, LOOKED_AT, Page},
    row::Row,
};

/// How many conversations are looked at in one step.
const STEP: usize = 100;

/// Which conversations; none of a field: whatever it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who has it, or answered last.
    pub agent: Option<UserId>,
    /// Whose it is now.
    pub team: Option<TeamId>,
    /// Where it began.
    pub site: Option<SiteId>,
    /// Open or closed.
    pub state: Option<ConvState>,
    /// It has this tag.
    pub tag: Option<LabelId>,
    /// An agent closed it for this reason.
    pub reason: Option<LabelId>,
    /// Its visitor gave it so many of five stars.
    pub rating: Option<u8>,
    /// It began at this time or later, ms.
    pub from: Option<u64>,
    /// It began before this time, ms.
    pub to: Option<u64>,
}

impl Filter {
    /// Whether a conversation is one of these. Its beginning is not looked at: the index has it.
    fn takes(&self, row: &Row) -> bool {
        let of = |agent: &UserId| row.last_agent.as_ref() == Some(agent) || row.owner == Owner::Agent(agent.clone());
        self.agent.as_ref().is_none_or(of)
            && self.team.as_ref().is_none_or(|team| *team == row.team)
            && self.site.as_ref().is_none_or(|site| *site == row.site)
            && self.state.is_none_or(|state| state == row.state)
            && self.tag.as_ref().is_none_or(|tag| row.tags.contains(tag))
            && self.reason.as_ref().is_none_or(|reason| row.reason.as_ref() == Some(reason))
            && self.rating.is_none_or(|stars| row.rating.is_some_and(|rating| rating.stars == stars))
    }

    /// Before which place the next page begins.
    fn start(&self, before: Option<Cursor>) -> Option<Place> {
        // ids are hashes: none is before this one
        let end = self.to.map(|at_ms| Place { at_ms, conv: ConvId([0; 16]) });
        [end, before.map(Place::from)].into_iter().flatten().min()
    }
}

impl Chat {
    /// One page of what a filter takes; `before` is where the last one ended. It may be short or empty and not be the last one.
    pub(super) async fn filtered(
        &self,
        user: &UserId,
        filter: &Filter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, RequestError> {
        let mut teams = self.agent(user).map(|agent| agent.teams.clone()).unwrap_or_default();
        teams.retain(|team| filter.team.as_ref().is_none_or(|only| only == team));
        if teams.is_empty() {
            return Ok(Page { convs: Vec::new(), next: None });
        }
        let takes =
            |c: &CachedConversation| c.row.empty.is_none() && teams.contains(&c.row.team) && filter.takes(&c.row);
        let (mut convs, mut at, mut looked_at) = (Vec::new(), filter.start(before), 0);
        loop {
            let step = STEP.min(LOOKED_AT - looked_at);
            let mut places = self.store.listed(&teams, at, step).await?;
            let found_all = places.len() == step;
            places.retain(|place| filter.from.is_none_or(|from| place.at_ms >= from));
            let more = found_all && places.len() == step;
            let ids: Vec<ConvId> = places.iter().map(|place| place.conv).collect();
            let found = self.cache.look_at(&ids, |c| takes(c).then(|| c.summary())).await?;
            let room = limit - convs.len();
            let full = found.len() > room;
            convs.extend(found.into_iter().take(room));
            looked_at += places.len();
            // those that were found and did not fit are looked at again
            let last = if full {
                convs.last().map(|s| Place { at_ms: s.created, conv: s.id })
            } else {
                places.last().copied()
            };
            at = last.or(at);
            if full || (more && (convs.len() == limit || looked_at >= LOOKED_AT)) {
                return Ok(Page { convs, next: at.map(Cursor::from) });
            }
            if !more {
                return Ok(Page { convs, next: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_at_the_end_of_the_dates_or_where_the_last_one_ended() {
        let place = |at_ms, n| Place { at_ms, conv: ConvId([n; 16]) };
        let all = Filter::default();
        assert_eq!(all.start(None), None);
        let dated = Filter { to: Some(5), ..all };
        assert_eq!(dated.start(None), Some(place(5, 0)), "the fifth millisecond is not in it");
        assert_eq!(dated.start(Some(place(3, 7).into())), Some(place(3, 7)));
        assert_eq!(dated.start(Some(place(9, 7).into())), Some(place(5, 0)), "a cursor from other dates");
    }
}
