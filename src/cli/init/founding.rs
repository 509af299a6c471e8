//! What a company begins with: the genesis entry, a first snapshot, and the first admin's invite.

use crate::{
    cli::{fail::Fail, user::Invitation},
    crypto::{directory::Role, keyfile::CompanyKeys, opaque::OpaqueServer},
    org::{
        Commit,
        acts::{self, NewUser, Signer},
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
    let genesis = acts::genesis(name, keys, &opaque.public(), now_ms)?;
    let view = acts::view_after(&acts::empty_view(keys), &genesis);
    let user = NewUser { user: admin.clone(), role: Role::Admin, name: admin.to_string(), teams: Vec::new() };
    let (invite, code) = Signer::new(&view, keys, now_ms)?.invite(&user, INVITE_MS)?;
    let NewUser { user, role, name, teams } = user;
    let until = now_ms + INVITE_MS;
    let invitation = Invitation { user, name, role, teams, code, until };
    Ok(Founding { commit: acts::join(genesis, invite), invitation })
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
