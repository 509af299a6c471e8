//! Which versions of the widget the pages of each site loaded lately, so that snippets to replace can be named. A page
//! reports it when it requests its site; nothing else is recorded, and no visitor is counted.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::rows;
use crate::{
    proto::{SiteId, StorageState},
    store::{self, Batch, Op, Store, StoreError, Table},
};

/// A version that no page loaded for so long is history.
const REMEMBERED_MS: u64 = 30 * 86_400_000;
/// What was seen again is written again only after this time.
const COARSE_MS: u64 = 3_600_000;

/// A version that pages of a site loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WidgetVersionSeen {
    /// The site.
    pub site: SiteId,
    /// The version, as in the snippet.
    pub version: String,
    /// The last time, ms.
    pub seen: u64,
    /// Whether it is from before revision 2 of the rules of readers: the server can deceive it.
    #[serde(rename = "unsafe", default)]
    pub is_unsafe: bool,
}

/// The first version whose widget keeps revision 2.
const SAFE_SINCE: [u32; 2] = [0, 2];

/// Whether a version of the widget, such as `0.1.0-3fa4c1d2`, is from before revision 2 of the rules of readers.
fn is_unsafe(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|n| n.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => [major, minor] < SAFE_SINCE,
        _ => true,
    }
}

/// What is stored. It is only a hint: one that can't be read is made again.
fn read(stored: Option<&[u8]>) -> Vec<WidgetVersionSeen> {
    stored.and_then(|stored| serde_json::from_slice(stored).ok()).unwrap_or_default()
}

#[derive(Debug, Default)]
struct Seen {
    /// When it was seen last, and which time is on disk.
    versions: BTreeMap<(SiteId, String), (u64, u64)>,
    dirty: bool,
}

/// The widget versions seen per site.
#[derive(Debug, Default)]
pub struct WidgetVersionsSeen(Mutex<Seen>);

impl WidgetVersionsSeen {
    /// What was seen before this start.
    pub(super) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let list = read(store.get(Table::Meta, rows::SIGHTINGS).await?.as_deref());
        let versions = list.into_iter().map(|s| ((s.site, s.version), (s.seen, s.seen))).collect();
        Ok(Self(Mutex::new(Seen { versions, dirty: false })))
    }

    /// A page of `site` loaded `version`. The caller knows both to exist.
    pub(super) fn saw(&self, site: &SiteId, version: &str, now_ms: u64) {
        let mut seen = self.0.lock();
        let (last, stored) = seen.versions.entry((site.clone(), version.into())).or_default();
        *last = now_ms;
        let stale = now_ms.saturating_sub(*stored) > COARSE_MS;
        seen.dirty |= stale;
    }

    /// What was seen lately, by site.
    pub(super) fn list(&self, now_ms: u64) -> Vec<WidgetVersionSeen> {
        let lately = |seen: u64| now_ms.saturating_sub(seen) <= REMEMBERED_MS;
        let seen = self.0.lock();
        let list = seen.versions.iter().filter(|(_, (last, _))| lately(*last));
        let sighting = |((site, version), (last, _)): (&(SiteId, String), &(u64, u64))| {
            let (site, is_unsafe) = (site.clone(), is_unsafe(version));
            WidgetVersionSeen { site, version: version.clone(), seen: *last, is_unsafe }
        };
        list.map(sighting).collect()
    }

    /// Writes what is new, if something is worth it.
    pub async fn store(&self, store: &dyn Store, now_ms: u64) {
        if store.space() == StorageState::Full {
            return;
        }
        let list = self.list(now_ms);
        {
            let mut seen = self.0.lock();
            if !std::mem::take(&mut seen.dirty) {
                return;
            }
            seen.versions.retain(|_, (last, _)| now_ms.saturating_sub(*last) <= REMEMBERED_MS);
            seen.versions.values_mut().for_each(|(last, stored)| *stored = *last);
        }
        if let Err(e) = self.write(store, list, now_ms).await {
            tracing::warn!(error = %e, "the widget versions that sites use were not stored");
        }
    }

    /// Writes what was seen here and what other servers wrote meanwhile.
    async fn write(&self, store: &dyn Store, mut list: Vec<WidgetVersionSeen>, now_ms: u64) -> Result<(), StoreError> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let stored = store.get(Table::Meta, rows::SIGHTINGS).await?;
            if store.is_shared() {
                self.learn(read(stored.as_deref()));
                list = self.list(now_ms);
            }
            let ops = vec![
                Op::Expect { table: Table::Meta, key: rows::SIGHTINGS.to_vec(), value: stored },
                rows::put(Table::Meta, rows::SIGHTINGS.to_vec(), &list),
            ];
            match store::write(store, Batch { ops, ..Batch::default() }).await {
                Err(StoreError::Conflict) => {}
                written => return written.map(drop),
            }
        }
        Err(StoreError::Conflict)
    }

    /// What other servers saw; the later time counts.
    fn learn(&self, others: Vec<WidgetVersionSeen>) {
        let mut seen = self.0.lock();
        for other in others {
            let (last, stored) = seen.versions.entry((other.site, other.version)).or_default();
            (*last, *stored) = ((*last).max(other.seen), (*stored).max(other.seen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_unsafe;

    #[test]
    fn widgets_are_safe_since_the_version_that_keeps_revision_2() {
        for old in ["0.1.0-3fa4c1d2", "0.1.9-00000000", "0.0.1-11111111", "", "latest", "x.y-z"] {
            assert!(is_unsafe(old), "{old}");
        }
        let mine = format!("{}-3fa4c1d2", env!("CARGO_PKG_VERSION"));
        for new in ["0.2.0-3fa4c1d2", "0.10.0-00000000", "1.0.0-11111111", &mine] {
            assert!(!is_unsafe(new), "{new}");
        }
    }
}
