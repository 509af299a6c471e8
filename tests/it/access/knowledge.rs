//! The knowledge that agents' browsers search: for the team of the site, and agents who have a conversation of it.

use kefu::{
    nlu::knowledge::{Entry, KnowledgeBase},
    robot::engine::RobotFiles,
};

use super::*;
use crate::support::{
    company::Company,
    http::{Answer, ask},
    server::config,
};

/// A company that knows something of each site, and of both.
async fn learned() -> std::sync::Arc<Company> {
    let company = Company::found().await;
    let files = RobotFiles::of(company.path());
    std::fs::create_dir_all(&files.dir).unwrap();
    let entry = |name: &str, site: Option<&str>| Entry {
        id: name.into(),
        question: format!("{name}?"),
        answer: "yes".into(),
        site: site.map(Into::into),
        ..Entry::default()
    };
    let mut book = KnowledgeBase::default();
    book.put_all(vec![entry("all", None), entry("one", Some("s1")), entry("two", Some("s2"))]);
    book.save(&files.knowledge()).unwrap();
    company
}

async fn asked(server: &Server, who: &Peer, site: &str, tag: Option<&str>) -> Answer {
    let bearer = format!("Bearer {}", who.token);
    let headers = [("authorization", &bearer[..]), ("if-none-match", tag.unwrap_or(""))];
    let headers = if tag.is_some() { &headers[..] } else { &headers[..1] };
    ask(server.addr, "GET", &format!("/api/v1/knowledge/{site}"), headers, "").await.unwrap()
}

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    json["entries"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_team_of_a_site_gets_its_knowledge_and_nobody_else() {
    let server = Server::start(&learned().await, config()).await;
    let (li, zhou, visitor) =
        (Peer::agent(&server, "li").await, Peer::agent(&server, "zhou").await, Peer::visitor(&server).await);
    let first = asked(&server, &li, "s1", None).await;
    assert_eq!((first.status, ids(&first)), (200, vec!["all".to_owned(), "one".to_owned()]));
    assert_eq!(first.headers["cache-control"], "no-store", "no browser keeps it on its disk");
    for (who, site, status) in [(&li, "s2", 403), (&zhou, "s1", 403), (&visitor, "s1", 403), (&li, "nosuch", 404)] {
        let answer = asked(&server, who, site, None).await;
        assert_eq!(answer.status, status, "{site}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("yes"));
    }
    let tag = first.headers["etag"].to_str().unwrap();
    let again = asked(&server, &li, "s1", Some(tag)).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(asked(&server, &zhou, "s1", Some(tag)).await.status, 403, "a tag is no key");
    KnowledgeBase::default().save(&RobotFiles::of(server.company.path()).knowledge()).unwrap();
    let changed = asked(&server, &li, "s1", Some(tag)).await;
    assert_eq!((changed.status, ids(&changed)), (200, vec![]));
}

#[tokio::test]
async fn whom_a_conversation_was_transferred_to_can_look_things_up_for_it() {
    let server = Server::start(&learned().await, config()).await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    let (_visitor, mut li, conv) = victim(&server).await;
    assert_eq!(asked(&server, &zhou, "s1", None).await.status, 403);
    let (key, company) = (li.me.key.clone(), server.company.clone());
    let announcement = li.view(conv).announce(&company, "vip", &key);
    li.post(announcement).await.unwrap();
    li.transfer(conv, None, Some("vip")).await.unwrap();
    zhou.accept(conv).await;
    assert_eq!(ids(&asked(&server, &zhou, "s1", None).await), ["all", "one"]);
}
