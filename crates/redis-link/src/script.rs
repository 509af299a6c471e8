//! Lua scripts. Each handshake loads them, so that calls name them by their hash alone.

use std::{borrow::Cow, fmt};

use redis::{Cmd, ToRedisArgs, cmd};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// A script and its hash.
#[derive(Clone)]
pub struct Script {
    source: Cow<'static, str>,
    sha1: String,
}

impl Script {
    /// The script with this source.
    pub fn new(source: impl Into<Cow<'static, str>>) -> Self {
        let source = source.into();
        // Redis names scripts by SHA-1; that is no protection, only a name
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, source.as_bytes());
        let sha1 = digest.as_ref().iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|d| char::from_digit(d.into(), 16));
        Self { sha1: sha1.collect(), source }
    }

    /// Source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The name Redis gives it: SHA-1 of the source, hexadecimal.
    pub fn sha1(&self) -> &str {
        &self.sha1
    }

    /// `EVALSHA` with these keys; arguments are added to it.
    pub fn call(&self, keys: &[impl ToRedisArgs]) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(&self.sha1).arg(keys.len());
        for key in keys {
            call.arg(key);
        }
        call
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({})", self.sha1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_hash_of_the_source() {
        let script = Script::new("return 1");
        assert_eq!(script.sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }

    #[test]
    fn keys_come_before_arguments() {
        let mut call = Script::new("return 1").call(&["a", "b"]);
        call.arg(7);
        let packed = String::from_utf8(call.get_packed_command()).unwrap();
        let words: Vec<&str> = packed.split("\r\n").filter(|w| !w.starts_with(['*', '$'])).collect();
        assert_eq!(words, ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "2", "a", "b", "7", ""]);
    }
}
