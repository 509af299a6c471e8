//! What a company begins with: the genesis entry, a first snapshot, the first admin's invite, and, if its pages are known
//! already, a team and a site.

use crate::{
    cli::{error::CliError, invitation::Invitation},
    crypto::{directory::Role, keyfile::CompanyKeys, opaque::OpaqueServer},
    org::{
        Commit,
        acts::{NewCompany, NewUser},
    },
    proto::{SiteId, TeamId, UserId},
};

/// Id of the first team.
pub const TEAM: &str = "support";
/// Id of the first site.
pub const SITE: &str = "web";

/// How long the first admin's invite is good, ms: a week, as machines are set up before people have time.
const INVITE_MS: u64 = 7 * 86_400_000;

/// A company, not yet stored anywhere.
#[derive(Debug)]
pub struct Founding {
    /// The first entries, to be stored.
    pub commit: Commit,
    /// The admin's invite, to be shown once.
    pub invitation: Invitation,
}

/// What a company is founded with.
#[derive(Debug, Clone, Copy)]
pub struct CompanySpec<'a> {
    /// Name of the company.
    pub name: &'a str,
    /// Login name of the first admin.
    pub admin: &'a UserId,
    /// Pages of the first site, which the admin's team answers; none: no site and no team.
    pub origins: &'a [String],
}

/// Founds a company. `setup` are the OPAQUE secrets its server will have.
pub fn found(spec: CompanySpec<'_>, keys: &CompanyKeys, setup: &[u8], now_ms: u64) -> Result<Founding, CliError> {
    let opaque = OpaqueServer::new(setup, keys.fp()).map_err(|e| CliError::failure(e.to_string()))?;
    let mut company = NewCompany::new(spec.name, keys, &opaque.public(), now_ms)?;
    let mut teams = Vec::new();
    if !spec.origins.is_empty() {
        // both are well-formed literals
        let no_id = |_| CliError::failure("the ids of the first team and site are not valid");
        let (team, site): (TeamId, SiteId) = (TEAM.parse().map_err(no_id)?, SITE.parse().map_err(no_id)?);
        company.team(&team, TEAM)?;
        // visitors see this name above their conversation
        company.site(&site, spec.name, spec.origins, &team)?;
        teams.push(team);
    }
    let user = NewUser { user: spec.admin.clone(), role: Role::Admin, name: spec.admin.to_string(), teams };
    let code = company.invite(&user, INVITE_MS)?;
    let NewUser { user, role, name, teams } = user;
    let invitation = Invitation { user, name, role, teams, code, until: now_ms + INVITE_MS };
    Ok(Founding { commit: company.finish().commit, invitation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{directory::Directory, opaque};

    #[test]
    fn a_new_company_verifies_under_its_fingerprint_and_invites_its_admin() {
        let keys = CompanyKeys::generate();
        let admin: UserId = "admin".parse().unwrap();
        let spec = CompanySpec { name: "Bank 银行", admin: &admin, origins: &[] };
        let f = found(spec, &keys, &opaque::generate_setup(), 1_000).unwrap();
        let dir = Directory::replay(keys.fp(), &f.commit.entries, None).unwrap();
        assert_eq!(dir.state().org, "Bank 银行");
        assert_eq!(f.commit.snapshot.as_ref().unwrap().verify(&dir, 1_000).unwrap().seq, 1);
        assert_eq!(f.commit.invites.len(), 1);
        assert_eq!(f.invitation.code.org(), keys.fp());
        assert!(Directory::replay(CompanyKeys::generate().fp(), &f.commit.entries, None).is_err());
    }

    #[test]
    fn known_pages_bring_a_site_and_a_team_that_the_admin_is_in() {
        let keys = CompanyKeys::generate();
        let admin: UserId = "admin".parse().unwrap();
        let spec = CompanySpec { name: "Bank", admin: &admin, origins: &["https://www.example.com".into()] };
        let f = found(spec, &keys, &opaque::generate_setup(), 1_000).unwrap();
        let dir = Directory::replay(keys.fp(), &f.commit.entries, None).unwrap();
        let (site, team): (SiteId, TeamId) = (SITE.parse().unwrap(), TEAM.parse().unwrap());
        assert_eq!(dir.state().sites[&site].origins, ["https://www.example.com"]);
        assert_eq!(dir.state().sites[&site].name, "Bank", "visitors see the company, not an id");
        assert!(dir.team(&team).is_some());
        assert_eq!(f.invitation.teams, [team]);
        assert_eq!(f.commit.snapshot.as_ref().unwrap().verify(&dir, 1_000).unwrap().seq, 3);
    }
}
