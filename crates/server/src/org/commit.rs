//! What comes in signed from the command line, in one transaction, and what goes out so that it can be signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    BoxFor, DropBoxes, OpenInvite, Org, OrgError, SiteSettings,
    published::PublishedDirectory,
    published::{cert_end, check_snapshot},
    rows::{self, invite_name},
};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, Directory, Entry, Snapshot},
        invite::{Cert, SignedCert},
        keyring::TeamBox,
    },
    proto::{OrgFp, SiteId, UserId},
    store::{Op, Store, Table},
};

/// Signed acts and what belongs to them: all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Number that the next entry gets; if it is another by now, nothing happens.
    pub expect_seq: u32,
    /// New entries.
    pub entries: Vec<Entry>,
    /// New sealed team keys.
    pub boxes: Vec<BoxFor>,
    /// Sealed team keys to forget. Forgotten before the new ones are kept.
    pub drop_boxes: Vec<DropBoxes>,
    /// New invites.
    pub invites: Vec<SignedCert>,
    /// Invites to forget, with their boxes.
    pub drop_invites: Vec<Key32>,
    /// Accounts to forget: password record and sealed keys.
    pub drop_accounts: Vec<UserId>,
    /// New settings of sites.
    pub sites: BTreeMap<SiteId, SiteSettings>,
    /// Vouches for the directory with the new entries in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
}

/// What an admin's machine must know to sign the next act. Nothing in it is secret without the company's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdminView {
    /// Fingerprint of the company.
    pub org: OrgFp,
    /// The whole log.
    pub entries: Vec<Entry>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// Team keys sealed to the recovery key.
    pub recovery: Vec<TeamBox>,
    /// Unused invites.
    pub invites: Vec<OpenInvite>,
    /// Users with a password.
    pub accounts: Vec<UserId>,
    /// Settings of sites.
    pub sites: BTreeMap<SiteId, SiteSettings>,
}

/// Maximum number of bytes of a site's settings.
const MAX_SETTINGS: usize = 16 * 1024;

impl Org {
    /// Verifies and writes signed acts. Returns the number of the newest entry.
    pub async fn commit(&self, commit: Commit) -> Result<u32, OrgError> {
        let _one = self.writing.lock().await;
        let live = self.live();
        let next = live.directory.seq() + 1;
        if commit.expect_seq != next {
            return Err(OrgError::Conflict);
        }
        let mut directory = (*live.directory).clone();
        for entry in &commit.entries {
            // readers accept it at any time; an honest server lets nobody in late
            if cert_end(entry).is_some_and(|end| end < self.now_ms()) {
                return Err(OrgError::InviteExpired);
            }
            directory.apply(entry)?;
        }
        let now = self.now_ms();
        let (ops, live) = plan(&*self.store, directory, &live.entries, live.snapshot.as_ref(), commit, now).await?;
        self.write_directory(ops).await?;
        let seq = live.directory.seq();
        self.publish(live);
        if let Some(keys) = self.robot_keys() {
            keys.rotate_if_due(&self.directory());
        }
        Ok(seq)
    }

    /// What an admin's machine must know to sign the next act.
    pub async fn export(&self) -> Result<AdminView, OrgError> {
        let live = self.live();
        let store = &*self.store;
        let now = self.now_ms();
        let mut invites = Vec::new();
        for (_, value) in rows::all(store, Table::Invite, &[]).await? {
            let signed: SignedCert = rows::read("invite", &value)?;
            let invite = OpenInvite::read(&signed, now).map_err(|e| damaged("certificate", &e.to_string()))?;
            invites.push(invite);
        }
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let accounts = rows::all(store, Table::Account, &[])
            .await?
            .iter()
            .map(|(key, _)| name(key).parse().map_err(|_| damaged("account", "its name is not a user id")))
            .collect::<Result<_, _>>()?;
        let sites = rows::all(store, Table::Site, &[])
            .await?
            .iter()
            .map(|(key, v)| {
                let id = name(key).parse().map_err(|_| damaged("site", "its name is not a site id"))?;
                Ok((id, rows::read("site", v)?))
            })
            .collect::<Result<_, OrgError>>()?;
        Ok(AdminView {
            org: self.fp,
            entries: live.entries.clone(),
            snapshot: live.snapshot.clone(),
            recovery: rows::boxes_of(store, rows::RECOVERY).await?,
            invites,
            accounts,
            sites,
        })
    }
}

fn damaged(what: &'static str, why: &str) -> OrgError {
    OrgError::Damaged { what, why: why.into() }
}

/// The steps of a commit whose entries were applied to `directory` already, and what is live after them.
pub(super) async fn plan(
    store: &dyn Store,
    mut directory: Directory,
    old: &[Entry],
    old_snapshot: Option<&Snapshot>,
    commit: Commit,
    now_ms: u64,
) -> Result<(Vec<Op>, PublishedDirectory), OrgError> {
    let mut ops = Vec::new();
    for (seq, entry) in (commit.expect_seq..).zip(&commit.entries) {
        let key = rows::entry_key(seq);
        ops.push(Op::Expect { table: Table::Directory, key: key.clone(), value: None });
        ops.push(rows::put(Table::Directory, key, entry));
    }
    let mut gone = commit.drop_invites;
    for entry in &commit.entries {
        if let Some(Body::Revoke(r)) = entry.read()?.1 {
            gone.push(r.inv);
        }
    }
    for inv in gone {
        ops.push(Op::Delete { table: Table::Invite, key: inv.0.to_vec() });
        ops.extend(rows::forget_boxes(store, &rows::box_prefix(&invite_name(&inv))).await?);
    }
    for DropBoxes { to, team } in &commit.drop_boxes {
        let prefix = team.as_ref().map_or_else(|| rows::box_prefix(to), |team| rows::team_prefix(to, team));
        ops.extend(rows::forget_boxes(store, &prefix).await?);
    }
    ops.extend(commit.drop_accounts.iter().map(|u| Op::Delete { table: Table::Account, key: rows::account_key(u) }));
    for signed in &commit.invites {
        ops.push(rows::put(Table::Invite, invite_key(&directory, signed)?, signed));
    }
    for BoxFor { to, sealed } in &commit.boxes {
        if directory.team(&sealed.team).is_none_or(|t| sealed.epoch == 0 || sealed.epoch > t.epoch) {
            return Err(OrgError::NotFound("team key"));
        }
        if !rows::is_recipient(to) {
            return Err(OrgError::Malformed(format!("{to:?} cannot receive a team key")));
        }
        ops.push(rows::put(Table::TeamBox, rows::box_key(to, sealed), sealed));
    }
    for (id, settings) in &commit.sites {
        let value = rows::json(settings);
        if value.len() > MAX_SETTINGS {
            return Err(OrgError::TooLarge("a site's form and greeting"));
        }
        directory.site(id).ok_or(OrgError::NotFound("site"))?;
        ops.push(Op::Put { table: Table::Site, key: id.as_str().as_bytes().to_vec(), value });
    }
    let entries = [old, &commit.entries].concat();
    let mut snapshot = old_snapshot.cloned();
    if let Some(new) = commit.snapshot {
        if !check_snapshot(&directory, &entries, old_snapshot, &new, now_ms)? {
            return Err(OrgError::Conflict);
        }
        ops.push(rows::put(Table::Meta, rows::SNAPSHOT.to_vec(), &new));
        directory.cover(new.read()?.seq);
        snapshot = Some(new);
    }
    let directory = std::sync::Arc::new(directory);
    Ok((ops, PublishedDirectory::new(directory, entries, snapshot)))
}

/// Where a certificate is kept, if the directory would accept its use.
fn invite_key(directory: &Directory, signed: &SignedCert) -> Result<Vec<u8>, OrgError> {
    let cert = Cert::verify(&signed.cert.0, &signed.signer.0, &signed.sig.0, &directory.fp())?;
    if !directory.may_sign(&signed.signer) {
        return Err(OrgError::Forbidden("only the root key and admins can invite"));
    }
    if directory.state().invite_used(&cert.inv) {
        return Err(OrgError::InviteGone);
    }
    Ok(cert.inv.0.to_vec())
}
