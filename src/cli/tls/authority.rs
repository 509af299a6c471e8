//! A certificate authority of one company and one server, for networks where nobody else vouches for names.

use std::{fs, net::UdpSocket, path::Path, time::Duration};

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use sha2::{Digest as _, Sha256};

use super::{CA_CERT, CA_KEY, CERT, HOSTS, KEY};
use crate::cli::{
    data_dir::{cannot, make_private, replace, write_new},
    fail::Fail,
};

const DAY: Duration = Duration::from_secs(86_400);
/// Browsers refuse longer ones, also of private authorities.
const SERVER_DAYS: u32 = 820;
const CA_DAYS: u32 = 3_650;

/// Makes authority and server certificate in `tls`, which must not hold any yet.
pub fn make(tls: &Path, hosts: &[String], now_ms: u64) -> Result<(), Fail> {
    make_private(tls)?;
    let key = KeyPair::generate().map_err(|e| rcgen_fail(&e))?;
    let cert = ca_params(&key, now_ms).self_signed(&key).map_err(|e| rcgen_fail(&e))?;
    write_new(&tls.join(CA_KEY), 0o600, key.serialize_pem().as_bytes())?;
    write_new(&tls.join(CA_CERT), 0o644, cert.pem().as_bytes())?;
    renew(tls, Some(hosts), now_ms)
}

/// Makes a new server certificate under the authority in `tls`; without `hosts` for the same names as before.
pub fn renew(tls: &Path, hosts: Option<&[String]>, now_ms: u64) -> Result<(), Fail> {
    let read = |name: &str| {
        let path = tls.join(name);
        fs::read_to_string(&path).map(zeroize::Zeroizing::new).map_err(|e| cannot("read", &path, &e))
    };
    let hosts: Vec<String> = match hosts {
        Some(hosts) => hosts.to_vec(),
        None => read(HOSTS)?.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect(),
    };
    let ca_key = KeyPair::from_pem(&read(CA_KEY)?).map_err(|e| rcgen_fail(&e))?;
    let key = KeyPair::generate().map_err(|e| rcgen_fail(&e))?;
    let mut params = CertificateParams::new(hosts.clone())
        .map_err(|e| Fail::failure(format!("{} cannot stand in a certificate: {e}", hosts.join(", "))))?;
    name(&mut params, hosts.first().map_or("kefu", |h| h));
    span(&mut params, now_ms, SERVER_DAYS);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // the issuer's name and key are all that a certificate takes from its authority
    let issuer = Issuer::new(ca_params(&ca_key, now_ms), ca_key);
    let cert = params.signed_by(&key, &issuer).map_err(|e| rcgen_fail(&e))?;
    replace(&tls.join(KEY), 0o600, key.serialize_pem().as_bytes())?;
    replace(&tls.join(CERT), 0o644, format!("{}{}", cert.pem(), *read(CA_CERT)?).as_bytes())?;
    replace(&tls.join(HOSTS), 0o644, format!("{}\n", hosts.join("\n")).as_bytes())
}

/// The authority's name contains its key's hash: the same at each renewal, and another for each installation.
fn ca_params(key: &KeyPair, now_ms: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let hash = Sha256::digest(key.public_key_raw());
    name(&mut params, &format!("kefu authority {}", HEXLOWER.encode(&hash[..4])));
    span(&mut params, now_ms, CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
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

fn rcgen_fail(e: &rcgen::Error) -> Fail {
    Fail::failure(format!("cannot make a certificate: {e}"))
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
    // connecting a UDP socket sends nothing, but tells which address this machine would use
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
