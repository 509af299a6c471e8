//! Pairs that fit and pairs that don't, renewal and repair, and what an authority may vouch for.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::*;

const DAY: u64 = 86_400_000;

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// The pair in two files, as earlier versions of kefu had it.
fn apart(dir: &Path) {
    let both = fs::read_to_string(dir.join(CERT)).unwrap();
    let (certs, key) = both.split_at(both.find("-----BEGIN PRIVATE KEY").unwrap());
    fs::write(dir.join(KEY), key).unwrap();
    fs::write(dir.join(CERT), certs).unwrap();
}

#[test]
fn our_own_pair_is_good_and_a_strange_key_is_not() {
    let tmp = tempfile::tempdir().unwrap();
    let (a, b) = (tmp.path().join("a"), tmp.path().join("b"));
    make(&a, &hosts(&["localhost", "192.0.2.7"]), now()).unwrap();
    make(&b, &hosts(&["localhost"]), now()).unwrap();
    let good = Files::own(&a).load_good(now()).unwrap().good;
    assert!(good.end - now() > 300 * DAY && good.start < now());
    assert_eq!(fs::metadata(a.join(CERT)).unwrap().permissions().mode() & 0o777, 0o600);
    apart(&a);
    apart(&b);
    assert_eq!(Files::own(&a).load().unwrap().good, good);
    let error = Files::named(a.join(CERT), b.join(KEY)).load().unwrap_err();
    assert!(matches!(error, TlsError::Foreign { .. }), "{error}");
    assert!(matches!(Files::own(&a).load_good(good.end), Err(TlsError::Expired { .. })));
    assert!(matches!(Files::own(&a).load_good(good.start - DAY), Err(TlsError::Early { .. })));
}

#[test]
fn a_mark_of_utf8_before_pem_is_none_of_it() {
    let tmp = tempfile::tempdir().unwrap();
    let (dir, own) = (tmp.path().join("tls"), tmp.path().join("own"));
    make(&dir, &hosts(&["localhost"]), now()).unwrap();
    apart(&dir);
    let marked = [CERT, KEY].map(|name| {
        let path = tmp.path().join(format!("marked-{name}"));
        fs::write(&path, [b"\xef\xbb\xbf", read(&dir.join(name)).as_slice()].concat()).unwrap();
        path
    });
    let files = Files::named(&marked[0], &marked[1]);
    assert_eq!(files.load().unwrap().good, Files::own(&dir).load().unwrap().good);
    install(&own, &files, now()).unwrap();
    assert!(Files::own(&own).load().is_ok());
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let (cert, key) = (tmp.path().join("c.pem"), tmp.path().join("k.pem"));
    let why = || Files::named(&cert, &key).load().unwrap_err().to_string();
    assert!(why().starts_with("cannot read "));
    fs::write(&cert, "hello").unwrap();
    assert!(why().contains("contains no certificate"), "{}", why());
    fs::write(&cert, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").unwrap();
    assert!(why().contains("not a certificate"), "{}", why());
}

#[test]
fn a_renewed_certificate_is_of_the_same_authority_and_for_the_same_names() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("tls");
    make(&dir, &hosts(&["chat.example"]), now()).unwrap();
    assert!(make(&dir, &hosts(&["chat.example"]), now()).is_err(), "never over one that is there");
    let (before, ca) = (read(&dir.join(CERT)), read(&dir.join(CA_CERT)));
    apart(&dir);
    renew(&dir, None, now() + 600 * DAY).unwrap();
    assert_ne!(read(&dir.join(CERT)), before);
    assert_eq!(read(&dir.join(CA_CERT)), ca);
    assert!(!dir.join(KEY).exists(), "the key is in the same file now");
    assert!(Files::own(&dir).load_good(now() + 600 * DAY).unwrap().good.end > now() + 900 * DAY);
    assert_eq!(fs::read_to_string(dir.join(HOSTS)).unwrap(), "chat.example\n");
}

#[test]
fn our_own_pair_is_renewed_in_time_and_healed_and_another_is_left_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let (dir, other) = (tmp.path().join("tls"), tmp.path().join("other"));
    assert_eq!(keep(&dir, now()).unwrap(), Kept::Nothing);
    make(&dir, &hosts(&["localhost"]), now()).unwrap();
    let end = Files::own(&dir).load().unwrap().good.end;
    let before = read(&dir.join(CERT));
    assert_eq!(keep(&dir, end - 31 * DAY).unwrap(), Kept::Nothing);
    assert_eq!(read(&dir.join(CERT)), before);
    assert_eq!(keep(&dir, end - 30 * DAY).unwrap(), Kept::Renewed);
    assert_ne!(read(&dir.join(CERT)), before);

    // what a loss of power left of an earlier version: no key, or that of another certificate
    make(&other, &hosts(&["localhost"]), now()).unwrap();
    apart(&other);
    for foreign in [None, Some(read(&other.join(KEY)))] {
        apart(&dir);
        match foreign {
            Some(key) => fs::write(dir.join(KEY), key).unwrap(),
            None => fs::remove_file(dir.join(KEY)).unwrap(),
        }
        assert!(Files::own(&dir).load().is_err());
        assert!(matches!(keep(&dir, now()).unwrap(), Kept::Healed(_)));
        Files::own(&dir).load_good(now()).unwrap();
    }
    for broken in ["", "-----BEGIN CERTIFICATE-----\n"] {
        fs::write(dir.join(CERT), broken).unwrap();
        assert!(matches!(keep(&dir, now()).unwrap(), Kept::Healed(_)));
    }
    fs::remove_file(dir.join(CA_CERT)).unwrap();
    assert_eq!(keep(&dir, now()).unwrap(), Kept::Nothing);
    assert!(constrained(&dir), "the authority's certificate is where people find it again");

    // a pair of another authority, also half of one, belongs to the operator
    let theirs = rcgen::generate_simple_self_signed(hosts(&["chat.example"])).unwrap();
    let (cert, key) = (theirs.cert.pem(), theirs.signing_key.serialize_pem());
    for text in [format!("{cert}{key}"), cert] {
        fs::write(dir.join(CERT), &text).unwrap();
        assert_eq!(keep(&dir, now() + 4_000 * DAY).unwrap(), Kept::Nothing);
        assert_eq!(fs::read_to_string(dir.join(CERT)).unwrap(), text);
    }
}

#[test]
fn an_authority_vouches_for_its_names_and_for_no_other() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("tls");
    let names =
        hosts(&["chat.example.com", "192.0.2.7", "2001:db8::7", "localhost", "127.0.0.1", "::1", "*.shop.example"]);
    make(&dir, &names, now()).unwrap();
    renew(&dir, Some(&hosts(&["a.chat.example.com", "x.shop.example", "127.0.0.1"])), now()).unwrap();
    for name in ["example.com", "bank.example", "192.0.2.8", "2001:db8::8", "10.0.0.1", "otherchat.example.com"] {
        let before = read(&dir.join(CERT));
        let error = renew(&dir, Some(&hosts(&["chat.example.com", name])), now()).unwrap_err();
        assert!(matches!(&error, TlsError::NotVouched { name: n, .. } if n == name), "{name}: {error}");
        assert_eq!(read(&dir.join(CERT)), before);
    }
    let (old, key) = (read(&dir.join(CA_CERT)), read(&dir.join(CA_KEY)));
    replace_authority(&dir, &hosts(&["bank.example"]), now()).unwrap();
    assert!(read(&dir.join(CA_CERT)) != old && read(&dir.join(CA_KEY)) != key);
    assert!(replace_authority(&dir, &hosts(&["\u{7f}"]), now()).is_err());
    Files::own(&dir).load_good(now()).unwrap();
}

#[test]
fn new_files_are_taken_when_they_are_whole_and_trouble_is_told() {
    let tmp = tempfile::tempdir().unwrap();
    let (dir, other) = (tmp.path().join("tls"), tmp.path().join("other"));
    let (cert, key) = (tmp.path().join("c.pem"), tmp.path().join("k.pem"));
    for place in [&dir, &other] {
        make(place, &hosts(&["localhost"]), now()).unwrap();
        apart(place);
    }
    let put = |from: &Path, name: &str, to: &Path| crate::files::replace(to, 0o600, &read(&from.join(name))).unwrap();
    put(&dir, CERT, &cert);
    put(&dir, KEY, &key);
    let served = Served::open(Files::named(&cert, &key)).unwrap();
    assert!(!served.look(now()) && served.status().trouble.is_none());
    put(&other, CERT, &cert);
    assert!(!served.look(now()));
    assert!(served.status().trouble.unwrap().contains("is not the private key of"));
    put(&other, KEY, &key);
    assert!(served.look(now()) && served.status().trouble.is_none());
    assert!(!served.look(now()));
    // half a file
    crate::files::replace(&cert, 0o600, &read(&dir.join(CERT))[..90]).unwrap();
    assert!(!served.look(now()) && served.status().trouble.is_some());
    let good = served.status().good;
    // back to what is served already
    put(&other, CERT, &cert);
    assert!(!served.look(now()) && served.status() == Status { good, trouble: None });
    // one that no client would accept
    put(&dir, CERT, &cert);
    put(&dir, KEY, &key);
    assert!(!served.look(now() + 4_000 * DAY) && served.status().trouble.unwrap().contains("expired"));
    assert!(served.look(now()), "the clock is right again");
}
