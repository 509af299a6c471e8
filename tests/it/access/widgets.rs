//! Which widgets the pages load: old ones are named only to those who can replace the snippet.

use std::process::Command;

use kefu::store::{
    self, Batch, Op, Store, Table,
    redb::{Options, RedbStore},
};
use serde_json::{Value, json};

use super::*;
use crate::support::{
    company::{Company, ORIGIN, now_ms},
    http::{ask, get},
    server::config,
};

const OLD: &str = "0.0.9-00000000";

/// A company whose server once served another widget.
async fn with_an_old_widget() -> std::sync::Arc<Company> {
    let company = Company::found().await;
    let (redb, _feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
    let op = Op::Put { table: Table::Widget, key: OLD.into(), value: b"//old".to_vec() };
    store::write(&*redb, Batch { ops: vec![op], ..Batch::default() }).await.unwrap();
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
