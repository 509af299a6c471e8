//! Why an act can't be signed, in words for the person at the command line.

use crate::{
    crypto::{directory::DirectoryError, keyring::KeyringError},
    proto::{SiteId, TeamId, UserId},
};

/// Why an act can't be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The keys are of another company.
    #[error("these keys do not belong to this company")]
    NotCompany,
    /// The server's log does not verify under the root key.
    #[error("the server's directory does not verify: {0}")]
    Directory(#[from] DirectoryError),
    /// The server named an invite without a certificate of this company.
    #[error("the server's invite for {0} does not verify: sign nothing, and compare with a backup")]
    Invite(UserId),
    /// No such user.
    #[error("there is no user {user}{}", hint(nearest.as_deref()))]
    UnknownUser {
        /// The id as given.
        user: UserId,
        /// The nearest there is.
        nearest: Option<String>,
    },
    /// The id is taken.
    #[error("user {0} already exists")]
    UserTaken(UserId),
    /// An invite is open.
    #[error("user {0} already has an open invite: revoke it first")]
    UserInvited(UserId),
    /// Already off.
    #[error("user {0} is already switched off")]
    UserIsOff(UserId),
    /// Already on.
    #[error("user {0} is already switched on")]
    UserIsOn(UserId),
    /// No person with this id waits.
    #[error("user {0} is not waiting for confirmation")]
    NotWaiting(UserId),
    /// No such team.
    #[error("there is no team {team}{}", hint(nearest.as_deref()))]
    UnknownTeam {
        /// The id as given.
        team: TeamId,
        /// The nearest there is.
        nearest: Option<String>,
    },
    /// The id is taken.
    #[error("team {0} already exists")]
    TeamTaken(TeamId),
    /// No such site.
    #[error("there is no site {site}{}", hint(nearest.as_deref()))]
    UnknownSite {
        /// The id as given.
        site: SiteId,
        /// The nearest there is.
        nearest: Option<String>,
    },
    /// The id is taken.
    #[error("site {0} already exists")]
    SiteTaken(SiteId),
    /// Not an origin.
    #[error("{origin:?} is not an origin ({why}): write it like https://shop.example or http://127.0.0.1:8080")]
    Origin {
        /// The origin as given.
        origin: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A site with no origins.
    #[error("a site needs at least one origin")]
    NoOrigin,
    /// No such open invite.
    #[error("there is no open invite for {0}")]
    NoInvite(String),
    /// A name that is empty or too long.
    #[error("a name has 1 to 100 characters")]
    Name,
    /// The server has no box of a team's key for the recovery key, or a false one.
    #[error(
        "the server has no valid copy of key {epoch} of team {team} for the recovery key; restore it from a backup"
    )]
    TeamKey {
        /// The team.
        team: TeamId,
        /// Number of the key.
        epoch: u32,
    },
    /// A recipient's key can't be sealed to.
    #[error("cannot seal a team key to {to}: {why}")]
    Seal {
        /// User id of the recipient.
        to: String,
        /// The cause.
        why: KeyringError,
    },
    /// Not a sensible time.
    #[error("a snapshot is valid for 1 to 180 days")]
    Days,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default()
}

/// The name nearest to what was typed, if it is near.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = names.map(|n| (strsim::damerau_levenshtein(typed, n), n));
    let near = scored.filter(|(d, n)| *d <= 2 && *d < n.len());
    near.min().map(|(_, n)| n.to_owned())
}
