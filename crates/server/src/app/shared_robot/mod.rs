//! What several servers share of the robot, in Redis: its signing key (`keys.rs`) and what it was taught (`knowledge.rs`), both sealed
//! with keys from `cluster.key`, each with a version. Every server looks at the versions all the time, so a command need not reach
//! the servers, only Redis. Nothing here is in a backup.

mod keys;
mod knowledge;
mod moving;

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{MissedTickBehavior, interval};

pub use knowledge::{KnowledgeError, SharedKnowledge};
pub(super) use moving::{carry, to_files, to_servers};

use self::keys::SharedSigningKey;
use super::storage::Backend;
use crate::{
    chat::RequestError,
    crypto::codec::Key32,
    http::admin,
    org::{Org, Secrets},
    proto::{BotId, ErrorCode},
    robot::keys::RobotKeys,
    store::{StoreError, redis::RedisStore},
};

/// Names of the two in Redis. Never change.
const SIGNING_KEY: &str = "robot-key";
const KNOWLEDGE: &str = "robot-knowledge";
/// How often it is looked whether there is something new. An engine needs two seconds more until it uses what was taught.
const LOOK: Duration = Duration::from_secs(2);

/// The robot as the servers share it.
pub(super) struct SharedRobot {
    store: Arc<RedisStore>,
    org: Arc<Org>,
    key: SharedSigningKey,
    knowledge: SharedKnowledge,
}

impl SharedRobot {
    /// Of a company in a shared database; none of one in a file. What is shared now is taken.
    pub async fn of(
        backend: &Backend,
        secrets: &Secrets,
        dir: &Path,
        org: &Arc<Org>,
        robot_keys: &Arc<RobotKeys>,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        match backend {
            Backend::Shared(store, _) => Ok(Some(Self::begin(store, secrets, dir, org, robot_keys).await?)),
            Backend::File(_) => Ok(None),
        }
    }

    async fn begin(
        store: &Arc<RedisStore>,
        secrets: &Secrets,
        dir: &Path,
        org: &Arc<Org>,
        robot_keys: &Arc<RobotKeys>,
    ) -> Result<Arc<Self>, StoreError> {
        let key = SharedSigningKey::new(store.clone(), &secrets.cluster_key, org.clone(), robot_keys.clone());
        let knowledge = SharedKnowledge::new(store.clone(), &secrets.cluster_key, dir);
        let this = Arc::new(Self { store: store.clone(), org: org.clone(), key, knowledge });
        let versions = this.store.sealed_versions(&[SIGNING_KEY]).await?;
        this.key.look(versions.first().cloned().flatten()).await?;
        Ok(this)
    }

    /// Takes what is new, for as long as the server runs.
    pub async fn watch(self: Arc<Self>) {
        let mut directory = self.org.watch();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = None;
        loop {
            tokio::select! {
                _ = look.tick() => {}
                // the robot may have been put on a site, or taken off the last one
                Ok(()) = directory.changed() => {}
            }
            let now = self.look_at_all().await.err();
            if now != trouble {
                match &now {
                    Some(text) => tracing::warn!("what servers share of the robot: {text}"),
                    None => tracing::info!("what servers share of the robot can be read again"),
                }
                trouble = now;
            }
        }
    }

    async fn look_at_all(&self) -> Result<(), String> {
        let versions = self.store.sealed_versions(&[SIGNING_KEY, KNOWLEDGE]).await.map_err(|e| e.to_string())?;
        let version = |n: usize| versions.get(n).cloned().flatten();
        let key = self.key.look(version(0)).await.map_err(|e| e.to_string());
        let knowledge = self.knowledge.follow(version(1)).await.map_err(|e| e.to_string());
        key.and(knowledge)
    }
}

impl admin::SharedRobot for SharedRobot {
    fn prepare(&self) -> BoxFuture<'_, Result<(BotId, Key32), RequestError>> {
        async move { self.key.prepare().await }.boxed()
    }

    fn rotate(&self) -> BoxFuture<'_, Result<BotId, RequestError>> {
        async move { self.key.rotate().await }.boxed()
    }

    fn look(&self) -> BoxFuture<'_, ()> {
        async move {
            let looked = async {
                let versions = self.store.sealed_versions(&[SIGNING_KEY]).await?;
                self.key.look(versions.first().cloned().flatten()).await
            };
            if let Err(e) = looked.await {
                tracing::warn!(error = %e, "the robot's key could not be looked at");
            }
        }
        .boxed()
    }
}

/// What a command hears that could not be done.
fn refused(e: &StoreError) -> RequestError {
    RequestError::new(ErrorCode::Storage, format!("the robot's key in Redis: {e}"))
}
