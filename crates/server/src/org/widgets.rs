//! Every file of the widget that was ever served, so that a page that pinned one keeps working after an upgrade, and which
//! sites still load an old one. A page names a launcher, which loads the panel that was built with it, which loads a third file when it
//! is needed; or all in one file.

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

/// The widget as one build made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetBuild {
    /// What pages load first. Name and hash of the panel are compiled into it.
    pub launcher: Variants,
    /// What the launcher loads. Name and hash of `more` are compiled into it.
    pub panel: Variants,
    /// What the panel loads when it is needed.
    pub more: Variants,
    /// All in one file, for pages that want one.
    pub single: Variants,
}

#[derive(Debug, Clone)]
struct Latest {
    launcher: String,
    single: String,
}

#[derive(Debug, Default)]
struct Known {
    /// Launchers and single files by version, the others by name.
    files: HashMap<String, Variants>,
    latest: Option<Latest>,
}

/// The files that were ever served, so that a page that pins one keeps it.
pub struct Widgets {
    store: Arc<dyn Store>,
    known: RwLock<Known>,
    /// Which of them are in use.
    pub versions_seen: WidgetVersionsSeen,
}

/// A version names its content too, so that an address never changes its meaning: `0.1.0-3fa4c1d2`.
pub fn version_of(plain: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, plain);
    format!("{}-{}", env!("CARGO_PKG_VERSION"), data_encoding::HEXLOWER.encode(&hash.as_ref()[..4]))
}

/// What a file is called by the one that loads it, without the ending: `panel-3fa4c1d25e6f7081`. `ui/build/parts.mjs` compiles the same
/// name into that one.
pub fn part_name(kind: &str, plain: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, plain);
    format!("{kind}{}", data_encoding::HEXLOWER.encode(&hash.as_ref()[..8]))
}

/// How names of panels begin.
pub const PANEL: &str = "panel-";
/// How names of the panels' own files begin.
pub const MORE: &str = "more-";

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text has the form of a version.
fn is_version(text: &str) -> bool {
    let Some((number, hash)) = text.split_once('-') else { return false };
    number.split('.').count() == 3 && number.split('.').all(|n| n.parse::<u16>().is_ok()) && is_hex(hash, 8)
}

/// Whether a text has the form of the name of a panel, or of its own file.
pub fn is_part(text: &str) -> bool {
    [PANEL, MORE].iter().any(|kind| text.strip_prefix(kind).is_some_and(|hash| is_hex(hash, 16)))
}

/// Whether a file can be called so. Anyone can ask for anything, and each question costs a read.
fn is_name(text: &str) -> bool {
    is_version(text) || is_part(text)
}

impl Widgets {
    /// Reads what was ever served.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let mut files: HashMap<String, Variants> = HashMap::new();
        let empty = || Variants { plain: Bytes::new(), br: None, gz: None };
        for (key, value) in store.scan(Table::Widget, &[], None, false, usize::MAX).await? {
            let key = String::from_utf8_lossy(&key).into_owned();
            let value = Bytes::from(value);
            match key.split_once('/') {
                None => files.entry(key).or_insert_with(empty).plain = value,
                Some((name, "br")) => files.entry(name.into()).or_insert_with(empty).br = Some(value),
                Some((name, _)) => files.entry(name.into()).or_insert_with(empty).gz = Some(value),
            }
        }
        let versions_seen = WidgetVersionsSeen::load(&*store).await?;
        Ok(Self { store, known: RwLock::new(Known { files, latest: None }), versions_seen })
    }

    /// Stores this executable's widget, once for each version. No file is there before those that it loads.
    pub async fn add(&self, build: WidgetBuild) -> Result<(), StoreError> {
        let WidgetBuild { launcher, panel, more, single } = build;
        let latest = Latest { launcher: version_of(&launcher.plain), single: version_of(&single.plain) };
        self.keep(part_name(MORE, &more.plain), more).await?;
        self.keep(part_name(PANEL, &panel.plain), panel).await?;
        self.keep(latest.single.clone(), single).await?;
        self.keep(latest.launcher.clone(), launcher).await?;
        self.known.write().latest = Some(latest);
        Ok(())
    }

    async fn keep(&self, name: String, file: Variants) -> Result<(), StoreError> {
        if self.get(&name).is_some() {
            return Ok(());
        }
        let put = |suffix: &str, value: &Bytes| Op::Put {
            table: Table::Widget,
            key: format!("{name}{suffix}").into_bytes(),
            value: value.to_vec(),
        };
        let mut ops = vec![put("", &file.plain)];
        ops.extend(file.br.as_ref().map(|v| put("/br", v)));
        ops.extend(file.gz.as_ref().map(|v| put("/gz", v)));
        match store::write(&*self.store, Batch { ops, ..Batch::default() }).await {
            // it is served all the same, and kept by the first start that can
            Err(e @ (StoreError::Unwritable | StoreError::Io(_))) => {
                tracing::warn!(error = %e, "the widget of this version could not be stored yet");
            }
            written => drop(written?),
        }
        self.known.write().files.insert(name, file);
        Ok(())
    }

    /// The file of a version or of a name, in all encodings; also one that a newer server of the company has brought
    /// since.
    pub async fn find(&self, name: &str) -> Option<Variants> {
        if let Some(known) = self.get(name) {
            return Some(known);
        }
        if !self.store.is_shared() || !is_name(name) {
            return None;
        }
        let read = async |suffix: &str| {
            let key = format!("{name}{suffix}");
            self.store.get(Table::Widget, key.as_bytes()).await.ok().flatten().map(Bytes::from)
        };
        let found = Variants { plain: read("").await?, br: read("/br").await, gz: read("/gz").await };
        self.known.write().files.insert(name.to_owned(), found.clone());
        Some(found)
    }

    /// The file of a version or of a name, in all encodings.
    pub fn get(&self, name: &str) -> Option<Variants> {
        self.known.read().files.get(name).cloned()
    }

    /// A page of `site` reports that it loaded `version`. Unknown versions are ignored: anyone can send them.
    pub fn saw(&self, site: &SiteId, version: &str, now_ms: u64) {
        if is_version(version) && self.known.read().files.contains_key(version) {
            self.versions_seen.saw(site, version, now_ms);
        }
    }

    /// Sites whose pages lately loaded a version that is not the newest, as several files or as one.
    pub fn outdated(&self, now_ms: u64) -> Vec<WidgetVersionSeen> {
        let latest = self.known.read().latest.clone();
        let is_latest = |version: &String| latest.as_ref().is_some_and(|l| [&l.launcher, &l.single].contains(&version));
        let mut list = self.versions_seen.list(now_ms);
        list.retain(|s| !is_latest(&s.version));
        list
    }

    /// As JSON: the newest version (`latest`; `single`, as one file), and the sites whose pages lately loaded an older one
    /// (`old`).
    pub fn status(&self, now_ms: u64) -> serde_json::Value {
        let latest = self.known.read().latest.clone();
        let (launcher, single) = latest.map(|l| (l.launcher, l.single)).unzip();
        serde_json::json!({ "latest": launcher, "single": single, "old": self.outdated(now_ms) })
    }

    /// The launcher inside this executable.
    pub fn latest(&self) -> Option<(String, Variants)> {
        self.newest(|latest| &latest.launcher)
    }

    /// The single file inside this executable.
    pub fn latest_single(&self) -> Option<(String, Variants)> {
        self.newest(|latest| &latest.single)
    }

    fn newest(&self, which: impl Fn(&Latest) -> &String) -> Option<(String, Variants)> {
        let known = self.known.read();
        let version = which(known.latest.as_ref()?);
        Some((version.clone(), known.files.get(version)?.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_files_can_have_are_looked_for() {
        for name in [
            "0.2.0-3fa4c1d2",
            "panel-3fa4c1d25e6f7081",
            "more-3fa4c1d25e6f7081",
            &version_of(b"x"),
            &part_name(MORE, b"x"),
        ] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "latest",
            "panel-3fa4c1d2",
            "panel-3fa4c1d25e6f708g",
            "panel-3fa4c1d25e6f7081/br",
            "less-3fa4c1d25e6f7081",
            "0.2-3fa4c1d2",
            "",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
