//! Recalls that are signed by their sender, and what readers of revision 1 are shown in their place.

use kefu::{
    crypto::{
        envelope::MessageHeader,
        recall,
        sign::{Label, random},
    },
    proto::{Kind, MsgId, RECALL_LEN, SIGNATURE_LEN, tombstone},
};

use super::*;
use crate::support::http;

fn event_at(peer: &mut Peer, conv: ConvId, seq: u64) -> Option<Event> {
    RecordView::parse(&peer.view(conv).records[seq as usize - 1]).unwrap().event()
}

#[tokio::test]
async fn a_recall_takes_the_text_and_stays_in_its_senders_name() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let key = visitor.me.key.clone();
    let (msg, envelope) = visitor.view(conv).seal("my card number is 4111", &key);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    let (_, taken) = visitor.view(conv).recall(&envelope, &key);
    assert_eq!(visitor.post(taken.clone()).await, Ok(seq + 1));
    assert_eq!(visitor.post(taken.clone()).await, Ok(seq + 1), "the echo of a resend");
    for peer in [&mut visitor, &mut li] {
        peer.record(conv, seq + 1).await;
        assert_eq!(peer.texts(conv), [""]);
        let stored = bodies(&peer.history(conv).await);
        assert_eq!(stored[seq as usize - 1..], [tombstone(&envelope).unwrap(), taken.clone()]);
        assert!(peer.id_at(conv, seq) == Some(msg));
    }
    // a late resend of what was recalled does not restore it
    assert_eq!(visitor.post(envelope.clone()).await, Ok(seq));
    // another tab, which does not know that it is done, and a client of revision 1
    let (_, again) = visitor.view(conv).recall(&envelope, &key);
    assert_eq!(visitor.post(again).await, Ok(seq + 2));
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    // the conversation continues, in the same run of the counter
    let next = visitor.say(conv, "never mind").await;
    li.record(conv, next).await;
    assert_eq!((next, li.texts(conv)), (seq + 3, vec![String::new(), "never mind".into()]));
    assert_eq!(bodies(&li.history(conv).await)[seq as usize - 1], tombstone(&envelope).unwrap());
}

#[tokio::test]
async fn what_was_recalled_before_may_be_recalled_in_its_senders_name_too() {
    let server = Server::new().await;
    let (mut visitor, _li, conv) = talk(&server).await;
    let key = visitor.me.key.clone();
    let (msg, envelope) = visitor.view(conv).seal("oh", &key);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    visitor.ask(|req| ClientFrame::Recall { req, conv, msg }).await.unwrap();
    let (_, taken) = visitor.view(conv).recall(&envelope, &key);
    assert_eq!(visitor.post(taken).await, Ok(seq + 2));
    assert_eq!(bodies(&visitor.history(conv).await)[seq as usize - 1], tombstone(&envelope).unwrap());
}

#[tokio::test]
async fn recalls_of_what_is_not_theirs_or_not_so_are_refused() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey) = (visitor.me.key.clone(), li.me.key.clone());
    let (_, envelope) = visitor.view(conv).seal("mine", &vkey);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    li.record(conv, seq).await;
    let (_, good) = visitor.view(conv).recall(&envelope, &vkey);
    let again = |at: usize, key: &kefu::crypto::sign::SigningKey| {
        let mut altered = good.clone();
        altered[at] ^= 1;
        altered[40..56].copy_from_slice(&random::<16>());
        altered.truncate(RECALL_LEN - SIGNATURE_LEN);
        let sig = key.sign(Label::Sig, &altered);
        [altered, sig.to_vec()].concat()
    };
    // kind, message id, inst, ctr and hash of what is recalled; the epoch; the signature
    for (at, code) in [
        (2 + 78, ErrorCode::NotFound),
        (96, ErrorCode::Malformed),
        (100, ErrorCode::Malformed),
        (104, ErrorCode::Malformed),
        (23, ErrorCode::EpochStale),
    ] {
        assert_eq!(visitor.post(again(at, &vkey)).await.unwrap_err().0, code, "byte {at}");
    }
    let mut forged = good.clone();
    forged[40..56].copy_from_slice(&random::<16>());
    assert_eq!(visitor.post(forged).await.unwrap_err().0, ErrorCode::Malformed, "the signature");
    let mut as_note = good[..RECALL_LEN - SIGNATURE_LEN].to_vec();
    as_note[2] = Kind::NoteRecall as u8;
    let sig = vkey.sign(Label::Sig, &as_note);
    assert_eq!(visitor.post([as_note, sig.to_vec()].concat()).await.unwrap_err().0, ErrorCode::Forbidden);
    // another sender's message, in one's own name
    let mut theirs = good[..RECALL_LEN - SIGNATURE_LEN].to_vec();
    theirs[24..40].copy_from_slice(&lkey.kid().0);
    theirs[40..56].copy_from_slice(&random::<16>());
    let sig = lkey.sign(Label::Sig, &theirs);
    assert_eq!(li.post([theirs, sig.to_vec()].concat()).await.unwrap_err().0, ErrorCode::NotFound);
    // an announcement, by the id that it has here
    let announcement = bodies(&visitor.history(conv).await)[1].clone();
    let (_, head) = kefu::proto::HeaderView::parse(&announcement).unwrap();
    let mut of_epoch = good[..RECALL_LEN - SIGNATURE_LEN].to_vec();
    of_epoch[80..96].copy_from_slice(&head.msg_id().0);
    of_epoch[40..56].copy_from_slice(&random::<16>());
    let sig = vkey.sign(Label::Sig, &of_epoch);
    assert_eq!(visitor.post([of_epoch, sig.to_vec()].concat()).await.unwrap_err().0, ErrorCode::Malformed);

    assert_eq!(bodies(&visitor.history(conv).await)[seq as usize - 1], envelope, "it is still there");
    assert_eq!(visitor.post(good).await, Ok(seq + 1));
    // a counter that was used
    let (_, next) = visitor.view(conv).seal("more", &vkey);
    visitor.post(next.clone()).await.unwrap();
    let header = MessageHeader { msg_id: MsgId(random()), ..MessageHeader::decode(&next).unwrap() };
    let used = recall::create(&header, &next, &vkey).unwrap();
    assert_eq!(visitor.post(used).await.unwrap_err().0, ErrorCode::Malformed);
}

#[tokio::test]
async fn after_500_records_it_is_too_late() {
    let server = Server::new().await;
    let (mut visitor, _li, conv) = talk(&server).await;
    let key = visitor.me.key.clone();
    let (_, first) = visitor.view(conv).seal("first", &key);
    visitor.post(first.clone()).await.unwrap();
    let (_, in_time) = visitor.view(conv).seal("second", &key);
    visitor.post(in_time.clone()).await.unwrap();
    for n in 0..498 {
        let (_, envelope) = visitor.view(conv).seal("and so on", &key);
        visitor.wire.send_envelope(envelope).await.unwrap();
        if n % 50 == 0 {
            visitor.step().await.unwrap();
        }
    }
    let last = visitor.say(conv, "last").await;
    visitor.record(conv, last).await;
    let (_, late) = visitor.view(conv).recall(&first, &key);
    assert_eq!(visitor.post(late).await.unwrap_err().0, ErrorCode::TooLate);
    let (_, good) = visitor.view(conv).recall(&in_time, &key);
    assert_eq!(visitor.post(good).await, Ok(last + 1));
}

#[tokio::test]
async fn an_old_widget_is_told_by_the_event_it_knows() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut old = Peer::connect(&server, &visitor.me.clone().old()).await;
    let mut asleep = Peer::connect(&server, &visitor.me.clone().old()).await;
    old.follow(conv).await;
    let (vkey, lkey, team) = (visitor.me.key.clone(), li.me.key.clone(), team_pk(&server, "svc"));
    let (msg, envelope) = visitor.view(conv).seal("oops", &vkey);
    let seq = visitor.post(envelope.clone()).await.unwrap();
    old.record(conv, seq).await;
    asleep.follow(conv).await;
    asleep.wire.send(&ClientFrame::Leave { conv }).await.unwrap();

    let (_, taken) = visitor.view(conv).recall(&envelope, &vkey);
    assert_eq!(visitor.post(taken).await, Ok(seq + 1));
    let (_, note) = li.view(conv).seal_note("hm", &team, &lkey);
    assert_eq!(li.post(note.clone()).await, Ok(seq + 2));
    let (_, note_taken) = li.view(conv).recall(&note, &lkey);
    assert_eq!(li.post(note_taken).await, Ok(seq + 3));
    let said = Event::Recalled { seq, msg, by: "visitor".into(), note: false };
    old.record(conv, seq + 3).await;
    assert_eq!(event_at(&mut old, conv, seq + 1), Some(said.clone()), "live");
    // a reader who still has the text is told of it; one who reads from the start finds the tombstone
    asleep.follow(conv).await;
    assert_eq!(event_at(&mut asleep, conv, seq + 1), Some(said.clone()), "after a resume");
    assert_eq!((old.texts(conv), asleep.texts(conv)), (vec![String::new()], vec![String::new()]));
    let page = http::page_as(server.addr, &old.token, conv, seq, 10, 1).await.unwrap();
    let events: Vec<_> = page.iter().map(|r| RecordView::parse(r).unwrap().event()).collect();
    assert_eq!(events, [Some(said), Some(Event::Hidden {}), Some(Event::Hidden {})], "a page behind the tombstone");
    let mut late = Peer::connect(&server, &visitor.me.clone().old()).await;
    late.follow(conv).await;
    for hidden in seq + 1..=seq + 3 {
        assert_eq!(event_at(&mut late, conv, hidden), Some(Event::Hidden {}));
    }
    // visitors of revision 2 have the recall, and nothing of the note
    visitor.record(conv, seq + 3).await;
    assert_eq!(event_at(&mut visitor, conv, seq + 1), None);
    for hidden in seq + 2..=seq + 3 {
        assert_eq!(event_at(&mut visitor, conv, hidden), Some(Event::Hidden {}));
    }
    let stored = li.history(conv).await;
    assert_eq!(bodies(&stored)[seq as usize + 1], tombstone(&note).unwrap());
    assert_eq!(event_at(&mut li, conv, seq + 3), None);
}

#[tokio::test]
async fn a_visitor_who_knows_the_id_of_a_note_gets_no_copy_of_it() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey, team) = (visitor.me.key.clone(), li.me.key.clone(), team_pk(&server, "svc"));
    let (msg, note) = li.view(conv).seal_note("they are upset", &team, &lkey);
    let seq = li.post(note).await.unwrap();
    visitor.record(conv, seq).await;
    let probe = visitor.view(conv).seal_as(msg, "what is this?", &vkey);
    visitor.wire.send_envelope(probe).await.unwrap();
    let crate::support::wire::Got::Record(frame) = visitor.wire.next().await.unwrap() else { panic!("a record") };
    let record = RecordView::parse(&frame).unwrap();
    assert_eq!((record.seq, record.event()), (seq, Some(Event::Hidden {})));
}

#[tokio::test]
async fn a_note_of_an_epoch_that_is_over_is_refused() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey, team) = (visitor.me.key.clone(), li.me.key.clone(), team_pk(&server, "svc"));
    let (_, early) = li.view(conv).seal_note("early", &team, &lkey);
    let (_, kept) = li.view(conv).seal_note("kept", &team, &lkey);
    let seq = li.post(kept.clone()).await.unwrap();
    let next = visitor.view(conv).announce(&server.company, "svc", &vkey);
    visitor.post(next).await.unwrap();
    li.until(conv, |v| v.epoch == 1).await;
    assert_eq!(li.post(early).await.unwrap_err().0, ErrorCode::EpochStale);
    assert_eq!(li.post(kept).await, Ok(seq), "what is stored is echoed");
    let (_, now) = li.view(conv).seal_note("now", &team, &lkey);
    li.post(now).await.unwrap();
}
