//! Layout of documents: what a company keeps beside conversations, sealed or public (protocol §7). A view over bytes: nothing
//! here opens, signs or verifies.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{BOX_LEN, DocumentId, IdError, Kid, SIGNATURE_LEN, TeamId, UserId};

/// Largest document, in bytes.
pub const MAX_DOCUMENT: usize = 64 * 1024;
/// The part of a header before kind and scope.
const FIXED: usize = 112;

/// Who has a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One person.
    Own(UserId),
    /// The members of a team.
    Team(TeamId),
    /// Everyone who answers for the company.
    Company,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(user) => write!(f, "own:{user}"),
            Self::Team(team) => write!(f, "team:{team}"),
            Self::Company => f.write_str("company"),
        }
    }
}

impl FromStr for Scope {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            Some(("own", user)) => user.parse().map(Self::Own),
            Some(("team", team)) => team.parse().map(Self::Team),
            None if text == "company" => Ok(Self::Company),
            _ => Err(IdError::Slug(text.chars().take(40).collect())),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why bytes are not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The first bytes are not `KD`, or of a version that is not known here.
    #[error("not a document of a version that is known here")]
    Unsupported,
    /// Shorter than it says, or of an impossible length.
    #[error("a document with an invalid length")]
    Length,
    /// Larger than [`MAX_DOCUMENT`].
    #[error("a document larger than 64 KiB")]
    TooLarge,
    /// Kind or scope are not what they may be.
    #[error("a document whose kind or scope is not valid")]
    Name,
    /// Sealed to nobody, or public and sealed at once.
    #[error("a document must be either sealed to its readers or public")]
    Readers,
}

/// A document whose layout was checked.
#[derive(Debug, Clone)]
pub struct DocumentView<'a> {
    bytes: &'a [u8],
    /// What it is for: a short word of the clients.
    pub kind: &'a str,
    /// Who has it.
    pub scope: Scope,
    header: usize,
    boxes: usize,
}

impl<'a> DocumentView<'a> {
    /// Checks the whole layout.
    ///
    /// # Errors
    /// [`DocumentError`] says what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        use DocumentError::{Length, Name, Readers, TooLarge, Unsupported};
        if bytes.len() > MAX_DOCUMENT {
            return Err(TooLarge);
        }
        if bytes.get(..3) != Some(b"KD\x01") || !matches!(bytes.get(3), Some(0 | 1)) {
            return Err(Unsupported);
        }
        let (mut at, public) = (FIXED, bytes[3] == 1);
        let mut take = |length: usize| {
            let part = bytes.get(at..at + length).ok_or(Length)?;
            at += length;
            Ok(part)
        };
        let length = usize::from(take(1)?[0]);
        let kind = std::str::from_utf8(take(length)?).map_err(|_| Name)?;
        let scope = take(1)?[0];
        let length = usize::from(take(1)?[0]);
        let of = std::str::from_utf8(take(length)?).map_err(|_| Name)?;
        let scope = match scope {
            1 => Scope::Own(of.parse().map_err(|_| Name)?),
            2 => Scope::Team(of.parse().map_err(|_| Name)?),
            3 if of.is_empty() => Scope::Company,
            _ => return Err(Name),
        };
        // a kind is written like the id of a team
        kind.parse::<TeamId>().map_err(|_| Name)?;
        let header = at;
        let boxes = bytes.get(header..header + 2).ok_or(Length)?;
        let boxes = usize::from(u16::from_be_bytes([boxes[0], boxes[1]]));
        if (boxes == 0) != public {
            return Err(Readers);
        }
        // a body that is sealed is at least one block and its tag
        let body = if public { 2 } else { 48 };
        if bytes.len() < header + 2 + boxes * BOX_LEN + body + SIGNATURE_LEN {
            return Err(Length);
        }
        Ok(Self { bytes, kind, scope, header, boxes })
    }

    /// Its id.
    pub fn id(&self) -> DocumentId {
        DocumentId(self.array(4))
    }

    /// Its revision; the first is 1.
    pub fn rev(&self) -> u64 {
        u64::from_be_bytes(self.array(20))
    }

    /// Who wrote this revision.
    pub fn author(&self) -> Kid {
        Kid(self.array(28))
    }

    /// The newest directory entry that its author knew.
    pub fn dir_seq(&self) -> u32 {
        u32::from_be_bytes(self.array(44))
    }

    /// Whether everyone who gets it can read it: its author chose so.
    pub fn is_public(&self) -> bool {
        self.bytes[3] == 1
    }

    /// Everything up to the boxes: what body and boxes are sealed with.
    pub fn header(&self) -> &'a [u8] {
        &self.bytes[..self.header]
    }

    /// How many readers' keys it is sealed to.
    pub fn boxes(&self) -> usize {
        self.boxes
    }

    /// What its author signed.
    pub fn signed(&self) -> &'a [u8] {
        &self.bytes[..self.bytes.len() - SIGNATURE_LEN]
    }

    /// The signature.
    pub fn signature(&self) -> &'a [u8] {
        &self.bytes[self.bytes.len() - SIGNATURE_LEN..]
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[at..at + N]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(flags: u8, kind: &str, scope: u8, of: &str, boxes: u16, rest: usize) -> Vec<u8> {
        let mut bytes = [&b"KD\x01"[..], &[flags], &[7; 16], &5u64.to_be_bytes(), &[3; 16]].concat();
        bytes.extend_from_slice(&[0, 0, 0, 9]);
        bytes.extend_from_slice(&[1; 64]);
        bytes.push(kind.len() as u8);
        bytes.extend_from_slice(kind.as_bytes());
        bytes.extend_from_slice(&[scope, of.len() as u8]);
        bytes.extend_from_slice(of.as_bytes());
        bytes.extend_from_slice(&boxes.to_be_bytes());
        bytes.resize(bytes.len() + usize::from(boxes) * BOX_LEN + rest, 2);
        bytes
    }

    #[test]
    fn every_field_is_read_from_its_place_and_every_cut_is_refused() {
        let bytes = document(0, "reply", 2, "svc", 1, 48 + 64);
        let view = DocumentView::parse(&bytes).unwrap();
        assert_eq!((view.id(), view.rev(), view.author(), view.dir_seq()), (DocumentId([7; 16]), 5, Kid([3; 16]), 9));
        assert_eq!((view.kind, view.scope.to_string(), view.boxes()), ("reply", "team:svc".into(), 1));
        assert_eq!((view.header().len(), view.signed().len()), (FIXED + 11, bytes.len() - 64));
        assert!(!view.is_public());
        for n in 0..bytes.len() {
            assert!(DocumentView::parse(&bytes[..n]).is_err(), "{n} bytes");
        }
        let public = document(1, "reply", 3, "", 0, 2 + 64);
        assert!(DocumentView::parse(&public).unwrap().is_public());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        use DocumentError::{Name, Readers, TooLarge, Unsupported};
        let refused = |bytes: Vec<u8>| DocumentView::parse(&bytes).unwrap_err();
        assert_eq!(refused(document(2, "reply", 3, "", 0, 200)), Unsupported);
        assert_eq!(refused(document(1, "reply", 3, "", 1, 200)), Readers);
        assert_eq!(refused(document(0, "reply", 3, "", 0, 200)), Readers);
        for (kind, scope, of) in [
            ("", 3, ""),
            ("Reply", 3, ""),
            ("a b", 3, ""),
            ("reply", 0, ""),
            ("reply", 4, ""),
            ("reply", 3, "svc"),
            ("reply", 1, ""),
            ("reply", 2, "Svc"),
        ] {
            assert_eq!(refused(document(0, kind, scope, of, 1, 200)), Name, "{kind} {scope} {of}");
        }
        assert_eq!(refused(vec![0; MAX_DOCUMENT + 1]), TooLarge);
    }

    #[test]
    fn a_scope_reads_what_it_prints() {
        for text in ["own:li", "team:svc", "company"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "own", "own:", "team:A", "company:x", "all"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }
}
