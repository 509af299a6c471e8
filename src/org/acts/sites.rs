//! Sites: where widgets stand.

use super::{ActError, Signer, error::nearest, people::check_name};
use crate::{
    crypto::directory::{Body, SiteBody},
    org::{Commit, SiteSettings},
    proto::{SiteId, TeamId},
};

/// What is to change; none: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// Display name.
    pub name: Option<String>,
    /// All origins.
    pub origins: Option<Vec<String>>,
    /// Whose queue.
    pub team: Option<TeamId>,
    /// On or off.
    pub on: Option<bool>,
    /// Settings that need no signature.
    pub settings: Option<SiteSettings>,
}

impl Signer<'_> {
    /// A new site.
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

    fn site(&self, mut body: SiteBody, settings: Option<SiteSettings>) -> Result<Commit, ActError> {
        check_name(&body.name)?;
        self.known_team(&body.team)?;
        if body.origins.is_empty() {
            return Err(ActError::NoOrigin);
        }
        body.origins = body.origins.iter().map(|o| check_origin(o)).collect::<Result<_, _>>()?;
        body.origins.sort();
        body.origins.dedup();
        let id = body.id.clone();
        let mut draft = self.draft()?;
        draft.entry(Body::Site(body))?;
        draft.commit.sites.extend(settings.map(|s| (id, s)));
        draft.finish()
    }
}

/// An origin as browsers send it: `scheme://host[:port]`, lower case, without a default port, a path or a star.
pub fn check_origin(text: &str) -> Result<String, ActError> {
    let bad = |why| ActError::Origin { origin: text.to_owned(), why };
    let lower = text.trim().to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").ok_or_else(|| bad("no scheme"))?;
    let default_port = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return Err(bad("the scheme must be https or http")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err(bad("it has a path, a query or a user"));
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or_else(|| bad("the host is no address"))?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| bad("the host is no address"))?;
            let port =
                if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(|| bad("no port"))?) };
            (format!("[{host}]"), port)
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (rest.to_owned(), None),
        },
    };
    let letters = host.starts_with('[') || host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    if host.is_empty() || !letters {
        return Err(bad("the host must be written in ASCII letters (punycode for others)"));
    }
    match port {
        None => Ok(format!("{scheme}://{host}")),
        Some(p) if p == default_port => Ok(format!("{scheme}://{host}")),
        Some(p) => match p.parse::<u16>() {
            Ok(n) if n > 0 => Ok(format!("{scheme}://{host}:{n}")),
            _ => Err(bad("the port is no number from 1 to 65535")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for (typed, origin) in [
            ("https://shop.example", "https://shop.example"),
            (" HTTPS://Shop.Example:443/ ", "https://shop.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(check_origin(typed).as_deref(), Ok(origin));
        }
        for bad in [
            "",
            "shop.example",
            "ftp://x",
            "https://",
            "https://x/y",
            "https://*.x",
            "https://x:0",
            "https://客服",
            "https://u@x",
            "https://[zz]",
            "https://x:99999",
            "null",
        ] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }
}
