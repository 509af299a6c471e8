//! The key that browsers subscribe under: a file of a server, or sealed in the Redis that several share. With another key, browsers
//! must subscribe again, which their consoles do at the next visit.

use std::{fs, io, path::Path};

use anyhow::{Context as _, anyhow};
use zeroize::Zeroizing;

use crate::{app::storage::Backend, data_dir, files, notices::push::VapidKey, org::Secrets, store::redis::RedisStore};

/// Its name in Redis. Never changes.
const SHARED: &str = "push-key";
/// How often another server may be faster.
const TRIES: usize = 8;

/// The key; made if there is none.
pub(super) async fn key(dir: &Path, backend: &Backend, secrets: &Secrets) -> anyhow::Result<VapidKey> {
    let bytes = match backend {
        Backend::File(_) => of_file(dir)?,
        Backend::Shared(store, _) => of_redis(store, secrets).await?,
    };
    Ok(VapidKey::read(&bytes)?)
}

fn of_file(dir: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let path = dir.join(data_dir::PUSH_KEY);
    match fs::read(&path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let made = VapidKey::generate()?;
            files::write_new(&path, 0o600, &made).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(made)
        }
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

async fn of_redis(store: &RedisStore, secrets: &Secrets) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let sealer = secrets.cluster_key.sealer("push key");
    for _ in 0..TRIES {
        let known = store.sealed(SHARED).await?;
        if let Some(sealed) = known.as_ref().and_then(|known| known.value.as_ref()) {
            let opened = sealer.open(sealed);
            return opened.context("it is sealed with another cluster.key than that of this server");
        }
        let made = VapidKey::generate()?;
        let version = known.as_ref().map(|known| known.version.as_str());
        if store.replace_sealed(SHARED, version, Some(&sealer.seal(&made))).await?.is_some() {
            return Ok(made);
        }
    }
    Err(anyhow!("other servers change it all the time"))
}
