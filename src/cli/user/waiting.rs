//! Who enrolled and was not confirmed: by whose invite, since when, and what to do about it.

use serde::Serialize;

use crate::{
    cli::{out, verified_directory::VerifiedDirectory},
    crypto::directory::{Body, Role},
    proto::UserId,
};

/// A person whom nobody confirmed.
#[derive(Debug, Clone, Serialize)]
pub struct Newcomer {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// The entry that brought them.
    pub entry: u32,
    /// When they enrolled, ms, by the entry's own date.
    pub came: u64,
    /// Who signed the invite: `root`, or an admin.
    pub invited_by: String,
    /// When the invite expires or expired, ms. Until then they act like everyone else.
    pub until: u64,
    /// Whether the invite has expired.
    pub late: bool,
}

impl Newcomer {
    /// What to know, and what to do.
    pub fn words(&self, now_ms: u64) -> (String, String) {
        let Self { user, entry, invited_by, .. } = self;
        let (came, until) = (out::relative(self.came, now_ms), out::relative(self.until, now_ms));
        let came = format!("with an invite by {invited_by}, {came} as entry {entry} says");
        if self.late {
            let what = format!("{user} is waiting for confirmation: enrolled {came}; the invite expired {until}");
            return (
                what,
                format!("ask {user}. If they enrolled: kefu user confirm {user}. If not: kefu user disable {user}"),
            );
        }
        let what = format!("{user} is not confirmed yet and can act until {until}: enrolled {came}");
        (what, "kefu directory refresh confirms, as does an admin who signs in to the console".into())
    }
}

/// All of them, those who wait longest first.
pub fn all(company: &VerifiedDirectory) -> Vec<Newcomer> {
    let mut list: Vec<Newcomer> = company
        .dir
        .unconfirmed()
        .into_iter()
        .filter_map(|u| {
            let (entry, role) = (company.view.entries.get(u.seq as usize)?, company.dir.user(&u.user)?.role);
            let Ok((_, Some(Body::Enrol(body)))) = entry.read() else { return None };
            let admin = || company.dir.certified(&body.cert_signer.0, 0).map(|(id, _)| id.to_string());
            let root = (body.cert_signer == company.dir.state().root).then(|| "root".to_owned());
            let invited_by = root.or_else(admin).unwrap_or_else(|| "?".into());
            let (came, late) = (entry.at().ok()?, u.exp < company.now_ms);
            Some(Newcomer { user: u.user, role, entry: u.seq, came, invited_by, until: u.exp, late })
        })
        .collect();
    list.sort_by_key(|n| n.entry);
    list
}

/// Those whom a person must confirm or reject.
pub fn late(company: &VerifiedDirectory) -> Vec<Newcomer> {
    all(company).into_iter().filter(|n| n.late).collect()
}
