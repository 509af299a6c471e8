//! It answers, asks back, stays silent, hands over; and a server that can't think hands over at once.

use super::*;

#[tokio::test]
async fn a_question_is_answered_and_the_conversation_is_the_robots() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    assert_eq!(visitor.view(conv).owner, Owner::Robot);
    let seq = visitor.say(conv, "你好").await;
    let said = hear_robot(&mut visitor, conv, 1).await;
    let re = visitor.id_at(conv, seq).unwrap().to_string();
    assert_eq!((&said[0]["t"], &said[0]["text"], &said[0]["re"]), (&"text".into(), &"re: 你好".into(), &re.into()));
    assert_eq!((&said[0]["bot"]["intent"], &said[0]["bot"]["p"]), (&"test".into(), &0.5.into()));
    assert_eq!(said[0]["bot"]["why"], serde_json::json!({ "code": "unanswered", "intent": "test", "p": 0.5 }));
    visitor.say(conv, "and").await;
    assert_eq!(hear_robot(&mut visitor, conv, 2).await[1]["text"], "re: and");
    assert_eq!(engine.heard(), ["你好", "and"]);
    assert_eq!(owners(&mut visitor, conv), [(Owner::Robot, OwnerWhy::Open)]);
    // agents of the team read along; the queue does not know of it
    let mut li = Peer::agent(&server, "li").await;
    assert!(li.greeted.is_empty());
    li.follow(conv).await;
    assert_eq!(li.texts(conv), ["你好", "re: 你好", "and", "re: and"]);
    let refused = {
        let key = li.me.key.clone();
        let (_, envelope) = li.view(conv).seal("me too", &key);
        li.post(envelope).await.unwrap_err().0
    };
    assert_eq!(refused, ErrorCode::NotOwner);
    let key = li.me.key.clone();
    let ann = li.view(conv).announce(&server.company, "svc", &key);
    assert_eq!(li.post(ann).await.unwrap_err().0, ErrorCode::NotOwner);
}

#[tokio::test]
async fn it_keeps_the_language_of_the_conversation() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    for (n, text) in ["怎么退货", "SF1234567890", "ok", "how do i return this", "2", "那运费呢"].iter().enumerate()
    {
        visitor.say(conv, text).await;
        hear_robot(&mut visitor, conv, n + 1).await;
    }
    let zh: Vec<bool> = engine.zh.lock().unwrap().iter().map(|zh| zh.unwrap()).collect();
    assert_eq!(zh, [true, true, true, false, false, true]);
}

#[tokio::test]
async fn it_asks_back_with_buttons_stays_silent_and_reads_what_was_typed_meanwhile() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "size").await;
    let said = hear_robot(&mut visitor, conv, 1).await;
    assert_eq!(said[0]["buttons"], serde_json::json!([{"label":"S","send":"size S"},{"label":"L","send":"size L"}]));
    visitor.say(conv, "size").await;
    assert_eq!(hear_robot(&mut visitor, conv, 2).await[1]["text"], "re: size", "it knows that it asked");
    visitor.say(conv, "silent").await;
    engine.asked(3).await;
    engine.hold();
    visitor.say(conv, "one").await;
    engine.asked(4).await;
    visitor.say(conv, "two").await;
    visitor.say(conv, "three").await;
    engine.release();
    hear_robot(&mut visitor, conv, 4).await;
    let texts: Vec<_> = robot_said(&mut visitor, conv).iter().map(|b| b["text"].clone()).collect();
    assert_eq!(texts[2..], ["re: one", "re: two\nthree"]);
}

#[tokio::test]
async fn it_hands_over_with_its_reason_and_the_conversation_queues_as_if_it_came_now() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut first, early) = with_robot(&server).await;
    let mut second = Peer::visitor(&server).await;
    let later = second.open().await;
    first.say(early, "person").await;
    let said = hear_robot(&mut first, early, 2).await;
    assert_eq!(said[0]["text"], "One moment.");
    assert_eq!((&said[1]["t"], &said[1]["do"], &said[1]["why"]), (&"ctl".into(), &"handoff".into(), &"asked".into()));
    first.until(early, |v| v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut first, early)[1], (Owner::Queue, OwnerWhy::Handoff));
    // one transaction: nothing can be between its last message and the event
    let last = first.view(early).have();
    assert_eq!(first.id_at(early, last), None);
    assert!(first.id_at(early, last - 1).is_some());
    let mut li = Peer::agent(&server, "li").await;
    let offered = |f: &kefu::proto::ServerFrame| match f {
        kefu::proto::ServerFrame::Offer { conv, .. } => Some(*conv),
        _ => None,
    };
    assert_eq!(li.frame(offered).await, later, "who came to the queue first");
    assert_eq!(li.frame(offered).await, early);

    let (mut third, conv) = with_robot(&server).await;
    third.say(conv, "route").await;
    let said = hear_robot(&mut third, conv, 1).await;
    assert_eq!((&said[0]["why"], &said[0]["team"]), (&"policy".into(), &"vip".into()));
    third.until(conv, |v| v.owner == Owner::Queue).await;
}

#[tokio::test]
async fn an_engine_that_breaks_and_messages_that_are_no_text_go_to_people() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "break").await;
    assert_eq!(hear_robot(&mut visitor, conv, 1).await[0]["why"], "error");
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "still there").await;
    hear_robot(&mut visitor, conv, 1).await;
    // sealed under an unannounced key: garbage for every reader
    let garbage = {
        let key = visitor.me.key.clone();
        let view = visitor.view(conv);
        let real = view.keys.insert(0, kefu::crypto::envelope::EpochKey::generate()).unwrap();
        let (_, envelope) = view.seal("?", &key);
        view.keys.insert(0, real);
        envelope
    };
    visitor.wire.send_envelope(garbage).await.unwrap();
    let mut li = Peer::agent(&server, "li").await;
    let taken = |f: &kefu::proto::ServerFrame| match f {
        kefu::proto::ServerFrame::Offer { conv: c, .. } => (*c == conv).then_some(()),
        _ => None,
    };
    li.frame(taken).await;
}

#[tokio::test]
async fn a_server_that_cannot_think_hands_over_at_once() {
    let server = Server::new().await;
    robot_on(&server.company, &["s1"]).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(robot_said(&mut visitor, conv)[0]["why"], "error");
}

#[tokio::test]
async fn the_visitor_sees_it_at_work_until_its_answer_is_there_or_it_left() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    let mut li = Peer::agent(&server, "li").await;
    let typing = |f: &kefu::proto::ServerFrame| match f {
        kefu::proto::ServerFrame::Typing { conv: c, side, user, on } if *c == conv => Some((*side, user.clone(), *on)),
        _ => None,
    };
    let robot = |on| (kefu::proto::Side::Agent, None, on);
    engine.hold();
    visitor.say(conv, "hello").await;
    li.follow(conv).await;
    assert_eq!(visitor.frame(typing).await, robot(true));
    engine.asked(1).await;
    assert!(robot_said(&mut visitor, conv).is_empty(), "it is still thinking");
    engine.release();
    assert_eq!(visitor.frame(typing).await, robot(false));
    hear_robot(&mut visitor, conv, 1).await;
    // nothing to answer, an error, leaving: it ends in any case
    for text in ["silent", "break"] {
        visitor.say(conv, text).await;
        assert_eq!([visitor.frame(typing).await, visitor.frame(typing).await], [robot(true), robot(false)], "{text}");
    }
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    li.until(conv, |v| v.owner == Owner::Queue).await;
    assert!(li.log.iter().all(|f| typing(f).is_none()), "agents see what it does");
}
