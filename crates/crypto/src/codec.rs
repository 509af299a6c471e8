//! Fixed-size bytes as JSON texts: keys as b64u, hashes as hex. Nothing here is secret and nothing is checked but the form.

use std::{borrow::Cow, fmt, str::FromStr};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Why a text is not the bytes it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not base64url without padding.
    #[error("not base64url without padding")]
    Base64,
    /// Not lower-case hex.
    #[error("not lower-case hex")]
    Hex,
    /// Not the expected number of bytes.
    #[error("expected {expected} bytes, got {found}")]
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there were.
        found: usize,
    },
}

/// `bytes` as base64url without padding.
pub fn b64u(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The bytes of a base64url text without padding.
pub fn from_b64u(text: &str) -> Result<Vec<u8>, CodecError> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CodecError::Base64)
}

/// Exactly `N` bytes of a base64url text.
pub fn from_b64u_exact<const N: usize>(text: &str) -> Result<[u8; N], CodecError> {
    exact(from_b64u(text)?)
}

fn exact<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], CodecError> {
    let found = bytes.len();
    bytes.try_into().map_err(|_| CodecError::Length { expected: N, found })
}

macro_rules! text32 {
    ($(#[$doc:meta])* $name:ident, $encode:expr, $decode:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = CodecError;
            fn from_str(s: &str) -> Result<Self, CodecError> {
                exact($decode(s)?).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

text32!(
    /// A public key, b64u in JSON.
    Key32, b64u, from_b64u
);
text32!(
    /// A hash, hex in JSON.
    Hash32, |b: &[u8]| HEXLOWER.encode(b), |s: &str| HEXLOWER.decode(s.as_bytes()).map_err(|_| CodecError::Hex)
);

/// Bytes of any length, b64u in JSON.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} B)", self.0.len())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&b64u(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        from_b64u(&Cow::<'de, str>::deserialize(d)?).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_is_read() {
        let key = Key32([0xfb; 32]);
        assert_eq!(key.to_string().parse::<Key32>(), Ok(key));
        assert_eq!("AAA=".parse::<Key32>(), Err(CodecError::Base64));
        assert_eq!("AAAA".parse::<Key32>(), Err(CodecError::Length { expected: 32, found: 3 }));
        assert_eq!("AB".repeat(32).parse::<Hash32>(), Err(CodecError::Hex));
        // trailing bits that are not zero would give one key two spellings
        assert_eq!(from_b64u("AB"), Err(CodecError::Base64));
    }
}
