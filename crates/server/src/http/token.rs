//! Bearer tokens: "this is the key that answered the challenge", signed with a secret of the servers.
//!
//! Nothing is stored for a token. Whether the account still is switched on, and when its password was changed, is asked at
//! every use.

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
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub who: Who,
    /// When it was made, ms.
    pub made_ms: u64,
}

impl Tokens {
    /// Of the servers that share this key.
    pub fn new(key: &ClusterKey) -> Self {
        Self { key: key.mac("token") }
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

    /// What a token says, if it was made here and is not expired.
    pub fn read(&self, token: &str, now_ms: u64) -> Option<Token> {
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
        let who = match role {
            "v" => Who::Visitor { kid, site: name.parse::<SiteId>().ok()? },
            "a" => Who::Agent { kid, user: name.parse::<UserId>().ok()? },
            _ => return None,
        };
        Some(Token { who, made_ms: until.saturating_sub(LIFE_MS) })
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
        assert_eq!(tokens.read(&token, 1000), Some(Token { who, made_ms: 1000 }));
        assert_eq!(tokens.read(&token, 1001 + LIFE_MS), None);
        assert_eq!(others.read(&token, 1000), None);
        assert_eq!(tokens.read(&token.replace(":li:", ":wu:"), 1000), None);
        for junk in ["", ":", "a:b:c:d:e", &token[..token.len() - 2]] {
            assert_eq!(tokens.read(junk, 1000), None, "{junk}");
        }
    }
}
