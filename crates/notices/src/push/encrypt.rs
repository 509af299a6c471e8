//! Encryption of a message to a browser (RFC 8291, with the coding `aes128gcm` of RFC 8188).

use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand::{SecureRandom as _, SystemRandom},
};

use super::{Subscription, decoded};

/// Size of a record; the one that is sent is shorter.
const RECORD: u32 = 4_096;
/// Ends the last record.
const LAST: u8 = 2;

/// Keys of a subscription.
pub struct UserKeys {
    public: [u8; 65],
    auth: [u8; 16],
}

/// What one message is encrypted with.
struct MessageKeys {
    key: [u8; 16],
    nonce: [u8; 12],
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(from: &Prk, info: &[&[u8]]) -> Option<[u8; N]> {
    let mut out = [0; N];
    from.expand(info, Length(N)).and_then(|okm| okm.fill(&mut out)).ok()?;
    Some(out)
}

impl UserKeys {
    /// None: they are not keys.
    pub fn of(subscription: &Subscription) -> Option<Self> {
        let public: [u8; 65] = decoded(&subscription.p256dh)?;
        // an uncompressed point; whether it is one of the curve is known when it is used
        (public[0] == 4).then_some(())?;
        Some(Self { public, auth: decoded(&subscription.auth)? })
    }

    /// Encrypts with a key of its own; none: the point is not on the curve.
    pub fn encrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        let mut salt = [0; 16];
        random.fill(&mut salt).ok()?;
        let ours = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
        let public = ours.compute_public_key().ok()?;
        let theirs = UnparsedPublicKey::new(&ECDH_P256, self.public);
        let keys = agree_ephemeral(ours, &theirs, |secret| self.derive(secret, public.as_ref(), &salt)).ok()??;
        keys.seal(&salt, public.as_ref(), text)
    }

    /// `secret`: of the agreement.
    fn derive(&self, secret: &[u8], sender: &[u8], salt: &[u8; 16]) -> Option<MessageKeys> {
        let agreed = Salt::new(HKDF_SHA256, &self.auth).extract(secret);
        let input: [u8; 32] = expand(&agreed, &[b"WebPush: info\0", &self.public, sender])?;
        let message = Salt::new(HKDF_SHA256, salt).extract(&input);
        Some(MessageKeys {
            key: expand(&message, &[b"Content-Encoding: aes128gcm\0"])?,
            nonce: expand(&message, &[b"Content-Encoding: nonce\0"])?,
        })
    }
}

impl MessageKeys {
    fn seal(&self, salt: &[u8; 16], sender: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let mut record = [text, &[LAST]].concat();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &self.key).ok()?);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(self.nonce), Aad::empty(), &mut record).ok()?;
        let length = u8::try_from(sender.len()).ok()?;
        Some([&salt[..], &RECORD.to_be_bytes(), &[length], sender, &record].concat())
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_is_met() {
        let keys = UserKeys::of(&Subscription {
            endpoint: String::new(),
            p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4".into(),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
        })
        .unwrap();
        let secret = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let sender = bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt: [u8; 16] = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let derived = keys.derive(&secret, &sender, &salt).unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(&derived.key), "oIhVW04MRdy2XN9CiKLxTg");
        assert_eq!(BASE64URL_NOPAD.encode(&derived.nonce), "4h_95klXJ5E_qnoN");
        let sealed = derived.seal(&salt, &sender, b"When I grow up, I want to be a watermelon").unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl\
             7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn points_off_the_curve_encrypt_nothing() {
        let off = [&[4_u8][..], &[7; 64]].concat();
        let subscription = Subscription {
            endpoint: String::new(),
            p256dh: BASE64URL_NOPAD.encode(&off),
            auth: BASE64URL_NOPAD.encode(&[1; 16]),
        };
        assert_eq!(UserKeys::of(&subscription).unwrap().encrypt(b"x"), None);
    }
}
