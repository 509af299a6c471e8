//! Keys with which a site's own backend vouches for its customers (protocol §8). They are in entries of their own and in no state: only
//! readers of the whole log, who are agents, judge by them, and older readers skip an entry whose type they do not know.

use ring::{agreement, rand::SystemRandom};
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{codec::Bytes, sign};
use kefu_proto::SiteId;

/// Most keys that a site can have.
pub const MAX_IDENTITY_KEYS: usize = 8;

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityAlg {
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// A public key of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKey {
    /// What it signs with; a token that names another algorithm is not by this key.
    pub alg: IdentityAlg,
    /// Ed25519: 32 bytes. P-256: 65 bytes, the uncompressed point.
    pub pk: Bytes,
}

impl IdentityKey {
    /// The key, if it is one that signatures can be checked with.
    pub fn new(alg: IdentityAlg, pk: &[u8]) -> Option<Self> {
        let good = match alg {
            IdentityAlg::EdDsa => pk.try_into().is_ok_and(|pk| sign::check_public(pk).is_ok()),
            IdentityAlg::Es256 => pk.len() == 65 && is_on_p256(pk),
        };
        good.then(|| Self { alg, pk: Bytes(pk.to_vec()) })
    }

    /// What people call it by: the thumbprint of its JWK (RFC 7638), b64u.
    pub fn thumbprint(&self) -> String {
        let b64u = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let pk = &self.pk.0;
        let jwk = match self.alg {
            IdentityAlg::EdDsa => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64u(pk)),
            IdentityAlg::Es256 => {
                let (x, y) = pk.get(1..).unwrap_or_default().split_at(32.min(pk.len().saturating_sub(1)));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64u(x), b64u(y))
            }
        };
        b64u(ring::digest::digest(&ring::digest::SHA256, jwk.as_bytes()).as_ref())
    }
}

/// Only a point of the curve agrees on a secret.
fn is_on_p256(pk: &[u8]) -> bool {
    let random = SystemRandom::new();
    let Ok(own) = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random) else { return false };
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, pk);
    agreement::agree_ephemeral(own, &peer, |_| ()).is_ok()
}

/// All keys that a site has from this entry on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityBody {
    /// The site.
    pub site: SiteId,
    /// Its keys; none: nobody vouches for its visitors.
    pub keys: Vec<IdentityKey>,
}

impl IdentityBody {
    /// Of an entry that was verified. None if it is of another type, or changes nothing because it does not have this form.
    pub fn read(entry: &Entry) -> Option<Self> {
        let head = entry.head().ok().filter(|head| head.t == "identity")?;
        debug_assert_eq!(head.v, 1, "the replay has checked it");
        let body: Self = serde_json::from_slice(&entry.raw.0).ok()?;
        let good = body.keys.len() <= MAX_IDENTITY_KEYS
            && body.keys.iter().all(|key| IdentityKey::new(key.alg, &key.pk.0).is_some());
        good.then_some(body)
    }

    /// The keys of a site after all `entries`, which were verified.
    pub fn of_site(entries: &[Entry], site: &SiteId) -> Vec<IdentityKey> {
        let last = entries.iter().rev().filter_map(Self::read).find(|body| body.site == *site);
        last.map(|body| body.keys).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// The generator of P-256.
    fn p256() -> Vec<u8> {
        hex(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        )
    }

    #[test]
    fn only_keys_that_can_verify_are_keys() {
        let ed = SigningKey::generate().public();
        assert!(IdentityKey::new(IdentityAlg::EdDsa, &ed).is_some());
        assert!(IdentityKey::new(IdentityAlg::Es256, &p256()).is_some());
        let mut off = p256();
        off[64] ^= 1;
        let mut small = [0; 32];
        small[0] = 1;
        for (alg, pk) in [
            (IdentityAlg::Es256, &off[..]),
            (IdentityAlg::Es256, &p256()[1..]),
            (IdentityAlg::Es256, &ed[..]),
            (IdentityAlg::EdDsa, &small),
            (IdentityAlg::EdDsa, &p256()),
            (IdentityAlg::EdDsa, &[]),
        ] {
            assert!(IdentityKey::new(alg, pk).is_none(), "{alg:?} {pk:?}");
        }
    }

    /// RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprint_is_the_standards() {
        let pk = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let key = IdentityKey::new(IdentityAlg::EdDsa, &pk).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_newest_entry_of_a_site_counts_and_what_has_another_form_changes_nothing() {
        let root = SigningKey::generate();
        let site: SiteId = "web".parse().unwrap();
        let key = IdentityKey::new(IdentityAlg::EdDsa, &SigningKey::generate().public()).unwrap();
        let entry = |keys: Vec<IdentityKey>| {
            let body = IdentityBody { site: site.clone(), keys };
            Entry::sign(1, &[0; 32], 0, &super::super::Body::Identity(body), &root)
        };
        let bad = IdentityKey { alg: IdentityAlg::Es256, pk: Bytes(vec![4; 65]) };
        let entries = [entry(vec![key.clone()]), entry(vec![bad]), entry(vec![key.clone(); MAX_IDENTITY_KEYS + 1])];
        assert_eq!(IdentityBody::of_site(&entries, &site), vec![key.clone()]);
        assert_eq!(IdentityBody::of_site(&entries, &"shop".parse().unwrap()), vec![]);
        assert_eq!(IdentityBody::of_site(&[&entries[..], &[entry(vec![])]].concat(), &site), vec![]);
        assert!(entries[0].read().unwrap().1.is_none(), "older readers and states know nothing of it");
    }
}
