//! Documents at several servers: each sees what was written at another, and one change wins.

use kefu::proto::ServerFrame;

use super::Servers;
use crate::{
    access::documents::{ids, listed, put},
    support::{document::Draft, peer::Peer},
};

#[tokio::test]
async fn what_one_server_takes_the_other_shows_and_tells() {
    let servers = Servers::start().await;
    let (li, mut wu) = (Peer::agent(&servers.one, "li").await, Peer::agent(&servers.two, "wu").await);
    let draft = Draft::reply("team:svc");
    assert_eq!(put(&servers.one, &li, &draft, 0).await.status, 200);
    let told = |f: &ServerFrame| matches!(f, ServerFrame::Documents { seq: 1, .. }).then_some(());
    wu.frame(told).await;
    assert_eq!(ids(&listed(&servers.two, &wu, 0).await), [draft.id.to_string()]);
    for rev in 1..6 {
        let next = Draft { rev: rev + 1, ..draft.clone() };
        let both = tokio::join!(put(&servers.one, &li, &next, rev), put(&servers.two, &wu, &next, rev));
        let mut statuses = [both.0.status, both.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "revision {}", rev + 1);
    }
    // different documents at the same moment: both are kept, under numbers of their own
    let (a, b) = (Draft::reply("team:svc"), Draft::reply("team:svc"));
    let both = tokio::join!(put(&servers.one, &li, &a, 0), put(&servers.two, &wu, &b, 0));
    assert_eq!([both.0.status, both.1.status], [200, 200]);
    assert_ne!(both.0.json()["seq"], both.1.json()["seq"]);
    let (at_one, at_two) = (listed(&servers.one, &li, 0).await, listed(&servers.two, &wu, 0).await);
    assert_eq!((ids(&at_one).len(), at_one), (3, at_two));
}
