//! Errors of files in words for people.

use std::{io::ErrorKind, path::Path};

use super::{account, error::CliError};

/// "cannot read FILE: why".
pub fn cannot(act: &str, path: &Path, e: &std::io::Error) -> CliError {
    let fail = CliError::failure(format!("cannot {act} {}: {}", path.display(), io_reason(e)));
    match e.kind() {
        ErrorKind::PermissionDenied => fail.hint(account::hint()),
        ErrorKind::StorageFull => fail.hint("free some space and try again"),
        _ => fail,
    }
}

/// An error of the system without its number.
pub fn io_reason(e: &std::io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+".contains(&b));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_shell_when_they_must_be() {
        assert_eq!(quoted(Path::new("/var/lib/kefu")), "/var/lib/kefu");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
