//! Certificates: checking the ones a company has, making a small authority of our own for those who have none.

mod authority;
mod der;

pub use authority::{default_hosts, make, renew};

use std::{fs, ops::Range, path::Path, sync::Arc};

use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::{
    data_dir::{cannot, replace},
    fail::Fail,
    out,
};

/// Our own authority's certificate, to be installed where people browse.
pub const CA_CERT: &str = "ca.pem";
/// Our own authority's private key.
pub const CA_KEY: &str = "ca.key";
/// The server's certificate chain.
pub const CERT: &str = "server.pem";
/// The server's private key.
pub const KEY: &str = "server.key";
/// The names our own certificate is for, one a line; renewals read it.
pub const HOSTS: &str = "hosts";

/// Until when the first certificate of a file is good, ms.
pub fn good_until(cert: &Path) -> Result<u64, Fail> {
    let text = fs::read(cert).map_err(|e| cannot("read", cert, &e))?;
    let first = CertificateDer::from_pem_slice(&text).map_err(|e| not_pem(cert, "certificate", &e))?;
    let validity = der::validity(&first);
    validity.map(|v| v.end).ok_or_else(|| Fail::failure(format!("{} holds no certificate", cert.display())))
}

/// Reads a certificate chain and its key, and refuses what a server could not serve with. Gives when it is good, ms.
pub fn check(cert: &Path, key: &Path, now_ms: u64) -> Result<Range<u64>, Fail> {
    let chain = CertificateDer::pem_slice_iter(&fs::read(cert).map_err(|e| cannot("read", cert, &e))?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| not_pem(cert, "certificate", &e))?;
    let Some(first) = chain.first() else {
        return Err(Fail::failure(format!("{} holds no certificate", cert.display()))
            .next("it must be PEM: -----BEGIN CERTIFICATE----- … with the server's own certificate first"));
    };
    let good = der::validity(first)
        .ok_or_else(|| Fail::failure(format!("{} holds something that is not a certificate", cert.display())))?;
    let secret = fs::read(key).map(zeroize::Zeroizing::new).map_err(|e| cannot("read", key, &e))?;
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|e| not_pem(key, "unencrypted private key", &e))?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&secret)
        .map_err(|e| Fail::failure(format!("{} holds a key of a kind that TLS here cannot use: {e}", key.display())))?;
    CertifiedKey::new(chain, Arc::clone(&signer)).keys_match().map_err(|_| {
        Fail::failure(format!("{} is not the private key of {}", key.display(), cert.display()))
            .next("give the two files that were made together")
    })?;
    if now_ms >= good.end {
        let ago = out::relative(good.end, now_ms);
        return Err(Fail::failure(format!("the certificate {} expired {ago}", cert.display())).next("get a new one"));
    }
    if now_ms < good.start {
        let when = out::date(good.start);
        return Err(Fail::failure(format!("the certificate {} is good only from {when}", cert.display()))
            .next("check this machine's clock"));
    }
    Ok(good)
}

fn not_pem(path: &Path, what: &str, e: &rustls::pki_types::pem::Error) -> Fail {
    Fail::failure(format!("{} holds no {what} in PEM form: {e}", path.display()))
}

/// Copies a checked pair into the data directory's `tls`.
pub fn install(tls: &Path, cert: &Path, key: &Path) -> Result<(), Fail> {
    check(cert, key, out::now_ms())?;
    super::data_dir::make_private(tls)?;
    let secret = fs::read(key).map(zeroize::Zeroizing::new).map_err(|e| cannot("read", key, &e))?;
    replace(&tls.join(KEY), 0o600, &secret)?;
    replace(&tls.join(CERT), 0o644, &fs::read(cert).map_err(|e| cannot("read", cert, &e))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    #[test]
    fn our_own_pair_is_good_and_a_strange_key_is_not() {
        let tmp = tempfile::tempdir().unwrap();
        let (a, b) = (tmp.path().join("a"), tmp.path().join("b"));
        let now = out::now_ms();
        make(&a, &["localhost".into(), "192.0.2.7".into()], now).unwrap();
        make(&b, &["localhost".into()], now).unwrap();
        let good = check(&a.join(CERT), &a.join(KEY), now).unwrap();
        assert!(good.end - now > 300 * DAY && good.start < now);
        let fail = check(&a.join(CERT), &b.join(KEY), now).unwrap_err();
        assert!(fail.what.contains("is not the private key of"), "{}", fail.what);
        assert!(check(&a.join(CERT), &a.join(KEY), good.end).unwrap_err().what.contains("expired"));
        assert!(check(&a.join(CERT), &a.join(KEY), good.start - DAY).unwrap_err().what.contains("only from"));
    }

    #[test]
    fn files_that_are_no_certificates_are_named() {
        let tmp = tempfile::tempdir().unwrap();
        let (cert, key) = (tmp.path().join("c.pem"), tmp.path().join("k.pem"));
        assert!(check(&cert, &key, 0).unwrap_err().what.starts_with("cannot read "));
        fs::write(&cert, "hello").unwrap();
        assert!(check(&cert, &key, 0).unwrap_err().what.contains("holds no certificate"));
        fs::write(&cert, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").unwrap();
        assert!(check(&cert, &key, 0).unwrap_err().what.contains("not a certificate"));
    }

    #[test]
    fn a_renewed_certificate_is_of_the_same_authority_and_for_the_same_names() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("tls");
        let now = out::now_ms();
        make(&dir, &["chat.example".into()], now).unwrap();
        let before = fs::read(dir.join(CERT)).unwrap();
        let ca = fs::read(dir.join(CA_CERT)).unwrap();
        renew(&dir, None, now + 600 * DAY).unwrap();
        assert_ne!(fs::read(dir.join(CERT)).unwrap(), before);
        assert_eq!(fs::read(dir.join(CA_CERT)).unwrap(), ca);
        let good = check(&dir.join(CERT), &dir.join(KEY), now + 600 * DAY).unwrap();
        assert!(good.end > now + 900 * DAY);
        assert_eq!(fs::read_to_string(dir.join(HOSTS)).unwrap(), "chat.example\n");
    }
}
