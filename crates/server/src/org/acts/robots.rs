//! Robots: which sites have one. The robot's own key is made on the server (see [`crate::org::Robot`]); here it is
//! certified.

use super::{ActError, Draft, Signer, error::nearest};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, BotBody, SiteBody, SiteState},
    },
    org::Commit,
    proto::{BotId, SiteId},
};

/// Default name that visitors see.
const NAME: &str = "Robot";

impl Signer<'_> {
    /// Certifies a robot and puts it on sites.
    pub fn robot_on(&self, bot: &BotId, ed: Key32, name: Option<&str>, sites: &[SiteId]) -> Result<Commit, ActError> {
        let mut draft = self.draft()?;
        let known = draft.directory.state().bots.get(bot).cloned();
        let now = known.as_ref().map_or(NAME, |k| &k.name);
        let name = name.unwrap_or(now).to_owned();
        super::people::check_name(&name)?;
        if known.is_none_or(|k| !k.on || k.name != name || k.ed != ed) {
            draft.entry(Body::Bot(BotBody { id: bot.clone(), name, ed, on: true }))?;
        }
        for id in sites {
            let site = self.known_site(id)?;
            if site.bot.as_ref() != Some(bot) {
                draft.entry(Body::Site(with(id, site, Some(bot.clone()))))?;
            }
        }
        draft.idle_robots_off()?;
        draft.finish()
    }

    /// Takes the robot off sites; one that no site has any more is switched off.
    pub fn robot_off(&self, sites: &[SiteId]) -> Result<Commit, ActError> {
        let mut draft = self.draft()?;
        for id in sites {
            let site = self.known_site(id)?;
            if site.bot.is_some() {
                draft.entry(Body::Site(with(id, site, None)))?;
            }
        }
        draft.idle_robots_off()?;
        draft.finish()
    }

    fn known_site(&self, id: &SiteId) -> Result<SiteState, ActError> {
        let sites = &self.directory.state().sites;
        sites.get(id).cloned().ok_or_else(|| ActError::UnknownSite {
            site: id.clone(),
            nearest: nearest(id.as_str(), sites.keys().map(SiteId::as_str)),
        })
    }
}

impl Draft<'_> {
    /// Switches off every robot that no site names.
    fn idle_robots_off(&mut self) -> Result<(), ActError> {
        let state = self.directory.state();
        let named = |id: &BotId| state.sites.values().any(|s| s.bot.as_ref() == Some(id));
        let idle = state.bots.iter().filter(|(id, b)| b.on && !named(id));
        let off = idle.map(|(id, b)| BotBody { id: id.clone(), name: b.name.clone(), ed: b.ed, on: false });
        off.collect::<Vec<_>>().into_iter().try_for_each(|body| self.entry(Body::Bot(body)))
    }
}

fn with(id: &SiteId, site: SiteState, bot: Option<BotId>) -> SiteBody {
    SiteBody { id: id.clone(), name: site.name, origins: site.origins, team: site.team, on: site.on, bot }
}
