//! What the servers of a company share beside its tables, sealed by them: the robot's signing key, and what it was taught. It is no
//! part of a backup or a move. Each value has a version; who replaces it says which one they knew.

use kefu_redis_link::cmd;

use super::{
    RedisStore,
    keys::COMPANY,
    scripts::SCRIPTS,
    value::{bytes, number, parts},
};
use crate::{StoreError, random};

/// How long replicas may take to have a new value, ms.
const REPLICAS_MS: u64 = 2_000;
/// How often they are waited for.
const WAITS: usize = 5;

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// No two values ever have the same.
    pub version: String,
    /// None: there was one, and it was removed.
    pub value: Option<Vec<u8>>,
}

impl RedisStore {
    /// The versions of these values; none: there never was one.
    ///
    /// # Errors
    /// Redis can't be reached; so have the other functions.
    pub async fn sealed_versions(&self, names: &[&str]) -> Result<Vec<Option<String>>, StoreError> {
        let mut question = cmd("HMGET");
        question.arg(self.shared.keys.sealed());
        for name in names {
            question.arg(format!("v:{name}"));
        }
        let answer = self.shared.ask(self.shared.slot(COMPANY), question).await?;
        Ok(parts(answer).iter().map(|version| bytes(version).map(text)).collect())
    }

    /// A value; none: there never was one.
    pub async fn sealed(&self, name: &str) -> Result<Option<Sealed>, StoreError> {
        let mut question = cmd("HMGET");
        question.arg(self.shared.keys.sealed()).arg(format!("v:{name}")).arg(name);
        let answer = parts(self.shared.ask(self.shared.slot(COMPANY), question).await?);
        let Some(version) = answer.first().and_then(bytes).map(text) else { return Ok(None) };
        Ok(Some(Sealed { version, value: answer.get(1).and_then(bytes).map(<[u8]>::to_vec) }))
    }

    /// Replaces or removes a value whose version is `known` (none: there never was one). Its new version; none: it has another
    /// version now than the one that is known, and stays.
    pub async fn replace_sealed(
        &self,
        name: &str,
        known: Option<&str>,
        value: Option<&[u8]>,
    ) -> Result<Option<String>, StoreError> {
        let slot = self.shared.slot(COMPANY);
        let version = format!("{:016x}", u64::from_be_bytes(random()));
        let mut replace = SCRIPTS.share().call(&[self.shared.keys.sealed()]);
        replace.arg(name).arg(known.unwrap_or_default()).arg(&version).arg(u8::from(value.is_some()));
        replace.arg(value.unwrap_or_default());
        let now = self.shared.ask(slot, replace).await?;
        // asked again after a lost answer, it finds its own version
        if bytes(&now) != Some(version.as_bytes()) {
            return Ok(None);
        }
        let replicas = self.shared.options.ack_replicas;
        for _ in 0..WAITS {
            if replicas == 0 {
                return Ok(Some(version));
            }
            // counts up to the last write of this connection, so one is made
            let mut again = cmd("HSET");
            again.arg(self.shared.keys.sealed()).arg("waited").arg(&version);
            let mut wait = cmd("WAIT");
            wait.arg(replicas).arg(REPLICAS_MS);
            let answers = self.shared.ask_all(vec![(slot, again), (slot, wait)]).await?;
            if answers.get(1).map_or(0, number) >= u64::from(replicas) {
                return Ok(Some(version));
            }
        }
        Err(StoreError::Server(format!(
            "Redis took a change, but fewer replicas have it than storage.ack_replicas ({replicas}) demands: try again"
        )))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
