//! What a replay of the log keeps beside the state, and the right of a key to sign.

use std::collections::BTreeMap;

use super::{Membership, Role, State, UserState, history::History};
use crate::codec::Key32;
use kefu_proto::UserId;

/// An enrolment before the first `rules` entry.
#[derive(Debug, Clone)]
pub(super) struct Early {
    /// Key of the invite.
    pub inv: Key32,
    /// Number of the entry.
    pub from: u32,
    /// When the invite ended, ms.
    pub exp: u64,
    /// Whether a snapshot covers it.
    pub covered: bool,
    /// The user and their memberships without it: a `rules` entry may declare it unconfirmed.
    pub before: (Option<UserState>, Option<Vec<Membership>>),
}

/// The state, and what a reader also needs to continue.
#[derive(Debug, Clone)]
pub(super) struct Replay {
    pub state: State,
    pub history: History,
    /// Enrolments before the first `rules` entry whose key is still active.
    pub early: BTreeMap<UserId, Early>,
    /// The latest date of all entries that were read, ms.
    pub newest_at: u64,
}

impl Replay {
    /// Continues from a signed state.
    pub fn from_state(mut state: State) -> Self {
        let history = History::of(&state);
        if state.rules.is_empty() {
            // what no entry has added yet is in no state either
            state.users.values_mut().for_each(|u| u.member = None);
            state.teams.values_mut().for_each(|t| t.keys = None);
        } else {
            history.publish(&mut state);
        }
        Self { state, history, early: BTreeMap::new(), newest_at: 0 }
    }
}

/// Who signs with what right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    Root,
    Admin,
}

/// The right of a key, if it has any.
pub(super) fn authority(state: &State, ed: &Key32) -> Option<Authority> {
    if *ed == state.root {
        return Some(Authority::Root);
    }
    let admin = |u: &UserState| u.role == Role::Admin && u.active_key().is_some_and(|k| k.ed == *ed);
    state.users.values().any(admin).then_some(Authority::Admin)
}
