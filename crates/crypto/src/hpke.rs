//! HPKE as protocol §1 has it: base mode, X25519, HKDF-SHA256, AES-256-GCM, single shot.

use std::fmt;

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_open, single_shot_seal,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    codec::{Bytes, Key32},
    sign::random,
};

type X = X25519HkdfSha256;

/// Why something can't be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HpkeError {
    /// The recipient's key gives no shared secret.
    #[error("cannot seal to this public key")]
    Recipient,
    /// Sealed to another key, for another place, or altered.
    #[error("cannot decrypt: sealed to another key, in another context, or altered")]
    Open,
}

/// A private X25519 key, erased when dropped.
#[derive(Clone)]
pub struct KemSecret(Zeroizing<[u8; 32]>);

impl KemSecret {
    /// The key of these bytes. Any 32 bytes are one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// The bytes, to be sealed and kept.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(&X::sk_to_pk(&self.inner()).to_bytes());
        out
    }

    fn inner(&self) -> <X as Kem>::PrivateKey {
        #[expect(clippy::expect_used, reason = "hpke refuses only other lengths")]
        <X as Kem>::PrivateKey::from_bytes(&self.0[..]).expect("32 bytes are an X25519 key")
    }
}

impl fmt::Debug for KemSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KemSecret(hidden)")
    }
}

/// A sealed text: encapsulated key and ciphertext with tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Encapsulated key.
    pub enc: Key32,
    /// Ciphertext with tag.
    pub ct: Bytes,
}

/// Seals `plaintext` to `pk`, bound to `info` and `aad`.
pub fn seal(pk: &[u8; 32], info: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, HpkeError> {
    let pk = <X as Kem>::PublicKey::from_bytes(pk).map_err(|_| HpkeError::Recipient)?;
    let (enc, ct) = single_shot_seal::<AesGcm256, HkdfSha256, X>(&OpModeS::Base, &pk, info, plaintext, aad)
        .map_err(|_| HpkeError::Recipient)?;
    let mut out = [0; 32];
    out.copy_from_slice(&enc.to_bytes());
    Ok(Sealed { enc: Key32(out), ct: Bytes(ct) })
}

/// Opens what [`seal`] made with the same `info` and `aad`.
pub fn open(sk: &KemSecret, enc: &[u8], info: &[u8], aad: &[u8], ct: &[u8]) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
    let enc = <X as Kem>::EncappedKey::from_bytes(enc).map_err(|_| HpkeError::Open)?;
    single_shot_open::<AesGcm256, HkdfSha256, X>(&OpModeR::Base, &sk.inner(), &enc, info, ct, aad)
        .map(Zeroizing::new)
        .map_err(|_| HpkeError::Open)
}

/// Opens something that must be a 32-byte key.
pub fn open_key(
    sk: &KemSecret,
    enc: &[u8],
    info: &[u8],
    aad: &[u8],
    ct: &[u8],
) -> Result<Zeroizing<[u8; 32]>, HpkeError> {
    let plain = open(sk, enc, info, aad, ct)?;
    let mut key = Zeroizing::new([0; 32]);
    if plain.len() != key.len() {
        return Err(HpkeError::Open);
    }
    key.copy_from_slice(&plain);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use hpke::{aead::AesGcm128, setup_receiver};

    use super::*;

    /// RFC 9180 A.1.1: the same KEM and KDF as ours, with AES-128-GCM. The RFC prints no vector of our exact suite; that
    /// one is held by the frozen vectors, which another library opens in the TypeScript counterpart.
    #[test]
    fn rfc_9180_a_1_1() {
        let hex = |s: &str| HEXLOWER.decode(s.as_bytes()).unwrap();
        let sk: [u8; 32] = hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8").try_into().unwrap();
        let sk = KemSecret::from_bytes(&sk);
        assert_eq!(sk.public()[..], hex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"));
        let enc = hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let enc = <X as Kem>::EncappedKey::from_bytes(&enc).unwrap();
        let info = hex("4f6465206f6e2061204772656369616e2055726e");
        let mut ctx = setup_receiver::<AesGcm128, HkdfSha256, X>(&OpModeR::Base, &sk.inner(), &enc, &info).unwrap();
        let ct = hex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a");
        let pt = ctx.open(&ct, b"Count-0").unwrap();
        assert_eq!(pt, b"Beauty is truth, truth beauty");
    }

    #[test]
    fn a_seal_holds_key_place_and_text() {
        let (sk, other) = (KemSecret::generate(), KemSecret::generate());
        let s = seal(&sk.public(), b"info", b"aad", b"text").unwrap();
        assert_eq!(*open(&sk, &s.enc.0, b"info", b"aad", &s.ct.0).unwrap(), b"text");
        assert_eq!(open(&other, &s.enc.0, b"info", b"aad", &s.ct.0), Err(HpkeError::Open));
        assert_eq!(open(&sk, &s.enc.0, b"other", b"aad", &s.ct.0), Err(HpkeError::Open));
        assert_eq!(open(&sk, &s.enc.0, b"info", b"other", &s.ct.0), Err(HpkeError::Open));
        assert_eq!(open(&sk, &[0; 32], b"info", b"aad", &s.ct.0), Err(HpkeError::Open));
        assert_eq!(open_key(&sk, &s.enc.0, b"info", b"aad", &s.ct.0), Err(HpkeError::Open), "4 bytes are no key");
    }
}
