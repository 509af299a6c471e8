//! It leaves: from then on it can neither read nor write, in any order of events.

use kefu::{
    crypto::{
        envelope::{self, EpochKey},
        hash::BoxKind,
    },
    proto::HeaderView,
};

use super::*;

/// The body of a record that a peer holds.
fn body(peer: &mut Peer, conv: ConvId, seq: u64) -> Vec<u8> {
    RecordView::parse(&peer.view(conv).records[seq as usize - 1]).unwrap().body.to_vec()
}

#[tokio::test]
async fn who_asks_for_a_person_is_not_read_any_more_and_an_answer_that_was_being_made_is_refused() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "before").await;
    hear_robot(&mut visitor, conv, 1).await;
    engine.hold();
    visitor.say(conv, "thinking of this").await;
    engine.asked(2).await;
    let had = secrets(&server.company);
    let old = visitor.view(conv).keys[&0].clone();

    let ann = next_epoch(&mut visitor, conv, None);
    let seq = visitor.post(ann.clone()).await.unwrap();
    assert_eq!(visitor.post(ann).await.unwrap(), seq, "the echo of a resend");
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv)[1], (Owner::Queue, OwnerWhy::Person));
    assert_eq!(visitor.view(conv).have(), seq + 1, "both in one step");
    let secret = visitor.say(conv, "my card number").await;
    engine.release();
    // the robot continues with others, so the previous answer was tried by now
    let (mut other, elsewhere) = with_robot(&server).await;
    other.say(elsewhere, "next").await;
    hear_robot(&mut other, elsewhere, 1).await;
    let mut li = Peer::agent(&server, "li").await;
    li.accept(conv).await;
    li.follow(conv).await;
    let hello = li.say(conv, "a person here").await;
    visitor.record(conv, hello).await;
    assert_eq!(li.texts(conv), ["before", "re: before", "thinking of this", "my card number", "a person here"]);

    // none of its keys decrypts the new epoch or its messages
    let (ann, message) = (body(&mut visitor, conv, seq), body(&mut visitor, conv, secret));
    assert!(!had.is_empty());
    for key in had.iter().chain(&secrets(&server.company)) {
        for kind in [BoxKind::Bot, BoxKind::Team, BoxKind::Visitor] {
            assert!(announcement::open(&ann, kind, key).is_err());
        }
    }
    assert!(envelope::open(&message, &old, &visitor.me.key.public()).is_err());
    assert_eq!(engine.heard(), ["before", "thinking of this", "next"]);
    // and nobody lets it in again
    let day = day_key(&server, "s1").await.unwrap();
    let back = next_epoch(&mut visitor, conv, Some(day.x.0));
    assert_eq!(visitor.post(back).await.unwrap_err().0, ErrorCode::EpochStale);
}

#[tokio::test]
async fn when_an_agent_takes_over_nobody_writes_until_the_robot_is_out_of_the_epoch() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.form(conv).await;
    let mut li = Peer::agent(&server, "li").await;
    li.follow(conv).await;
    li.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
    visitor.until(conv, |v| v.owner == Owner::Agent(id("li"))).await;
    for peer in [&mut visitor, &mut li] {
        let key = peer.me.key.clone();
        let (_, envelope) = peer.view(conv).seal("too early", &key);
        assert_eq!(peer.post(envelope).await.unwrap_err().0, ErrorCode::EpochStale);
    }
    let day = day_key(&server, "s1").await.unwrap();
    let with = {
        let key = li.me.key.clone();
        let mut ann = next_epoch(&mut visitor, conv, Some(day.x.0));
        let end = ann.len() - 64;
        ann[24..40].copy_from_slice(&key.kid().0);
        let sig = key.sign(kefu::crypto::sign::Label::Ann, &ann[..end]);
        ann[end..].copy_from_slice(&sig);
        ann
    };
    assert_eq!(li.post(with).await.unwrap_err().0, ErrorCode::Malformed, "agents let no robot in");
    let key = li.me.key.clone();
    let ann = li.view(conv).announce(&server.company, "svc", &key);
    li.post(ann).await.unwrap();
    visitor.until(conv, |v| v.epoch == 1).await;
    visitor.say(conv, "now").await;
    li.until(conv, |v| v.said.len() == 1).await;
    assert!(engine.heard().is_empty());
}

#[tokio::test]
async fn under_a_new_team_key_the_visitor_keeps_the_robot_or_it_leaves_without_a_word() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let ((mut one, kept), (mut two, left)) = (with_robot(&server).await, with_robot(&server).await);
    engine.hold();
    two.say(left, "is the old key good").await;
    engine.asked(1).await;
    server.company.rotate("svc").await;
    engine.release();
    // nothing may be sealed under the old key any more, not even its goodbye
    two.until(left, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut two, left)[1], (Owner::Queue, OwnerWhy::Handoff));
    assert!(robot_said(&mut two, left).is_empty());

    let key = one.me.key.clone();
    let (msg, stale) = one.view(kept).seal("still here", &key);
    assert_eq!(one.post(stale).await.unwrap_err().0, ErrorCode::EpochStale);
    let day = day_key(&server, "s1").await.unwrap();
    let ann = next_epoch(&mut one, kept, Some(day.x.0));
    one.post(ann).await.unwrap();
    let again = one.view(kept).seal_as(msg, "still here", &key);
    one.post(again).await.unwrap();
    assert_eq!(hear_robot(&mut one, kept, 1).await[0]["text"], "re: still here");
    assert_eq!(one.view(kept).owner, Owner::Robot);
}

#[tokio::test]
async fn closed_conversations_come_back_to_people() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "hi").await;
    hear_robot(&mut visitor, conv, 1).await;
    visitor.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    let key = visitor.me.key.clone();
    let (_, envelope) = visitor.view(conv).seal("again", &key);
    assert_eq!(visitor.post(envelope).await.unwrap_err().0, ErrorCode::EpochStale);
    let ann = next_epoch(&mut visitor, conv, None);
    visitor.post(ann).await.unwrap();
    visitor.say(conv, "again").await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(engine.heard(), ["hi"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_stands_before_the_hand_over_or_nowhere() {
    const ROUNDS: usize = 40;
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, mut li) = (Peer::visitor(&server).await, Peer::agent(&server, "li").await);
    let mut convs = Vec::new();
    for round in 0..ROUNDS {
        let conv = open_with_robot(&server, &mut visitor).await;
        convs.push(conv);
        let key = visitor.me.key.clone();
        let (_, question) = visitor.view(conv).seal("now?", &key);
        if round % 2 == 0 {
            // the agent in the same instant as the robot
            visitor.post(question).await.unwrap();
            for _ in 0..round * 40 {
                tokio::task::yield_now().await;
            }
            li.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
        } else {
            // the visitor themselves
            let person = next_epoch(&mut visitor, conv, None);
            visitor.post(question).await.unwrap();
            for _ in 0..round * 40 {
                tokio::task::yield_now().await;
            }
            visitor.post(person).await.unwrap();
        }
    }
    // everything that it will ever send there is stored or refused by now
    engine.asked(1).await;
    let conv = open_with_robot(&server, &mut visitor).await;
    visitor.say(conv, "the end").await;
    hear_robot(&mut visitor, conv, 1).await;
    let kid = robot_kid(&server.company);
    let mut answered = 0;
    for conv in convs {
        let mut gone = false;
        for frame in li.history(conv).await {
            let record = RecordView::parse(&frame).unwrap();
            match record.event() {
                Some(Event::Owner { owner, .. }) => gone = owner != Owner::Robot,
                _ if HeaderView::parse(record.body).is_ok_and(|(_, h)| h.sender() == kid) => {
                    assert!(!gone, "the robot spoke after it had left");
                    answered += 1;
                }
                _ => {}
            }
        }
        assert!(gone);
    }
    eprintln!("{answered} of {ROUNDS} questions were answered before the hand-over");
}

#[tokio::test]
async fn nobody_else_speaks_as_the_robot() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "hi").await;
    hear_robot(&mut visitor, conv, 1).await;
    // even its stolen signing key opens no agent's socket, and as a visitor's key it is unknown
    let key = signing_key(&server.company);
    let mut wire = crate::support::wire::Wire::open(server.addr, &crate::support::wire::Door::agent()).await.unwrap();
    wire.hello(&key, kefu::proto::Side::Agent).await.unwrap();
    assert_eq!(wire.closed().await, Some(4501));
    let mut me = crate::support::peer::Me::visitor("s1");
    me.key = key.clone();
    let mut thief = Peer::connect(&server, &me).await;
    let view = visitor.view(conv);
    let ek: EpochKey = view.keys[&0].clone();
    let header = envelope::MessageHeader {
        conv,
        epoch: 0,
        sender: key.kid(),
        msg_id: kefu::proto::MsgId(random()),
        inst: 1,
        ctr: 0,
        prev: [0; 16],
    };
    let forged = envelope::seal(&header, &ek, br#"{"t":"text","ts":1,"text":"pay me"}"#, &key).unwrap();
    assert_eq!(thief.post(forged).await.unwrap_err().0, ErrorCode::NotFound);
    let taken = thief.ask(|req| ClientFrame::Close { req, conv, reason: None }).await;
    assert_eq!(taken.unwrap_err().0, ErrorCode::NotFound);
}

#[tokio::test]
async fn nobody_hears_of_it_while_its_visitor_asked_nothing_whoever_owns_it() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let mut li = Peer::agent(&server, "li").await;
    let (mut visitor, conv) = with_robot(&server).await;
    let all = async || {
        let page =
            http::get(server.addr, "/api/v1/conversations?tab=all", &Peer::agent(&server, "li").await.token).await;
        page.unwrap().json()["convs"].as_array().unwrap().len()
    };
    assert_eq!(all().await, 0, "the robot's");
    let taken = li.ask(|req| ClientFrame::Take { req, conv }).await;
    assert_eq!(taken.unwrap_err().0, ErrorCode::NotFound);
    // a person, please; but about what?
    let ann = next_epoch(&mut visitor, conv, None);
    visitor.post(ann).await.unwrap();
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(all().await, 0, "nobody's");
    let mut other = Peer::visitor(&server).await;
    let asked = other.open().await;
    let offer = |f: &kefu::proto::ServerFrame| match f {
        kefu::proto::ServerFrame::Offer { conv, .. } => Some(*conv),
        _ => None,
    };
    assert_eq!(li.frame(offer).await, asked, "who came later and asked");
    visitor.say(conv, "my invoice is wrong").await;
    assert_eq!(li.frame(offer).await, conv);
    assert_eq!((all().await, engine.heard()), (2, vec![]));
}
