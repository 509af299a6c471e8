//! What a company begins with: the genesis entry, a first snapshot, and the first admin's invite.

use crate::{
    cli::{
        company::{Commit, Company, View},
        fail::Fail,
        user::Invitation,
    },
    crypto::{
        codec::Key32,
        directory::{Body, Entry, GenesisBody, Role},
        keyfile::CompanyKeys,
        opaque::OpaqueServer,
    },
    proto::UserId,
};

/// How long the first admin's invite is good, ms: a week, as machines are set up before people have time.
const INVITE_MS: u64 = 7 * 86_400_000;

/// A company, not yet stored anywhere.
#[derive(Debug)]
pub struct Founding {
    /// To be stored.
    pub commit: Commit,
    /// To be shown once.
    pub invitation: Invitation,
}

/// Founds a company. `setup` are the OPAQUE secrets its server will have.
pub fn found(name: &str, admin: &UserId, keys: &CompanyKeys, setup: &[u8], now_ms: u64) -> Result<Founding, Fail> {
    let opaque = OpaqueServer::new(setup, keys.fp()).map_err(|e| Fail::failure(e.to_string()))?;
    let body = Body::Genesis(GenesisBody {
        org: name.to_owned(),
        root: Key32(keys.root.public()),
        recovery: Key32(keys.recovery.public()),
        opaque: Key32(opaque.public()),
        suite: 1,
    });
    let genesis = Entry::sign(0, &[0; 32], now_ms, &body, &keys.root);
    let view = View { entries: vec![genesis.clone()], ..View::default() };
    let company = Company::verify(view, Some(keys.fp()), now_ms)?;
    let mut draft = company.draft(keys)?;
    let code = draft.invite(admin, admin.as_str(), Role::Admin, &[], INVITE_MS)?;
    let mut commit = draft.finish();
    commit.entries.insert(0, genesis);
    let (user, name) = (admin.clone(), admin.to_string());
    let until = now_ms + INVITE_MS;
    Ok(Founding { commit, invitation: Invitation { user, name, role: Role::Admin, teams: Vec::new(), code, until } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{directory::Directory, opaque};

    #[test]
    fn a_new_company_verifies_under_its_fingerprint_and_invites_its_admin() {
        let keys = CompanyKeys::generate();
        let admin: UserId = "admin".parse().unwrap();
        let f = found("Bank 银行", &admin, &keys, &opaque::generate_setup(), 1_000).unwrap();
        let dir = Directory::replay(keys.fp(), &f.commit.entries, 1_000, None).unwrap();
        assert_eq!(dir.state().org, "Bank 银行");
        assert_eq!(f.commit.snapshot.as_ref().unwrap().verify(&dir, 1_000).unwrap().seq, 0);
        assert_eq!(f.commit.invites.len(), 1);
        assert_eq!(f.invitation.code.org(), keys.fp());
        assert!(Directory::replay(CompanyKeys::generate().fp(), &f.commit.entries, 1_000, None).is_err());
    }
}
