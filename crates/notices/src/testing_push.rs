//! A browser's side of Web Push for tests: a subscription, and what comes for it.

use data_encoding::BASE64URL_NOPAD;
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier},
};

use super::Asked;
use crate::push::Subscription;

/// An installation that takes one message.
pub struct Browser {
    key: EphemeralPrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Browser {
    /// Makes keys.
    pub fn new() -> Self {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).expect("a key");
        let public = key.compute_public_key().expect("its public part").as_ref().to_vec();
        Self { key, public, auth: *b"sixteen bytes..." }
    }

    /// What it gives the server.
    pub fn subscription(&self, endpoint: String) -> Subscription {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        Subscription { endpoint, p256dh: text(&self.public), auth: text(&self.auth) }
    }

    /// The text of a message for it. Written from RFC 8188 and RFC 8291, with HMAC alone.
    pub fn open(self, body: &[u8]) -> Vec<u8> {
        let (salt, rest) = body.split_at(16);
        assert_eq!(rest[..4], 4_096_u32.to_be_bytes());
        let (sender, sealed) = rest[5..].split_at(usize::from(rest[4]));
        let mac = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec();
        let theirs = UnparsedPublicKey::new(&ECDH_P256, sender);
        let secret = agree_ephemeral(self.key, &theirs, <[u8]>::to_vec).expect("a point");
        let info = [b"WebPush: info\0", &self.public[..], sender, &[1]].concat();
        let message = mac(salt, &mac(&mac(&self.auth, &secret), &info));
        let key = mac(&message, b"Content-Encoding: aes128gcm\0\x01");
        let nonce = mac(&message, b"Content-Encoding: nonce\0\x01");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).expect("a key"));
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).expect("a nonce");
        let mut sealed = sealed.to_vec();
        let text = key.open_in_place(nonce, Aad::empty(), &mut sealed).expect("what was encrypted for this browser");
        let (last, text) = text.split_last().expect("a delimiter");
        assert_eq!(*last, 2);
        text.to_vec()
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

/// The claims of a request, as a push service checks them: signed by the key that the browser subscribed under.
pub fn claims(asked: &Asked, key: &str) -> serde_json::Value {
    let header = asked.headers["authorization"].strip_prefix("vapid t=").expect("the scheme");
    let (token, named) = header.split_once(", k=").expect("a key");
    assert_eq!(named, key);
    let (text, signature) = token.rsplit_once('.').expect("a signature");
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).expect("b64u");
    Verifier::new(&ECDSA_P256_SHA256_FIXED, bytes(key)).verify(text.as_bytes(), &bytes(signature)).expect("signed");
    serde_json::from_slice(&bytes(text.split_once('.').expect("claims").1)).expect("JSON")
}
