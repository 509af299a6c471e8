//! The robot's signing key, which all servers of a company use. It certifies day keys and decrypts nothing; the day keys that each
//! server makes with it stay there.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::{SIGNING_KEY, refused};
use crate::{
    chat::RequestError,
    crypto::{
        cluster_key::{ClusterKey, Sealer},
        codec::Key32,
    },
    org::Org,
    proto::{BotId, ErrorCode},
    robot::keys::{KeyError, RobotKeys, SharedKey},
    store::{
        StoreError,
        redis::{RedisStore, Sealed},
    },
};

/// How often another server may be faster.
const TRIES: usize = 8;

/// See the module.
pub(super) struct SharedSigningKey {
    store: Arc<RedisStore>,
    sealer: Sealer,
    org: Arc<Org>,
    keys: Arc<RobotKeys>,
    /// What was read last, with its version.
    known: Mutex<Known>,
    /// One look at a time.
    looking: AsyncMutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    /// None: nothing was read yet, or there is none.
    version: Option<String>,
    key: Option<SharedKey>,
}

impl SharedSigningKey {
    pub fn new(store: Arc<RedisStore>, cluster_key: &ClusterKey, org: Arc<Org>, keys: Arc<RobotKeys>) -> Self {
        let sealer = cluster_key.sealer("robot key");
        Self { store, sealer, org, keys, known: Mutex::default(), looking: AsyncMutex::new(()) }
    }

    /// Takes the key with this version, unless that was done; none: there never was one. One that no site needs is removed, one
    /// from a time when the server was alone is shared.
    pub async fn look(&self, version: Option<String>) -> Result<(), StoreError> {
        let _one = self.looking.lock().await;
        if version.is_none() {
            self.adopt().await?;
        } else if self.known.lock().version != version {
            self.read().await?;
        }
        let Known { version, key } = self.known.lock().clone();
        let directory = self.org.directory();
        if let (Some(version), Some(key)) = (version, &key)
            && self.keys.is_retired(key, &directory)
        {
            let removed = self.store.replace_sealed(SIGNING_KEY, Some(&version), None).await?;
            if let Some(version) = removed {
                *self.known.lock() = Known { version: Some(version), key: None };
            }
        }
        let key = self.known.lock().key.clone();
        self.take(key).await;
        Ok(())
    }

    /// The key of a robot that is put on sites.
    pub async fn prepare(&self) -> Result<(BotId, Key32), RequestError> {
        let key = self
            .change(|now, keys, org| {
                let fitting = keys.fitting(now.clone(), &org.directory())?;
                let same = now.is_some_and(|now| now.who.id == fitting.who.id);
                Ok((fitting, !same))
            })
            .await?;
        Ok((key.who.id.clone(), Key32(key.who.key.public())))
    }

    /// Another key of the day for all servers.
    pub async fn rotate(&self) -> Result<BotId, RequestError> {
        let key = self
            .change(|now, keys, org| {
                let key = now.filter(|key| keys.is_in_use(key, &org.directory()));
                let key = key.ok_or(KeyError::None)?;
                Ok((SharedKey { rotation: key.rotation + 1, ..key }, true))
            })
            .await?;
        Ok(key.who.id)
    }

    /// Writes it to the file of a server that will be alone.
    pub fn write_here(&self) -> Result<(), KeyError> {
        let key = self.known.lock().key.clone();
        key.map_or(Ok(()), |key| self.keys.write_for_one_server(&key.who))
    }

    /// Replaces the key by what is made of it, and takes that. `make` says whether there is something to write.
    async fn change(
        &self,
        make: impl Fn(Option<SharedKey>, &RobotKeys, &Org) -> Result<(SharedKey, bool), KeyError>,
    ) -> Result<SharedKey, RequestError> {
        let _one = self.looking.lock().await;
        for _ in 0..TRIES {
            self.read().await.map_err(|e| refused(&e))?;
            if self.known.lock().version.is_none() {
                self.adopt().await.map_err(|e| refused(&e))?;
            }
            let Known { version, key } = self.known.lock().clone();
            let (key, is_new) = make(key, &self.keys, &self.org).map_err(|e| {
                let none = e == KeyError::None;
                RequestError::new(if none { ErrorCode::NotFound } else { ErrorCode::Storage }, e.to_string())
            })?;
            if is_new && !self.write(version.as_deref(), &key).await.map_err(|e| refused(&e))? {
                continue;
            }
            self.take(Some(key.clone())).await;
            return Ok(key);
        }
        Err(RequestError::new(ErrorCode::Conflict, "other servers change the robot's key all the time; try again"))
    }

    async fn read(&self) -> Result<(), StoreError> {
        let found = self.store.sealed(SIGNING_KEY).await?;
        let known = match found {
            None => Known::default(),
            Some(Sealed { version, value }) => {
                let key = value.and_then(|sealed| {
                    self.open(&sealed)
                        .inspect_err(|e| tracing::error!("the robot is off on this server: its key in Redis: {e}"))
                        .ok()
                });
                Known { version: Some(version), key }
            }
        };
        *self.known.lock() = known;
        Ok(())
    }

    fn open(&self, sealed: &[u8]) -> Result<SharedKey, StoreError> {
        let other = || {
            StoreError::Server(
                "it can't be opened with the cluster.key of this server: copy that again from another server"
                    .to_owned(),
            )
        };
        let text = self.sealer.open(sealed).ok_or_else(other)?;
        let text = std::str::from_utf8(&text).map_err(|_| other())?;
        self.keys.read_shared(text).map_err(|e| StoreError::Server(e.to_string()))
    }

    /// Whether it was written; if not, another server was faster.
    async fn write(&self, known: Option<&str>, key: &SharedKey) -> Result<bool, StoreError> {
        let sealed = self.sealer.seal(self.keys.shared_text(key).as_bytes());
        let written = self.store.replace_sealed(SIGNING_KEY, known, Some(&sealed)).await?;
        let is_written = written.is_some();
        if is_written {
            *self.known.lock() = Known { version: written, key: Some(key.clone()) };
        }
        Ok(is_written)
    }

    /// There never was a shared key: that of this server becomes it, if it has one that is in use.
    async fn adopt(&self) -> Result<(), StoreError> {
        let own = self.keys.of_one_server().unwrap_or_else(|e| {
            tracing::warn!("{e}");
            None
        });
        let Some(who) = own else { return Ok(()) };
        let key = SharedKey { who, rotation: 0 };
        if self.keys.is_in_use(&key, &self.org.directory()) && !self.write(None, &key).await? {
            self.read().await?;
        }
        Ok(())
    }

    async fn take(&self, key: Option<SharedKey>) {
        let (keys, directory) = (self.keys.clone(), self.org.directory());
        // it touches the disk
        if let Err(e) = tokio::task::spawn_blocking(move || keys.take_shared(key, &directory)).await {
            tracing::error!(error = %e, "the robot's key could not be taken");
        }
    }
}
