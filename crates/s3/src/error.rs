//! What went wrong, and what to do about it.

/// Why nothing came of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// No answer, or not in time.
    #[error("no answer from {endpoint}: {why}; is it running, and is storage.s3_endpoint right?")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
        /// What happened.
        why: String,
    },
    /// It answers, and can't do it now.
    #[error("{endpoint} can't do it at the moment (status {status} {code}); it is asked again")]
    Busy {
        /// Who was asked.
        endpoint: String,
        /// Of HTTP.
        status: u16,
        /// Its own word for it.
        code: String,
    },
    /// Its certificate is by nobody who is trusted, or of somebody else.
    #[error(
        "the certificate of {endpoint} can't be trusted ({why}): is the authority that issued it in storage.s3_ca?"
    )]
    Certificate {
        /// Who was asked.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// The object ends before the range that was asked for.
    #[error("the object is shorter")]
    Shorter,
    /// There is no such bucket.
    #[error("there is no bucket {0:?}: create it, or correct storage.blobs")]
    NoBucket(String),
    /// The key is not known, or its secret is another one.
    #[error("the key is refused ({0}): correct the file named by storage.s3_key_file")]
    Key(String),
    /// The key may not do this.
    #[error("the key may not {0} in this bucket: it needs the rights to list, read, write and delete")]
    Denied(&'static str),
    /// The clocks differ too much for a signature.
    #[error("the clocks of this machine and of the store differ by {0}: set them (NTP)")]
    Clock(String),
    /// The bucket is in another region.
    #[error("the bucket is in the region {0:?}: set storage.s3_region")]
    Region(String),
    /// Something else.
    #[error("{endpoint} answered {status} {code}: {message}")]
    Refused {
        /// Who was asked.
        endpoint: String,
        /// Of HTTP.
        status: u16,
        /// Its own word for it.
        code: String,
        /// Its own sentence.
        message: String,
    },
    /// An answer that is not S3's.
    #[error("{endpoint} does not answer as S3 does ({what}): is storage.s3_endpoint right?")]
    Odd {
        /// Who was asked.
        endpoint: String,
        /// What is odd.
        what: String,
    },
}

impl S3Error {
    /// Whether it may be otherwise soon.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }
}
