//! What the robot was taught, its intents and its knowledge, as all servers have it. The files of each server are a copy: commands that
//! teach change them under a lock and publish them, running servers fetch what others published. Vectors are not shared, as each
//! server can make them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{super::open::secrets, KNOWLEDGE};
use crate::{
    app::{
        ServeError,
        storage::{Backend, IfEmpty, open_storage},
    },
    config::Config,
    crypto::cluster_key::{ClusterKey, Sealer},
    files,
    robot::engine::RobotFiles,
    store::{
        Store as _, StoreError,
        redis::{RedisStore, Sealed},
    },
};

/// Largest content: Redis serves nobody else while it reads or writes it.
const MOST: u64 = 16 << 20;
/// The version of the files, in their directory.
const VERSION: &str = "shared";
const KIND: &str = "robot knowledge";

/// Why servers could not share what the robot was taught.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// Another command was faster.
    #[error("the robot was taught something else at the same time, on another machine: nothing was changed")]
    Conflict,
    /// Too large to be shared.
    #[error("knowledge and intents are together {} KiB: more than {} MiB can't be shared by servers", .0 / 1024, MOST >> 20)]
    TooLarge(u64),
    /// Sealed by others.
    #[error(
        "what the robot was taught can't be opened with the cluster.key of this server: copy that again from another server"
    )]
    Sealed,
    /// An I/O error.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Redis did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread ended.
    #[error("a thread that read or wrote files ended")]
    Thread,
}

/// The first line of the content; the files follow in this order.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    kefu: String,
    v: u32,
    files: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    name: String,
    len: usize,
}

/// See the module.
pub struct SharedKnowledge {
    store: Arc<RedisStore>,
    sealer: Sealer,
    files: RobotFiles,
}

impl SharedKnowledge {
    pub(in crate::app) fn new(store: Arc<RedisStore>, cluster_key: &ClusterKey, dir: &Path) -> Self {
        Self { store, sealer: cluster_key.sealer(KIND), files: RobotFiles::of(dir) }
    }

    /// For a command. None: the company is stored in a file of this server.
    ///
    /// # Errors
    /// The database can't be opened.
    pub async fn open(dir: &Path, config: &Config) -> Result<Option<Self>, ServeError> {
        if !config.storage.is_shared() {
            return Ok(None);
        }
        let secrets = secrets(dir, config)?;
        match open_storage(dir, config, None, IfEmpty::Refuse).await? {
            (Backend::Shared(store, _), _) => Ok(Some(Self::new(store, &secrets.cluster_key, dir))),
            (Backend::File(_), _) => Ok(None),
        }
    }

    /// Ends what [`SharedKnowledge::open`] began.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Fetches what others published, or publishes what this server knows if nobody did. The caller holds the lock of the files.
    ///
    /// # Errors
    /// See [`KnowledgeError`].
    pub async fn fetch(&self) -> Result<(), KnowledgeError> {
        let versions = self.store.sealed_versions(&[KNOWLEDGE]).await?;
        match versions.into_iter().next().flatten() {
            None if self.taught() => self.put(None).await,
            None => Ok(()),
            Some(version) if self.version().as_ref() == Some(&version) => Ok(()),
            Some(_) => self.read().await,
        }
    }

    /// Publishes the files after they were changed; if that can't be done, they are as before. The caller holds the lock of the files
    /// since [`SharedKnowledge::fetch`].
    ///
    /// # Errors
    /// See [`KnowledgeError`].
    pub async fn publish(&self) -> Result<(), KnowledgeError> {
        let known = self.version();
        let put = self.put(known.as_deref()).await;
        if put.is_err() {
            // what was changed here and nowhere else must not stay; without Redis the next fetch does this
            write(&self.stamp(), b"")?;
            let versions = self.store.sealed_versions(&[KNOWLEDGE]).await?;
            match versions.into_iter().next().flatten() {
                Some(_) => self.read().await?,
                None => self.paths().iter().try_for_each(|path| remove(path))?,
            }
        }
        put
    }

    /// The same for a running server, which waits for no command. `version`: that of what is published.
    pub(super) async fn follow(&self, version: Option<String>) -> Result<(), KnowledgeError> {
        if self.version() == version && (version.is_some() || !self.taught()) {
            return Ok(());
        }
        let lock = self.lock_file()?;
        match lock.try_lock() {
            Ok(()) => self.fetch().await,
            // a command that teaches holds it: soon
            Err(fs::TryLockError::WouldBlock) => Ok(()),
            Err(fs::TryLockError::Error(e)) => Err(io_error(&self.files.lock(), e)),
        }
    }

    /// The same, waiting for a command that teaches.
    pub(super) async fn fetch_now(&self) -> Result<(), KnowledgeError> {
        let lock = self.lock_file()?;
        lock.lock().map_err(|e| io_error(&self.files.lock(), e))?;
        self.fetch().await
    }

    fn lock_file(&self) -> Result<File, KnowledgeError> {
        let path = self.files.lock();
        let opened = files::make_directory(&self.files.dir).and_then(|_| files::open_or_create(&path, 0o600));
        opened.map_err(|e| io_error(&path, e))
    }

    fn paths(&self) -> [PathBuf; 2] {
        [self.files.intents(), self.files.knowledge()]
    }

    fn taught(&self) -> bool {
        self.paths().iter().any(|path| path.exists())
    }

    fn stamp(&self) -> PathBuf {
        self.files.dir.join(VERSION)
    }

    fn version(&self) -> Option<String> {
        fs::read_to_string(self.stamp()).ok().map(|text| text.trim().to_owned())
    }

    async fn put(&self, known: Option<&str>) -> Result<(), KnowledgeError> {
        let content = pack(&self.paths())?;
        let sealed = self.sealer.seal(&content);
        let version = self.store.replace_sealed(KNOWLEDGE, known, Some(&sealed)).await?;
        write(&self.stamp(), version.ok_or(KnowledgeError::Conflict)?.as_bytes())
    }

    async fn read(&self) -> Result<(), KnowledgeError> {
        let Some(Sealed { version, value: Some(sealed) }) = self.store.sealed(KNOWLEDGE).await? else { return Ok(()) };
        let content = self.sealer.open(&sealed).ok_or(KnowledgeError::Sealed)?;
        let found = unpack(&content).ok_or(KnowledgeError::Sealed)?;
        // what this server knew before it shared anything is not thrown away
        let keep = self.version().is_none();
        for path in self.paths() {
            let content = found.iter().find(|(name, _)| path.ends_with(name));
            let old = fs::read(&path).ok();
            if old.as_deref() == content.map(|(_, content)| *content) {
                continue;
            }
            if let (true, Some(old)) = (keep, &old) {
                write(&before(&path), old)?;
                tracing::warn!(kept = %before(&path).display(), "what the robot was taught on this server is replaced by what servers share");
            }
            match content {
                Some((_, content)) => write(&path, content)?,
                None => remove(&path)?,
            }
        }
        write(&self.stamp(), version.as_bytes())?;
        tracing::info!("the robot was taught something on another server");
        Ok(())
    }
}

fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    name.into()
}

fn io_error(path: &Path, source: io::Error) -> KnowledgeError {
    KnowledgeError::Io { path: path.to_owned(), source }
}

fn write(path: &Path, content: &[u8]) -> Result<(), KnowledgeError> {
    files::replace(path, 0o600, content).map_err(|e| io_error(path, e))
}

fn remove(path: &Path) -> Result<(), KnowledgeError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(path, e)),
        _ => Ok(()),
    }
}

/// Those of the files that exist, with a line about them.
fn pack(paths: &[PathBuf]) -> Result<Vec<u8>, KnowledgeError> {
    let (mut parts, mut content, mut total) = (Vec::new(), Vec::new(), 0);
    for path in paths {
        let mut file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            file => file.map_err(|e| io_error(path, e))?,
        };
        total += file.metadata().map_err(|e| io_error(path, e))?.len();
        if total > MOST {
            return Err(KnowledgeError::TooLarge(total));
        }
        let len = io::copy(&mut file, &mut content).map_err(|e| io_error(path, e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push(Part { name, len: usize::try_from(len).unwrap_or(usize::MAX) });
    }
    // texts and numbers print without fail
    let mut packed = serde_json::to_vec(&Head { kefu: KIND.into(), v: 1, files: parts }).unwrap_or_default();
    packed.push(b'\n');
    packed.extend(content);
    Ok(packed)
}

/// Names and content of the files; none if it is something else.
fn unpack(packed: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let end = packed.iter().position(|byte| *byte == b'\n')?;
    let head: Head =
        serde_json::from_slice(&packed[..end]).ok().filter(|head: &Head| head.kefu == KIND && head.v == 1)?;
    let mut rest = &packed[end + 1..];
    let mut found = Vec::new();
    for Part { name, len } in head.files {
        let (content, after) = rest.split_at_checked(len)?;
        found.push((name, content));
        rest = after;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests;
