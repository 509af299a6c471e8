//! Files of a model directory, read with a limit, and remembered: what was read is what the model is.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::model::ModelError;

/// The largest file that is read whole: tokenizers of many languages have some 20 MB.
const MAX_FILE: u64 = 256 << 20;

/// A model directory that is being read.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    names: Vec<String>,
    hash: Sha256,
}

impl Directory {
    /// Nothing is read yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.into(), read: Mutex::default() }
    }

    /// A file of it; none if it isn't there.
    ///
    /// # Errors
    /// It can't be read, or is far larger than any such file.
    pub fn optional(&self, name: &str) -> Result<Option<Vec<u8>>, ModelError> {
        match self.bytes(name) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(ModelError::File { path: self.root.join(name), source }),
        }
    }

    /// A file of it that must be there.
    ///
    /// # Errors
    /// As [`Self::optional`], or it isn't there.
    pub fn required(&self, name: &str) -> Result<Vec<u8>, ModelError> {
        self.bytes(name).map_err(|source| ModelError::File { path: self.root.join(name), source })
    }

    /// What a JSON file says; none if it isn't there.
    ///
    /// # Errors
    /// As [`Self::optional`], or it isn't the JSON it should be.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ModelError> {
        let parse = |bytes: Vec<u8>| {
            serde_json::from_slice(&bytes).map_err(|source| ModelError::Json { file: name.into(), source })
        };
        self.optional(name)?.map(parse).transpose()
    }

    /// What a JSON file says that must be there.
    ///
    /// # Errors
    /// As [`Self::required`], or it isn't the JSON it should be.
    pub fn required_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, ModelError> {
        let bytes = self.required(name)?;
        serde_json::from_slice(&bytes).map_err(|source| ModelError::Json { file: name.into(), source })
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        self.root.join(name).is_file()
    }

    /// Opens a file to be read in parts. Its contents are the caller's to [`Self::note`].
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(&self, name: &str) -> Result<File, ModelError> {
        let path = self.root.join(name);
        let file = File::open(&path).map_err(|source| ModelError::File { path, source })?;
        self.read.lock().names.push(name.into());
        Ok(file)
    }

    /// Takes bytes into the hash of what was read.
    pub fn note(&self, bytes: &[u8]) {
        self.read.lock().hash.update(bytes);
    }

    /// The names of all files that were read, in order, each once, and a hash of what was in them.
    pub fn finish(self) -> (Vec<String>, [u8; 32]) {
        let Read { mut names, hash } = self.read.into_inner();
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        (names, hash.finalize().into())
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = File::open(self.root.join(name))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is larger than {} MiB", MAX_FILE >> 20),
            ));
        }
        let mut read = self.read.lock();
        read.names.push(name.into());
        for part in [&(name.len() as u64).to_le_bytes(), name.as_bytes(), &(bytes.len() as u64).to_le_bytes(), &bytes] {
            read.hash.update(part);
        }
        Ok(bytes)
    }
}
