//! Numbers that tell a client what to do: why a socket closed, why a request failed.

use serde::{Deserialize, Serialize, Serializer};

/// Why the server closes a socket. 4000–4499: come back; 4500–4999: do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The server stops or restarts.
    GoingAway = 4000,
    /// The outbox was full: the reader is too slow.
    Slow = 4001,
    /// No sign of life for two heartbeats.
    Silent = 4002,
    /// Too many sockets from one address.
    Busy = 4003,
    /// Malformed, unexpected or oversized frames.
    Protocol = 4500,
    /// The challenge was not answered by a known key.
    Unauthorised = 4501,
    /// The account was switched off.
    Disabled = 4502,
    /// A protocol version this server does not speak.
    Unsupported = 4503,
}

impl CloseCode {
    /// Whether a client that sees this code should reconnect.
    pub fn comes_back(self) -> bool {
        (self as u16) < 4500
    }

    /// The reason as a short word, sent with the code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going_away",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::Busy => "busy",
            Self::Protocol => "protocol",
            Self::Unauthorised => "unauthorised",
            Self::Disabled => "disabled",
            Self::Unsupported => "unsupported",
        }
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal, $status:literal;)*) => {
        /// Why a request or an envelope was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum ErrorCode { $($(#[$doc])* $name = $number,)* }

        impl ErrorCode {
            /// All codes, for tests and documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name of the number.
            pub fn name(self) -> &'static str { match self { $(Self::$name => $word,)* } }

            /// The HTTP status with the same meaning.
            pub fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }

            /// The code of a number from the wire.
            pub fn from_number(n: u16) -> Option<Self> { match n { $($number => Some(Self::$name),)* _ => None } }
        }
    };
}

error_codes! {
    /// Bytes or JSON that do not parse.
    Malformed = 1, "malformed", 400;
    /// Over a limit of protocol §4.
    TooLarge = 2, "too_large", 413;
    /// Slow down for `retry_ms`.
    RateLimited = 3, "rate_limited", 429;
    /// Not signed in, or the token is gone.
    Unauthorised = 4, "unauthorised", 401;
    /// Signed in, but not for this.
    Forbidden = 5, "forbidden", 403;
    /// No such thing (or not for you to know).
    NotFound = 6, "not_found", 404;
    /// Another change was committed first; read again and retry.
    Conflict = 7, "conflict", 409;
    /// The epoch has ended or its team key was replaced: announce the next one and seal again.
    EpochStale = 8, "epoch_stale", 409;
    /// The sender knows an older directory: fetch it.
    DirectoryStale = 9, "directory_stale", 409;
    /// The conversation is closed.
    Closed = 10, "closed", 409;
    /// Only the owner may do this.
    NotOwner = 11, "not_owner", 409;
    /// The time for this has passed.
    TooLate = 12, "too_late", 409;
    /// The store can't write or read for the moment; this copy was not stored.
    Storage = 13, "storage", 503;
    /// A message without a seal.
    PlaintextRefused = 14, "plaintext_refused", 400;
    /// A kind or version this server does not know.
    Unsupported = 15, "unsupported", 400;
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Messages in a time.
    Messages,
    /// New conversations in a time.
    Openings,
    /// Conversations closed and opened again in a time.
    Changes,
    /// Epochs in a time.
    Keys,
    /// What one may leave in the database in a day.
    Bytes,
    /// What one conversation holds.
    Conversation,
    /// Requests that read, in a time.
    Reads,
    /// Bytes of files in a day.
    Files,
    /// An agent blocked this visitor.
    Blocked,
}

impl Limit {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Openings => "openings",
            Self::Changes => "changes",
            Self::Keys => "keys",
            Self::Bytes => "bytes",
            Self::Conversation => "conversation",
            Self::Reads => "reads",
            Self::Files => "files",
            Self::Blocked => "blocked",
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u16(*self as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_are_one_to_one() {
        for (i, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(*code as usize, i + 1);
            assert_eq!(ErrorCode::from_number(*code as u16), Some(*code));
        }
        assert_eq!(ErrorCode::from_number(0), None);
    }
}
