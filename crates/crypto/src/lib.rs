//! Envelopes, announcements, directory, invites, HPKE, OPAQUE: the bytes under signature or seal (protocol §1, 2, 5, 6).
//! Knows nothing of chat, store or network; what happens to a refused thing is decided elsewhere.

#![forbid(unsafe_code)]

pub mod announcement;
pub mod botkey;
pub mod cluster_key;
pub mod codec;
pub mod directory;
pub mod document;
pub mod envelope;
pub mod grant;
pub mod hash;
pub mod hpke;
pub mod invite;
pub mod keyfile;
pub mod keyring;
pub mod opaque;
pub mod recall;
pub mod sign;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
