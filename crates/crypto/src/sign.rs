//! Ed25519 under labels, so that a signature of one kind never passes for another. Keys that would accept anything are
//! refused before they enter anything.

use std::{fmt, sync::LazyLock};

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use zeroize::Zeroizing;

use crate::hash;
use kefu_proto::Kid;

/// Why a key or a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not a point of the curve, or not its one encoding.
    #[error("the public key is not a canonically encoded Ed25519 point")]
    NotCanonical,
    /// A point of small order: forged signatures would verify under it.
    #[error("the public key has small order")]
    SmallOrder,
    /// The signature is not by this key over these bytes.
    #[error("the signature is not valid")]
    Signature,
}

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// Directory entries.
    Dir,
    /// Snapshots.
    Fresh,
    /// Announcements.
    Ann,
    /// Messages, notes and recalls.
    Sig,
    /// Invite certificates.
    Invite,
    /// Claims of invites.
    Claim,
    /// History grants.
    Grant,
    /// Answers to the socket's challenge.
    Auth,
    /// A robot's day keys.
    Bot,
    /// Changes of a password.
    Pass,
    /// Documents.
    Doc,
}

impl Label {
    /// The word in the signed bytes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dir => "dir",
            Self::Fresh => "fresh",
            Self::Ann => "ann",
            Self::Sig => "sig",
            Self::Invite => "invite",
            Self::Claim => "claim",
            Self::Grant => "grant",
            Self::Auth => "auth",
            Self::Bot => "bot",
            Self::Pass => "pass",
            Self::Doc => "doc",
        }
    }
}

fn input(label: Label, msg: &[u8]) -> Vec<u8> {
    let word = label.word();
    let mut out = Vec::with_capacity(8 + word.len() + msg.len());
    out.extend_from_slice(b"kefu/1 ");
    out.extend_from_slice(word.as_bytes());
    out.push(0);
    out.extend_from_slice(msg);
    out
}

/// A private signing key.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl SigningKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "ring refuses only seeds of another length")]
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed");
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Self { seed: Zeroizing::new(*seed), pair, public }
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self::from_seed(&random())
    }

    /// The seed, to be sealed and kept.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The public key's hash.
    pub fn kid(&self) -> Kid {
        hash::kid(&self.public)
    }

    /// Signs `msg` for the purpose of `label`.
    pub fn sign(&self, label: Label, msg: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(&input(label, msg)).as_ref());
        out
    }
}

impl Clone for SigningKey {
    fn clone(&self) -> Self {
        Self::from_seed(&self.seed)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, private part hidden)", self.kid())
    }
}

/// `N` bytes from the system's generator. Ends the process only if the system has no randomness at all, which no key
/// could survive.
#[expect(clippy::expect_used, reason = "without randomness there is no secret, and the process must end")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    SystemRandom::new().fill(&mut out).expect("the operating system gives no random numbers");
    out
}

/// Refuses keys of small order and keys that are not canonically encoded.
pub fn check_public(pk: &[u8; 32]) -> Result<(), SignError> {
    let point = CompressedEdwardsY(*pk).decompress().ok_or(SignError::NotCanonical)?;
    if point.compress().as_bytes() != pk {
        return Err(SignError::NotCanonical);
    }
    if point.is_small_order() { Err(SignError::SmallOrder) } else { Ok(()) }
}

/// The encodings of the eight points of small order, without their sign.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| without_sign(point.compress().as_bytes())));

/// The y coordinate of an encoding: the sign of x is its highest bit.
fn without_sign(encoding: &[u8; 32]) -> [u8; 32] {
    let mut y = *encoding;
    y[31] &= 0x7f;
    y
}

/// As [`check_public`], for a key that is about to be decompressed anyway: bytes are compared, and that it is on the curve is left
/// to who decompresses it.
fn check_encoding(pk: &[u8; 32]) -> Result<(), SignError> {
    let y = without_sign(pk);
    // p = 2^255 - 19, little-endian
    let canonical = y[31] != 0x7f || y[1..31].iter().any(|byte| *byte != 0xff) || y[0] < 0xed;
    if !canonical {
        return Err(SignError::NotCanonical);
    }
    // a point with x = 0 has no second sign; both such are of small order
    if SMALL_ORDER.contains(&y) { Err(SignError::SmallOrder) } else { Ok(()) }
}

/// Verifies strictly; also refuses the keys that [`check_public`] refuses.
pub fn verify(label: Label, pk: &[u8; 32], msg: &[u8], sig: &[u8]) -> Result<(), SignError> {
    check_encoding(pk)?;
    UnparsedPublicKey::new(&ED25519, pk).verify(&input(label, msg), sig).map_err(|_| SignError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Order of the base point, little-endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    #[test]
    fn a_signature_is_for_one_purpose() {
        let key = SigningKey::from_seed(&[1; 32]);
        let sig = key.sign(Label::Sig, b"m");
        assert_eq!(verify(Label::Sig, &key.public(), b"m", &sig), Ok(()));
        assert_eq!(verify(Label::Ann, &key.public(), b"m", &sig), Err(SignError::Signature));
        assert_eq!(verify(Label::Sig, &key.public(), b"n", &sig), Err(SignError::Signature));
    }

    #[test]
    fn a_signature_has_one_form() {
        let key = SigningKey::from_seed(&[1; 32]);
        let mut sig = key.sign(Label::Sig, b"m");
        // S + L is the same number modulo L
        let mut carry = 0u16;
        for (s, l) in sig[32..].iter_mut().zip(L) {
            carry += u16::from(*s) + u16::from(l);
            *s = carry as u8;
            carry >>= 8;
        }
        assert_eq!(verify(Label::Sig, &key.public(), b"m", &sig), Err(SignError::Signature));
    }

    #[test]
    fn keys_under_which_anything_verifies_are_refused() {
        // y = 1, the identity: R = identity, S = 0 satisfies the equation for every message
        let mut pk = [0; 32];
        pk[0] = 1;
        let sig = [&pk[..], &[0; 32]].concat();
        let lax = UnparsedPublicKey::new(&ED25519, &pk).verify(&input(Label::Sig, b"anything"), &sig);
        assert!(lax.is_ok(), "ring alone accepts it, which is why it is checked here");
        assert_eq!(verify(Label::Sig, &pk, b"anything", &sig), Err(SignError::SmallOrder));
        pk[31] = 0x80;
        assert_eq!(check_public(&pk), Err(SignError::NotCanonical));
    }

    #[test]
    fn what_verifies_refuses_by_its_bytes_what_the_curve_refuses() {
        let torsion = EIGHT_TORSION.iter().flat_map(|point| {
            let encoding = *point.compress().as_bytes();
            [0, 0x80].map(|sign| {
                let mut other = encoding;
                other[31] ^= sign;
                other
            })
        });
        // y = p - 1 to p + 18, which is all that has a second encoding, with both signs
        let around = (0xec..=0xff_u8).flat_map(|low| {
            [0x7f, 0xff].map(|high| {
                let mut y = [0xff; 32];
                (y[0], y[31]) = (low, high);
                y
            })
        });
        let keys = (0..100_u8).map(|seed| SigningKey::from_seed(&[seed; 32]).public());
        let on_the_curve = |pk: &[u8; 32]| CompressedEdwardsY(*pk).decompress().is_some();
        let all = torsion.chain(around).chain(keys).filter(on_the_curve);
        let mut refused = 0;
        for pk in all {
            assert_eq!(check_encoding(&pk).is_err(), check_public(&pk).is_err(), "{pk:02x?}");
            refused += usize::from(check_public(&pk).is_err());
        }
        assert!(refused > 16, "{refused}");
    }

    #[test]
    fn secrets_do_not_print() {
        let key = SigningKey::from_seed(&[0xab; 32]);
        assert!(!format!("{key:?}").contains("abab"));
    }
}
