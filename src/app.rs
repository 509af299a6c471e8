//! Composition root: the one file that names concrete backends; start and stop order.

use std::{
    fs,
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    config::Config,
    org::{Commit, Org},
    proto::ErrorCode,
    store::{
        Store,
        redb::{Options, RedbStore},
    },
};

/// What to serve.
pub struct ServeOptions {
    /// Where everything lies.
    pub data_dir: PathBuf,
    /// The configuration.
    pub config: Config,
}

/// The server answers.
pub struct Ready {
    /// Where it listens (the port is known now, also if 0 was asked for).
    pub listen: SocketAddr,
    /// Where people reach it.
    pub public_url: String,
}

fn open_store(data_dir: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let (store, _) = RedbStore::open(&data_dir.join("kefu.redb"), Options::default())?;
    Ok(store)
}

fn setup(data_dir: &Path) -> anyhow::Result<Vec<u8>> {
    let path = data_dir.join("opaque.setup");
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Runs until `shutdown` resolves.
pub async fn serve(
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Ready),
) -> anyhow::Result<()> {
    let store = open_store(&options.data_dir)?;
    let _org = Org::open(store.clone(), &setup(&options.data_dir)?)?;
    let address = options.config.server.listen;
    let listener = TcpListener::bind(address).await.map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is taken by another program; stop it, or choose another address with --listen")
        }
        _ => anyhow!("cannot listen on {address}: {e}"),
    })?;
    ready(&Ready { listen: listener.local_addr()?, public_url: options.config.public_url() });
    shutdown.await;
    store.close().await;
    Ok(())
}

/// Founds a company in the data directory.
pub async fn found(data_dir: &Path, _: &Config, commit: Commit) -> Result<(), AdminError> {
    let founded = async {
        let store = open_store(data_dir)?;
        Org::found(store.clone(), &setup(data_dir)?, commit).await?;
        store.close().await;
        anyhow::Ok(())
    };
    founded.await.map_err(|e| AdminError { code: ErrorCode::Storage, text: format!("{e:#}") })
}

/// The admin router, reached over the socket of a running server or in process.
pub struct Admin {
    org: Arc<Org>,
    store: Arc<dyn Store>,
}

/// Why an admin request was not carried out.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct AdminError {
    /// The kind.
    pub code: ErrorCode,
    /// For people.
    pub text: String,
}

impl Admin {
    /// Reaches a running server, or opens the store of the data directory.
    pub async fn connect(data_dir: &Path, _: &Config) -> Result<Self, AdminError> {
        let open = || {
            let store = open_store(data_dir)?;
            anyhow::Ok(Self { org: Org::open(store.clone(), &setup(data_dir)?)?, store })
        };
        open().map_err(|e| AdminError { code: ErrorCode::Storage, text: format!("{e:#}") })
    }

    /// One request.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, AdminError> {
        let refused = |e: crate::org::OrgError| AdminError { code: e.code(), text: e.to_string() };
        match (method, path) {
            ("GET", "/admin/version") => Ok(json!({"version": env!("CARGO_PKG_VERSION"), "running": false})),
            ("GET", "/admin/export") => Ok(json!(self.org.export().map_err(refused)?)),
            ("GET", "/admin/stats") => Ok(json!({"version": env!("CARGO_PKG_VERSION"), "running": false,
                "org": self.org.fp(), "storage_bytes": self.store.size_bytes(),
                "directory": {"seq": self.org.directory().seq(), "fresh_until": self.org.freshness().good_until()}})),
            ("POST", "/admin/commit") => {
                let commit: Commit = serde_json::from_value(body.unwrap_or_default())
                    .map_err(|e| AdminError { code: ErrorCode::Malformed, text: e.to_string() })?;
                Ok(json!(self.org.commit(commit).await.map_err(refused)?))
            }
            _ => Err(AdminError { code: ErrorCode::NotFound, text: "there is no such admin request".into() }),
        }
    }

    /// Lets go of the store, if it was opened.
    pub async fn close(self) {
        drop(self.org);
        self.store.close().await;
    }
}
