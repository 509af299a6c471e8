//! Ids as types, so that a conversation can't be passed where a message is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not as many hexadecimal digits as it has.
    #[error("an id has {1} hexadecimal digits, got {0:?}")]
    Hex(String, usize),
    /// Not a short name of a user, team or site.
    #[error("{0:?} is not a valid id: use 1 to 32 of a-z 0-9 . _ - and start with a letter or digit")]
    Slug(String),
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes at the start of `bytes`, or none if there are fewer.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk::<$len>().map(|b| Self(*b))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let bad = || IdError::Hex(s.chars().take(40).collect(), 2 * $len);
                let bytes = data_encoding::HEXLOWER.decode(s.as_bytes()).map_err(|_| bad())?;
                bytes.try_into().map(Self).map_err(|_| bad())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// A conversation: the hash of what its visitor committed to (protocol §1).
    ConvId, 16
);
hex_id!(
    /// A signing key, by hash.
    Kid, 16
);
hex_id!(
    /// A message, chosen at random by its sender; the idempotency key of sending.
    MsgId, 16
);
hex_id!(
    /// A document, chosen at random by who first wrote it.
    DocumentId, 16
);
hex_id!(
    /// Fingerprint of the company's root key, pinned by snippets and invites.
    OrgFp, 16
);

hex_id!(
    /// One opening of the database for writing (protocol §4): a copy that is put back can't repeat it.
    Generation, 8
);
hex_id!(
    /// A record as its reader is shown it, by hash (protocol §1).
    Mark, 8
);

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let head = s.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                let rest = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
                if head && rest && s.len() <= 32 { Ok(Self(s.into())) } else { Err(IdError::Slug(s.chars().take(40).collect())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(s: String) -> Result<Self, IdError> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }
    };
}

slug!(
    /// A person who answers; also the login name. Never changes.
    UserId
);
slug!(
    /// Agents who share a queue and a key.
    TeamId
);
slug!(
    /// A tag, or a reason for closing, of the company's lists.
    LabelId
);
slug!(
    /// A place where a widget is embedded.
    SiteId
);
slug!(
    /// A robot that may be a member of conversations.
    BotId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_ids_round_trip_and_reject_other_texts() {
        let id: ConvId = "00112233445566778899aabbccddeeff".parse().unwrap();
        assert_eq!(id.to_string().parse::<ConvId>().unwrap(), id);
        for bad in ["", "0011", "00112233445566778899AABBCCDDEEFF", "zz112233445566778899aabbccddeeff"] {
            assert!(bad.parse::<ConvId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs_are_short_and_plain() {
        for good in ["li", "a", "svc-2", "0.x_y"] {
            assert!(good.parse::<UserId>().is_ok(), "{good}");
        }
        for bad in ["", "-li", "Li", "李", "a b", "a/b", &"x".repeat(33)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }
}
