//! An authority and a certificate for servers of the loopback address.

use std::{fs, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// An authority, and a server's certificate and key under it, in files.
pub struct Certificates {
    directory: TempDir,
    authority: Vec<u8>,
}

impl Certificates {
    /// Makes them, for 127.0.0.1 and localhost.
    pub fn make() -> Self {
        let directory = TempDir::with_prefix("kefu-redis-tls-").expect("a temporary directory");
        let mut params = CertificateParams::new(vec![]).expect("no names");
        // OpenSSL takes a certificate that names itself as issuer for one that nobody issued
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&authority_key).expect("a certificate").pem();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let params = CertificateParams::new(names).expect("right names");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
        for (name, pem) in [("ca.pem", &authority), ("cert.pem", &certificate), ("key.pem", &key.serialize_pem())] {
            fs::write(directory.path().join(name), pem).expect("writing a certificate");
        }
        Self { directory, authority: authority.into_bytes() }
    }

    /// The authority's certificate, PEM.
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// The path of `ca.pem`, `cert.pem` or `key.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Lines of `redis.conf`.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.file(name).display().to_string();
        vec![
            ("tls-cert-file", file("cert.pem")),
            ("tls-key-file", file("key.pem")),
            ("tls-ca-cert-file", file("ca.pem")),
            ("tls-auth-clients", "no".to_owned()),
            ("tls-replication", "yes".to_owned()),
        ]
    }
}
