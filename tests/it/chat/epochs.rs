//! Epochs: what the server still refuses although it can read nothing.

use kefu::{
    crypto::{hpke::KemSecret, sign::SigningKey},
    proto::OwnerWhy,
};

use super::*;

#[tokio::test]
async fn after_a_new_team_key_the_old_epoch_is_refused_until_somebody_announces() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    visitor.say(conv, "under the old key").await;
    server.company.rotate("svc").await;
    let newest = server.company.directory().seq();
    for peer in [&mut visitor, &mut li] {
        peer.frame(|f| matches!(f, ServerFrame::Directory { seq } if *seq == newest).then_some(())).await;
    }
    let key = visitor.me.key.clone();
    let (msg, stale) = visitor.view(conv).seal("under the new key", &key);
    assert_eq!(visitor.post(stale).await.unwrap_err().0, ErrorCode::EpochStale);
    let announcement = visitor.view(conv).announce(&server.company, "svc", &key);
    visitor.post(announcement.clone()).await.unwrap();
    visitor.post(announcement).await.expect("the echo of a resend");
    let again = visitor.view(conv).seal_as(msg, "under the new key", &key);
    let seq = visitor.post(again).await.unwrap();
    li.record(conv, seq).await;
    assert_eq!(li.texts(conv), ["under the old key", "under the new key"]);
    assert_eq!(li.view(conv).epoch, 1);
    let seq = li.say(conv, "and back").await;
    visitor.record(conv, seq).await;
}

#[tokio::test]
async fn of_two_announcements_of_one_epoch_one_wins() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (his, mine) = (li.me.key.clone(), visitor.me.key.clone());
    let one = visitor.view(conv).announce(&server.company, "svc", &mine);
    let two = li.view(conv).announce(&server.company, "svc", &his);
    let (one, two) = tokio::join!(visitor.post(one), li.post(two));
    assert_eq!(one.is_ok(), two.is_err(), "{one:?} {two:?}");
    let refused = one.err().or(two.err()).unwrap().0;
    assert!(matches!(refused, ErrorCode::EpochStale | ErrorCode::Conflict), "{refused:?}");
    for peer in [&mut visitor, &mut li] {
        peer.until(conv, |v| v.epoch == 1).await;
    }
    let seq = visitor.say(conv, "one epoch for both").await;
    li.record(conv, seq).await;
}

#[tokio::test]
async fn announcements_that_would_let_strangers_in_are_refused() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let mut wu = Peer::agent(&server, "wu").await;
    wu.follow(conv).await;
    let (vkey, lkey, wkey) = (visitor.me.key.clone(), li.me.key.clone(), wu.me.key.clone());

    let for_vip = visitor.view(conv).announce(&server.company, "vip", &vkey);
    assert_eq!(visitor.post(for_vip).await.unwrap_err().0, ErrorCode::DirectoryStale, "visitors choose no team");
    let not_owner = wu.view(conv).announce(&server.company, "svc", &wkey);
    assert_eq!(wu.post(not_owner).await.unwrap_err().0, ErrorCode::NotOwner);
    // the right header, signed by someone else
    let mut forged = visitor.view(conv).announce(&server.company, "svc", &SigningKey::generate());
    forged[24..40].copy_from_slice(&vkey.kid().0);
    assert_eq!(visitor.post(forged).await.unwrap_err().0, ErrorCode::Malformed);
    // a box for an unlisted key
    let view = li.view(conv);
    let visitor_x = std::mem::replace(&mut view.visitor.1, KemSecret::generate().public());
    let ghost = view.announce(&server.company, "svc", &lkey);
    view.visitor.1 = visitor_x;
    assert_eq!(li.post(ghost).await.unwrap_err().0, ErrorCode::Malformed);
    // a future and a past epoch
    for epoch in [0, 2] {
        let view = li.view(conv);
        let now = std::mem::replace(&mut view.epoch, epoch - u32::from(epoch > 0));
        let wrong = if epoch == 0 {
            view.epoch = u32::MAX - 1;
            view.announce(&server.company, "svc", &lkey)
        } else {
            view.announce(&server.company, "svc", &lkey)
        };
        view.epoch = now;
        assert_eq!(li.post(wrong).await.unwrap_err().0, ErrorCode::EpochStale);
    }
    assert_eq!(bodies(&li.history(conv).await).len() as u64, li.view(conv).have());
    assert_eq!(li.view(conv).epoch, 0);
}

#[tokio::test]
async fn an_announcement_that_names_another_directory_is_refused() {
    let (server, other) = (Server::new().await, Company::found().await);
    let mut visitor = Peer::visitor(&server).await;
    visitor.company = other;
    let (_, open) = visitor.opening();
    let refused = visitor.ask(open).await.unwrap_err().0;
    assert!(matches!(refused, ErrorCode::DirectoryStale | ErrorCode::Malformed), "{refused:?}");
}

#[tokio::test]
async fn a_visitor_goes_on_with_the_team_that_a_transfer_was_prepared_for() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey) = (visitor.me.key.clone(), li.me.key.clone());
    let prepared = li.view(conv).announce(&server.company, "vip", &lkey);
    li.post(prepared).await.unwrap();
    visitor.until(conv, |v| v.epoch == 1).await;
    // the transfer itself was refused or never sent; the visitor must not be stuck for it
    let next = visitor.view(conv).announce(&server.company, "vip", &vkey);
    visitor.post(next).await.unwrap();
    visitor.until(conv, |v| v.epoch == 2).await;
}

#[tokio::test]
async fn only_the_maker_of_a_transfer_takes_it_back_until_the_other_team_has_written() {
    let server = Server::new().await;
    let company = server.company.clone();
    let (_visitor, mut li, conv) = talk(&server).await;
    let mut chen = Peer::agent(&server, "chen").await;
    let mut boss = Peer::agent(&server, "boss").await;
    for peer in [&mut chen, &mut boss] {
        peer.follow(conv).await;
    }
    let keys = |user: &str| company.keyring(user).signing;
    let everybody = async |peers: [&mut Peer; 3], epoch| {
        for peer in peers {
            peer.until(conv, |v| v.epoch == epoch).await;
        }
    };
    let moved = chen.view(conv).announce(&company, "vip", &keys("chen"));
    chen.post(moved).await.unwrap();
    everybody([&mut li, &mut chen, &mut boss], 1).await;
    // of the team that owns the conversation, but not of the epoch's, and not its maker
    let by_li = li.view(conv).announce(&company, "svc", &keys("li"));
    assert_eq!(li.post(by_li).await.unwrap_err().0, ErrorCode::Forbidden);
    for (epoch, team) in [(2, "svc"), (3, "vip"), (4, "vip")] {
        let again = chen.view(conv).announce(&company, team, &keys("chen"));
        chen.post(again).await.unwrap();
        everybody([&mut li, &mut chen, &mut boss], epoch).await;
    }
    // one of the team that has the epoch writes: from here on it is theirs
    boss.ask(|req| ClientFrame::Take { req, conv }).await.unwrap();
    boss.say(conv, "we have you").await;
    let late = chen.view(conv).announce(&company, "svc", &keys("chen"));
    assert_eq!(chen.post(late).await.unwrap_err().0, ErrorCode::Forbidden);
    let back = boss.view(conv).announce(&company, "svc", &keys("boss"));
    boss.post(back).await.expect("a member of both teams");
}

#[tokio::test]
async fn a_visitor_whose_team_is_off_goes_where_the_site_says() {
    let server = Server::new().await;
    let company = server.company.clone();
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey) = (visitor.me.key.clone(), li.me.key.clone());
    let moved = li.view(conv).announce(&company, "vip", &lkey);
    li.post(moved).await.unwrap();
    li.transfer(conv, None, Some("vip")).await.unwrap();
    visitor.until(conv, |v| v.epoch == 1 && v.owner == Owner::Queue).await;
    let home = visitor.view(conv).announce(&company, "svc", &vkey);
    assert_eq!(visitor.post(home).await.unwrap_err().0, ErrorCode::DirectoryStale, "the team is on");

    company.act(|s| s.team_switch(&"vip".parse().unwrap(), false)).await;
    let to_nobody = visitor.view(conv).announce(&company, "vip", &vkey);
    assert_eq!(visitor.post(to_nobody).await.unwrap_err().0, ErrorCode::DirectoryStale);
    let home = visitor.view(conv).announce(&company, "svc", &vkey);
    visitor.post(home).await.unwrap();
    li.accept(conv).await;
    li.follow(conv).await;
    visitor.until(conv, |v| v.epoch == 2 && v.owner == owner("li")).await;
    let seq = visitor.say(conv, "is anybody there?").await;
    li.record(conv, seq).await;
    let moved = |e: &Event| matches!(e, Event::Owner { owner: Owner::Queue, team, why: OwnerWhy::Transfer, by: None } if team.as_str() == "svc");
    assert!(events(&mut li, conv).iter().any(moved), "an event says where it went");
}

#[tokio::test]
async fn an_epoch_never_knows_less_of_the_directory_than_the_one_before() {
    let server = Server::new().await;
    let company = server.company.clone();
    let (mut visitor, mut li, conv) = talk(&server).await;
    let (vkey, lkey) = (visitor.me.key.clone(), li.me.key.clone());
    let older = company.directory();
    company.act(|s| s.team_rename(&"vip".parse().unwrap(), "Very important")).await;
    let newer = li.view(conv).announce(&company, "svc", &lkey);
    li.post(newer).await.unwrap();
    visitor.until(conv, |v| v.epoch == 1).await;
    let stale = visitor.view(conv).announce_by(&older, "svc", &vkey);
    assert_eq!(visitor.post(stale).await.unwrap_err().0, ErrorCode::DirectoryStale);
    let good = visitor.view(conv).announce(&company, "svc", &vkey);
    visitor.post(good).await.unwrap();
}

#[tokio::test]
async fn an_agent_who_came_into_the_team_later_announces_before_they_write() {
    let server = Server::new().await;
    let company = server.company.clone();
    let (_visitor, mut li, conv) = talk(&server).await;
    company.act(|s| s.user_teams(&"zhou".parse().unwrap(), &["svc".parse().unwrap(), "vip".parse().unwrap()])).await;
    let mut zhou = Peer::agent(&server, "zhou").await;
    li.transfer(conv, Some("zhou"), None).await.unwrap();
    zhou.follow(conv).await;
    zhou.until(conv, |v| v.owner == owner("zhou")).await;
    let key = company.keyring("zhou").signing;
    let (_, early) = zhou.view(conv).seal("too early", &key);
    assert_eq!(zhou.post(early).await.unwrap_err().0, ErrorCode::EpochStale);
    let next = zhou.view(conv).announce(&company, "svc", &key);
    zhou.post(next).await.unwrap();
    zhou.until(conv, |v| v.epoch == 1).await;
    let seq = zhou.say(conv, "here I am").await;
    li.record(conv, seq).await;
}
