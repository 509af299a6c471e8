//! The certificate of a running server: taken without a restart, healed, renewed for other names.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use kefu::tls;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::json;

use super::Shell;

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A server that speaks TLS, and its log line by line.
struct Server {
    child: Child,
    addr: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(sh: &Shell, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(sh.path("data"));
        command.envs(more.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Self { addr: ready["listen"].as_str().unwrap().parse().unwrap(), child, log }
    }

    /// Tells it to check its files, and waits for its log line.
    fn look(&mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        self.says("certificate")
    }

    fn says(&mut self, word: &str) -> String {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        line
    }

    /// A connection that trusts the authority in `ca`; the handshake is done.
    fn connect(&self, ca: &Path, name: &str) -> Result<Tls, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut tls = StreamOwned::new(ClientConnection::new(config, name).unwrap(), TcpStream::connect(self.addr)?);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(tls)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn served(tls: &Tls) -> Vec<u8> {
    tls.conn.peer_certificates().unwrap()[0].to_vec()
}

/// Asks on a connection that stays open.
fn healthy(tls: &mut Tls) {
    tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: kefu\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok") {
        let mut part = [0; 1024];
        let n = tls.read(&mut part).unwrap();
        assert!(n > 0, "closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..n]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

fn put(from: &Path, to: &Path) {
    let beside = to.with_extension("beside");
    fs::copy(from, &beside).unwrap();
    fs::rename(&beside, to).unwrap();
}

/// Two pairs in two files each, as an ACME client keeps them, and their authorities.
fn pair(sh: &Shell, name: &str) -> [PathBuf; 3] {
    let dir = sh.path(name);
    tls::make(&dir, &["localhost".into()], kefu_now()).unwrap();
    let both = fs::read_to_string(dir.join(tls::CERT)).unwrap();
    let (cert, key) = both.split_at(both.find("-----BEGIN PRIVATE KEY").unwrap());
    fs::write(dir.join("fullchain.pem"), cert).unwrap();
    fs::write(dir.join("privkey.pem"), key).unwrap();
    [dir.join(tls::CA_CERT), dir.join("fullchain.pem"), dir.join("privkey.pem")]
}

fn kefu_now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

#[test]
fn a_renewed_pair_is_taken_whole_and_open_connections_live_on() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let ([old_ca, old_cert, old_key], [new_ca, new_cert, new_key]) = (pair(&sh, "old"), pair(&sh, "new"));
    let (cert, key) = (sh.path("cert.pem"), sh.path("key.pem"));
    put(&old_cert, &cert);
    put(&old_key, &key);
    let named = [("KEFU_TLS__CERT", cert.to_str().unwrap()), ("KEFU_TLS__KEY", key.to_str().unwrap())];
    let mut server = Server::start(&sh, &named);
    let mut open = server.connect(&old_ca, "localhost").unwrap();
    healthy(&mut open);
    let doctor = |sh: &Shell| {
        let out = sh.run(&[
            "doctor",
            "--json",
            "--config",
            sh.file("tls.toml", &format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n")).as_str(),
        ]);
        let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        found["findings"].as_array().unwrap().iter().find(|f| f["check"] == "certificate").unwrap().clone()
    };
    assert_eq!(doctor(&sh)["level"], "ok");

    // the certificate is there, its key is not yet
    put(&new_cert, &cert);
    let said = server.look();
    assert!(said.contains("not used") && said.contains("is not the private key of"), "{said}");
    healthy(&mut server.connect(&old_ca, "localhost").unwrap());
    let found = doctor(&sh);
    assert_eq!(found["level"], "problem");
    assert!(found["what"].as_str().unwrap().contains("does not use the new one"), "{found}");

    put(&new_key, &key);
    let said = server.look();
    assert!(said.contains("a new certificate is in use"), "{said}");
    let mut fresh = server.connect(&new_ca, "localhost").unwrap();
    healthy(&mut fresh);
    assert_ne!(served(&fresh), served(&open));
    assert!(server.connect(&old_ca, "localhost").is_err());
    healthy(&mut open);
    assert_eq!(doctor(&sh)["level"], "ok");
}

#[test]
fn the_servers_own_pair_is_healed_at_the_start_and_renewed_while_it_runs() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--host", "localhost"]);
    let dir = sh.path("data/tls");
    // what an earlier version left after a loss of power: the certificate, and the key of another
    let both = fs::read_to_string(dir.join(tls::CERT)).unwrap();
    fs::write(dir.join(tls::CERT), &both[..both.find("-----BEGIN PRIVATE KEY").unwrap()]).unwrap();
    fs::copy(&pair(&sh, "other")[2], dir.join(tls::KEY)).unwrap();
    let mut server = Server::start(&sh, &[]);
    let said = server.says("were made");
    assert!(said.contains("is not the private key of"), "{said}");
    let ca = dir.join(tls::CA_CERT);
    let before = server.connect(&ca, "localhost").unwrap();
    assert!(!dir.join(tls::KEY).exists());

    let made = sh.json(&["tls", "renew", "--host", "localhost", "127.0.0.1"]);
    assert_eq!(made["hosts"], serde_json::json!(["localhost", "127.0.0.1"]));
    server.look();
    let mut after = server.connect(&ca, "127.0.0.1").unwrap();
    healthy(&mut after);
    assert_ne!(served(&after), served(&before));
    // a name that the authority was not made for
    let out = sh.run(&["tls", "renew", "--host", "bank.example"]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("bank.example is not one of them") && text.contains("--new-authority"), "{text}");
    assert_eq!(sh.json(&["tls", "show"])["constrained"], true);
    let trusted = sh.path("trusted.pem");
    fs::copy(&ca, &trusted).unwrap();
    sh.json(&["tls", "renew", "--host", "bank.example", "localhost", "--new-authority"]);
    server.look();
    healthy(&mut server.connect(&ca, "bank.example").unwrap());
    assert!(server.connect(&trusted, "localhost").is_err());
}

/// What other software makes of it.
#[test]
fn openssl_takes_the_certificate_for_its_names_only() {
    let openssl = |args: &[&str]| {
        let out = Command::new("openssl").args(args).output().ok()?;
        Some((out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()))
    };
    if openssl(&["version"]).is_none() {
        return; // this machine has none
    }
    let sh = Shell::new();
    let names = ["chat.example.com", "192.0.2.7", "2001:db8::7", "localhost", "127.0.0.1", "::1"].map(String::from);
    for hosts in [&names[..], &names[1..2], &names[..1]] {
        let dir = sh.path(&format!("tls{}", hosts.len())).join(&hosts[0]);
        fs::create_dir_all(dir.parent().unwrap()).unwrap();
        tls::make(&dir, hosts, kefu_now()).unwrap();
        let (ca, cert) = (dir.join(tls::CA_CERT), dir.join(tls::CERT));
        let (ca, cert) = (ca.to_str().unwrap(), cert.to_str().unwrap());
        for host in hosts {
            let flag = if host.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
            let (good, said) = openssl(&["verify", "-CAfile", ca, flag, host, cert]).unwrap();
            assert!(good, "{host}: {said}");
        }
        // a thief of the authority's key signs for a bank
        let key = dir.join("bank.key");
        let bank = dir.join("bank.pem");
        let (key, bank) = (key.to_str().unwrap(), bank.to_str().unwrap());
        for san in ["DNS:www.bank.example", "IP:198.51.100.1", "IP:2001:db8::8"] {
            let request = dir.join("bank.csr");
            let request = request.to_str().unwrap();
            let config = sh.file("san.cnf", &format!("subjectAltName={san}\n"));
            let made = openssl(&[
                "req",
                "-new",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                key,
                "-out",
                request,
                "-subj",
                "/CN=bank",
            ])
            .unwrap();
            assert!(made.0, "{}", made.1);
            let ca_key = dir.join(tls::CA_KEY);
            let signed = openssl(&[
                "x509",
                "-req",
                "-in",
                request,
                "-CA",
                ca,
                "-CAkey",
                ca_key.to_str().unwrap(),
                "-CAcreateserial",
                "-extfile",
                &config,
                "-out",
                bank,
            ])
            .unwrap();
            assert!(signed.0, "{}", signed.1);
            let (good, said) = openssl(&["verify", "-CAfile", ca, bank]).unwrap();
            assert!(!good && said.contains("permitted subtree violation"), "{san}: {said}");
        }
    }
}

/// The printed address, the configured one and the certificate's are the same.
#[test]
fn a_company_for_this_machine_alone_is_reached_by_the_name_that_was_given() {
    for (hosts, url) in [
        (&["127.0.0.1"][..], "https://127.0.0.1:8443"),
        (&["localhost"], "https://localhost:8443"),
        (&["127.0.0.1", "chat.example.com"], "https://chat.example.com:8443"),
    ] {
        let sh = Shell::new();
        let named: Vec<&str> = hosts.iter().flat_map(|host| ["--host", host]).collect();
        let made = sh.json(&[&["init", "--no-passphrase"], &named[..]].concat());
        assert_eq!((&made["public_url"], &made["certificate"]["hosts"]), (&json!(url), &json!(hosts)));
        let config = fs::read_to_string(sh.path("data/kefu.toml")).unwrap();
        assert!(config.contains(&format!("public_url = \"{url}\"")), "{config}");
    }
}
