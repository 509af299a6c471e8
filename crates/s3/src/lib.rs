//! Objects in an S3-compatible store: put, read, list, delete. The bucket is part of the path ("path-style"), so one certificate
//! and one name do for all buckets of a server.
//!
//! Requests are signed here (AWS Signature Version 4, headers and body) rather than by a crate: it is one function over `ring`,
//! checked against AWS's published examples. Crates for it either bring an HTTP and TLS stack of their own, or sign addresses
//! only (`rusty-s3`): then the body is not covered, and a proxy's log has addresses that are good for anybody.
//!
//! Everything that is asked may be asked twice, so what fails on the way is tried again. All times and all answers are bounded.

#![forbid(unsafe_code)]

mod bucket;
mod connection;
mod endpoint;
mod error;
mod key;
mod pool;
mod sign;
#[cfg(feature = "testing")]
pub mod testing;
mod xml;

pub use bucket::{Bucket, Place};
pub use endpoint::{Endpoint, EndpointError};
pub use error::S3Error;
pub use key::{Key, KeyError};
pub use xml::{Listed, Object};
