//! Invites: one secret that makes two keys, a printed code, a certificate over the keys, a claim by them.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    codec::Key32,
    directory::Role,
    hash,
    hpke::KemSecret,
    sign::{self, Label, SignError, SigningKey, random},
};
use kefu_proto::{OrgFp, TeamId, UserId};

/// Why a code, certificate or claim is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Not a code: wrong letters, wrong length or a typo.
    #[error("this is not an invite code; check for missing or mistyped characters")]
    Code,
    /// The certificate is not the JSON it should be.
    #[error("the invite's certificate is not valid JSON of its type: {0}")]
    Json(String),
    /// A version this program does not know.
    #[error("the invite has version {0}; this program knows version 1")]
    Version(u32),
    /// It belongs to another company.
    #[error("the invite belongs to another company")]
    Org,
    /// The certificate's signature or its key is bad.
    #[error("the invite's certificate: {0}")]
    Cert(SignError),
    /// The claim's signature or its key is bad.
    #[error("the invite's claim: {0}")]
    Claim(SignError),
}

const SECRET: usize = 20;
const CODE: usize = SECRET + 16 + 4;

/// Content of the printed code. Anyone who has it can become the user.
#[derive(Clone)]
pub struct InviteCode {
    secret: Zeroizing<[u8; SECRET]>,
    org: OrgFp,
}

impl InviteCode {
    /// A new random invite of a company.
    pub fn generate(org: OrgFp) -> Self {
        Self { secret: Zeroizing::new(random()), org }
    }

    /// The invite of a known secret (tests, vectors).
    pub fn from_secret(secret: &[u8; SECRET], org: OrgFp) -> Self {
        Self { secret: Zeroizing::new(*secret), org }
    }

    /// The company.
    pub fn org(&self) -> OrgFp {
        self.org
    }

    /// The text people copy: base32 in groups of four.
    pub fn print(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; CODE]);
        bytes[..SECRET].copy_from_slice(&self.secret[..]);
        bytes[SECRET..36].copy_from_slice(&self.org.0);
        bytes[36..].copy_from_slice(&check(&self.secret, &self.org));
        let plain = Zeroizing::new(BASE32_NOPAD.encode(&bytes[..]));
        let mut out = Zeroizing::new(String::with_capacity(80));
        for (i, c) in plain.chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                out.push('-');
            }
            out.push(c);
        }
        out
    }

    /// Reads a code; case, spaces and dashes don't matter.
    pub fn parse(text: &str) -> Result<Self, InviteError> {
        let plain: Zeroizing<String> = Zeroizing::new(
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect(),
        );
        let mut decoded = BASE32_NOPAD.decode(plain.as_bytes()).map_err(|_| InviteError::Code)?;
        let bytes: Option<[u8; CODE]> = decoded.as_slice().try_into().ok();
        decoded.zeroize();
        let bytes = Zeroizing::new(bytes.ok_or(InviteError::Code)?);
        let mut code = Self { secret: Zeroizing::new([0; SECRET]), org: OrgFp([0; 16]) };
        code.secret.copy_from_slice(&bytes[..SECRET]);
        code.org.0.copy_from_slice(&bytes[SECRET..36]);
        if check(&code.secret, &code.org) == bytes[36..] { Ok(code) } else { Err(InviteError::Code) }
    }

    /// The signing key of the invite.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.derive(b"kefu/1 invite sign"))
    }

    /// The key that team keys are sealed to until the user has their own.
    pub fn kem_key(&self) -> KemSecret {
        KemSecret::from_bytes(&self.derive(b"kefu/1 invite kem"))
    }

    fn derive(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        #[expect(clippy::expect_used, reason = "HKDF refuses only outputs longer than 8,160 bytes")]
        Salt::new(HKDF_SHA256, &[])
            .extract(&self.secret[..])
            .expand(&[info], HKDF_SHA256)
            .and_then(|o| o.fill(&mut out[..]))
            .expect("32 bytes are no long output");
        out
    }
}

fn check(secret: &[u8; SECRET], org: &OrgFp) -> [u8; 4] {
    let h = hash::h("code", &[secret, &org.0]);
    [h[0], h[1], h[2], h[3]]
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InviteCode(hidden, org {})", self.org)
    }
}

/// What an invite says about the invited user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cert {
    /// Version of the format: 1.
    pub v: u32,
    /// Fingerprint of the company.
    pub org: OrgFp,
    /// The invited user.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// Display name.
    pub name: String,
    /// The teams.
    pub teams: Vec<TeamId>,
    /// The invite's Ed25519 key.
    pub inv: Key32,
    /// The invite's X25519 key.
    pub inv_x: Key32,
    /// When it expires, ms since 1970.
    pub exp: u64,
}

/// A signed certificate, as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCert {
    /// JSON, exactly as signed.
    pub cert: crate::codec::Bytes,
    /// Key of the signer.
    pub signer: Key32,
    /// Signature, label `invite`.
    pub sig: crate::codec::Bytes,
}

impl Cert {
    /// Signs the certificate as root or an admin.
    pub fn sign(&self, key: &SigningKey) -> SignedCert {
        // texts and numbers print without fail
        let raw = serde_json::to_vec(self).unwrap_or_default();
        let sig = key.sign(Label::Invite, &raw).to_vec();
        SignedCert { cert: raw.into(), signer: Key32(key.public()), sig: sig.into() }
    }

    /// Verifies form, company and signature. Whether the signer may invite is the directory's to decide.
    pub fn verify(raw: &[u8], signer: &[u8; 32], sig: &[u8], org: &OrgFp) -> Result<Self, InviteError> {
        sign::verify(Label::Invite, signer, raw, sig).map_err(InviteError::Cert)?;
        let cert: Self = serde_json::from_slice(raw).map_err(|e| InviteError::Json(e.to_string()))?;
        if cert.v != 1 {
            return Err(InviteError::Version(cert.v));
        }
        if cert.org != *org { Err(InviteError::Org) } else { Ok(cert) }
    }
}

/// The invite's key says that the new keys are the user's.
pub fn sign_claim(invite: &SigningKey, cert_raw: &[u8], ed: &[u8; 32], x: &[u8; 32]) -> [u8; 64] {
    invite.sign(Label::Claim, &hash::h("claim", &[cert_raw, ed, x]))
}

/// Verifies what [`sign_claim`] made.
pub fn verify_claim(
    inv: &[u8; 32],
    cert_raw: &[u8],
    ed: &[u8; 32],
    x: &[u8; 32],
    sig: &[u8],
) -> Result<(), InviteError> {
    sign::verify(Label::Claim, inv, &hash::h("claim", &[cert_raw, ed, x]), sig).map_err(InviteError::Claim)
}
