//! Reads the public key of a backend: PEM as `openssl pkey -pubout` writes it, or a JWK.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde::Deserialize;

use crate::crypto::directory::{IdentityAlg, IdentityKey};

/// Largest file that is read, bytes; a key has a few hundred.
pub const MAX_FILE: u64 = 16 * 1024;

/// DER before the 32 bytes of an Ed25519 key (RFC 8410), and before the 65 bytes of a point of P-256 (RFC 5480).
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The key in a file, or why there is none, as the end of a sentence that begins with the file's name.
pub fn read(text: &str) -> Result<IdentityKey, &'static str> {
    let text = text.trim();
    if text.starts_with('{') { jwk(text) } else { pem(text) }
}

fn pem(text: &str) -> Result<IdentityKey, &'static str> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "is a private key, which stays with your backend; give its public key: openssl pkey -in FILE -pubout",
        );
    }
    let inner =
        text.strip_prefix("-----BEGIN PUBLIC KEY-----").and_then(|t| t.strip_suffix("-----END PUBLIC KEY-----"));
    let base64: String = inner.ok_or(NEITHER)?.split_ascii_whitespace().collect();
    let der = BASE64.decode(base64.as_bytes()).map_err(|_| "is no PEM file: its Base64 is damaged")?;
    let of = |alg, prefix| der.strip_prefix(prefix).and_then(|pk| IdentityKey::new(alg, pk));
    of(IdentityAlg::EdDsa, ED25519).or_else(|| of(IdentityAlg::Es256, P256)).ok_or(OTHER)
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

fn jwk(text: &str) -> Result<IdentityKey, &'static str> {
    let key: Jwk = serde_json::from_str(text).map_err(|_| "is no JWK of one key")?;
    if key.kty == "oct" || key.k.is_some() {
        return Err("is a shared secret (HMAC): whoever checks with it can sign with it; make an EC or Ed25519 key");
    }
    if key.d.is_some() {
        return Err("is a private key, which stays with your backend; leave out its member \"d\"");
    }
    let bytes = |text: &Option<String>| BASE64URL_NOPAD.decode(text.as_deref()?.as_bytes()).ok();
    let found = match (key.kty.as_str(), key.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => bytes(&key.x).and_then(|x| IdentityKey::new(IdentityAlg::EdDsa, &x)),
        ("EC", Some("P-256")) => bytes(&key.x)
            .zip(bytes(&key.y))
            .and_then(|(x, y)| IdentityKey::new(IdentityAlg::Es256, &[&[4], &x[..], &y[..]].concat())),
        _ => None,
    };
    found.ok_or(OTHER)
}

const NEITHER: &str = "is neither PEM (-----BEGIN PUBLIC KEY-----) nor a JWK";
const OTHER: &str = "has no valid Ed25519 or P-256 key, which are the ones that EdDSA and ES256 take";

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn pem_and_jwk_of_one_key_are_the_same() {
        assert_eq!(read(PEM).unwrap(), read(JWK).unwrap());
        assert_eq!(read(PEM).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // RFC 7517, appendix A.1
        let ec = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;
        assert_eq!(read(ec).unwrap().alg, IdentityAlg::Es256);
    }

    #[test]
    fn secrets_are_refused_by_name() {
        for (text, why) in [
            (r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}"#, "HMAC"),
            (&JWK.replace('}', r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#), "private key"),
            (&PEM.replace("PUBLIC", "PRIVATE"), "private key"),
            (&PEM.replace("PUBLIC", "EC PRIVATE"), "private key"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn what_is_no_such_key_is_refused() {
        for text in [
            "",
            "{}",
            "ssh-ed25519 AAAA",
            &PEM.replace("MCow", "MCox"),
            &PEM.replace('=', ""),
            &JWK.replace("Ed25519", "X25519"),
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
