//! What was said, found again: all conversations of one's teams by date, team, site, agent and state.

use kefu::proto::{Label, LabelColor, LabelKind};
use serde_json::Value;

use super::{lists::ids, *};
use crate::support::{company::id, http::get};

async fn page(server: &Server, who: &Peer, query: &str) -> Value {
    let answer = get(server.addr, &format!("/api/v1/conversations?tab=all{query}"), &who.token).await.unwrap();
    assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
    answer.json()
}

/// A visitor of a site who wrote, and whom this agent took.
async fn taken(server: &Server, site: &str, by: Option<&mut Peer>) -> (Peer, ConvId) {
    let mut visitor = Peer::connect(server, &Me::visitor(site)).await;
    let conv = visitor.open().await;
    if let Some(agent) = by {
        agent.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
        visitor.until(conv, |v| matches!(v.owner, Owner::Agent(_))).await;
    }
    (visitor, conv)
}

/// Four conversations, written at one server and looked for at the other.
pub async fn are_found(here: &Server, there: &Server) {
    let (mut li, mut zhou) = (Peer::agent(here, "li").await, Peer::agent(here, "zhou").await);
    let (mut visitor, closed) = taken(here, "s1", Some(&mut li)).await;
    visitor.ask(|req| ClientFrame::Close { req, conv: closed, reason: None }).await.unwrap();
    visitor.until(closed, |v| v.owner == Owner::None).await;
    let (_second, lis) = taken(here, "s1", Some(&mut li)).await;
    let mut chen = Peer::agent(here, "chen").await;
    for (kind, name) in [(LabelKind::Tag, "refund"), (LabelKind::Reason, "solved")] {
        let label = Label { id: id(name), name: name.into(), color: LabelColor::Red, retired: false };
        chen.ask(|req| ClientFrame::Label { req, kind, label }).await.unwrap();
    }
    li.ask(|req| ClientFrame::Tag { req, conv: lis, add: vec![id("refund")], remove: vec![] }).await.unwrap();
    let (_third, zhous) = taken(here, "s2", Some(&mut zhou)).await;
    let (_fourth, waits) = taken(here, "s1", None).await;

    let boss = Peer::agent(there, "boss").await;
    let all = page(there, &boss, "").await;
    let (all, created): (Vec<String>, Vec<u64>) = all["convs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["id"].as_str().unwrap().to_owned(), c["created"].as_u64().unwrap()))
        .unzip();
    assert_eq!(all, [waits, zhous, lis, closed].map(|conv| conv.to_string()), "the newest is first");
    assert!(created.windows(2).all(|two| two[0] > two[1]), "a weak test: {created:?}");
    let (second, third) = (created[2], created[1]);
    for (query, found) in [
        ("&team=svc".to_owned(), vec![waits, lis, closed]),
        ("&team=vip".to_owned(), vec![zhous]),
        ("&site=s2".to_owned(), vec![zhous]),
        ("&agent=li".to_owned(), vec![lis, closed]),
        ("&agent=li&state=open".to_owned(), vec![lis]),
        ("&agent=wu".to_owned(), vec![]),
        ("&state=closed".to_owned(), vec![closed]),
        ("&state=open".to_owned(), vec![waits, zhous, lis]),
        (format!("&from={second}"), vec![waits, zhous, lis]),
        (format!("&to={second}"), vec![closed]),
        (format!("&from={second}&to={third}"), vec![lis]),
        (format!("&from={second}&to={second}"), vec![]),
        (format!("&from={}", created[0] + 1), vec![]),
        ("&site=s1&team=vip".to_owned(), vec![]),
        ("&tag=refund".to_owned(), vec![lis]),
        ("&tag=refund&state=closed".to_owned(), vec![]),
        ("&tag=other".to_owned(), vec![]),
        ("&reason=solved".to_owned(), vec![]),
        ("&agent=&team=&site=&state=&from=&to=".to_owned(), vec![waits, zhous, lis, closed]),
    ] {
        let found: Vec<String> = found.iter().map(ConvId::to_string).collect();
        assert_eq!(ids(&page(there, &boss, &query).await), found, "{query}");
    }

    // one sees one's teams and no other, whatever one asks for
    let wu = Peer::agent(there, "wu").await;
    for query in ["&team=vip", "&site=s2", "&agent=zhou"] {
        assert_eq!(ids(&page(there, &wu, query).await), Vec::<String>::new(), "{query}");
    }
    assert_eq!(ids(&page(there, &wu, "").await).len(), 3);

    li.ask(|req| ClientFrame::Close { req, conv: lis, reason: Some(id("solved")) }).await.unwrap();
    boss_sees(there, &boss, "&reason=solved", lis).await;

    // pages while others write: each of those that were there, once
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let one = page(there, &boss, &format!("&limit=1&to={}&before={next}", created[0] + 1)).await;
        seen.extend(ids(&one));
        let Some(more) = one["next"].as_str() else { break };
        next = more.to_owned();
        let (_visitor, _) = taken(here, "s1", None).await;
    }
    assert_eq!(seen, all);

    for bad in ["tab=all&state=ended", "tab=all&from=x", "tab=all&agent=%20", "tab=all&site=A", "tab=mine&site=s1"] {
        let answer = get(there.addr, &format!("/api/v1/conversations?{bad}"), &boss.token).await.unwrap();
        assert_eq!((answer.status, answer.code()), (400, Some(1)), "{bad}");
    }
}

/// Another server may hear of it a moment later.
async fn boss_sees(server: &Server, boss: &Peer, query: &str, conv: ConvId) {
    let asked = async {
        while ids(&page(server, boss, query).await) != [conv.to_string()] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::wire::PATIENCE, asked).await.expect("it is found");
}

#[tokio::test]
async fn conversations_are_found_by_what_the_server_knows() {
    let server = Server::new().await;
    are_found(&server, &server).await;
}
