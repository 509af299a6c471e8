//! How many bytes of files each site has, those included that are being uploaded: counted for the company, also where several servers
//! share a database. Only where a limit is set.
//!
//! Servers that share one change one small value in it. What is lost of that, what was erased, and what a server counted twice is put
//! right by the next look at all files, which the server that has the desk takes at its start and once a day.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::store::{Store, StoreError};

/// Bytes by site.
pub type Sites = BTreeMap<String, u64>;

/// The name of the shared value, and how long it is kept after the last change.
const NAME: &[u8] = b"files";
const KEEP_MS: u64 = 7 * 86_400_000;
/// So often it is read again because another server was faster.
const AGAIN: usize = 16;

/// What is counted, where one server is alone.
#[derive(Default)]
pub struct Usage(Mutex<Sites>);

impl Usage {
    /// What is counted.
    ///
    /// # Errors
    /// The store's.
    pub async fn now(&self, store: &dyn Store) -> Result<Sites, StoreError> {
        match store.ephemeral() {
            None => Ok(self.0.lock().clone()),
            Some(shared) => Ok(shared.recall(NAME).await?.map_or_else(Sites::new, |value| read(&value))),
        }
    }

    /// Changes it, unless `change` refuses. With many servers that change it at the same time, a change may be left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn change<E>(
        &self,
        store: &dyn Store,
        mut change: impl FnMut(&mut Sites) -> Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        let Some(shared) = store.ephemeral() else { return Ok(change(&mut self.0.lock())) };
        for _ in 0..AGAIN {
            let before = shared.recall(NAME).await?;
            let mut sites = before.as_deref().map_or_else(Sites::new, read);
            if let Err(refused) = change(&mut sites) {
                return Ok(Err(refused));
            }
            let after = serde_json::to_vec(&sites).unwrap_or_default();
            if after.is_empty() || shared.replace(NAME, before.as_deref(), &after, KEEP_MS).await? {
                break;
            }
        }
        Ok(Ok(()))
    }

    /// So many bytes less.
    ///
    /// # Errors
    /// The store's.
    pub async fn release(&self, store: &dyn Store, site: &str, size: u64) -> Result<(), StoreError> {
        let less = |sites: &mut Sites| {
            // what is counted may be too little
            sites.entry(site.to_owned()).and_modify(|bytes| *bytes = bytes.saturating_sub(size));
            Ok::<_, std::convert::Infallible>(())
        };
        self.change(store, less).await.map(|_| ())
    }

    /// All files were looked at. What came since `then` is added: some of it may be counted twice.
    ///
    /// # Errors
    /// The store's.
    pub async fn counted(&self, store: &dyn Store, all: &Sites, then: &Sites) -> Result<(), StoreError> {
        let set = |sites: &mut Sites| {
            let mut new = all.clone();
            for (site, bytes) in &*sites {
                let came = bytes.saturating_sub(then.get(site).copied().unwrap_or(0));
                *new.entry(site.clone()).or_default() += came;
            }
            *sites = new;
            Ok::<_, std::convert::Infallible>(())
        };
        self.change(store, set).await.map(|_| ())
    }
}

/// Another version of kefu may have written it: then it is counted anew.
fn read(value: &[u8]) -> Sites {
    serde_json::from_slice(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_count_keeps_what_came_meanwhile() {
        let (usage, (store, _feed)) = (Usage::default(), MemoryStore::open());
        let store = &*store;
        let add = |site: &'static str, size: u64| {
            move |sites: &mut Sites| {
                *sites.entry(site.to_owned()).or_default() += size;
                if sites.values().sum::<u64>() > 100 { Err("full") } else { Ok(()) }
            }
        };
        assert_eq!(usage.change(store, add("a", 60)).await.unwrap(), Ok(()));
        let then = usage.now(store).await.unwrap();
        assert_eq!(usage.change(store, add("b", 30)).await.unwrap(), Ok(()));
        usage.release(store, "a", 10).await.unwrap();
        usage.release(store, "c", 10).await.unwrap();
        let all = Sites::from([("a".to_owned(), 40), ("d".to_owned(), 5)]);
        usage.counted(store, &all, &then).await.unwrap();
        let now = usage.now(store).await.unwrap();
        assert_eq!(now, Sites::from([("a".to_owned(), 40), ("b".to_owned(), 30), ("d".to_owned(), 5)]));
        assert_eq!(usage.change(store, add("a", 60)).await.unwrap(), Err("full"));
    }
}
