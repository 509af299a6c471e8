//! Who was in a team, and which key was a team's, at an entry of the directory.

use crate::{
    crypto::{
        directory::Directory,
        hash::{self, BoxKind},
    },
    proto::{Kid, TeamId, UserId},
};

/// A team's key that an announcement is sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TeamKey {
    /// Whose.
    pub team: TeamId,
    /// Which generation of it.
    pub epoch: u32,
    /// The key.
    pub pk: [u8; 32],
    /// Whether the team takes conversations now.
    pub on: bool,
}

/// Whether somebody was in a team at entry `seq`.
pub(super) fn in_team(directory: &Directory, user: &UserId, team: &TeamId, _seq: u32) -> bool {
    directory.state().users.get(user).is_some_and(|u| u.teams.contains(team))
}

/// The team whose key this box is for, if it is the team's current one.
pub(super) fn team_of(directory: &Directory, box_kid: &[u8; 16]) -> Option<TeamKey> {
    let mut teams = directory.state().teams.iter();
    let (team, state) = teams.find(|(_, t)| hash::box_kid(BoxKind::Team, &t.pk.0) == *box_kid)?;
    Some(TeamKey { team: team.clone(), epoch: state.epoch, pk: state.pk.0, on: state.on })
}

/// The same if it was the team's current one at entry `seq`.
pub(super) fn team_of_then(directory: &Directory, box_kid: &[u8; 16], _seq: u32) -> Option<TeamKey> {
    team_of(directory, box_kid)
}

/// Whose signing key this was at entry `seq`, and the key.
pub(super) fn agent_then(directory: &Directory, kid: &Kid, seq: u32) -> Option<(UserId, [u8; 32])> {
    directory.state().users.iter().find_map(|(user, u)| {
        let mut keys = u.keys.iter().filter(|k| k.from <= seq && k.counts_at_or_after(seq));
        keys.find(|k| hash::kid(&k.ed.0) == *kid).map(|k| (user.clone(), k.ed.0))
    })
}
