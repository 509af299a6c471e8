//! A password that never shows in logs.

use std::fmt;

/// A password. `Debug` hides it; only the handshake reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password that `text` is. One line break at the end is not part of it: files that people write have one.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Self(text)
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_is_cut_and_nothing_is_shown() {
        assert_eq!(Password::new("a b\r\n").reveal(), "a b");
        assert_eq!(Password::new("a\n\n").reveal(), "a\n");
        assert!(Password::new("\n").is_empty());
        assert_eq!(format!("{:?}", Password::new("secret")), "***");
    }
}
