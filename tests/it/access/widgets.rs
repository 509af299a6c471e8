//! The widget's files as they are served and kept, and which of them the pages load: old ones are named only to those who can
//! replace the snippet.

use std::process::Command;

use kefu::{
    http::assets::integrity as sri,
    store::{
        self, Batch, Op, Store, Table,
        redb::{Options, RedbStore},
    },
};
use serde_json::{Value, json};

use super::*;
use crate::support::{
    company::{Company, ORIGIN, now_ms},
    http::{Answer, ask, get},
    server::config,
};

const OLD: &str = "0.0.9-00000000";

/// The panel that the old launcher names.
const OLD_PANEL: &str = "panel-0000000000000000";

/// The file that the old panel names.
const OLD_MORE: &str = "more-0000000000000000";

/// What a server of that version kept.
pub async fn keep_old_widget(store: &dyn Store) {
    let put = |key: &str, value: &[u8]| Op::Put { table: Table::Widget, key: key.into(), value: value.to_vec() };
    let ops = vec![put(OLD, b"//old"), put(OLD_PANEL, b"//old panel"), put(OLD_MORE, b"//old more")];
    store::write(store, Batch { ops, ..Batch::default() }).await.unwrap();
}

/// The files of that version are served as they were.
pub async fn old_widget_is_served(addr: std::net::SocketAddr) {
    let files = [
        ("kefu.js".to_owned(), "//old"),
        (format!("{OLD_PANEL}.js"), "//old panel"),
        (format!("{OLD_MORE}.js"), "//old more"),
    ];
    for (file, content) in files {
        let answer = ask(addr, "GET", &format!("/w/{OLD}/{file}"), &[], "").await.unwrap();
        assert_eq!((answer.status, &*answer.body), (200, content.as_bytes()), "{file}");
    }
}

/// A company whose server once served another widget.
async fn with_an_old_widget() -> std::sync::Arc<Company> {
    let company = Company::found().await;
    let (redb, _feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
    keep_old_widget(&*redb).await;
    redb.close().await;
    company
}

async fn load(server: &Server, widget: &str, origin: Option<&str>) {
    let headers: Vec<_> = origin.iter().map(|o| ("origin", *o)).collect();
    let path = format!("/api/v1/site/s1?widget={widget}");
    assert_eq!(ask(server.addr, "GET", &path, &headers, "").await.unwrap().status, 200);
}

async fn told(server: &Server) -> Value {
    let boss = Peer::agent(server, "boss").await;
    get(server.addr, "/api/v1/widgets", &boss.token).await.unwrap().json()["old"].clone()
}

/// The output of the command line beside the server.
async fn kefu(company: &Company, args: &'static [&'static str]) -> Value {
    let dir = company.path().to_owned();
    let run = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(args).arg("--json").arg("--data-dir").arg(dir).output().unwrap()
    };
    let out = tokio::task::spawn_blocking(run).await.unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

#[tokio::test]
async fn pages_with_an_old_widget_are_named_with_what_to_do() {
    let company = with_an_old_widget().await;
    let server = Server::start(&company, config()).await;
    load(&server, OLD, None).await;
    load(&server, OLD, Some("https://evil.example")).await;
    load(&server, "9.9.9-ffffffff", Some(ORIGIN)).await;
    load(&server, "latest", Some(ORIGIN)).await;
    assert_eq!(told(&server).await, json!([]), "only pages of the site count, and versions that were served");

    let before = now_ms();
    load(&server, OLD, Some(ORIGIN)).await;
    let old = told(&server).await;
    assert_eq!((&old[0]["site"], &old[0]["version"]), (&json!("s1"), &json!(OLD)));
    assert!(old[0]["seen"].as_u64().unwrap() >= before && old.as_array().unwrap().len() == 1);

    // a restart forgets nothing
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    assert_eq!(told(&server).await, old);
    let list = kefu(&company, &["site", "list"]).await;
    assert_eq!(list["sites"][0]["old_widgets"], old);
    assert_eq!(list["sites"][1]["old_widgets"], json!([]));
    assert_eq!(kefu(&company, &["site", "show", "s1"]).await["old_widgets"], old);
    let doctor = kefu(&company, &["doctor"]).await;
    let finding = doctor["findings"].as_array().unwrap().iter().find(|f| f["check"] == "widgets").unwrap();
    assert_eq!(
        (&finding["level"], &finding["next"]),
        (&json!("problem"), &json!("paste the new snippet: kefu site snippet s1"))
    );
    assert!(finding["what"].as_str().unwrap().contains(OLD));
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
}

/// Address and hash in a script tag.
fn named(snippet: &str) -> (String, String) {
    let attribute = |name: &str| snippet.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    (attribute("src").split_once("/w/").unwrap().1.to_owned(), attribute("integrity").to_owned())
}

#[tokio::test]
async fn the_snippet_pins_the_launcher_which_pins_the_panel_which_pins_the_rest_and_one_file_is_all() {
    let company = Company::found().await;
    let server = Server::start(&company, config()).await;
    let fetch = async |path: &str, headers: &[(&str, &str)]| {
        ask(server.addr, "GET", &format!("/w/{path}"), headers, "").await.unwrap()
    };
    let latest = fetch("latest/kefu.js", &[]).await;
    if latest.status == 404 {
        // a checkout without built pages
        return;
    }
    let snippet = kefu(&company, &["site", "snippet", "s1"]).await["snippet"].as_str().unwrap().to_owned();
    let (path, integrity) = named(&snippet);
    let launcher = fetch(&path, &[]).await;
    assert_eq!((sri(&launcher.body), &launcher.body), (integrity, &latest.body));
    assert!(launcher.body.len() < 40_000, "it is the small one: {}", launcher.body.len());

    let version = path.split_once('/').unwrap().0;
    // what a file names, and the file of that name
    let next = async |by: &Answer, kind: &str| {
        let text = String::from_utf8(by.body.to_vec()).unwrap();
        let at = text.find(kind).unwrap();
        let name = text[at..at + kind.len() + "0123456789abcdef.js".len()].to_owned();
        let file = fetch(&format!("{version}/{name}"), &[]).await;
        assert!(text.contains(&sri(&file.body)), "the hash of {name} is where it is named");
        (name, file)
    };
    let (name, panel) = next(&launcher, "panel-").await;
    let (_, more) = next(&panel, "more-").await;
    // integrity needs it, and an address with a hash in it is asked for once
    for answer in [&launcher, &panel, &more] {
        assert_eq!(header(answer, "access-control-allow-origin"), "*");
        assert_eq!(header(answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(answer, "content-type"), "text/javascript; charset=utf-8");
    }
    for encoding in ["br", "gzip"] {
        let packed = fetch(&format!("{version}/{name}"), &[("accept-encoding", encoding)]).await;
        assert_eq!(header(&packed, "content-encoding"), encoding);
        assert!(packed.body.len() < panel.body.len() / 2);
    }
    let tag = header(&panel, "etag").to_owned();
    assert_eq!(fetch(&format!("{version}/{name}"), &[("if-none-match", &tag)]).await.status, 304);
    // pages that pin nothing, and bundles, which have no tag, load it from there
    assert_eq!(fetch(&format!("latest/{name}"), &[]).await.body, panel.body);
    let wrong = [
        "panel-0000000000000000.js",
        "more-0000000000000000.js",
        "panel-.js",
        "more.js",
        "single.js",
        &name[..name.len() - 3],
    ];
    for wrong in wrong {
        assert_eq!(fetch(&format!("{version}/{wrong}"), &[]).await.status, 404, "{wrong}");
    }

    let snippet = kefu(&company, &["site", "snippet", "s1", "--single"]).await["snippet"].as_str().unwrap().to_owned();
    let (path, integrity) = named(&snippet);
    let single = fetch(&path, &[]).await;
    assert_eq!(sri(&single.body), integrity);
    assert!(*single.body == *[&panel.body[..], &more.body, &launcher.body].concat());

    // neither of the two is an old one
    for version in [version, path.split_once('/').unwrap().0] {
        load(&server, version, Some(ORIGIN)).await;
    }
    assert_eq!(told(&server).await, json!([]));
}

#[tokio::test]
async fn an_old_launcher_and_the_files_that_it_needs_stay_served_after_an_upgrade() {
    let company = with_an_old_widget().await;
    let server = Server::start(&company, config()).await;
    old_widget_is_served(server.addr).await;
    // these are no versions that a page could report
    for part in [OLD_PANEL, OLD_MORE] {
        load(&server, part, Some(ORIGIN)).await;
    }
    assert_eq!(told(&server).await, json!([]));
    let company = server.stopped().await;
    old_widget_is_served(Server::start(&company, config()).await.addr).await;
}
