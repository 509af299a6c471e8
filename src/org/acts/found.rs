//! How a company begins: genesis, first team, first admin, in one commit.

use std::collections::BTreeMap;

use super::{ActError, DAY_MS, NewUser, SNAPSHOT_DAYS, Signer, people::check_name};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, Directory, Entry, GenesisBody, REVISION, Role, RulesBody, Snapshot},
        invite::InviteCode,
        keyfile::CompanyKeys,
    },
    org::{AdminView, Commit, OpenInvite, rows::RECOVERY},
    proto::{TeamId, UserId},
};

/// What a company begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The company's name.
    pub name: String,
    /// The server's public OPAQUE key.
    pub opaque: [u8; 32],
    /// The first team.
    pub team: TeamId,
    /// Its name.
    pub team_name: String,
    /// The first admin.
    pub admin: UserId,
    /// Their name.
    pub admin_name: String,
    /// Life of their invite, ms.
    pub ttl_ms: u64,
}

/// Founds a company: the commit for [`crate::org::Org::found`] and the first admin's invite.
pub fn found(f: &Founding, keys: &CompanyKeys, now_ms: u64) -> Result<(Commit, InviteCode), ActError> {
    let genesis = genesis(&f.name, keys, &f.opaque, now_ms)?;
    let view = view_after(&empty_view(keys), &genesis);
    let team = Signer::new(&view, keys, now_ms)?.team_add(&f.team, &f.team_name)?;
    let view = view_after(&view, &team);
    let (user, name, teams) = (f.admin.clone(), f.admin_name.clone(), vec![f.team.clone()]);
    let admin = NewUser { user, role: Role::Admin, name, teams };
    let (invite, code) = Signer::new(&view, keys, now_ms)?.invite(&admin, f.ttl_ms)?;
    Ok((join(join(genesis, team), invite), code))
}

/// The genesis, and the newest rules of readers from the start.
pub fn genesis(name: &str, keys: &CompanyKeys, opaque: &[u8; 32], now_ms: u64) -> Result<Commit, ActError> {
    check_name(name)?;
    let body = GenesisBody {
        org: name.to_owned(),
        root: Key32(keys.root.public()),
        recovery: Key32(keys.recovery.public()),
        opaque: Key32(*opaque),
        suite: 1,
    };
    let genesis = Entry::sign(0, &[0; 32], now_ms, &Body::Genesis(body), &keys.root);
    let mut directory = Directory::genesis(keys.fp(), &genesis)?;
    let body = Body::Rules(RulesBody { rev: REVISION, late: Vec::new() });
    let rules = Entry::sign(1, &directory.head(), now_ms, &body, &keys.root);
    directory.apply(&rules)?;
    let snapshot = Snapshot::make(&directory, now_ms, now_ms + SNAPSHOT_DAYS * DAY_MS, &keys.root);
    Ok(Commit { entries: vec![genesis, rules], snapshot: Some(snapshot), ..Commit::default() })
}

/// What an empty server would export.
pub fn empty_view(keys: &CompanyKeys) -> AdminView {
    AdminView {
        org: keys.fp(),
        entries: Vec::new(),
        snapshot: None,
        recovery: Vec::new(),
        invites: Vec::new(),
        accounts: Vec::new(),
        sites: BTreeMap::new(),
    }
}

/// The view as it will be after a commit that only adds, so that several acts become one commit by [`join`].
pub fn view_after(view: &AdminView, commit: &Commit) -> AdminView {
    let mut view = view.clone();
    view.entries.extend(commit.entries.iter().cloned());
    view.snapshot = commit.snapshot.clone().or(view.snapshot);
    let recovery = commit.boxes.iter().filter(|b| b.to == RECOVERY);
    view.recovery.extend(recovery.map(|b| b.sealed.clone()));
    view.sites.extend(commit.sites.clone());
    for signed in &commit.invites {
        // made a moment ago, by us: good
        view.invites.extend(OpenInvite::read(signed, 0));
    }
    view
}

/// Two commits, the second made on [`view_after`] the first, as one.
pub fn join(first: Commit, second: Commit) -> Commit {
    let mut out = first;
    out.entries.extend(second.entries);
    out.boxes.extend(second.boxes);
    out.drop_boxes.extend(second.drop_boxes);
    out.invites.extend(second.invites);
    out.drop_invites.extend(second.drop_invites);
    out.drop_accounts.extend(second.drop_accounts);
    out.sites.extend(second.sites);
    out.snapshot = second.snapshot.or(out.snapshot);
    out
}
