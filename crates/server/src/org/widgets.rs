//! Every version of the widget that was ever served, so that a page that pinned one keeps working after an upgrade, and
//! which sites still load an old one.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use parking_lot::RwLock;
use ring::digest;

use super::versions_seen::{WidgetVersionSeen, WidgetVersionsSeen};
use crate::{
    proto::SiteId,
    store::{self, Batch, Op, Store, StoreError, Table},
};

/// One file, plain and compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variants {
    /// As it is; what `integrity` is computed over.
    pub plain: Bytes,
    /// Compressed with Brotli, if smaller.
    pub br: Option<Bytes>,
    /// Compressed with gzip, if smaller.
    pub gz: Option<Bytes>,
}

#[derive(Debug, Default)]
struct Versions {
    versions: HashMap<String, Variants>,
    latest: Option<String>,
}

/// The versions that were ever served, so that a page that pins one keeps it.
pub struct Widgets {
    store: Arc<dyn Store>,
    known: RwLock<Versions>,
    /// Which of them are in use.
    pub versions_seen: WidgetVersionsSeen,
}

/// A version names its content too, so that an address never changes its meaning: `0.1.0-3fa4c1d2`.
pub fn version_of(plain: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, plain);
    format!("{}-{}", env!("CARGO_PKG_VERSION"), data_encoding::HEXLOWER.encode(&hash.as_ref()[..4]))
}

/// Whether a text has the form of a version. Anyone can ask for anything, and each question costs a read.
fn is_version(text: &str) -> bool {
    let Some((number, hash)) = text.split_once('-') else { return false };
    number.split('.').count() == 3
        && number.split('.').all(|n| n.parse::<u16>().is_ok())
        && hash.len() == 8
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Widgets {
    /// Reads what was ever served.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let mut versions: HashMap<String, Variants> = HashMap::new();
        let empty = || Variants { plain: Bytes::new(), br: None, gz: None };
        for (key, value) in store.scan(Table::Widget, &[], None, false, usize::MAX).await? {
            let key = String::from_utf8_lossy(&key).into_owned();
            let value = Bytes::from(value);
            match key.split_once('/') {
                None => versions.entry(key).or_insert_with(empty).plain = value,
                Some((version, "br")) => versions.entry(version.into()).or_insert_with(empty).br = Some(value),
                Some((version, _)) => versions.entry(version.into()).or_insert_with(empty).gz = Some(value),
            }
        }
        let versions_seen = WidgetVersionsSeen::load(&*store).await?;
        Ok(Self { store, known: RwLock::new(Versions { versions, latest: None }), versions_seen })
    }

    /// Stores this executable's widget, once for each version.
    pub async fn add(&self, widget: Variants) -> Result<String, StoreError> {
        let version = version_of(&widget.plain);
        let known = self.get(&version).is_some();
        if !known {
            let put = |suffix: &str, value: &Bytes| Op::Put {
                table: Table::Widget,
                key: format!("{version}{suffix}").into_bytes(),
                value: value.to_vec(),
            };
            let mut ops = vec![put("", &widget.plain)];
            ops.extend(widget.br.as_ref().map(|v| put("/br", v)));
            ops.extend(widget.gz.as_ref().map(|v| put("/gz", v)));
            match store::write(&*self.store, Batch { ops, ..Batch::default() }).await {
                // it is served all the same, and kept by the first start that can
                Err(e @ (StoreError::Unwritable | StoreError::Io(_))) => {
                    tracing::warn!(error = %e, "the widget of this version could not be stored yet");
                }
                written => drop(written?),
            }
        }
        let mut known = self.known.write();
        known.versions.entry(version.clone()).or_insert(widget);
        known.latest = Some(version.clone());
        Ok(version)
    }

    /// The file of a version in all encodings; also of one that a newer server of the company has brought since.
    pub async fn find(&self, version: &str) -> Option<Variants> {
        if let Some(known) = self.get(version) {
            return Some(known);
        }
        if !self.store.is_shared() || !is_version(version) {
            return None;
        }
        let read = async |suffix: &str| {
            let key = format!("{version}{suffix}");
            self.store.get(Table::Widget, key.as_bytes()).await.ok().flatten().map(Bytes::from)
        };
        let found = Variants { plain: read("").await?, br: read("/br").await, gz: read("/gz").await };
        self.known.write().versions.insert(version.to_owned(), found.clone());
        Some(found)
    }

    /// The file of a version in all encodings.
    pub fn get(&self, version: &str) -> Option<Variants> {
        self.known.read().versions.get(version).cloned()
    }

    /// A page of `site` reports that it loaded `version`. Unknown versions are ignored: anyone can send them.
    pub fn saw(&self, site: &SiteId, version: &str, now_ms: u64) {
        let known = self.known.read();
        if known.versions.contains_key(version) {
            self.versions_seen.saw(site, version, now_ms);
        }
    }

    /// Sites whose pages lately loaded a version that is not the newest.
    pub fn outdated(&self, now_ms: u64) -> Vec<WidgetVersionSeen> {
        let latest = self.latest().map(|(version, _)| version);
        let mut list = self.versions_seen.list(now_ms);
        list.retain(|s| Some(&s.version) != latest.as_ref());
        list
    }

    /// As JSON: the newest version (`latest`), and the sites whose pages lately loaded an older one (`old`).
    pub fn status(&self, now_ms: u64) -> serde_json::Value {
        let latest = self.latest().map(|(version, _)| version);
        serde_json::json!({ "latest": latest, "old": self.outdated(now_ms) })
    }

    /// The one inside this executable.
    pub fn latest(&self) -> Option<(String, Variants)> {
        let known = self.known.read();
        known.latest.as_ref().and_then(|v| Some((v.clone(), known.versions.get(v)?.clone())))
    }
}
