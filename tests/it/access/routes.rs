//! Every route of the protocol, requested without a token and with another user's.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use kefu::crypto::{codec::b64u, opaque::ClientLogin};
use serde_json::{Value, json};

use super::*;
use crate::support::{
    company::Company,
    http::{Answer, ask, ask_as},
    server::{Server, config},
};

/// A route with what must come of it, by HTTP status.
struct Case {
    /// As in `docs/protocol.md`.
    route: &'static str,
    /// What to ask, with a body for those that have one.
    ask: (String, Option<Value>),
    /// Without a token, and with garbage for one.
    nobody: u16,
    /// Another visitor.
    visitor: u16,
    /// An agent of another team.
    agent: u16,
}

fn cases(conv: ConvId) -> Vec<Case> {
    let (_, ke1) = ClientLogin::start("a password").unwrap();
    let (m, inv) = (b64u(&ke1), b64u(&[7; 32]));
    let entry = json!({ "raw": "", "signer": inv, "sig": "" });
    let case = |route, path: &str, body, (nobody, visitor, agent)| Case {
        route,
        ask: (format!("/api/v1{path}"), body),
        nobody,
        visitor,
        agent,
    };
    let file = format!("/conversations/{conv}/files/{}", ConvId([3; 16]));
    let document = format!("/documents/{}?base=0", ConvId([3; 16]));
    let all = |status| (status, status, status);
    let claim = json!({ "inv": inv, "entry": entry, "record": "", "keyring": "", "boxes": [] });
    let finish = json!({ "record": "", "keyring": "", "version": 2, "change": "", "sig": "" });
    vec![
        case("GET /site/<id>", "/site/s1", None, all(200)),
        case("GET /site/<id>/presence", "/site/s1/presence", None, all(200)),
        case("GET /directory", "/directory?after=-1", None, all(200)),
        case(
            "GET /conversations/<conv>/records",
            &format!("/conversations/{conv}/records?after=0"),
            None,
            (401, 404, 404),
        ),
        case("GET /conversations/<conv>/files/<msg>", &file, None, (401, 404, 404)),
        case("POST /conversations/<conv>/files/<msg>", &file, Some(json!({ "size": 20 })), (401, 404, 404)),
        case("PUT /conversations/<conv>/files/<msg>", &format!("{file}?at=0"), Some(json!({})), (401, 404, 404)),
        case("DELETE /conversations/<conv>/files/<msg>", &file, None, (401, 404, 404)),
        case("GET /conversations", "/conversations?tab=all", None, (401, 403, 200)),
        case("GET /conversations", "/conversations?tab=missed", None, (401, 403, 200)),
        case("GET /conversations/<conv>", &format!("/conversations/{conv}"), None, (401, 403, 404)),
        case("GET /conversations/<conv>/others", &format!("/conversations/{conv}/others"), None, (401, 403, 404)),
        case(
            "POST /conversations/<conv>/person",
            &format!("/conversations/{conv}/person"),
            Some(json!({ "tag": "00".repeat(16) })),
            (401, 403, 404),
        ),
        case(
            "POST /conversations/<conv>/readers",
            &format!("/conversations/{conv}/readers"),
            Some(json!({ "device": conv, "grant": "AA" })),
            (401, 403, 404),
        ),
        case("GET /devices", "/devices", None, (401, 200, 403)),
        case(
            "POST /devices",
            "/devices",
            Some(json!({ "id": "00".repeat(16), "convs": [conv], "blob": "AA" })),
            (401, 404, 403),
        ),
        case("POST /devices/take", "/devices/take", Some(json!({ "id": "00".repeat(16) })), (401, 404, 403)),
        case("GET /blocks", "/blocks", None, (401, 403, 200)),
        // pushes are off
        case("GET /push", "/push", None, (401, 403, 404)),
        case("POST /push", "/push", Some(json!({ "endpoint": "", "p256dh": "", "auth": "" })), (401, 403, 404)),
        case("POST /push/remove", "/push/remove", Some(json!({ "endpoint": "" })), (401, 403, 404)),
        case("POST /login/start", "/login/start", Some(json!({ "user": "nobody", "m": m })), all(200)),
        case("POST /login/finish", "/login/finish", Some(json!({ "id": "x", "m": m })), all(401)),
        case("POST /invite/open", "/invite/open", Some(json!({ "inv": inv })), all(404)),
        case("POST /invite/register", "/invite/register", Some(json!({ "inv": inv, "m": m })), all(404)),
        case("POST /invite/claim", "/invite/claim", Some(claim), all(404)),
        case("POST /password/start", "/password/start", Some(json!({ "m": b64u(&[1; 32]) })), (401, 403, 400)),
        // the agent has no password yet, so there is none to change
        case("POST /password/finish", "/password/finish", Some(finish), (401, 403, 404)),
        case("GET /knowledge/<site>", "/knowledge/s1", None, (401, 403, 403)),
        case("GET /documents", "/documents?kind=reply&since=0", None, (401, 403, 200)),
        case("PUT /documents/<id>", &document, Some(json!({})), (401, 403, 400)),
        case("DELETE /documents/<id>", &document, None, (401, 403, 404)),
        case("GET /boxes", "/boxes", None, (401, 403, 200)),
        case("POST /snapshot", "/snapshot", Some(entry.clone()), (401, 403, 403)),
        case("POST /directory", "/directory", Some(json!({ "entries": [entry] })), (401, 403, 403)),
        case("GET /widgets", "/widgets", None, (401, 403, 403)),
        Case { route: "GET /healthz", ask: ("/healthz".into(), None), nobody: 200, visitor: 200, agent: 200 },
        // it has a token of its own; `doors` asks with it
        Case { route: "GET /metrics", ask: ("/metrics".into(), None), nobody: 404, visitor: 404, agent: 404 },
    ]
}

/// The routes that the protocol promises: code words in its chapter 5 that begin with a method.
fn promised() -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md")).unwrap();
    let chapter = page.split("\n## ").find(|c| c.starts_with("5. HTTP")).unwrap();
    let words = chapter.split('`').skip(1).step_by(2);
    let routes = words.filter(|w| ["GET /", "POST /", "PUT /", "DELETE /"].iter().any(|method| w.starts_with(method)));
    // pages are public files, and missing in a build without them
    let routes = routes.filter(|w| !["/console/", "/demo/", "/w/"].iter().any(|page| w.contains(page)));
    routes.map(|w| w.split(['?', '{']).next().unwrap().trim().to_owned()).collect()
}

async fn call(server: &Server, case: &Case, token: Option<&str>) -> Answer {
    let method = case.route.split(' ').next().unwrap();
    let bearer = token.map(|t| format!("Bearer {t}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|b| ("authorization", &b[..])).collect();
    // one name may try five times only
    static NAMES: AtomicU32 = AtomicU32::new(0);
    let name = format!("nobody{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let body = case.ask.1.as_ref().map(Value::to_string).unwrap_or_default().replace("nobody", &name);
    ask(server.addr, method, &case.ask.0, &headers, body).await.unwrap()
}

#[tokio::test]
async fn routes_answer_only_those_they_are_for() {
    let server = Server::new().await;
    let (_victim, li, conv) = victim(&server).await;
    let (stranger, zhou) = (Peer::visitor(&server).await, Peer::agent(&server, "zhou").await);
    let table = cases(conv);
    let covered: BTreeSet<String> = table.iter().map(|c| c.route.to_owned()).collect();
    assert_eq!(covered, promised(), "every route of the protocol must stand in the table");

    let other = Server::new().await;
    let foreign = Peer::agent(&other, "li").await.token;
    let mut altered = li.token.clone();
    altered.pop();
    let as_li = zhou.token.replacen(":zhou:", ":li:", 1);
    assert_ne!(as_li, zhou.token);
    let long = "a".repeat(9_000);
    let garbage = ["", "null", &altered, &as_li, &foreign, &long];
    for case in &table {
        assert_eq!(call(&server, case, None).await.status, case.nobody, "{} without a token", case.route);
        for token in garbage {
            let answer = call(&server, case, Some(token)).await;
            assert_eq!(answer.status, case.nobody, "{} with {:.30}", case.route, token);
        }
        let visitor = call(&server, case, Some(&stranger.token)).await;
        assert_eq!(visitor.status, case.visitor, "{} by another visitor", case.route);
        let agent = call(&server, case, Some(&zhou.token)).await;
        assert_eq!(agent.status, case.agent, "{} by another team: {:?}", case.route, agent.body);
        let (text, secret) = (String::from_utf8_lossy(&agent.body).into_owned(), conv.to_string());
        assert!(!text.contains(&secret), "{} tells another team of the conversation", case.route);
        for answer in [visitor, agent].iter().filter(|a| a.status >= 400) {
            let code = answer.code().expect("a refusal has a code");
            let named = ErrorCode::from_number(code as u16).unwrap();
            assert_eq!((named.status(), answer.json()["name"].as_str()), (answer.status, Some(named.name())));
        }
    }
    let boxes = crate::support::http::get(server.addr, "/api/v1/boxes", &zhou.token).await.unwrap().json();
    assert!(boxes["boxes"].as_array().unwrap().iter().all(|b| b["team"] == "vip"), "{boxes}");
}

/// Every answer says what a browser may do with it, for every request and client.
#[tokio::test]
async fn every_answer_is_guarded() {
    let company = Company::found().await;
    let mut config = config();
    config.server.demo = true;
    config.server.public_url = "https://chat.example.com".into();
    let server = Server::start(&company, config).await;
    let li = Peer::agent(&server, "li").await;
    let mut paths: Vec<(String, String)> = cases(ConvId([7; 16]))
        .into_iter()
        .map(|case| (case.route.split(' ').next().unwrap().to_owned(), case.ask.0))
        .collect();
    let others = [
        "/",
        "/console",
        "/console/",
        "/console/index.html",
        "/console/nosuch.js",
        "/console/assets/nosuch.js",
        "/demo/",
        "/demo/nosuch",
        "/w/latest/kefu.js",
        "/w/0.0.0/kefu.js",
        "/nosuch",
        "/healthz",
        "/metrics",
        "/api/v1/",
        "/api/v1/ws/agent",
        "/api/v1/ws/site/nosuch",
        "/kefu.redb",
    ];
    paths.extend(others.map(|path| ("GET".to_owned(), path.to_owned())));
    paths.extend(["POST", "DELETE", "OPTIONS", "HEAD"].map(|method| (method.to_owned(), "/api/v1/site/s1".to_owned())));
    // what was built of the pages, workers among it
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/dist");
    for folder in ["console", "console/assets", "demo"] {
        let files = fs::read_dir(dist.join(folder)).into_iter().flatten().map(|e| e.unwrap().file_name());
        let names = files.map(|name| name.into_string().unwrap());
        let names = names
            .filter(|name| name.contains('.'))
            .map(|n| n.trim_end_matches(".gz").trim_end_matches(".br").to_owned());
        paths.extend(names.map(|name| ("GET".to_owned(), format!("/{folder}/{name}"))));
    }
    let bearer = format!("Bearer {}", li.token);
    for (method, path) in &paths {
        for host in ["chat.example.com", "intranet:8443"] {
            let answer = ask_as(server.addr, host, method, path, &[("authorization", &bearer)], "").await.unwrap();
            let header = |name: &str| answer.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default();
            let what = format!("{method} {path} as {host}: {}", answer.status);
            assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
            assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
            assert_eq!(header("x-frame-options"), "DENY", "{what}");
            let policy = header("content-security-policy");
            for part in ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{what}: {policy}");
            }
            assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
            let strict = if host == "chat.example.com" { "max-age=31536000" } else { "" };
            assert_eq!(header("strict-transport-security"), strict, "{what}");
        }
    }
}

#[tokio::test]
async fn a_token_dies_with_the_process() {
    let server = Server::new().await;
    let token = Peer::agent(&server, "li").await.token;
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let answer = crate::support::http::get(server.addr, "/api/v1/boxes", &token).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, Some(4)));
}

#[tokio::test]
async fn other_methods_and_addresses_are_refused_in_order() {
    let server = Server::new().await;
    let cases = [
        ("DELETE", "/api/v1/boxes", 405),
        ("PUT", "/api/v1/snapshot", 405),
        ("GET", "/api/v1/snapshot", 405),
        ("POST", "/api/v1/widgets", 405),
        ("POST", "/api/v1/ws/agent", 405),
        ("DELETE", "/api/v1/nothing", 404),
        ("POST", "/healthz", 405),
        ("GET", "/api/v1/", 404),
        ("GET", "/api/v1/../../etc/passwd", 404),
        ("GET", "/admin/export", 404),
        ("POST", "/admin/commit", 405),
        ("GET", "/api/v1/admin/export", 404),
        ("GET", "/api/v1/ws/agent", 426),
        ("GET", "/api/v1/ws/site/s1", 426),
        ("GET", "/api/v1/ws/site/nosuch", 426),
        ("GET", "/api/v1/site/nosuch", 404),
        ("GET", "/api/v1/site/%00", 404),
        ("GET", "/api/v1/directory?after=x", 400),
        ("GET", "/kefu.redb", 404),
    ];
    for (method, path, status) in cases {
        let answer = ask(server.addr, method, path, &[], "").await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        let allowed = answer.headers.get("allow").and_then(|a| a.to_str().ok());
        assert_eq!(allowed.is_some(), status == 405, "{method} {path}");
        assert!(!allowed.is_some_and(|a| a.contains(method)), "{method} {path}");
    }
}

/// As programs that watch a server ask.
#[tokio::test]
async fn a_head_says_what_a_get_would_say() {
    let server = Server::new().await;
    for path in [
        "/healthz",
        "/",
        "/console/",
        "/w/latest/kefu.js",
        "/api/v1/directory?after=-1",
        "/api/v1/boxes",
        "/api/v1/site/s1",
        "/nothing",
    ] {
        let get = ask(server.addr, "GET", path, &[], "").await.unwrap();
        let head = ask(server.addr, "HEAD", path, &[], "").await.unwrap();
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "content-security-policy"] {
            // that there is nothing goes without saying
            if name != "content-length" || !get.body.is_empty() {
                assert_eq!(head.headers.get(name), get.headers.get(name), "{path}: {name}");
            }
        }
    }
    // no socket comes of it
    let wants = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "kefu.v1"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    assert_eq!(ask(server.addr, "GET", "/api/v1/ws/agent", &wants, "").await.unwrap().status, 101);
    assert_eq!(ask(server.addr, "HEAD", "/api/v1/ws/agent", &wants, "").await.unwrap().status, 426);
}
