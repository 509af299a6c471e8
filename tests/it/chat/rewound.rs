//! A log that went back: a backup of the database is restored, and clients that remember more report it, hand back what
//! it lost, and continue.

use std::{fs, path::Path, sync::Arc};

use kefu::{
    crypto::{codec::b64u, sign::SigningKey},
    proto::{AgentState, Generation, Have, Mark},
};

use super::*;
use crate::support::{child::Process, peer::Refused, view::View};

/// Copies the database and its log from one directory to another.
fn copy(from: &Path, to: &Path) {
    let log = |dir: &Path| dir.join("kefu.redb.wal");
    drop(fs::remove_dir_all(log(to)));
    fs::create_dir_all(log(to)).unwrap();
    fs::copy(from.join("kefu.redb"), to.join("kefu.redb")).unwrap();
    for file in fs::read_dir(log(from)).unwrap().flatten() {
        fs::copy(file.path(), log(to).join(file.file_name())).unwrap();
    }
}

/// The server's answer to a resume.
async fn resumed(peer: &mut Peer, held: Have) -> ServerFrame {
    let conv = held.id;
    peer.log.clear();
    peer.wire.send(&ClientFrame::Resume { convs: vec![held] }).await.unwrap();
    peer.frame(|f| match f {
        ServerFrame::Synced { conv: c, .. } | ServerFrame::Rewound { conv: c, .. } if *c == conv => Some(f.clone()),
        _ => None,
    })
    .await
}

fn is_synced(said: &ServerFrame) -> bool {
    matches!(said, ServerFrame::Synced { .. })
}

async fn restore(peer: &mut Peer, conv: ConvId, announcements: &[&Vec<u8>]) -> Result<(), Refused> {
    let envelopes: Vec<String> = announcements.iter().map(|a| b64u(a)).collect();
    peer.ask(|req| ClientFrame::Restore { req, conv, envelopes: envelopes.clone() }).await
}

#[tokio::test]
async fn a_backup_that_was_put_back_is_noticed_and_mended() {
    let company = Company::found().await;
    let mut server = Process::start(company.path());
    let li_is = Me::agent(&company, "li");
    let mut li = Peer::try_connect(&company, server.addr, &li_is).await.unwrap();
    li.status(AgentState::Online).await;
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    visitor.until(conv, |v| v.owner == owner("li")).await;
    let kept = visitor.say(conv, "kept").await;
    li.record(conv, kept).await;
    // the backup, of an idle server
    server.kill();
    let backup = tempfile::tempdir().unwrap();
    copy(company.path(), backup.path());

    server = Process::start(company.path());
    let visitor_is = visitor.me.clone();
    let before = [std::mem::take(&mut visitor.views), std::mem::take(&mut li.views)];
    let mut visitor = Peer::try_connect(&company, server.addr, &visitor_is).await.unwrap();
    let mut li = Peer::try_connect(&company, server.addr, &li_is).await.unwrap();
    [visitor.views, li.views] = before;
    // an ordinary restart lost nothing
    for peer in [&mut visitor, &mut li] {
        let held = peer.view(conv).held();
        assert_ne!(held.generation, Some(peer.generation));
        assert!(is_synced(&resumed(peer, held).await));
    }
    li.until(conv, |v| v.owner == owner("li")).await;
    let (vkey, lkey) = (visitor_is.key.clone(), li_is.key.clone());
    let (_, lost) = visitor.view(conv).seal("lost", &vkey);
    let seq = visitor.post(lost.clone()).await.unwrap();
    li.record(conv, seq).await;
    let first = li.view(conv).announce(&company, "svc", &lkey);
    li.post(first.clone()).await.unwrap();
    visitor.until(conv, |v| v.epoch == 1).await;
    let second = visitor.view(conv).announce(&company, "svc", &vkey);
    visitor.post(second.clone()).await.unwrap();
    li.until(conv, |v| v.epoch == 2).await;
    let (_, newest) = visitor.view(conv).seal("in the newest epoch", &vkey);
    let last = visitor.post(newest.clone()).await.unwrap();
    li.record(conv, last).await;
    let (gone, opening) = visitor.opening();
    visitor.ask(&opening).await.unwrap();
    visitor.record(gone, 3).await;

    server.kill();
    copy(backup.path(), company.path());
    server = Process::start(company.path());
    let before = [std::mem::take(&mut visitor.views), std::mem::take(&mut li.views)];
    let mut visitor = Peer::try_connect(&company, server.addr, &visitor_is).await.unwrap();
    let mut li = Peer::try_connect(&company, server.addr, &li_is).await.unwrap();
    [visitor.views, li.views] = before;
    assert!(!visitor.greeted.iter().any(|c| c.id == gone));
    for peer in [&mut visitor, &mut li] {
        let (held, generation) = (peer.view(conv).held(), peer.generation);
        let ServerFrame::Rewound { last: end, generation: said, .. } = resumed(peer, held).await else {
            panic!("the log went back")
        };
        assert_eq!(said, generation);
        assert!(end < last, "{end}");
        peer.views.insert(conv, View::new(conv));
    }
    // nobody follows; now both read from the start, as far as the log goes
    for peer in [&mut visitor, &mut li] {
        peer.follow(conv).await;
        assert_eq!((peer.view(conv).epoch, peer.texts(conv)), (0, vec!["kept".to_owned()]));
        peer.until(conv, |v| v.owner == owner("li")).await;
    }
    // in the original order: a message is valid only in the epoch that is current at its place
    visitor.post(lost.clone()).await.unwrap();
    let out_of_order = restore(&mut visitor, conv, &[&second]).await;
    assert_eq!(out_of_order.unwrap_err().0, ErrorCode::EpochStale);
    restore(&mut visitor, conv, &[&first, &second]).await.expect("the agent's and their own");
    restore(&mut li, conv, &[&first, &second]).await.expect("known ones are skipped");
    visitor.post(newest).await.unwrap();
    visitor.post(lost).await.expect("its echo");
    for peer in [&mut visitor, &mut li] {
        peer.until(conv, |v| v.said.len() == 3).await;
        assert_eq!(peer.view(conv).epoch, 2);
        assert_eq!(peer.texts(conv), ["kept", "lost", "in the newest epoch"]);
    }
    let seq = li.say(conv, "and on").await;
    visitor.record(conv, seq).await;
    visitor.views.remove(&gone);
    visitor.ask(&opening).await.expect("the same opening again");
    visitor.record(gone, 3).await;
    visitor.say(gone, "here again").await;
}

#[tokio::test]
async fn a_restart_that_lost_nothing_is_never_called_a_rewind() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey, team) = (visitor.me.key.clone(), li.me.key.clone(), team_pk(&server, "svc"));
    let (_, message) = visitor.view(conv).seal("oops", &vkey);
    let recalled = visitor.post(message.clone()).await.unwrap();
    let (_, taken) = visitor.view(conv).recall(&message, &vkey);
    visitor.post(taken).await.unwrap();
    let (_, note) = li.view(conv).seal_note("hm", &team, &lkey);
    let noted = li.post(note.clone()).await.unwrap();
    let (_, note_taken) = li.view(conv).recall(&note, &lkey);
    let last = li.post(note_taken).await.unwrap();
    visitor.record(conv, last).await;
    let older = visitor.generation;
    // each record as its reader accepted it: before it was recalled, hidden, an event, an announcement
    let marks = |peer: &mut Peer| -> Vec<(u64, Mark)> {
        let records = &peer.view(conv).records;
        (1..).zip(records.iter().map(|frame| kefu::crypto::hash::mark(frame))).collect()
    };
    let (theirs, his) = (marks(&mut visitor), marks(&mut li));
    assert!(his.len() as u64 == last && noted > recalled);
    let people = [visitor.me.clone(), li.me.clone()];
    drop((visitor, li));
    let company = server.stopped().await;
    let server = Server::start(&company, config()).await;
    for (me, marks) in people.iter().zip([theirs, his]) {
        let mut peer = Peer::connect(&server, me).await;
        assert_ne!(peer.generation, older);
        for (seq, mark) in marks {
            let held =
                |generation, seq, mark| Have { generation, seq: Some(seq), mark: Some(mark), ..Have::upto(conv, last) };
            assert!(is_synced(&resumed(&mut peer, held(Some(older), seq, mark)).await), "record {seq}");
            let other = Mark([0; 8]);
            assert!(!is_synced(&resumed(&mut peer, held(Some(older), seq, other)).await), "record {seq} was another");
            let same = peer.generation;
            assert!(is_synced(&resumed(&mut peer, held(Some(same), seq, other)).await), "not a rewind but a lie");
        }
    }
}

#[tokio::test]
async fn who_holds_more_than_there_is_is_told_and_does_not_follow() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let older = Generation([9; 8]);
    let (have, last) = (visitor.view(conv).have(), visitor.view(conv).held());
    let beyond = Have { generation: Some(older), ..Have::upto(conv, have + 1) };
    assert!(!is_synced(&resumed(&mut visitor, beyond).await));
    let beyond = Have { generation: Some(older), seq: Some(have + 1), ..last };
    assert!(!is_synced(&resumed(&mut visitor, beyond).await));
    // new messages do not arrive until they ask for them
    let seq = li.say(conv, "are you there?").await;
    visitor.wire.send(&ClientFrame::Ping {}).await.unwrap();
    visitor.frame(|f| matches!(f, ServerFrame::Pong { .. }).then_some(())).await;
    assert_eq!(visitor.view(conv).have(), have);
    visitor.follow(conv).await;
    assert_eq!(visitor.view(conv).have(), seq);
    // programs and widgets that remember nothing are served as ever
    for held in [Have::upto(conv, have), Have::upto(conv, 0), Have { generation: Some(older), ..Have::upto(conv, 0) }] {
        assert!(is_synced(&resumed(&mut visitor, held).await), "{held:?}");
    }
    let mut old = Peer::connect(&server, &visitor.me.clone().old()).await;
    assert!(is_synced(&resumed(&mut old, Have { generation: Some(older), ..last }).await));
}

#[tokio::test]
async fn nobody_hands_back_what_was_never_allowed() {
    let server = Server::new().await;
    let company: Arc<Company> = server.company.clone();
    let (mut visitor, mut li, conv) = talk(&server).await;
    let vkey = visitor.me.key.clone();
    let directory = company.directory();
    let other = Company::found().await.directory();
    let keys = |user: &str| company.keyring(user).signing;
    let view = visitor.view(conv);
    let (_, message) = view.seal("a message", &vkey);
    let refused = [
        (view.announce_by(&directory, "vip", &keys("zhou")), ErrorCode::Forbidden, "an agent of another team"),
        (view.announce_by(&directory, "svc", &SigningKey::generate()), ErrorCode::Forbidden, "nobody"),
        (view.announce_by(&directory, "vip", &vkey), ErrorCode::DirectoryStale, "a visitor for another team"),
        (view.announce_by(&other, "svc", &vkey), ErrorCode::DirectoryStale, "another directory"),
        (message, ErrorCode::Malformed, "no announcement"),
    ];
    for (envelope, code, what) in refused {
        assert_eq!(restore(&mut visitor, conv, &[&envelope]).await.unwrap_err().0, code, "{what}");
    }
    let mut altered = visitor.view(conv).announce_by(&directory, "svc", &keys("wu"));
    altered[110] ^= 1;
    assert_eq!(restore(&mut visitor, conv, &[&altered]).await.unwrap_err().0, ErrorCode::Malformed);
    let many = vec![&altered; 25];
    assert_eq!(restore(&mut visitor, conv, &many).await.unwrap_err().0, ErrorCode::TooLarge);
    assert_eq!(bodies(&visitor.history(conv).await).len() as u64, li.view(conv).have(), "nothing was stored");
    // one of the team who never owned the conversation here may have owned it in what is lost
    let good = visitor.view(conv).announce_by(&directory, "svc", &keys("wu"));
    restore(&mut visitor, conv, &[&good]).await.unwrap();
    li.until(conv, |v| v.epoch == 1).await;
    // a transfer that is lost: the conversation goes where its key went
    let moved = li.view(conv).announce_by(&directory, "vip", &keys("wu"));
    restore(&mut li, conv, &[&moved]).await.unwrap();
    visitor.until(conv, |v| v.epoch == 2 && v.owner == Owner::Queue).await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    zhou.accept(conv).await;
    zhou.follow(conv).await;
    zhou.until(conv, |v| v.owner == owner("zhou")).await;
    let seq = zhou.say(conv, "hello").await;
    visitor.record(conv, seq).await;
}
