//! A certificate and its key, read from files and checked before anyone serves with them.

use std::{
    fs,
    ops::Range,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use super::{CERT, KEY, TlsError, der};
use crate::files::{make_directory, replace};

/// Where a pair is.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// File of the private key.
    pub key: PathBuf,
    /// Whether a key in the file of the certificate comes before the other.
    joined: bool,
}

/// Metadata of both files, which changes with every write.
pub type Mark = [Option<(u64, u64, u64, i64, i64, i64, i64)>; 2];

/// A pair whose key is that of the certificate.
#[derive(Debug, Clone)]
pub struct Pair {
    /// As TLS takes it.
    pub certified: Arc<CertifiedKey>,
    /// When it is good, ms.
    pub good: Range<u64>,
}

impl Files {
    /// A configured pair.
    pub fn named(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { cert: cert.into(), key: key.into(), joined: false }
    }

    /// The pair in our own directory.
    pub fn own(tls: &Path) -> Self {
        Self { cert: tls.join(CERT), key: tls.join(KEY), joined: true }
    }

    /// Reads the pair.
    ///
    /// # Errors
    /// A file can't be read or holds something else, or the key is of another certificate.
    pub fn load(&self) -> Result<Pair, TlsError> {
        let text = read(&self.cert)?;
        let chain = chain(&self.cert, &text)?;
        let good = validity(&self.cert, &chain)?;
        let joined = self.joined && PrivateKeyDer::from_pem_slice(&text).is_ok();
        let key = if joined { &self.cert } else { &self.key };
        let secret = match joined {
            true => text,
            false => read(key)?,
        };
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|e| TlsError::NotPem {
            path: key.clone(),
            what: "unencrypted private key",
            why: e.to_string(),
        })?;
        let signer =
            any_supported_type(&secret).map_err(|e| TlsError::KeyKind { path: key.clone(), why: e.to_string() })?;
        let certified = CertifiedKey::new(chain, signer);
        certified.keys_match().map_err(|_| TlsError::Foreign { cert: self.cert.clone(), key: key.clone() })?;
        Ok(Pair { certified: Arc::new(certified), good })
    }

    /// Reads a pair that is good now.
    ///
    /// # Errors
    /// As [`Files::load`]; or it is not valid yet or has expired.
    pub fn load_good(&self, now_ms: u64) -> Result<Pair, TlsError> {
        let pair = self.load()?;
        let (cert, time) =
            (self.cert.clone(), |ms: u64| jiff::Timestamp::from_millisecond(ms as i64).unwrap_or_default());
        if now_ms >= pair.good.end {
            Err(TlsError::Expired { cert, at: time(pair.good.end) })
        } else if now_ms < pair.good.start {
            Err(TlsError::Early { cert, from: time(pair.good.start) })
        } else {
            Ok(pair)
        }
    }

    /// The server's certificate, whatever its key.
    ///
    /// # Errors
    /// The file can't be read or holds something else.
    pub fn certificate(&self) -> Result<CertificateDer<'static>, TlsError> {
        let text = read(&self.cert)?;
        Ok(chain(&self.cert, &text)?.remove(0))
    }

    /// What to compare to see whether the files changed.
    pub fn mark(&self) -> Mark {
        [&self.cert, &self.key].map(|path| {
            let m = fs::metadata(path).ok()?;
            Some((m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()))
        })
    }
}

/// A file, without the mark that Windows puts before UTF-8 and readers of PEM stumble over.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut text = fs::read(path).map(Zeroizing::new).map_err(TlsError::io("read", path))?;
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    Ok(text)
}

/// At least one certificate.
fn chain(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let not = |why: String| TlsError::NotPem { path: path.to_owned(), what: "certificate", why };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|e| not(e.to_string()))?;
    if chain.is_empty() { Err(not(String::new())) } else { Ok(chain) }
}

fn validity(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Range<u64>, TlsError> {
    chain.first().and_then(|first| der::validity(first)).ok_or_else(|| TlsError::NotCertificate(path.to_owned()))
}

/// Copies a good pair into our own directory.
///
/// # Errors
/// As [`Files::load_good`]; or an I/O error.
pub fn install(tls: &Path, from: &Files, now_ms: u64) -> Result<(), TlsError> {
    from.load_good(now_ms)?;
    make_directory(tls).map_err(TlsError::io("make", tls))?;
    let (cert, key) = (read(&from.cert)?, read(&from.key)?);
    write_own(tls, &cert, &key)
}

/// Puts a pair into our own directory, in one step.
pub(super) fn write_own(tls: &Path, cert: &[u8], key: &[u8]) -> Result<(), TlsError> {
    let (file, old) = (tls.join(CERT), tls.join(KEY));
    let both = Zeroizing::new([cert, b"\n", key].concat());
    replace(&file, 0o600, &both).map_err(TlsError::io("write", &file))?;
    // of an earlier kefu; no longer read
    match fs::remove_file(&old) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(TlsError::io("remove", &old)(e)),
        _ => Ok(()),
    }
}
