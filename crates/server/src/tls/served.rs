//! The certificate in use. New files are loaded while the server runs: new connections get the new certificate, those
//! that are open are kept.

use std::{ops::Range, sync::Arc, time::Duration};

use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::clock::now_ms;

use super::{
    TlsError,
    pair::{Files, Mark, Pair},
};

/// How often files are looked at. ACME clients renew weeks ahead.
const LOOK: Duration = Duration::from_secs(30);

/// What is known of the pair that is served.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// When it is good, ms.
    pub good: Range<u64>,
    /// Why the files as they are now were not taken.
    pub trouble: Option<String>,
}

/// The certificate in use, replaced while the server runs.
#[derive(Debug)]
pub struct Served {
    files: Files,
    now: RwLock<Now>,
}

#[derive(Debug)]
struct Now {
    pair: Pair,
    /// Of the files that were looked at last.
    mark: Mark,
    trouble: Option<String>,
}

impl Served {
    /// Reads the files.
    ///
    /// # Errors
    /// They can't be used. An expired pair can: clients report the problem better than a server that is
    /// not there.
    pub fn open(files: Files) -> Result<Arc<Self>, TlsError> {
        let mark = files.mark();
        let pair = files.load()?;
        if let Err(e) = files.load_good(now_ms()) {
            tracing::error!("{e}: clients will refuse it");
        }
        Ok(Arc::new(Self { files, now: RwLock::new(Now { pair, mark, trouble: None }) }))
    }

    /// What takes connections with it.
    ///
    /// # Errors
    /// The library refused its own defaults.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// What is served, and what is wrong with the files.
    pub fn status(&self) -> Status {
        let now = self.now.read();
        Status { good: now.pair.good.clone(), trouble: now.trouble.clone() }
    }

    /// Checks the files and loads a new valid pair. Returns whether it did. Reads the disk.
    pub fn look(&self, now_ms: u64) -> bool {
        // before they are read: a change meanwhile is seen at the next look
        let mark = self.files.mark();
        let (same, known) = {
            let now = self.now.read();
            (now.mark == mark, now.trouble.clone())
        };
        // a pair whose time has not come is looked at until then
        if same && known.is_none() {
            return false;
        }
        let loaded = self.files.load_good(now_ms);
        let mut now = self.now.write();
        now.mark = mark;
        match loaded {
            Ok(pair) => {
                let new = pair.certified.cert != now.pair.certified.cert;
                if new {
                    tracing::info!(good_until_ms = pair.good.end, "a new certificate is in use");
                }
                (now.pair, now.trouble) = (pair, None);
                new
            }
            Err(e) => {
                let why = e.to_string();
                if known.as_ref() != Some(&why) {
                    tracing::error!("the new certificate is not used, the server continues with the old one: {why}");
                }
                now.trouble = Some(why);
                false
            }
        }
    }

    /// Looks twice a minute, and at SIGHUP at once. Never ends by itself.
    pub async fn watch(self: Arc<Self>) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = next(&mut hangup) => {}
            }
            let served = self.clone();
            // a look that panicked would be the end of the looks
            if let Err(e) = tokio::task::spawn_blocking(move || served.look(now_ms())).await {
                tracing::error!(error = %e, "the certificate could not be checked");
            }
        }
    }
}

async fn next(hangup: &mut Option<Signal>) {
    let heard = match hangup {
        Some(hangup) => hangup.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.read().pair.certified.clone())
    }
}
