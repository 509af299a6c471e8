//! Keys at rest: a user's keyring under their password's export key, and team keys sealed to those who may read.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    codec::{Bytes, Key32},
    hpke::{self, HpkeError, KemSecret},
    sign::{SigningKey, random},
};
use kefu_proto::{TeamId, UserId};

/// Why a keyring or team box does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Wrong password, user or version, or altered.
    #[error("the keyring cannot be decrypted: wrong password, user or version, or altered")]
    Open,
    /// Opened, but not a keyring.
    #[error("the keyring does not contain two keys")]
    Form,
    /// A team box that is not for this key, team and number, or a key nothing can be sealed to.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
}

/// A user's two private keys.
#[derive(Clone)]
pub struct Keyring {
    /// Ed25519 key, signs.
    pub signing: SigningKey,
    /// X25519 key, receives team keys.
    pub kem: KemSecret,
}

impl Keyring {
    /// New random keys.
    pub fn generate() -> Self {
        Self { signing: SigningKey::generate(), kem: KemSecret::generate() }
    }

    /// Seals for a user under their export key. `version` grows with every change of password.
    pub fn seal(&self, export_key: &[u8], user: &UserId, version: u32) -> Vec<u8> {
        self.seal_with(export_key, user, version, random())
    }

    /// The same under a given nonce (vectors).
    pub fn seal_with(&self, export_key: &[u8], user: &UserId, version: u32, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let (ed, x) = (b64z(self.signing.seed()), b64z(self.kem.bytes()));
        let mut buf = Zeroizing::new(Vec::with_capacity(160));
        buf.extend_from_slice(format_args!("{{\"ed\":\"{}\",\"x\":\"{}\"}}", *ed, *x).to_string().as_bytes());
        #[expect(clippy::expect_used, reason = "GCM refuses only texts of more than 64 GiB")]
        let tag = key(export_key)
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad(user, version)), &mut buf)
            .expect("a keyring is short");
        [&nonce[..], &buf, tag.as_ref()].concat()
    }

    /// Opens what [`Keyring::seal`] made for the same user and version.
    pub fn open(sealed: &[u8], export_key: &[u8], user: &UserId, version: u32) -> Result<Self, KeyringError> {
        let (nonce, ct) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(KeyringError::Open)?;
        let mut buf = Zeroizing::new(ct.to_vec());
        let plain = key(export_key)
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad(user, version)), &mut buf)
            .map_err(|_| KeyringError::Open)?;
        #[derive(Deserialize)]
        struct Plain {
            ed: Key32,
            x: Key32,
        }
        let keys: Plain = serde_json::from_slice(plain).map_err(|_| KeyringError::Form)?;
        let (ed, x) = (Zeroizing::new(keys.ed.0), Zeroizing::new(keys.x.0));
        Ok(Self { signing: SigningKey::from_seed(&ed), kem: KemSecret::from_bytes(&x) })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({:?})", self.signing)
    }
}

fn b64z(bytes: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(crate::codec::b64u(bytes))
}

fn aad(user: &UserId, version: u32) -> Vec<u8> {
    [b"kefu/1 keyring\0", user.as_str().as_bytes(), &[0], &version.to_be_bytes()].concat()
}

fn key(export_key: &[u8]) -> LessSafeKey {
    let mut out = Zeroizing::new([0; 32]);
    #[expect(
        clippy::expect_used,
        reason = "HKDF refuses only outputs longer than 8,160 bytes, AES-256 only keys that are not 32"
    )]
    {
        Salt::new(HKDF_SHA256, &[])
            .extract(export_key)
            .expand(&[b"kefu/1 keyring"], HKDF_SHA256)
            .and_then(|o| o.fill(&mut out[..]))
            .expect("32 bytes are no long output");
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &out[..]).expect("32 bytes are a key"))
    }
}

/// A team's private key, sealed to one reader (`Box` in the protocol).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamBox {
    /// The team.
    pub team: TeamId,
    /// Number of the key.
    pub epoch: u32,
    /// Encapsulated key.
    pub enc: Key32,
    /// Ciphertext with tag.
    pub ct: Bytes,
}

fn team_info(team: &TeamId, epoch: u32) -> Vec<u8> {
    [b"kefu/1 team\0", team.as_str().as_bytes(), &[0], &epoch.to_be_bytes()].concat()
}

impl TeamBox {
    /// Seals a team's private key to an agent's, an invite's or the recovery key.
    pub fn seal(team: &TeamId, epoch: u32, secret: &KemSecret, recipient: &[u8; 32]) -> Result<Self, KeyringError> {
        let sealed = hpke::seal(recipient, &team_info(team, epoch), recipient, secret.bytes())?;
        Ok(Self { team: team.clone(), epoch, enc: sealed.enc, ct: sealed.ct })
    }

    /// The team's private key. The caller compares its public key with the directory's.
    pub fn open(&self, recipient: &KemSecret) -> Result<KemSecret, KeyringError> {
        let info = team_info(&self.team, self.epoch);
        let key = hpke::open_key(recipient, &self.enc.0, &info, &recipient.public(), &self.ct.0)?;
        Ok(KemSecret::from_bytes(&key))
    }
}
