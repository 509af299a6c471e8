//! The secret that all servers of a company share, and what is derived from it. A server without others draws one that lives as
//! long as its process.
//!
//! Each use has a key of its own: HKDF-SHA-256 of the secret with the name of the use.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use zeroize::Zeroizing;

use crate::{codec, sign::random};

/// Salt of all derivations.
const SALT: &[u8] = b"kefu cluster key v1";

/// See the module.
#[derive(Clone)]
pub struct ClusterKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(hidden)")
    }
}

impl ClusterKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// As [`ClusterKey::to_text`] wrote it; none if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        codec::from_b64u_exact(text.trim()).ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// 32 bytes, b64u.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(codec::b64u(&*self.0))
    }

    /// The key of one use.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        let info = [purpose.as_bytes()];
        // 32 bytes are within what HKDF-SHA-256 gives
        if let Ok(okm) = Salt::new(HKDF_SHA256, SALT).extract(&*self.0).expand(&info, HKDF_SHA256) {
            // the length is that of the algorithm
            let _ = okm.fill(&mut *out);
        }
        out
    }

    /// Signs and checks for one use.
    pub fn mac(&self, purpose: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(purpose))
    }

    /// Seals and opens for one use.
    pub fn sealer(&self, purpose: &str) -> Sealer {
        #[expect(clippy::expect_used, reason = "the key has the length of the algorithm")]
        let key = UnboundKey::new(&AES_256_GCM, &*self.derive(purpose)).expect("an AES-256 key has 32 bytes");
        Sealer(LessSafeKey::new(key))
    }
}

/// Seals what only the servers of this company can open.
pub struct Sealer(LessSafeKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(hidden)")
    }
}

impl Sealer {
    /// Nonce, ciphertext, tag.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut out = nonce.to_vec();
        out.extend_from_slice(plain);
        #[expect(clippy::expect_used, reason = "GCM refuses only texts of more than 64 GiB")]
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut out[NONCE_LEN..])
            .expect("the text is short");
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// What was sealed; none if it was altered, or sealed by others or for another use.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let len = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut rest).ok()?.len();
        rest.truncate(len);
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_server_seals_another_opens_for_the_same_use_only() {
        let key = ClusterKey::generate();
        let other = ClusterKey::parse(&format!("{}\n", *key.to_text())).unwrap();
        let sealed = key.sealer("login").seal(b"state");
        assert_eq!(other.sealer("login").open(&sealed).unwrap().as_slice(), b"state");
        assert_eq!(other.sealer("change").open(&sealed), None);
        assert_eq!(ClusterKey::generate().sealer("login").open(&sealed), None);
        for n in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[n] ^= 1;
            assert_eq!(key.sealer("login").open(&altered), None, "byte {n}");
            assert_eq!(key.sealer("login").open(&sealed[..n]), None, "{n} bytes");
        }
        assert_ne!(key.sealer("login").seal(b"state"), sealed, "a nonce of its own");
        let mac = hmac::sign(&key.mac("token"), b"claim");
        assert!(hmac::verify(&other.mac("token"), b"claim", mac.as_ref()).is_ok());
        assert!(hmac::verify(&other.mac("bus"), b"claim", mac.as_ref()).is_err());
        assert!(["", "x", &"A".repeat(44)].iter().all(|text| ClusterKey::parse(text).is_none()));
    }
}
