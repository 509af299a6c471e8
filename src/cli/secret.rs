//! Where passphrases come from: a file, a systemd credential or a prompt. Never an argument, which every user on the
//! machine could read.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::error::{CliError, Kind};

/// Minimum length of a new passphrase, characters.
pub const LEAST: usize = 10;

/// A passphrase, erased when dropped.
pub type Passphrase = Zeroizing<String>;

/// The passphrase of existing keys. `file` as given on the command line.
pub fn existing(file: Option<&Path>) -> Result<Passphrase, CliError> {
    if let Some(found) = from_files(file)? {
        return Ok(found);
    }
    if !std::io::stdin().is_terminal() {
        return Err(CliError::new(Kind::Passphrase, "the company keys are sealed and there is no terminal to ask at")
            .hint("give --passphrase-file FILE, or the systemd credential `passphrase`"));
    }
    prompt("Passphrase of the company keys: ")
}

/// The passphrase for new keys, asked for twice at a prompt.
pub fn new(file: Option<&Path>) -> Result<Passphrase, CliError> {
    let chosen = match from_files(file)? {
        Some(found) => found,
        None if !std::io::stdin().is_terminal() => {
            return Err(CliError::new(
                Kind::Passphrase,
                "the company keys need a passphrase and there is no terminal to ask at",
            )
            .hint("give --passphrase-file FILE, or --no-passphrase for a trial"));
        }
        None => {
            let first = prompt("New passphrase for the company keys: ")?;
            let again = prompt("Once more: ")?;
            if *first != *again {
                return Err(CliError::new(Kind::Passphrase, "the two passphrases differ").hint("try again"));
            }
            first
        }
    };
    if chosen.chars().count() < LEAST {
        return Err(CliError::new(Kind::Passphrase, format!("the passphrase is shorter than {LEAST} characters"))
            .hint("use several words; anyone who has the file can guess without limit"));
    }
    Ok(chosen)
}

fn prompt(question: &str) -> Result<Passphrase, CliError> {
    rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .map_err(|e| CliError::new(Kind::Passphrase, format!("cannot read a passphrase from the terminal: {e}")))
}

fn from_files(file: Option<&Path>) -> Result<Option<Passphrase>, CliError> {
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    match std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| PathBuf::from(dir).join("passphrase")) {
        Some(credential) if credential.exists() => first_line(&credential).map(Some),
        _ => Ok(None),
    }
}

fn first_line(file: &Path) -> Result<Passphrase, CliError> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|e| {
        CliError::new(Kind::Passphrase, format!("cannot read the passphrase from {}: {e}", file.display()))
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(CliError::new(Kind::Passphrase, format!("the first line of {} is empty", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let f = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(f.path(), text).unwrap();
        f
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let f = file("correct horse battery\nnot this\n");
        assert_eq!(**existing(Some(f.path())).unwrap(), *"correct horse battery");
        assert_eq!(existing(Some(file("\n").path())).unwrap_err().kind, Kind::Passphrase);
        assert_eq!(existing(Some(Path::new("/nonexistent/p"))).unwrap_err().kind, Kind::Passphrase);
    }

    #[test]
    fn new_passphrases_have_a_floor_that_counts_characters() {
        assert!(new(Some(file("九个字的密码太短了\n").path())).is_err());
        assert!(new(Some(file("十个字的密码刚刚够长了\n").path())).is_ok());
    }
}
