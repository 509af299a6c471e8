//! Bearer tokens: "this is the key that answered the challenge", signed with a secret of the servers.
//!
//! Nothing is stored for a token. Whether the account still is switched on is asked at every use. A new password ends the
//! tokens from before it.

use std::collections::HashMap;

use parking_lot::Mutex;
use ring::hmac;

use crate::{
    crypto::cluster_key::ClusterKey,
    hub::Who,
    proto::{Kid, SiteId, UserId},
};

/// How long a token holds, ms.
const LIFE_MS: u64 = 24 * 3600 * 1000;

/// Makes and reads tokens.
pub struct Tokens {
    key: hmac::Key,
    /// Tokens of these users count only if they were made at this time, ms, or later.
    not_before: Mutex<HashMap<UserId, u64>>,
}

impl Tokens {
    /// Of the servers that share this key.
    pub fn new(key: &ClusterKey) -> Self {
        Self { key: key.mac("token"), not_before: Mutex::default() }
    }

    /// A token for a socket's key.
    pub fn issue(&self, who: &Who, now_ms: u64) -> String {
        let (role, name) = match who {
            Who::Visitor { site, .. } => ('v', site.as_str()),
            Who::Agent { user, .. } => ('a', user.as_str()),
        };
        // ids of sites and users contain no colon
        let claim = format!("{role}:{}:{}:{name}", who.kid(), now_ms + LIFE_MS);
        let mac = hmac::sign(&self.key, claim.as_bytes());
        format!("{claim}:{}", data_encoding::BASE64URL_NOPAD.encode(mac.as_ref()))
    }

    /// Ends all tokens that a user has.
    pub fn end(&self, user: &UserId, now_ms: u64) {
        self.not_before.lock().insert(user.clone(), now_ms + 1);
    }

    fn ended(&self, user: &UserId, made_ms: u64) -> bool {
        self.not_before.lock().get(user).is_some_and(|least| made_ms < *least)
    }

    /// The identity of a token, if it is valid and not expired.
    pub fn read(&self, token: &str, now_ms: u64) -> Option<Who> {
        let (claim, mac) = token.rsplit_once(':')?;
        let mac = data_encoding::BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?;
        hmac::verify(&self.key, claim.as_bytes(), &mac).ok()?;
        let mut parts = claim.split(':');
        let (role, kid, until, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let until = until.parse::<u64>().ok()?;
        if until < now_ms {
            return None;
        }
        let kid: Kid = kid.parse().ok()?;
        match role {
            "v" => Some(Who::Visitor { kid, site: name.parse::<SiteId>().ok()? }),
            "a" => {
                let user = name.parse::<UserId>().ok()?;
                (!self.ended(&user, until.saturating_sub(LIFE_MS))).then_some(Who::Agent { kid, user })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hold_for_a_day_and_only_unchanged() {
        let (tokens, others) = (Tokens::new(&ClusterKey::generate()), Tokens::new(&ClusterKey::generate()));
        let who = Who::Agent { kid: Kid([3; 16]), user: "li".parse().unwrap() };
        let token = tokens.issue(&who, 1000);
        assert_eq!(tokens.read(&token, 1000), Some(who));
        assert_eq!(tokens.read(&token, 1001 + LIFE_MS), None);
        assert_eq!(others.read(&token, 1000), None);
        assert_eq!(tokens.read(&token.replace(":li:", ":wu:"), 1000), None);
        let later = tokens.issue(&Who::Agent { kid: Kid([3; 16]), user: "li".parse().unwrap() }, 1002);
        let others = tokens.issue(&Who::Agent { kid: Kid([4; 16]), user: "wu".parse().unwrap() }, 1000);
        tokens.end(&"li".parse().unwrap(), 1001);
        let now = [&token, &later, &others].map(|t| tokens.read(t, 1002).is_some());
        assert_eq!(now, [false, true, true], "a new password ends the older tokens of its user");
        for junk in ["", ":", "a:b:c:d:e", &token[..token.len() - 2]] {
            assert_eq!(tokens.read(junk, 1000), None, "{junk}");
        }
    }
}
