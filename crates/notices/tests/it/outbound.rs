//! Addresses that may not be reached, names that change, and answers that are none.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use hyper::HeaderMap;
use kefu_notices::{
    outbound::{Answer, Outbound, OutboundError, Resolver, Target},
    testing::{Act, Receiver},
};
use kefu_redis_link::testing::Certificates;

fn outbound(allow_private: bool) -> Outbound {
    Outbound::new(None, allow_private).unwrap().with_time(Duration::from_secs(2))
}

async fn post(outbound: &Outbound, url: &str) -> Result<Answer, OutboundError> {
    let target = Target::parse(url, true).unwrap();
    outbound.post(&target, HeaderMap::new(), Bytes::from_static(b"{}")).await
}

#[tokio::test]
async fn this_machine_and_its_neighbours_are_not_reached_unless_allowed() {
    let receiver = Receiver::start(Act::ok(""));
    let port = receiver.addr().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "192.168.77.1"] {
        let refused = post(&outbound(false), &format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(matches!(refused, OutboundError::Forbidden { .. }), "{host}: {refused}");
    }
    // numbers that other programs read as addresses are names here, and no resolver may make them loopback
    for host in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"] {
        let refused = post(&outbound(false), &format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(!matches!(refused, OutboundError::NoAnswer { .. }), "{host}: {refused}");
    }
    assert!(receiver.asked().is_empty());
    assert_eq!(post(&outbound(true), &receiver.url("/a?b=c")).await.unwrap().status, 200);
    assert_eq!(receiver.asked()[0].path, "/a?b=c");
    let metadata = post(&outbound(true), "http://169.254.169.254/latest/meta-data/").await.unwrap_err();
    assert!(
        matches!(metadata, OutboundError::Forbidden { .. }),
        "also where private addresses are allowed: {metadata}"
    );
}

/// Says a public address first and this machine afterwards, as who attacks by DNS does.
struct Rebinding {
    port: u16,
    asked: AtomicUsize,
}

impl Resolver for Rebinding {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let first = self.asked.fetch_add(1, Ordering::Relaxed) == 0;
        // 192.0.2.0/24 is of nobody: a connection there fails or times out
        let ip = if first { [192, 0, 2, 1] } else { [127, 0, 0, 1] };
        ready(Ok(vec![(ip, self.port).into()])).boxed()
    }
}

#[tokio::test]
async fn a_name_that_changes_leads_nowhere_else() {
    let receiver = Receiver::start(Act::ok(""));
    let resolver = Rebinding { port: receiver.addr().port(), asked: AtomicUsize::new(0) };
    let outbound = outbound(false).with_resolver(resolver).with_time(Duration::from_millis(300));
    let first = post(&outbound, "http://rebind.example/").await.unwrap_err();
    assert!(
        matches!(first, OutboundError::NoAnswer { .. }),
        "the address that was checked is the one connected to: {first}"
    );
    let second = post(&outbound, "http://rebind.example/").await.unwrap_err();
    assert!(matches!(second, OutboundError::Forbidden { .. }), "checked again each time: {second}");
    assert!(receiver.asked().is_empty());
}

/// A public address that nobody has, and this machine.
struct Both(u16);

impl Resolver for Both {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        ready(Ok(vec![([127, 0, 0, 1], self.0).into(), ([192, 0, 2, 1], self.0).into()])).boxed()
    }
}

#[tokio::test]
async fn of_several_addresses_only_allowed_ones_are_tried() {
    let receiver = Receiver::start(Act::ok(""));
    let outbound = outbound(false).with_resolver(Both(receiver.addr().port())).with_time(Duration::from_millis(300));
    assert!(matches!(post(&outbound, "http://both.example/").await, Err(OutboundError::NoAnswer { .. })));
    assert!(receiver.asked().is_empty());
}

#[tokio::test]
async fn answers_that_are_none_end_in_time_and_memory() {
    let receiver = Receiver::start(Act::Hang);
    let acts = [Act::Hang, Act::Drop, Act::HalfAHead, Act::HalfABody, Act::Huge, Act::EndlessHead, Act::Noise];
    for act in acts {
        receiver.then([act.clone()]);
        let begin = Instant::now();
        let failed = post(&outbound(true), &receiver.url("/secret-path")).await.unwrap_err();
        assert!(matches!(failed, OutboundError::NoAnswer { .. }), "{act:?}: {failed}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{act:?} took {:?}", begin.elapsed());
        assert!(!failed.to_string().contains("secret-path"), "{failed}");
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(post(&outbound(true), &format!("http://{free}/")).await, Err(OutboundError::NoAnswer { .. })));
    let unknown = post(&outbound(true), "http://no-such-host.invalid/").await.unwrap_err();
    assert!(matches!(unknown, OutboundError::Name { .. }), "{unknown}");
}

#[tokio::test]
async fn redirects_are_answers_and_nothing_more() {
    let (receiver, inside) = (Receiver::start(Act::ok("")), Receiver::start(Act::ok("")));
    receiver.then([Act::Answer(302, vec![("location", inside.url("/"))], String::new())]);
    assert_eq!(post(&outbound(true), &receiver.url("/")).await.unwrap().status, 302);
    assert!(inside.asked().is_empty());
}

#[tokio::test]
async fn tls_is_only_with_who_proves_their_name() {
    let certificates = Certificates::make();
    let addr = tls_server(&certificates);
    let trusting = Outbound::new(Some(&certificates.file("ca.pem")), true).unwrap();
    assert_eq!(post(&trusting, &format!("https://localhost:{}/", addr.port())).await.unwrap().status, 200);
    let other = Certificates::make();
    let strange = Outbound::new(Some(&other.file("ca.pem")), true).unwrap();
    let refused = post(&strange, &format!("https://localhost:{}/", addr.port())).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let elsewhere = post(&trusting, &format!("https://127.0.0.2:{}/", addr.port())).await.unwrap_err();
    assert!(elsewhere.to_string().contains("certificate"), "{elsewhere}");
    assert!(Outbound::new(Some(&certificates.file("key.pem")), true).is_err(), "no certificate is in it");
}

fn tls_server(certificates: &Certificates) -> SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let chain = vec![CertificateDer::from_pem_file(certificates.file("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificates.file("key.pem")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = std::sync::Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            use io::{Read as _, Write as _};
            let mut session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut tcp);
            let _ = tls.read(&mut [0; 1024]);
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            let _ = tls.flush();
        }
    });
    addr
}
