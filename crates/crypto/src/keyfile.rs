//! The company's key file: root signing key and recovery key, sealed under a passphrase (or, for demos, openly not).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    codec::Bytes,
    hash,
    hpke::KemSecret,
    sign::{SigningKey, random},
};
use kefu_proto::OrgFp;

/// Why a key file can't be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Not a key file.
    #[error("this is not a kefu key file: {0}")]
    Form(String),
    /// A version this program does not know.
    #[error("the key file has version {0}; this program knows version 1")]
    Version(u32),
    /// The file is sealed and no passphrase was given.
    #[error("the key file is sealed: a passphrase is needed")]
    NeedsPassphrase,
    /// Stretching weaker than 64 MiB and 3 passes, or stronger than this machine should try.
    #[error(
        "the key file asks for {m} KiB and {t} passes of Argon2id; 65536 KiB to 4 GiB and 3 to 64 passes are allowed"
    )]
    Parameters {
        /// Memory of Argon2id, KiB.
        m: u32,
        /// Passes of Argon2id.
        t: u32,
    },
    /// Wrong passphrase, or altered.
    #[error("the passphrase of the key file is wrong")]
    Open,
    /// The keys are not those of the company named in the file.
    #[error("the keys in the file do not belong to the company it names")]
    Org,
}

/// What signs for a company and reads everything: to be kept off the server.
#[derive(Clone)]
pub struct CompanyKeys {
    /// Ed25519 root key.
    pub root: SigningKey,
    /// X25519 recovery key.
    pub recovery: KemSecret,
}

impl fmt::Debug for CompanyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompanyKeys(org {}, private parts hidden)", self.fp())
    }
}

/// How hard a passphrase is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Memory of Argon2id, KiB.
    pub m: u32,
    /// Passes of Argon2id.
    pub t: u32,
    /// Lanes of Argon2id.
    pub p: u32,
}

impl Stretch {
    /// 256 MiB, 4 passes, 1 lane: what new files get.
    pub const DEFAULT: Self = Self { m: 262_144, t: 4, p: 1 };

    fn check(self) -> Result<Params, KeyFileError> {
        let weak = KeyFileError::Parameters { m: self.m, t: self.t };
        if !(65_536..=4_194_304).contains(&self.m) || !(3..=64).contains(&self.t) || !(1..=16).contains(&self.p) {
            return Err(weak);
        }
        Params::new(self.m, self.t, self.p, Some(32)).map_err(|_| weak)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    kefu: String,
    v: u32,
    org: OrgFp,
    sealed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    argon2id: Option<Stretch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Bytes>,
    keys: Bytes,
}

const KIND: &str = "company keys";

impl CompanyKeys {
    /// New random keys: a new company.
    pub fn generate() -> Self {
        Self { root: SigningKey::generate(), recovery: KemSecret::generate() }
    }

    /// The company's fingerprint.
    pub fn fp(&self) -> OrgFp {
        hash::org_fp(&self.root.public())
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(64 + 16));
        out.extend_from_slice(self.root.seed());
        out.extend_from_slice(self.recovery.bytes());
        out
    }

    /// The file's text. Without a passphrase the keys are in it unencrypted, and it says so.
    pub fn to_text(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyFileError> {
        self.to_text_with(passphrase, Stretch::DEFAULT)
    }

    /// The same with chosen stretching, not below 64 MiB and 3 passes.
    pub fn to_text_with(&self, passphrase: Option<&str>, how: Stretch) -> Result<Zeroizing<String>, KeyFileError> {
        let mut buf = self.bytes();
        let mut file = File {
            kefu: KIND.into(),
            v: 1,
            org: self.fp(),
            sealed: passphrase.is_some(),
            argon2id: None,
            salt: None,
            nonce: None,
            keys: Bytes::default(),
        };
        if let Some(passphrase) = passphrase {
            let (salt, nonce): ([u8; 16], [u8; NONCE_LEN]) = (random(), random());
            let key = stretch(passphrase, &salt, how)?;
            let tag = key
                .seal_in_place_separate_tag(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::from(aad(&file.org, how)),
                    &mut buf,
                )
                .map_err(|_| KeyFileError::Open)?;
            buf.extend_from_slice(tag.as_ref());
            (file.argon2id, file.salt, file.nonce) =
                (Some(how), Some(salt.to_vec().into()), Some(nonce.to_vec().into()));
        }
        file.keys = Bytes(buf.to_vec());
        // texts and numbers print without fail
        let mut text = Zeroizing::new(serde_json::to_string_pretty(&file).unwrap_or_default());
        zeroize::Zeroize::zeroize(&mut file.keys.0);
        text.push('\n');
        Ok(text)
    }

    /// Whether a file's text is sealed, that is, whether a passphrase must be asked for.
    pub fn is_sealed(text: &str) -> Result<bool, KeyFileError> {
        Ok(parse(text)?.sealed)
    }

    /// The company of a file's text; needs no passphrase and proves nothing.
    pub fn org_of(text: &str) -> Result<OrgFp, KeyFileError> {
        Ok(parse(text)?.org)
    }

    /// Reads a file's text.
    pub fn from_text(text: &str, passphrase: Option<&str>) -> Result<Self, KeyFileError> {
        let file = parse(text)?;
        let mut buf = Zeroizing::new(file.keys.0);
        if file.sealed {
            let missing = || KeyFileError::Form("argon2id, salt or nonce is missing".into());
            let how = file.argon2id.ok_or_else(missing)?;
            let salt = file.salt.ok_or_else(missing)?;
            let nonce = file.nonce.ok_or_else(missing)?;
            let nonce = Nonce::try_assume_unique_for_key(&nonce.0).map_err(|_| missing())?;
            let passphrase = passphrase.ok_or(KeyFileError::NeedsPassphrase)?;
            let key = stretch(passphrase, &salt.0, how)?;
            let len = key
                .open_in_place(nonce, Aad::from(aad(&file.org, how)), &mut buf)
                .map_err(|_| KeyFileError::Open)?
                .len();
            buf.truncate(len);
        }
        let halves = (buf.first_chunk::<32>(), buf.last_chunk::<32>(), buf.len());
        let (Some(root), Some(recovery), 64) = halves else {
            return Err(KeyFileError::Form("keys of the wrong length".into()));
        };
        let keys = Self { root: SigningKey::from_seed(root), recovery: KemSecret::from_bytes(recovery) };
        if keys.fp() != file.org { Err(KeyFileError::Org) } else { Ok(keys) }
    }
}

fn parse(text: &str) -> Result<File, KeyFileError> {
    let file: File = serde_json::from_str(text).map_err(|e| KeyFileError::Form(e.to_string()))?;
    if file.kefu != KIND {
        return Err(KeyFileError::Form(format!("it contains {:?}", file.kefu)));
    }
    if file.v != 1 { Err(KeyFileError::Version(file.v)) } else { Ok(file) }
}

fn aad(org: &OrgFp, how: Stretch) -> Vec<u8> {
    [&b"kefu/1 keyfile\0"[..], &org.0, &how.m.to_be_bytes(), &how.t.to_be_bytes(), &how.p.to_be_bytes()].concat()
}

fn stretch(passphrase: &str, salt: &[u8], how: Stretch) -> Result<LessSafeKey, KeyFileError> {
    let params = how.check()?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut out[..])
        .map_err(|e| KeyFileError::Form(e.to_string()))?;
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &out[..]).map_err(|_| KeyFileError::Open)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Stretch = Stretch { m: 65_536, t: 3, p: 1 };

    #[test]
    fn sealed_keys_come_back_with_the_passphrase_only() {
        let keys = CompanyKeys::generate();
        let text = keys.to_text_with(Some("正确 horse"), QUICK).unwrap();
        assert_eq!(CompanyKeys::is_sealed(&text), Ok(true));
        assert_eq!(CompanyKeys::org_of(&text), Ok(keys.fp()));
        let read = CompanyKeys::from_text(&text, Some("正确 horse")).unwrap();
        assert_eq!((read.root.seed(), read.recovery.bytes()), (keys.root.seed(), keys.recovery.bytes()));
        assert_eq!(CompanyKeys::from_text(&text, Some("wrong")).unwrap_err(), KeyFileError::Open);
        assert_eq!(CompanyKeys::from_text(&text, None).unwrap_err(), KeyFileError::NeedsPassphrase);
        let seed = crate::codec::b64u(keys.root.seed());
        assert!(!text.contains(&seed[..20]));
    }

    #[test]
    fn parameters_are_bound_to_the_seal_and_never_weak() {
        let keys = CompanyKeys::generate();
        let text = keys.to_text_with(Some("p"), QUICK).unwrap();
        let read = |text: &str| CompanyKeys::from_text(text, Some("p")).unwrap_err();
        assert_eq!(read(&text.replace("\"t\": 3", "\"t\": 4")), KeyFileError::Open);
        assert_eq!(read(&text.replace("\"t\": 3", "\"t\": 2")), KeyFileError::Parameters { m: 65_536, t: 2 });
        assert_eq!(read(&text.replace("65536", "65535")), KeyFileError::Parameters { m: 65_535, t: 3 });
        assert_eq!(read(&text.replace("65536", "99999999")), KeyFileError::Parameters { m: 99_999_999, t: 3 });
        assert_eq!(read(&text.replace("\"v\": 1", "\"v\": 2")), KeyFileError::Version(2));
        assert!(matches!(read("{}"), KeyFileError::Form(_)));
        assert!(keys.to_text_with(Some("p"), Stretch { m: 8, t: 1, p: 1 }).is_err());
    }

    #[test]
    fn unsealed_keys_say_so_and_must_fit_their_company() {
        let (keys, other) = (CompanyKeys::generate(), CompanyKeys::generate());
        let text = keys.to_text(None).unwrap();
        assert!(text.contains("\"sealed\": false"));
        assert_eq!(CompanyKeys::from_text(&text, None).unwrap().fp(), keys.fp());
        let swapped = text.replace(&keys.fp().to_string(), &other.fp().to_string());
        assert_eq!(CompanyKeys::from_text(&swapped, None).unwrap_err(), KeyFileError::Org);
        assert!(!format!("{keys:?}").contains(&crate::codec::b64u(keys.root.seed())));
    }
}
