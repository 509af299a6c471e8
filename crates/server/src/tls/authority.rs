//! A certificate authority of one company and one server, for networks without a public authority.
//!
//! It is valid for the names it was made for, their subdomains, and this machine's loopback, and for nothing else: anyone who
//! steals its key can pose as this server to those who trust it, not as any other.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    path::Path,
    sync::Arc,
    time::Duration,
};

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    CA_CERT, CA_KEY, HOSTS, TlsError, der,
    pair::{Files, write_own},
};
use crate::files::{make_directory, replace};

const DAY: Duration = Duration::from_hours(24);
/// Browsers refuse longer ones, also of private authorities.
const SERVER_DAYS: u32 = 820;
const CA_DAYS: u32 = 3_650;
/// Our own certificate is made again when it has less than this left, ms: 30 days.
const RENEW_MS: u64 = 30 * 86_400_000;
/// How the names of our authorities begin.
const AUTHORITY: &str = "kefu authority ";
/// The object identifier of name constraints, encoded.
const CONSTRAINTS: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x1e];

/// Makes authority and server certificate in `tls`, which must not hold any yet.
///
/// # Errors
/// A name can't be in a certificate, an authority already exists, or an I/O error.
pub fn make(tls: &Path, hosts: &[String], now_ms: u64) -> Result<(), TlsError> {
    make_directory(tls).map_err(TlsError::io("make", tls))?;
    let path = tls.join(CA_KEY);
    if fs::symlink_metadata(&path).is_ok() {
        return Err(TlsError::io("make", &path)(std::io::ErrorKind::AlreadyExists.into()));
    }
    replace_authority(tls, hosts, now_ms)
}

/// Makes a new authority and a server certificate under it. Browsers that trusted the old one must be told to trust this one.
///
/// # Errors
/// A name can't be in a certificate, or an I/O error.
pub fn replace_authority(tls: &Path, hosts: &[String], now_ms: u64) -> Result<(), TlsError> {
    let key = KeyPair::generate().map_err(|e| made(&e))?;
    let cert = ca_params(&key, hosts, now_ms)?.self_signed(&key).map_err(|e| made(&e))?;
    let authority = Authority { pem: cert.pem(), key };
    // names that can't be in a certificate must not cost the old authority
    let leaf = authority.sign(tls, hosts, now_ms)?;
    let (path, both) =
        (tls.join(CA_KEY), Zeroizing::new(format!("{}{}", authority.key.serialize_pem(), authority.pem)));
    replace(&path, 0o600, both.as_bytes()).map_err(TlsError::io("write", &path))?;
    authority.publish(tls)?;
    leaf.install(tls, hosts)
}

/// Makes a new server certificate under the authority in `tls`; without `hosts` for the same names as before.
///
/// # Errors
/// The authority can't be read or does not vouch for one of the names, or an I/O error.
pub fn renew(tls: &Path, hosts: Option<&[String]>, now_ms: u64) -> Result<(), TlsError> {
    let authority = Authority::open(tls)?;
    let hosts = match hosts {
        Some(hosts) => hosts.to_vec(),
        None => known_hosts(tls)?,
    };
    authority.sign(tls, &hosts, now_ms)?.install(tls, &hosts)
}

/// The names of the certificate before.
pub fn known_hosts(tls: &Path) -> Result<Vec<String>, TlsError> {
    let path = tls.join(HOSTS);
    let text = fs::read_to_string(&path).map_err(TlsError::io("read", &path))?;
    Ok(text.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect())
}

/// What [`keep`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Nothing was due, or the pair is not ours.
    Nothing,
    /// The certificate had little time left.
    Renewed,
    /// The pair could not be used.
    Healed(String),
}

/// Makes our own server certificate again when it has little time left, or when it or its key is gone, damaged or of
/// another pair. One provided by the operator is left alone.
///
/// # Errors
/// It was due and could not be done.
pub fn keep(tls: &Path, now_ms: u64) -> Result<Kept, TlsError> {
    if fs::symlink_metadata(tls.join(CA_KEY)).is_err() {
        return Ok(Kept::Nothing);
    }
    let files = Files::own(tls);
    let ours = |cert: &CertificateDer<'_>| {
        let issuer = der::issuer(cert).unwrap_or_default();
        issuer.windows(AUTHORITY.len()).any(|part| part == AUTHORITY.as_bytes())
    };
    let why = match files.load() {
        Ok(pair) if !pair.certified.cert.first().is_some_and(ours) => return Ok(Kept::Nothing),
        Ok(pair) if pair.good.end.saturating_sub(now_ms) > RENEW_MS => {
            Authority::open(tls)?.publish(tls)?;
            return Ok(Kept::Nothing);
        }
        Ok(_) => None,
        // half of a pair provided by the operator is theirs to complete
        Err(_) if files.certificate().is_ok_and(|cert| !ours(&cert)) => return Ok(Kept::Nothing),
        Err(e) => Some(e.to_string()),
    };
    renew(tls, None, now_ms)?;
    Ok(why.map_or(Kept::Renewed, Kept::Healed))
}

/// Whether an authority is bound to names; those of earlier versions of kefu are not.
pub fn constrained(tls: &Path) -> bool {
    let cert = fs::read(tls.join(CA_CERT)).ok().and_then(|text| CertificateDer::from_pem_slice(&text).ok());
    cert.is_some_and(|cert| cert.windows(CONSTRAINTS.len()).any(|part| part == CONSTRAINTS))
}

/// Key and certificate.
struct Authority {
    key: KeyPair,
    pem: String,
}

/// A new server certificate.
struct Leaf {
    chain: String,
    key: Zeroizing<String>,
}

impl Authority {
    fn open(tls: &Path) -> Result<Self, TlsError> {
        let path = tls.join(CA_KEY);
        let text = fs::read_to_string(&path).map(Zeroizing::new).map_err(TlsError::io("read", &path))?;
        let key = KeyPair::from_pem(&text).map_err(|e| made(&e))?;
        // those of earlier versions are beside it
        let pem = match text.find("-----BEGIN CERTIFICATE-----") {
            Some(at) => text[at..].to_owned(),
            None => fs::read_to_string(tls.join(CA_CERT)).map_err(TlsError::io("read", &tls.join(CA_CERT)))?,
        };
        Ok(Self { key, pem })
    }

    /// The certificate where people find it.
    fn publish(&self, tls: &Path) -> Result<(), TlsError> {
        let path = tls.join(CA_CERT);
        if fs::read_to_string(&path).is_ok_and(|there| there == self.pem) {
            return Ok(());
        }
        replace(&path, 0o644, self.pem.as_bytes()).map_err(TlsError::io("write", &path))
    }

    fn sign(&self, tls: &Path, hosts: &[String], now_ms: u64) -> Result<Leaf, TlsError> {
        let (cert, key) = self.issue(hosts, now_ms)?;
        if !self.vouches(cert.der(), hosts, now_ms)? {
            // one name that it must not vouch for spoils the whole certificate: which is it?
            let mut name = hosts.join(", ");
            for host in hosts {
                let alone = std::slice::from_ref(host);
                if !self.vouches(self.issue(alone, now_ms)?.0.der(), alone, now_ms)? {
                    name.clone_from(host);
                    break;
                }
            }
            return Err(TlsError::NotVouched { ca: tls.join(CA_CERT), name });
        }
        Ok(Leaf { chain: format!("{}{}", cert.pem(), self.pem), key: Zeroizing::new(key.serialize_pem()) })
    }

    fn issue(&self, hosts: &[String], now_ms: u64) -> Result<(Certificate, KeyPair), TlsError> {
        let key = KeyPair::generate().map_err(|e| made(&e))?;
        let mut params = CertificateParams::new(hosts)
            .map_err(|e| TlsError::Make(format!("{} cannot be in a certificate: {e}", hosts.join(", "))))?;
        // an address as a common name would be taken for a name by some
        name(&mut params, hosts.iter().find(|h| h.parse::<IpAddr>().is_err()).map_or("kefu", |h| h));
        span(&mut params, now_ms, SERVER_DAYS);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // the issuer's name and key are all that a certificate takes from its authority
        let issuer = Issuer::new(subject(&self.key), &self.key);
        let cert = params.signed_by(&key, &issuer).map_err(|e| made(&e))?;
        Ok((cert, key))
    }

    /// Whether a client that trusts the authority takes the certificate for each of the names.
    fn vouches(&self, leaf: &CertificateDer<'_>, hosts: &[String], now_ms: u64) -> Result<bool, TlsError> {
        let refused = |e: &dyn std::fmt::Display| TlsError::Make(e.to_string());
        let ca = CertificateDer::from_pem_slice(self.pem.as_bytes()).map_err(|e| refused(&e))?;
        let mut roots = RootCertStore::empty();
        roots.add(ca).map_err(|e| refused(&e))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
        let verifier = verifier.build().map_err(|e| refused(&e))?;
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now_ms));
        let mut all = true;
        for host in hosts {
            // any name below it
            let asked = ServerName::try_from(host.replace('*', "any")).map_err(|e| refused(&e))?;
            all &= verifier.verify_server_cert(leaf, &[], &asked, &[], now).is_ok();
        }
        Ok(all)
    }
}

impl Leaf {
    fn install(self, tls: &Path, hosts: &[String]) -> Result<(), TlsError> {
        let (path, names) = (tls.join(HOSTS), format!("{}\n", hosts.join("\n")));
        if fs::read_to_string(&path).is_ok_and(|there| there == names) {
            return write_own(tls, self.chain.as_bytes(), self.key.as_bytes());
        }
        // first, so that there is never a certificate without its list of names
        replace(&path, 0o644, names.as_bytes()).map_err(TlsError::io("write", &path))?;
        write_own(tls, self.chain.as_bytes(), self.key.as_bytes())
    }
}

/// The authority's name contains its key's hash: the same at each renewal, and another for each installation.
fn subject(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let hash = Sha256::digest(key.public_key_raw());
    name(&mut params, &format!("{AUTHORITY}{}", HEXLOWER.encode(&hash[..4])));
    params
}

fn ca_params(key: &KeyPair, hosts: &[String], now_ms: u64) -> Result<CertificateParams, TlsError> {
    let mut params = subject(key);
    span(&mut params, now_ms, CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // a type of name without any entry is not restricted at all: loopback, which belongs to this machine, fills each of them
    let mut permitted: Vec<GeneralSubtree> = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
        .into_iter()
        .chain(hosts.iter().filter_map(|host| host.parse().ok()))
        .map(|ip| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, if ip.is_ipv4() { 32 } else { 128 })))
        .collect();
    let names = hosts.iter().filter(|host| host.parse::<IpAddr>().is_err());
    let names = names.map(|host| host.trim_start_matches("*.").to_lowercase());
    permitted.extend(names.chain(["localhost".to_owned()]).map(GeneralSubtree::DnsName));
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn name(params: &mut CertificateParams, common: &str) {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
}

/// From yesterday on, because clocks of clients are late.
fn span(params: &mut CertificateParams, now_ms: u64, days: u32) {
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_millis(now_ms);
    params.not_before = now - DAY;
    params.not_after = now + DAY * days;
}

fn made(e: &rcgen::Error) -> TlsError {
    TlsError::Make(e.to_string())
}

/// This machine's name and address, and the loopback ones.
pub fn default_hosts() -> Vec<String> {
    let mut hosts = Vec::new();
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let name = name.trim().to_lowercase();
        if !name.is_empty()
            && name != "localhost"
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        {
            hosts.push(name);
        }
    }
    // connecting a UDP socket sends nothing, but shows which address this machine would use
    let outward = UdpSocket::bind("0.0.0.0:0").and_then(|s| s.connect("192.0.2.1:9").and_then(|()| s.local_addr()));
    if let Ok(address) = outward.map(|a| a.ip())
        && !address.is_loopback()
        && !address.is_unspecified()
    {
        hosts.push(address.to_string());
    }
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
    hosts
}
