//! Subscriptions as they are stored: a row for each browser of an agent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    chat::RequestError,
    crypto::hash,
    notices::push::Subscription,
    proto::{ErrorCode, Kid, UserId},
    store::{self, Batch, Op, Store, StoreError, Table},
};

/// What their keys in [`Table::Meta`] begin with; then the user, a zero byte, and the address by its hash.
const PREFIX: &[u8] = b"push:";
/// Browsers of one agent.
const BROWSERS: usize = 10;

#[derive(Serialize, Deserialize)]
struct Row {
    /// The agent's key when they subscribed.
    kid: Kid,
    subscription: Subscription,
}

/// A row: its key, the agent, their key, the subscription.
pub(super) type Subscribed = (Vec<u8>, UserId, Kid, Subscription);

#[derive(Clone)]
pub(super) struct Subscriptions(Arc<dyn Store>);

fn prefix_of(user: &UserId) -> Vec<u8> {
    [PREFIX, user.as_str().as_bytes(), &[0]].concat()
}

/// The key of a row.
pub(super) fn key_of(user: &UserId, endpoint: &str) -> Vec<u8> {
    [prefix_of(user), hash::h("push endpoint", &[endpoint.as_bytes()])[..16].to_vec()].concat()
}

impl Subscriptions {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// All of them. What can't be read is left alone.
    pub async fn all(&self) -> Result<Vec<Subscribed>, StoreError> {
        let rows = self.0.scan(Table::Meta, PREFIX, None, false, usize::MAX).await?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let named = key.strip_prefix(PREFIX)?;
            let user = std::str::from_utf8(named.split(|byte| *byte == 0).next()?).ok()?.parse().ok()?;
            let Row { kid, subscription } = serde_json::from_slice(&value).ok()?;
            Some((key, user, kid, subscription))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// How many an agent has.
    pub async fn count(&self, user: &UserId) -> Result<usize, StoreError> {
        Ok(self.0.scan(Table::Meta, &prefix_of(user), None, false, BROWSERS).await?.len())
    }

    /// One more of an agent.
    ///
    /// # Errors
    /// There are too many.
    pub async fn add(&self, user: &UserId, kid: Kid, subscription: &Subscription) -> Result<(), RequestError> {
        let key = key_of(user, &subscription.endpoint);
        let others = self.0.scan(Table::Meta, &prefix_of(user), None, false, BROWSERS + 1).await?;
        if others.iter().filter(|(other, _)| *other != key).count() >= BROWSERS {
            let text = format!("{BROWSERS} of your browsers are woken already: switch it off in one of them");
            return Err(RequestError::new(ErrorCode::Conflict, text));
        }
        // derived serialisation of plain data has no way to fail
        let value = serde_json::to_vec(&Row { kid, subscription: subscription.clone() }).unwrap_or_default();
        let ops = vec![Op::Put { table: Table::Meta, key, value }];
        store::write(&*self.0, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// One less; nothing if it is not there.
    pub async fn remove(&self, key: Vec<u8>) -> Result<(), StoreError> {
        let ops = vec![Op::Delete { table: Table::Meta, key }];
        store::write(&*self.0, Batch { ops, ..Batch::default() }).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn subscription(n: usize) -> Subscription {
        Subscription { endpoint: format!("https://push.example/{n}"), p256dh: "key".into(), auth: "secret".into() }
    }

    #[tokio::test]
    async fn each_agent_has_a_few_and_takes_them_away_alone() {
        let store: Arc<dyn Store> = MemoryStore::open().0;
        let (all, kid) = (Subscriptions::new(store), Kid([7; 16]));
        let [li, wu]: [UserId; 2] = ["li", "wu"].map(|user| user.parse().unwrap());
        for n in 0..BROWSERS {
            all.add(&li, kid, &subscription(n)).await.unwrap();
        }
        let refused = all.add(&li, kid, &subscription(BROWSERS)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);
        all.add(&li, kid, &subscription(0)).await.unwrap();
        all.add(&wu, kid, &subscription(0)).await.unwrap();
        assert_eq!((all.count(&li).await.unwrap(), all.count(&wu).await.unwrap()), (BROWSERS, 1));
        all.remove(key_of(&li, &subscription(0).endpoint)).await.unwrap();
        all.remove(key_of(&li, "https://push.example/none")).await.unwrap();
        assert_eq!((all.count(&li).await.unwrap(), all.count(&wu).await.unwrap()), (BROWSERS - 1, 1));
        let of_wu: Vec<_> = all.all().await.unwrap().into_iter().filter(|(_, user, ..)| *user == wu).collect();
        assert_eq!(of_wu, [(key_of(&wu, &subscription(0).endpoint), wu, kid, subscription(0))]);
    }
}
