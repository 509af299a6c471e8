//! The configuration as commands meet it.

/// What `init` writes.
pub fn default_text() -> &'static str {
    "# kefu\n"
}
