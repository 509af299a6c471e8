//! The company as the command line sees it: the verified directory with what lies beside it, and changes to it.

mod draft;
mod shape;

pub use draft::{Draft, SNAPSHOT_MS};
pub use shape::{Commit, SiteSettings, View};

use serde_json::Value;

use super::{
    context::Context,
    data_dir,
    fail::{Fail, Kind},
    init::PublicPart,
    link::Office,
    out,
};
use crate::{
    crypto::{
        directory::{Directory, SiteState, Snapshot, SnapshotBody, TeamState, UserState},
        hash,
        invite::{Cert, SignedCert},
        keyfile::CompanyKeys,
    },
    proto::{OrgFp, SiteId, TeamId, UserId},
};

/// A verified directory and what lies beside it.
#[derive(Debug)]
pub struct Company {
    /// The log, replayed: every signature was checked.
    pub dir: Directory,
    /// As it came.
    pub view: View,
    /// Time of loading, ms.
    pub now_ms: u64,
}

/// An invite that can still be used.
#[derive(Debug, Clone)]
pub struct OpenInvite {
    /// What it says.
    pub cert: Cert,
    /// Past its time.
    pub expired: bool,
}

impl Company {
    /// Connects, fetches and verifies, for commands that only look.
    pub fn open(ctx: &Context) -> Result<Self, Fail> {
        Self::load(ctx, &Office::open(ctx)?)
    }

    /// Fetches; nothing is verified yet.
    pub fn fetch(office: &Office) -> Result<View, Fail> {
        Ok(serde_json::from_value(office.call("GET", "/admin/export", None)?)?)
    }

    /// Fetches and verifies. The pin is the fingerprint in the key file if it is here, else what the server says.
    pub fn load(ctx: &Context, office: &Office) -> Result<Self, Fail> {
        Self::verify(Self::fetch(office)?, pinned(ctx), out::now_ms())
    }

    /// Replays the log of a view.
    pub fn verify(view: View, pin: Option<OrgFp>, now_ms: u64) -> Result<Self, Fail> {
        let first = view.entries.first().ok_or_else(|| {
            Fail::new(Kind::NotInitialised, "the directory is empty").next("kefu init makes a company")
        })?;
        let fp = pin.unwrap_or_else(|| hash::org_fp(&first.signer.0));
        let covered = view.snapshot.as_ref().and_then(|s| s.read().ok()).map(|body| body.seq);
        let dir = Directory::replay(fp, &view.entries, now_ms, covered).map_err(|e| {
            Fail::failure(format!("the directory does not verify: {e}"))
                .next("do not sign anything; compare with a backup: kefu directory verify")
        })?;
        Ok(Self { dir, view, now_ms })
    }

    /// Name of the company.
    pub fn org(&self) -> &str {
        &self.dir.state().org
    }

    /// A user, also one who is off.
    pub fn user(&self, id: &UserId) -> Result<&UserState, Fail> {
        let users = &self.dir.state().users;
        users.get(id).ok_or_else(|| unknown("user", id.as_str(), users.keys().map(UserId::as_str)))
    }

    /// A team.
    pub fn team(&self, id: &TeamId) -> Result<&TeamState, Fail> {
        let teams = &self.dir.state().teams;
        teams.get(id).ok_or_else(|| unknown("team", id.as_str(), teams.keys().map(TeamId::as_str)))
    }

    /// A site.
    pub fn site(&self, id: &SiteId) -> Result<&SiteState, Fail> {
        let sites = &self.dir.state().sites;
        sites.get(id).ok_or_else(|| unknown("site", id.as_str(), sites.keys().map(SiteId::as_str)))
    }

    /// Users of a team who may act.
    pub fn members<'a>(&'a self, team: &'a TeamId) -> impl Iterator<Item = (&'a UserId, &'a UserState)> {
        self.dir.state().users.iter().filter(|(_, u)| u.on && u.teams.contains(team))
    }

    /// Invites that were neither used nor revoked.
    pub fn open_invites(&self) -> impl Iterator<Item = OpenInvite> {
        self.view.invites.iter().filter_map(|signed| self.open_invite(signed))
    }

    fn open_invite(&self, signed: &SignedCert) -> Option<OpenInvite> {
        let cert = Cert::verify(&signed.cert.0, &signed.signer.0, &signed.sig.0, &self.dir.fp()).ok()?;
        let mine = self.dir.may_sign(&signed.signer) && !self.dir.state().invite_used(&cert.inv);
        mine.then(|| OpenInvite { expired: cert.exp <= self.now_ms, cert })
    }

    /// The newest snapshot, if it reads.
    pub fn snapshot(&self) -> Option<SnapshotBody> {
        self.view.snapshot.as_ref().and_then(|s: &Snapshot| s.read().ok())
    }

    /// Begins a change under the company keys.
    pub fn draft<'a>(&'a self, keys: &'a CompanyKeys) -> Result<Draft<'a>, Fail> {
        if keys.fp() != self.dir.fp() {
            let (mine, theirs) = (hash::org_fp_text(&keys.fp()), hash::org_fp_text(&self.dir.fp()));
            return Err(Fail::failure(format!("the keys are of company {mine}, this is {theirs}"))
                .next("name the right key file with --keys"));
        }
        Ok(Draft::new(self, keys))
    }
}

/// Sends a finished change.
pub fn send(office: &Office, commit: &Commit) -> Result<Value, Fail> {
    office.call("POST", "/admin/commit", Some(serde_json::to_value(commit)?))
}

/// The fingerprint in the key file of the data directory, or in the public part that came instead of it.
pub fn pinned(ctx: &Context) -> Option<OrgFp> {
    let text = std::fs::read_to_string(ctx.file(data_dir::KEYS)).ok();
    text.and_then(|t| CompanyKeys::org_of(&t).ok()).or_else(|| PublicPart::pin(&ctx.file(data_dir::PUBLIC)))
}

/// "there is no X", with the nearest that there is.
pub fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Fail {
    let fail = Fail::failure(format!("there is no {what} {word:?}"));
    match out::nearest(word, known.clone()) {
        Some(near) => fail.next(format!("did you mean {near:?}? kefu {what} list shows all")),
        None if known.count() == 0 => fail.next(format!("there are none yet: kefu {what} add {word}")),
        None => fail.next(format!("kefu {what} list shows all")),
    }
}
