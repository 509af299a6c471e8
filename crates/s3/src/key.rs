//! The key that requests are signed with.

use std::fmt;

use zeroize::Zeroizing;

/// A key id and its secret. `Debug` hides the secret.
#[derive(Clone)]
pub struct Key {
    /// Its public part.
    pub id: String,
    pub(crate) secret: Zeroizing<String>,
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must have two lines: the id of the key, then its secret")]
pub struct KeyError;

impl Key {
    /// Reads the two lines of a key file.
    ///
    /// # Errors
    /// There are fewer, more, or other characters than keys have.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let &[id, secret] = lines.as_slice() else { return Err(KeyError) };
        // they become part of a header
        let fits = |text: &str| text.len() <= 256 && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits(id) || !fits(secret) || id.contains(['/', ',', '=']) {
            return Err(KeyError);
        }
        Ok(Self { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ***)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_two_lines_and_never_shown() {
        let key = Key::parse("AKID\r\n  s3cr+t/=\n\n").unwrap();
        assert_eq!((key.id.as_str(), key.secret.as_str()), ("AKID", "s3cr+t/="));
        assert!(!format!("{key:?}").contains("s3cr"));
        for wrong in ["", "AKID", "a\nb\nc", "A KID\nsecret", "A/B\nsecret", "AKID\ns\u{e9}cret"] {
            assert_eq!(Key::parse(wrong).unwrap_err(), KeyError, "{wrong:?}");
        }
    }
}
