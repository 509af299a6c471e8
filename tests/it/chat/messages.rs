//! Messages both ways: acknowledged by their echo, the same on all pages, once whatever is resent.

use kefu::{
    crypto::{
        envelope, grant,
        hash::{self, BoxKind},
    },
    proto::{Side, tombstone},
};

use super::*;
use crate::support::peer::Heard;

#[tokio::test]
async fn messages_reach_every_page_of_both_sides_with_the_same_numbers() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let mut second_tab = Peer::connect(&server, &visitor.me).await;
    assert_eq!(second_tab.greeted.iter().map(|c| c.id).collect::<Vec<_>>(), [conv]);
    let mut second_screen = Peer::agent(&server, "li").await;
    second_tab.follow(conv).await;
    second_screen.follow(conv).await;

    let mut last = 0;
    for n in 0..5 {
        let asked = visitor.say(conv, &format!("question {n}")).await;
        agent.record(conv, asked).await;
        let answered = agent.say(conv, &format!("answer {n}")).await;
        visitor.record(conv, answered).await;
        assert_eq!((asked, answered), (last.max(asked), asked + 1));
        last = answered;
    }
    let expected: Vec<String> = (0..5).flat_map(|n| [format!("question {n}"), format!("answer {n}")]).collect();
    let stored = agent.history(conv).await;
    for peer in [&mut visitor, &mut agent, &mut second_tab, &mut second_screen] {
        peer.record(conv, last).await;
        assert_eq!(peer.texts(conv), expected);
        assert_eq!(peer.view(conv).records, stored);
    }
    assert_eq!(visitor.history(conv).await, stored);
}

#[tokio::test]
async fn a_resent_envelope_is_one_record_and_only_its_sender_hears_of_it_again() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let key = visitor.me.key.clone();
    let (msg, envelope) = visitor.view(conv).seal("once", &key);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    agent.record(conv, seq).await;
    for _ in 0..3 {
        assert_eq!(visitor.post(envelope.clone()).await, Ok(seq));
    }
    // also over a new socket, as after a cut
    let mut again = Peer::connect(&server, &visitor.me).await;
    again.follow(conv).await;
    assert_eq!(again.post(envelope).await, Ok(seq));

    // what the agent receives next is the next message, not the resends
    let next = visitor.say(conv, "twice").await;
    assert_eq!(next, seq + 1);
    let heard = agent.hear(|h| Some(h.clone()).filter(|h| !matches!(h, Heard::Frame(_)))).await.unwrap();
    assert_eq!(heard, Heard::Record(conv, next));
    assert_eq!(agent.view(conv).said.iter().filter(|s| s.msg == msg).count(), 1);
}

#[tokio::test]
async fn notes_and_grants_are_hidden_from_visitors_without_gaps() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let (key, team) = (agent.me.key.clone(), team_pk(&server, "svc"));
    let (_, note) = agent.view(conv).seal_note("they are upset", &team, &key);
    let note_seq = agent.post(note.clone()).await.unwrap();
    let keys: Vec<_> = agent.view(conv).keys.clone().into_iter().collect();
    let grant = grant::create(conv, &keys, BoxKind::Team, &team_pk(&server, "vip"), &key).unwrap();
    let grant_seq = agent.post(grant.clone()).await.unwrap();
    let last = visitor.say(conv, "hello?").await;
    agent.record(conv, last).await;

    for secret in [note_seq, grant_seq] {
        let at = secret as usize - 1;
        assert_eq!(RecordView::parse(&visitor.view(conv).records[at]).unwrap().event(), Some(Event::Hidden {}));
    }
    assert_eq!(visitor.history(conv).await, visitor.view(conv).records);
    let mut late = Peer::connect(&server, &visitor.me).await;
    late.follow(conv).await;
    assert_eq!(late.view(conv).records, visitor.view(conv).records);

    let stored = bodies(&agent.history(conv).await);
    assert_eq!(stored, bodies(&agent.view(conv).records));
    assert_eq!((&stored[note_seq as usize - 1], &stored[grant_seq as usize - 1]), (&note, &grant));
    let team_key = server.company.team_key(&hash::box_kid(BoxKind::Team, &team)).unwrap();
    let plain = envelope::open_note(&note, &team_key, &key.public()).unwrap();
    assert!(String::from_utf8_lossy(&plain).contains("they are upset"));
}

#[tokio::test]
async fn a_recalled_message_leaves_a_tombstone_and_only_its_sender_may_recall_it() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let key = visitor.me.key.clone();
    let (msg, envelope) = visitor.view(conv).seal("my card number is 4111", &key);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    agent.record(conv, seq).await;

    let theirs = agent.ask(|req| ClientFrame::Recall { req, conv, msg }).await;
    assert_eq!(theirs.unwrap_err().0, ErrorCode::NotFound);
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.expect("recalling twice is recalling once");
    for peer in [&mut visitor, &mut agent] {
        peer.record(conv, seq + 1).await;
        assert_eq!(peer.texts(conv), [""]);
        let stored = bodies(&peer.history(conv).await);
        assert_eq!(stored.len() as u64, seq + 1);
        assert_eq!(stored[seq as usize - 1], tombstone(&envelope).unwrap());
    }
    // a late resend of what was recalled does not restore it
    assert_eq!(visitor.post(envelope).await, Ok(seq));
    assert_eq!(bodies(&agent.history(conv).await).len() as u64, seq + 1);
}

#[tokio::test]
async fn a_recalled_note_stays_hidden_from_the_visitor() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let (key, team) = (agent.me.key.clone(), team_pk(&server, "svc"));
    let (msg, note) = agent.view(conv).seal_note("oops", &team, &key);
    let seq = agent.post(note).await.unwrap();
    agent.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    visitor.record(conv, seq + 1).await;
    // live, over HTTP and after a resume: a place, and nothing in it
    let mut back = Peer::connect(&server, &visitor.me).await;
    back.follow(conv).await;
    let (live, resumed) = (visitor.view(conv).records.clone(), back.view(conv).records.clone());
    for seen in [live, visitor.history(conv).await, resumed] {
        for seq in [seq, seq + 1] {
            assert_eq!(RecordView::parse(&seen[seq as usize - 1]).unwrap().event(), Some(Event::Hidden {}));
        }
        assert!(!seen.concat().windows(16).any(|w| w == msg.0), "the note's id is nobody's business");
    }
    let last = events(&mut agent, conv).pop();
    assert_eq!(last, Some(Event::Recalled { seq, msg, by: "li".into(), note: true }));
}

#[tokio::test]
async fn two_first_messages_at_once_are_one_conversation() {
    let server = Server::new().await;
    let mut one = Peer::visitor(&server).await;
    let mut two = Peer::connect(&server, &one.me).await;
    let (conv, frame) = one.opening();
    let (a, b) = tokio::join!(one.ask(&frame), two.ask(&frame));
    assert_eq!((a, b), (Ok(()), Ok(())));
    for peer in [&mut one, &mut two] {
        peer.follow(conv).await;
        assert_eq!(peer.view(conv).have(), 3);
    }
    let (first, second) = tokio::join!(one.say(conv, "a"), two.say(conv, "b"));
    let mut numbers = [first, second];
    numbers.sort_unstable();
    assert_eq!(numbers, [4, 5]);
    let third = Peer::connect(&server, &one.me).await;
    assert_eq!(third.greeted.len(), 1);
}

#[tokio::test]
async fn typing_and_receipts_reach_the_other_side_and_receipts_survive_a_restart() {
    let server = Server::new().await;
    let (mut visitor, mut agent, conv) = talk(&server).await;
    let seq = visitor.say(conv, "hello").await;
    agent.record(conv, seq).await;
    agent.wire.send(&ClientFrame::Typing { conv, on: true }).await.unwrap();
    let typing = |f: &ServerFrame| match f {
        ServerFrame::Typing { conv: c, side, user, on } if *c == conv => Some((*side, user.clone(), *on)),
        _ => None,
    };
    assert_eq!(visitor.frame(typing).await, (Side::Agent, agent.me.user.clone(), true));
    visitor.wire.send(&ClientFrame::Typing { conv, on: true }).await.unwrap();
    assert_eq!(agent.frame(typing).await, (Side::Visitor, None, true));

    // more than there is counts as all there is
    agent.wire.send(&ClientFrame::Seen { conv, delivered: seq + 100, read: seq - 1 }).await.unwrap();
    let receipt = |f: &ServerFrame| match f {
        ServerFrame::Receipt { conv: c, side: Side::Agent, delivered, read } if *c == conv => Some((*delivered, *read)),
        _ => None,
    };
    assert_eq!(visitor.frame(receipt).await, (seq, seq - 1));
    agent.wire.send(&ClientFrame::Seen { conv, delivered: 1, read: 1 }).await.unwrap();
    agent.wire.send(&ClientFrame::Seen { conv, delivered: seq, read: seq }).await.unwrap();
    assert_eq!(visitor.frame(receipt).await, (seq, seq), "marks never go back");

    let me = visitor.me.clone();
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    let visitor = Peer::connect(&server, &me).await;
    assert_eq!((visitor.greeted[0].agent.delivered, visitor.greeted[0].agent.read), (seq, seq));
}

#[tokio::test]
async fn a_resend_of_what_is_stored_is_never_refused_whatever_changed_meanwhile() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut chen = Peer::agent(&server, "chen").await;
    let (mine, his) = (visitor.me.key.clone(), li.me.key.clone());
    let (_, asked) = visitor.view(conv).seal("asked", &mine);
    let (_, answered) = li.view(conv).seal("answered", &his);
    let announcement = visitor.view(conv).announce(&server.company, "svc", &mine);
    let sent =
        [visitor.post(asked.clone()).await, li.post(answered.clone()).await, visitor.post(announcement.clone()).await];
    chen.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
    chen.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    li.until(conv, |v| v.owner == Owner::None).await;
    let again = [visitor.post(asked).await, li.post(answered).await, visitor.post(announcement).await];
    assert_eq!(again, sent);
    assert_eq!(visitor.view(conv).owner, Owner::None, "a resend does not reopen");
}

#[tokio::test]
async fn receipts_are_told_no_faster_than_people_read_and_the_last_one_always() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut last = 0;
    for n in 0..60 {
        last = visitor.say(conv, &format!("{n}")).await;
    }
    li.until(conv, |v| v.records.len() as u64 >= last).await;
    visitor.log.clear();
    for seq in 1..=last {
        li.wire.send(&ClientFrame::Seen { conv, delivered: seq, read: seq }).await.unwrap();
    }
    let receipt = |f: &ServerFrame| match f {
        ServerFrame::Receipt { side: Side::Agent, read, .. } => Some(*read),
        _ => None,
    };
    visitor.frame(|f| receipt(f).filter(|read| *read == last)).await;
    let told: Vec<u64> = visitor.log.iter().filter_map(receipt).collect();
    assert!(told.len() <= 20 && told.is_sorted(), "{told:?}");
}
