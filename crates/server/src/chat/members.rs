//! Who was in a team, and which key was a team's, at an entry of the directory.

use crate::{
    crypto::{
        directory::{Directory, UserState},
        hash::{self, BoxKind},
    },
    proto::{Kid, TeamId, UserId},
};

/// A team's key that an announcement is sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TeamKey {
    /// The team.
    pub team: TeamId,
    /// Which generation of it.
    pub epoch: u32,
    /// The team's X25519 key.
    pub pk: [u8; 32],
    /// Whether the team takes conversations now.
    pub on: bool,
}

/// Whether a user was in a team at entry `seq`. A user who waits for confirmation is in it from their enrolment on.
pub(super) fn in_team(directory: &Directory, user: &UserId, team: &TeamId, seq: u32) -> bool {
    directory.in_team_at(user, team, seq)
}

/// Whether a message of this agent is good in an epoch for `team` that knows the directory up to entry `seq` (protocol §2,
/// rule 3): their key and their membership are not newer.
pub(super) fn may_write(directory: &Directory, user: &UserId, team: &TeamId, seq: u32) -> bool {
    let state = directory.state();
    let known = state.users.get(user).and_then(UserState::active_key).is_some_and(|key| key.from <= seq);
    let waits = state.waiting.get(user).is_some_and(|w| w.from <= seq);
    (known || waits) && directory.in_team_at(user, team, seq)
}

/// The team whose key this box is for, if it is the team's current one.
pub(super) fn team_of(directory: &Directory, box_kid: &[u8; 16]) -> Option<TeamKey> {
    let mut teams = directory.state().teams.iter();
    let (team, state) = teams.find(|(_, t)| hash::box_kid(BoxKind::Team, &t.pk.0) == *box_kid)?;
    Some(TeamKey { team: team.clone(), epoch: state.epoch, pk: state.pk.0, on: state.on })
}

/// The same if it was the team's current one at entry `seq`.
pub(super) fn team_of_then(directory: &Directory, box_kid: &[u8; 16], seq: u32) -> Option<TeamKey> {
    let (team, key) = directory.team_key(box_kid)?;
    let then = key.from <= seq && key.to.is_none_or(|to| seq < to);
    let on = directory.team(team).is_some_and(|t| t.on);
    then.then(|| TeamKey { team: team.clone(), epoch: key.epoch, pk: key.pk.0, on })
}

/// Whose signing key this was at entry `seq`, and the key.
pub(super) fn agent_then(directory: &Directory, kid: &Kid, seq: u32) -> Option<(UserId, [u8; 32])> {
    let (user, key) = directory.key(kid)?;
    (key.from <= seq && key.counts_at_or_after(seq)).then(|| (user.clone(), key.ed.0))
}
