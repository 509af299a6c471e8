//! Closed conversations are erased when their time comes, with everything that is stored of them; others stay.

use std::{collections::BTreeMap, sync::Arc};

use kefu::{
    chat::retention::{Eraser, Retention, due, erase_due},
    hub::Topic,
    proto::Have,
    store::{Store, Table},
};

use super::{
    idle::Inside,
    missed::{agent, heard},
    *,
};
use crate::support::company::now_ms;

const DAY: u64 = 24 * 3_600_000;

fn after_days(days: u64) -> Retention {
    Retention { default_ms: Some(days * DAY), sites: BTreeMap::new() }
}

/// Rows of all small tables that name a conversation.
async fn mentions(store: &dyn Store, conv: ConvId) -> Vec<Table> {
    let mut named = Vec::new();
    for table in Table::ALL {
        let rows = store.scan(*table, &[], None, false, usize::MAX).await.unwrap();
        if rows.iter().any(|(key, _)| key.windows(16).any(|part| part == conv.0)) {
            named.push(*table);
        }
    }
    named
}

/// Two conversations of one visitor, of which the first is closed.
async fn one_closed_and_one_open() -> (Arc<Company>, Me, ConvId, ConvId) {
    let server = Server::new().await;
    let (mut visitor, mut li, closed) = talk(&server).await;
    visitor.say(closed, "hello").await;
    let seq = li.say(closed, "good bye").await;
    visitor.record(closed, seq).await;
    visitor.ask(|req| ClientFrame::Close { req, conv: closed, reason: None }).await.unwrap();
    let open = visitor.open().await;
    visitor.say(open, "one more thing").await;
    let me = visitor.me.clone();
    drop((visitor, li));
    (server.stopped().await, me, closed, open)
}

#[tokio::test]
async fn a_closed_conversation_goes_when_its_time_comes_and_an_open_one_stays() {
    let (company, me, closed, open) = one_closed_and_one_open().await;
    let inside = Inside::open(&company).await;
    let store = inside.store.clone();
    let records = store.records(open, 0, 99).await.unwrap();
    assert!(mentions(&*store, closed).await.contains(&Table::ConvByTime), "a weak test");
    let site = "s1".parse().unwrap();
    for (rule, now, found) in [
        (after_days(30), now_ms() + 29 * DAY, 0),
        (Retention::default(), now_ms() + 9_999 * DAY, 0),
        (
            Retention { sites: [("s2".parse().unwrap(), Some(DAY))].into(), ..Retention::default() },
            now_ms() + 2 * DAY,
            0,
        ),
        (Retention { sites: [("s1".parse().unwrap(), None)].into(), ..after_days(1) }, now_ms() + 2 * DAY, 0),
        (
            Retention { sites: [("s1".parse().unwrap(), Some(DAY))].into(), ..Retention::default() },
            now_ms() + 2 * DAY,
            1,
        ),
        (after_days(30), now_ms() + 31 * DAY, 1),
    ] {
        let due = due(&*store, &rule, now).await.unwrap();
        assert_eq!(due.get(&site).map_or(0, |due| due.conversations), found, "{rule:?}");
        assert!(due.values().all(|due| due.bytes > 200 && due.oldest > 0));
    }
    // beside a server, in passes; what is not due stays however often it looks
    let mut eraser = Eraser::new(after_days(30));
    eraser.pass(&*store, None, now_ms() + 29 * DAY).await;
    assert!(store.head(closed).await.unwrap().is_some());
    eraser.pass(&*store, None, now_ms() + 31 * DAY).await;
    eraser.pass(&*store, None, now_ms() + 31 * DAY).await;
    assert_eq!((store.head(closed).await, store.records(closed, 0, 9).await), (Ok(None), Ok(vec![])));
    assert_eq!(mentions(&*store, closed).await, []);
    assert_eq!(store.records(open, 0, 99).await.unwrap(), records);
    assert_eq!(erase_due(&*store, None, &after_days(30), now_ms() + 31 * DAY).await.unwrap(), BTreeMap::new());
    inside.close().await;
    // also after a restart; its visitor finds the other one
    let server = Server::start(&company, config()).await;
    let visitor = Peer::connect(&server, &me).await;
    assert_eq!(visitor.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), [open]);
}

#[tokio::test]
async fn who_has_an_erased_conversation_open_learns_that_it_is_gone() {
    let (company, _, closed, _) = one_closed_and_one_open().await;
    let inside = Inside::open(&company).await;
    let li = agent(&inside, &company, "li");
    inside.hub.listen(&li, Topic::Team("svc".parse().unwrap()));
    let held = [Have { id: closed, have: 0, generation: None, seq: None, mark: None }];
    inside.chat.resume(&li, &held).await.unwrap();
    assert_eq!(inside.hub.listeners(&Topic::Conv(closed)), 1);
    erase_due(&*inside.store, None, &after_days(1), now_ms() + 2 * DAY).await.unwrap();
    let hub = inside.hub.clone();
    inside.close().await;
    assert_eq!(hub.listeners(&Topic::Conv(closed)), 0);
    assert!(heard(&li).iter().any(|f| matches!(f, ServerFrame::Gone { conv } if *conv == closed)));
}
