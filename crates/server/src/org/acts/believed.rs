//! What a server lists in addition to the log is trusted no further than the log proves it. An invite gets no key if the log shows
//! it used or revoked, or if it has expired by the reader's own clock; a copy of a team key must be the key that the log
//! names under its number.

use std::{collections::BTreeMap, fmt};

use crate::{
    crypto::{directory::Directory, hpke::KemSecret, invite::Cert, keyfile::CompanyKeys},
    org::{AdminView, OpenInvite},
    proto::{TeamId, UserId},
};

/// Something that was listed and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// An invite that the log shows used or revoked.
    UsedInvite(UserId),
    /// An invite that is listed as open and has expired by the reader's own clock.
    EndedInvite(UserId),
    /// An invite whose signer may no longer invite.
    OrphanInvite(UserId),
    /// An invite for a person who already has a key.
    NeedlessInvite(UserId),
    /// An invite whose certificate is not this company's, or differs from the list.
    FalseInvite(UserId),
    /// A snapshot whose signer had no right to sign it, or that differs from the log.
    Snapshot,
    /// A copy of a team key that does not open, or is not the key the log names under that number.
    TeamKey(TeamId, u32),
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsedInvite(user) => {
                write!(f, "the server lists an invite for {user} that was used or revoked; it gets no keys")
            }
            Self::EndedInvite(user) => {
                write!(f, "the server lists an expired invite for {user} as open; it gets no keys")
            }
            Self::OrphanInvite(user) => {
                write!(f, "the invite for {user} is by a person who may no longer invite; it gets no keys")
            }
            Self::NeedlessInvite(user) => {
                write!(f, "the server lists an open invite for {user}, who already has a key; it gets no keys")
            }
            Self::FalseInvite(user) => write!(f, "the server's invite for {user} does not verify; it gets no keys"),
            Self::Snapshot => {
                f.write_str("the server's snapshot of the directory does not match its log; it is ignored")
            }
            Self::TeamKey(team, epoch) => {
                write!(f, "the server's copy of key {epoch} of team {team} is not the key of that team; it is not used")
            }
        }
    }
}

/// The invites of a view that hold, and what was left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Believed {
    /// Good and open: who has the code can come.
    pub open: Vec<OpenInvite>,
    /// Once valid invites that must not be used any more: expired, or their person already has a key.
    pub inactive: Vec<OpenInvite>,
    /// What was listed and left out.
    pub ignored: Vec<Ignored>,
}

impl Believed {
    /// Looks at everything a view lists.
    pub fn of(view: &AdminView, directory: &Directory, now_ms: u64) -> Self {
        let mut believed = Self::default();
        if view.snapshot.is_some() && directory.covered().is_none() {
            believed.ignored.push(Ignored::Snapshot);
        }
        for listed in &view.invites {
            match check(listed, directory, now_ms) {
                Ok(invite) if invite.expired => {
                    // `expired` in the list is the server's word; this one goes by the certificate and this clock
                    let lied = (!listed.expired).then(|| Ignored::EndedInvite(invite.user.clone()));
                    believed.ignored.extend(lied);
                    believed.inactive.push(invite);
                }
                Ok(invite) if directory.agent(&invite.user).is_some() => {
                    believed.ignored.push(Ignored::NeedlessInvite(invite.user.clone()));
                    believed.inactive.push(invite);
                }
                Ok(invite) => believed.open.push(invite),
                Err(why) => believed.ignored.push(why),
            }
        }
        believed
    }

    /// All that are good, open or not.
    pub fn all(&self) -> impl Iterator<Item = &OpenInvite> {
        self.open.iter().chain(&self.inactive)
    }
}

/// The invite as its certificate has it.
fn check(listed: &OpenInvite, directory: &Directory, now_ms: u64) -> Result<OpenInvite, Ignored> {
    let user = || listed.user.clone();
    let (raw, signer, sig) = (&listed.signed.cert.0, &listed.signed.signer, &listed.signed.sig.0);
    Cert::verify(raw, &signer.0, sig, &directory.fp()).map_err(|_| Ignored::FalseInvite(user()))?;
    let said = OpenInvite::read(&listed.signed, now_ms).map_err(|_| Ignored::FalseInvite(user()))?;
    let same = (said.inv, said.inv_x, &said.teams, &said.user, said.role)
        == (listed.inv, listed.inv_x, &listed.teams, &listed.user, listed.role);
    if !same {
        return Err(Ignored::FalseInvite(user()));
    }
    if directory.state().invite_used(&said.inv) {
        return Err(Ignored::UsedInvite(user()));
    }
    if !directory.may_sign(signer) {
        let colleague = directory.certified(&signer.0, 0).is_some();
        return Err(if colleague { Ignored::OrphanInvite(user()) } else { Ignored::FalseInvite(user()) });
    }
    Ok(said)
}

/// The team keys among a view's copies for the recovery key that match the log.
pub(super) fn team_keys(
    view: &AdminView,
    directory: &Directory,
    keys: &CompanyKeys,
    ignored: &mut Vec<Ignored>,
) -> BTreeMap<(TeamId, u32), KemSecret> {
    let mut good = BTreeMap::new();
    for sealed in &view.recovery {
        let named = directory.team_key_no(&sealed.team, sealed.epoch);
        match sealed.open(&keys.recovery) {
            Ok(key) if named.is_some_and(|k| k.pk.0 == key.public()) => {
                good.insert((sealed.team.clone(), sealed.epoch), key);
            }
            _ => ignored.push(Ignored::TeamKey(sealed.team.clone(), sealed.epoch)),
        }
    }
    good
}
