//! Every frame a client can send, sent by people without the right to.

use std::collections::BTreeSet;

use kefu::{
    client::Opening,
    crypto::{
        codec::b64u,
        sign::{SigningKey, random},
    },
    proto::{AgentState, BlockReason, Have, Label, LabelColor, LabelKind, MsgId, Priority, Side},
};

use super::*;
use crate::support::{
    peer::Me,
    wire::{Door, Wire},
};

/// What must come of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Refused(ErrorCode),
    /// No answer at all.
    Silence,
    /// It is carried out, for the one who asks alone.
    Own,
}

use ErrorCode::{Forbidden, Malformed, NotFound, TooLate};
use Outcome::{Own, Refused, Silence};

struct Case {
    frame: ClientFrame,
    /// Another visitor.
    visitor: Outcome,
    /// An agent of another team.
    agent: Outcome,
    /// A supervisor of another team.
    supervisor: Outcome,
}

/// All frames, about another visitor's conversation.
fn cases(victim: &Peer, conv: ConvId, msg: MsgId) -> Vec<Case> {
    let all = |frame, o| Case { frame, visitor: o, agent: o, supervisor: o };
    let agents = |frame, agent| Case { frame, visitor: Refused(Forbidden), agent, supervisor: agent };
    let hello = ClientFrame::Hello { v: 1, ed: b64u(&victim.me.key.public()), sig: b64u(&[0; 64]), rev: None };
    let x = victim.me.x.as_ref().unwrap().public();
    let mut opening = Opening::new(&victim.company.directory(), &"s1".parse().unwrap(), &victim.me.key, x).unwrap();
    opening.conv = conv;
    let open = opening.frame(1);
    let (req, agent, team) = (1, Some("zhou".parse().unwrap()), Some("vip".parse().unwrap()));
    let (id, name) = ("vip".parse().unwrap(), "VIP".to_owned());
    let label = Label { id, name, color: LabelColor::Red, retired: false };
    vec![
        all(hello, Refused(Malformed)),
        all(ClientFrame::Ping {}, Silence),
        all(ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] }, Silence),
        all(ClientFrame::Leave { conv }, Silence),
        Case { frame: open, visitor: Refused(NotFound), agent: Refused(Forbidden), supervisor: Refused(Forbidden) },
        all(ClientFrame::Typing { conv, on: true }, Silence),
        all(ClientFrame::Seen { conv, delivered: 9, read: 9 }, Refused(NotFound)),
        all(ClientFrame::Recall { req, conv, msg }, Refused(NotFound)),
        all(ClientFrame::Restore { req, conv, envelopes: vec![String::new()] }, Refused(NotFound)),
        all(ClientFrame::Close { req, conv, reason: None }, Refused(NotFound)),
        all(ClientFrame::Rate { req, conv, stars: 1, msg: None }, Refused(NotFound)),
        all(ClientFrame::Reopen { req, conv }, Refused(NotFound)),
        agents(ClientFrame::Dismiss { req, conv }, Refused(NotFound)),
        agents(ClientFrame::Tag { req, conv, add: vec![label.id.clone()], remove: Vec::new() }, Refused(NotFound)),
        agents(ClientFrame::Priority { req, conv, priority: Priority::High }, Refused(NotFound)),
        agents(ClientFrame::Snooze { req, conv, until: None }, Refused(NotFound)),
        agents(ClientFrame::Block { req, conv, until: None, reason: BlockReason::Other }, Refused(NotFound)),
        // the company's, by who leads
        Case {
            frame: ClientFrame::Label { req, kind: LabelKind::Tag, label },
            visitor: Refused(Forbidden),
            agent: Refused(Forbidden),
            supervisor: Own,
        },
        agents(ClientFrame::Mention { req, conv, users: vec!["li".parse().unwrap()] }, Refused(NotFound)),
        agents(ClientFrame::Status { req, state: AgentState::Busy }, Own),
        agents(ClientFrame::Accept { req, conv }, Refused(TooLate)),
        agents(ClientFrame::Decline { req, conv }, Own),
        agents(ClientFrame::Take { req, conv }, Refused(NotFound)),
        agents(ClientFrame::Transfer { req, conv, agent, team: None }, Refused(NotFound)),
        agents(ClientFrame::Transfer { req, conv, agent: None, team }, Refused(NotFound)),
    ]
}

/// The names of all frames there are, as the reader of JSON lists them when it meets another.
fn all_names() -> BTreeSet<String> {
    let error = serde_json::from_str::<ClientFrame>(r#"{"t":"?"}"#).unwrap_err().to_string();
    error.split('`').skip(1).step_by(2).filter(|w| *w != "?").map(str::to_owned).collect()
}

fn name(frame: &ClientFrame) -> String {
    serde_json::to_value(frame).unwrap()["t"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn strangers_get_nothing_of_a_conversation_by_any_frame() {
    let server = Server::new().await;
    let (mut victim, mut li, conv) = victim(&server).await;
    let before = victim.history(conv).await;
    let msg = victim.view(conv).said[0].msg;
    let table = cases(&victim, conv, msg);
    let covered: BTreeSet<String> = table.iter().map(|c| name(&c.frame)).collect();
    assert_eq!(covered, all_names(), "every frame there is must stand in the table");

    let mut strangers =
        [Peer::visitor(&server).await, Peer::agent(&server, "zhou").await, Peer::agent(&server, "qian").await];
    for case in &table {
        for (stranger, expected) in strangers.iter_mut().zip([case.visitor, case.agent, case.supervisor]) {
            let said = said_to(stranger, &case.frame).await;
            let was = match error(&said) {
                Some(code) => Refused(code),
                None if said.iter().any(|f| matches!(f, ServerFrame::Ok { .. })) => Own,
                None => Silence,
            };
            assert_eq!(was, expected, "{} of {:?}", name(&case.frame), stranger.me.user);
            let of_it = |f: &ServerFrame| match f {
                ServerFrame::Conv { conv: c } => c.id == conv,
                ServerFrame::Synced { conv: c, .. }
                | ServerFrame::Behind { conv: c, .. }
                | ServerFrame::Rewound { conv: c, .. } => *c == conv,
                ServerFrame::Typing { .. } | ServerFrame::Receipt { .. } | ServerFrame::Gone { .. } => true,
                _ => false,
            };
            assert!(!said.iter().any(of_it), "{} says too much: {said:?}", name(&case.frame));
        }
    }
    // nobody in the conversation noticed anything, and nothing changed
    for peer in [&mut victim, &mut li] {
        let heard = said_to(peer, &ClientFrame::Ping {}).await;
        assert!(heard.iter().all(|f| !matches!(f, ServerFrame::Typing { .. } | ServerFrame::Receipt { .. })));
    }
    assert_eq!(victim.history(conv).await, before);
    assert_eq!(victim.view(conv).owner, kefu::proto::Owner::Agent("li".parse().unwrap()));
    // and a stranger who asked to follow it does not receive what comes next
    let seq = victim.say(conv, "still between us").await;
    li.record(conv, seq).await;
    for stranger in &mut strangers {
        said_to(stranger, &ClientFrame::Ping {}).await;
    }
}

#[tokio::test]
async fn no_frame_is_heard_before_the_challenge_is_answered() {
    let server = Server::new().await;
    let (victim, _li, conv) = victim(&server).await;
    for door in [Door::site("s1"), Door::agent()] {
        for case in cases(&victim, conv, MsgId(random())) {
            let mut wire = Wire::open(server.addr, &door).await.unwrap();
            wire.next().await.unwrap();
            wire.send(&case.frame).await.unwrap();
            let expected = if name(&case.frame) == "hello" { 4501 } else { 4500 };
            assert_eq!(wire.closed().await, Some(expected), "{}", name(&case.frame));
        }
        let mut wire = Wire::open(server.addr, &door).await.unwrap();
        wire.send_envelope(vec![0; 100]).await.unwrap();
        assert_eq!(wire.closed().await, Some(4500), "an envelope");
    }
}

#[tokio::test]
async fn envelopes_of_strangers_are_refused() {
    let server = Server::new().await;
    let (mut victim, mut li, conv) = victim(&server).await;
    let before = victim.history(conv).await;
    let own = victim.me.key.clone();
    let mut stranger = Peer::visitor(&server).await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    let (_, forged) = victim.view(conv).seal("in your name", &own);
    for peer in [&mut stranger, &mut zhou, &mut li] {
        let refused = peer.post(forged.clone()).await.unwrap_err().0;
        assert_eq!(refused, Forbidden, "the sender is the victim");
        let key = peer.me.key.clone();
        let (_, theirs) = victim.view(conv).seal("in mine", &key);
        let outcome = peer.post(theirs).await;
        match &peer.me.user {
            Some(user) if user.as_str() == "li" => assert!(outcome.is_ok(), "they are the owner"),
            _ => assert_eq!(outcome.unwrap_err().0, NotFound),
        }
    }
    let (_, note) = victim.view(conv).seal_note("a note of a visitor", &[9; 32], &own);
    assert_eq!(victim.post(note).await.unwrap_err().0, Forbidden);
    assert_eq!(victim.history(conv).await.len(), before.len() + 1);
}

#[tokio::test]
async fn a_challenge_is_answered_by_the_right_key_for_the_right_door_only() {
    let server = Server::new().await;
    let (stranger, li) = (SigningKey::generate(), server.company.keyring("li").signing);
    let doors = [
        (Door::agent(), &stranger, Side::Agent, 4501),
        (Door::agent(), &li, Side::Visitor, 4501),
        (Door::site("s1"), &stranger, Side::Agent, 4501),
    ];
    for (door, key, side, code) in doors {
        let mut wire = Wire::open(server.addr, &door).await.unwrap();
        wire.hello(key, side).await.unwrap();
        assert_eq!(wire.closed().await, Some(code));
    }
    // the answer to one challenge is none to another
    let mut first = Wire::open(server.addr, &Door::site("s1")).await.unwrap();
    let mut second = Wire::open(server.addr, &Door::site("s1")).await.unwrap();
    let recorded = first.answer(&stranger, Side::Visitor).await.unwrap();
    second.next().await.unwrap();
    second.send(&recorded).await.unwrap();
    assert_eq!(second.closed().await, Some(4501));
    let ClientFrame::Hello { ed, sig, .. } = recorded else { unreachable!() };
    first.send(&ClientFrame::Hello { v: 2, ed, sig, rev: None }).await.unwrap();
    assert_eq!(first.closed().await, Some(4503));
    // a key of small order
    let mut weak = Wire::open(server.addr, &Door::site("s1")).await.unwrap();
    weak.next().await.unwrap();
    let mut one = [0; 32];
    one[0] = 1;
    weak.send(&ClientFrame::Hello { v: 1, ed: b64u(&one), sig: b64u(&[0; 64]), rev: None }).await.unwrap();
    assert_eq!(weak.closed().await, Some(4501));
    // visitors of one site open no conversation of another
    let mut visitor = Peer::connect(&server, &Me::visitor("s1")).await;
    visitor.me.site = Some("s2".parse().unwrap());
    let (_, open) = visitor.opening();
    assert_eq!(visitor.ask(open).await.unwrap_err().0, Forbidden);
}
