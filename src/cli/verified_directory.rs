//! The company as the command line sees it: what the admin router exports, with the log verified.

use super::{
    admin_client::AdminClient,
    context::Context,
    data_dir,
    error::{CliError, Kind},
    out,
    public_part::PublicPart,
};
use crate::{
    crypto::{
        directory::{Directory, Role, SiteState, TeamState, UserState},
        hash,
        keyfile::CompanyKeys,
    },
    org::{
        AdminView, Commit,
        acts::{ActError, Believed},
    },
    proto::{OrgFp, SiteId, TeamId, UserId},
};

/// A verified directory and what the server lists in addition.
#[derive(Debug)]
pub struct VerifiedDirectory {
    /// The log, replayed: every signature was checked.
    pub dir: Directory,
    /// As it came; what it lists of invites is in `believed`, as far as it holds.
    pub view: AdminView,
    /// The invites that hold, and what was listed beyond the log.
    pub believed: Believed,
    /// Time of loading, ms.
    pub now_ms: u64,
}

impl VerifiedDirectory {
    /// Connects, fetches and verifies, for commands that only look.
    pub fn open(ctx: &Context) -> Result<Self, CliError> {
        let admin = AdminClient::open(ctx)?;
        let company = Self::load(ctx, &admin);
        admin.close();
        company
    }

    /// Fetches and verifies. The pin is the fingerprint in the key file if present, otherwise the one that the server names.
    pub fn load(ctx: &Context, admin: &AdminClient) -> Result<Self, CliError> {
        Self::verify(admin.export()?, pinned(ctx), out::now_ms())
    }

    /// Replays the log of a view.
    pub fn verify(view: AdminView, pin: Option<OrgFp>, now_ms: u64) -> Result<Self, CliError> {
        let dir = Directory::replay(pin.unwrap_or(view.org), &view.entries, view.snapshot.as_ref()).map_err(|e| {
            CliError::failure(format!("the directory does not verify: {e}")).hint(
                "do not sign anything here until you know why; compare the fingerprint with data-org in your pages",
            )
        })?;
        let believed = Believed::of(&view, &dir, now_ms);
        Ok(Self { dir, view, believed, now_ms })
    }

    /// The directory with a new act applied.
    pub fn after(&self, commit: &Commit) -> Result<Directory, CliError> {
        let mut dir = self.dir.clone();
        let added = commit.entries.iter().try_for_each(|entry| dir.apply(entry));
        added.map_err(|e| CliError::failure(format!("the signed entries do not match the directory: {e}")))?;
        Ok(dir)
    }

    /// Warns about what the server lists beyond the log, for commands that show its list.
    pub fn warn(&self) {
        self.believed.ignored.iter().for_each(|ignored| eprintln!("warning: {ignored}"));
    }

    /// When the newest entry was signed, by the signer's clock, ms.
    pub fn newest_entry_ms(view: &AdminView) -> Option<u64> {
        view.entries.iter().filter_map(|e| e.at().ok()).max()
    }

    /// Name of the company.
    pub fn org(&self) -> &str {
        &self.dir.state().org
    }

    /// A user, also one who is off or waits for confirmation.
    pub fn user(&self, id: &UserId) -> Result<UserState, CliError> {
        let ids: Vec<&str> = self.dir.users().map(|(id, _)| id.as_str()).collect();
        self.dir.user(id).ok_or_else(|| match self.believed.all().any(|i| i.user == *id) {
            true => CliError::failure(format!("{id} was invited, but has not enrolled yet"))
                .hint(format!("to invite again: kefu user invite revoke {id}, then kefu user add {id}")),
            false => unknown("user", id.as_str(), ids.iter().copied()),
        })
    }

    /// The team with this id, or an error that names a similar one.
    pub fn team(&self, id: &TeamId) -> Result<&TeamState, CliError> {
        let teams = &self.dir.state().teams;
        teams.get(id).ok_or_else(|| unknown("team", id.as_str(), teams.keys().map(TeamId::as_str)))
    }

    /// The site with this id, or an error that names a similar one.
    pub fn site(&self, id: &SiteId) -> Result<&SiteState, CliError> {
        let sites = &self.dir.state().sites;
        sites.get(id).ok_or_else(|| unknown("site", id.as_str(), sites.keys().map(SiteId::as_str)))
    }

    /// Users of a team who may act.
    pub fn members<'a>(&'a self, team: &'a TeamId) -> impl Iterator<Item = (&'a UserId, UserState)> {
        let on = move |(id, u): &(&UserId, UserState)| u.on && !self.is_late(id) && u.teams.contains(team);
        self.dir.users().filter(on)
    }

    /// Whether `id` is the only admin who may act.
    pub fn is_last_admin(&self, id: &UserId) -> bool {
        let mut admins = self.dir.agents().filter(|a| a.role == Role::Admin && a.is_active(self.now_ms));
        admins.next().is_some_and(|first| first.user == *id) && admins.next().is_none()
    }

    /// Whether this user enrolled and was not confirmed before their invite expired.
    pub fn is_late(&self, id: &UserId) -> bool {
        self.dir.agent(id).is_some_and(|a| !a.is_active(self.now_ms))
    }
}

/// The fingerprint in the key file of the data directory, or in the public part that came instead of it.
pub fn pinned(ctx: &Context) -> Option<OrgFp> {
    let text = std::fs::read_to_string(ctx.file(data_dir::COMPANY_KEYS)).ok();
    text.and_then(|t| CompanyKeys::org_of(&t).ok()).or_else(|| PublicPart::pin(&ctx.file(data_dir::PUBLIC_PART)))
}

/// "there is no X", with the nearest that there is.
pub fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> CliError {
    let fail = CliError::failure(format!("there is no {what} {word:?}"));
    match out::nearest(word, known.clone()) {
        Some(near) => fail.hint(format!("did you mean {near:?}? kefu {what} list shows all")),
        None if known.count() == 0 => fail.hint(format!("there are none yet: kefu {what} add {word}")),
        None => fail.hint(format!("kefu {what} list shows all")),
    }
}

impl From<ActError> for CliError {
    fn from(e: ActError) -> Self {
        let kind = match &e {
            ActError::UserTaken(_) | ActError::UserInvited(_) | ActError::TeamTaken(_) | ActError::SiteTaken(_) => {
                Kind::Exists
            }
            ActError::UserIsOff(_) | ActError::UserIsOn(_) | ActError::NotWaiting(_) => Kind::Exists,
            _ => Kind::Failure,
        };
        let fail = Self::new(kind, e.to_string());
        match &e {
            ActError::NotCompany => fail.hint(format!(
                "name the key file of this company with --keys ({} is the default)",
                data_dir::COMPANY_KEYS
            )),
            ActError::Directory(_) | ActError::Invite(_) => fail.hint("nothing was signed; compare with a backup"),
            _ => fail,
        }
    }
}

/// Fails with the company that the keys belong to, if it is not this one.
pub fn same_company(keys: &CompanyKeys, company: &VerifiedDirectory) -> Result<(), CliError> {
    if keys.fp() == company.dir.fp() {
        return Ok(());
    }
    let (mine, theirs) = (hash::org_fp_text(&keys.fp()), hash::org_fp_text(&company.dir.fp()));
    Err(CliError::failure(format!("the keys belong to company {mine}, this is {theirs}"))
        .hint("name the right key file with --keys"))
}
