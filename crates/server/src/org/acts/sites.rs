//! Sites: the places where widgets are embedded.

use super::{ActError, Signer, error::nearest, people::check_name};
use crate::{
    crypto::directory::{Body, IdentityBody, IdentityKey, SiteBody},
    net::origin::{self, OriginError},
    org::{Commit, SiteSettings},
    proto::{SiteId, TeamId},
};

/// What is to change; none: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// Display name.
    pub name: Option<String>,
    /// All origins; replaces the present ones.
    pub origins: Option<Vec<String>>,
    /// The team that answers.
    pub team: Option<TeamId>,
    /// On or off.
    pub on: Option<bool>,
    /// Settings that need no signature.
    pub settings: Option<SiteSettings>,
}

impl Signer<'_> {
    /// Adds a site.
    pub fn site_add(
        &self,
        id: &SiteId,
        name: &str,
        origins: &[String],
        team: &TeamId,
        settings: SiteSettings,
    ) -> Result<Commit, ActError> {
        if self.directory.site(id).is_some() {
            return Err(ActError::SiteTaken(id.clone()));
        }
        let (name, origins, team) = (name.to_owned(), origins.to_vec(), team.clone());
        self.site(SiteBody { id: id.clone(), name, origins, team, on: true, bot: None }, Some(settings))
    }

    /// Changes a site.
    pub fn site_change(&self, id: &SiteId, change: SiteChange) -> Result<Commit, ActError> {
        let sites = &self.directory.state().sites;
        let old = sites.get(id).cloned().ok_or_else(|| ActError::UnknownSite {
            site: id.clone(),
            nearest: nearest(id.as_str(), sites.keys().map(SiteId::as_str)),
        })?;
        let body = SiteBody {
            id: id.clone(),
            name: change.name.unwrap_or(old.name),
            origins: change.origins.unwrap_or(old.origins),
            team: change.team.unwrap_or(old.team),
            on: change.on.unwrap_or(old.on),
            bot: old.bot,
        };
        self.site(body, change.settings)
    }

    /// Certifies the keys that vouch for a site's visitors, in the place of those it had.
    pub fn site_identity(&self, id: &SiteId, keys: Vec<IdentityKey>) -> Result<Commit, ActError> {
        let mut draft = self.draft()?;
        draft.entry(Body::Identity(IdentityBody { site: id.clone(), keys }))?;
        draft.finish()
    }

    fn site(&self, mut body: SiteBody, settings: Option<SiteSettings>) -> Result<Commit, ActError> {
        check_name(&body.name)?;
        self.known_team(&body.team)?;
        body.origins = good_origins(&body.origins)?;
        let id = body.id.clone();
        let mut draft = self.draft()?;
        draft.entry(Body::Site(body))?;
        draft.commit.sites.extend(settings.map(|s| (id, s)));
        draft.finish()
    }
}

/// Origins as they are signed: at least one, each as browsers send it, in order.
pub(super) fn good_origins(origins: &[String]) -> Result<Vec<String>, ActError> {
    if origins.is_empty() {
        return Err(ActError::NoOrigin);
    }
    let mut origins: Vec<String> = origins.iter().map(|o| check_origin(o)).collect::<Result<_, _>>()?;
    origins.sort();
    origins.dedup();
    Ok(origins)
}

/// An origin as browsers send it; see [`origin::normalised`].
pub fn check_origin(text: &str) -> Result<String, ActError> {
    origin::normalised(text).map_err(|OriginError(why)| ActError::Origin { origin: text.to_owned(), why })
}
