//! How a server proves to push services that it is the one that a browser subscribed under (RFC 8292).

use data_encoding::BASE64URL_NOPAD;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::json;
use zeroize::Zeroizing;

/// A proof is good for this long, seconds; push services take up to a day.
const GOOD_S: u64 = 12 * 3_600;

/// The key.
pub struct VapidKey(EcdsaKeyPair);

/// The bytes are not such a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no P-256 key in PKCS #8")]
pub struct KeyError;

impl VapidKey {
    /// A new one, PKCS #8.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(Zeroizing::new(made.map_err(|_| KeyError)?.as_ref().to_vec()))
    }

    /// From PKCS #8.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new());
        key.map(Self).map_err(|_| KeyError)
    }

    /// The public key, b64u.
    pub fn public_text(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.public_key().as_ref())
    }

    /// The header `Authorization` for a push service.
    pub(super) fn authorization(&self, origin: &str, contact: &str, now_s: u64) -> String {
        let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let claims = json!({ "aud": origin, "exp": now_s + GOOD_S, "sub": contact });
        let text = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        // fails only without random numbers; the push service then refuses it
        let signed = self.0.sign(&SystemRandom::new(), text.as_bytes());
        let signed = signed.map_or_else(|_| String::new(), |signed| BASE64URL_NOPAD.encode(signed.as_ref()));
        format!("vapid t={text}.{signed}, k={}", self.public_text())
    }
}
