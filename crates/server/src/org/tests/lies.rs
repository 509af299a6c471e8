//! A server that lists what the log denies: the signer trusts the log, reports what was left out, and
//! seals no key to anyone else.

use super::{acts::Ignored, *};
use crate::crypto::{directory::Snapshot, hpke::KemSecret, sign::SigningKey};

fn svc() -> crate::proto::TeamId {
    "svc".parse().unwrap()
}

/// Rotates `svc` on a view and returns what was left out, and to whom the new key went.
fn rotate(bank: &Bank, view: &AdminView) -> (Vec<Ignored>, Vec<String>) {
    let signer = signer(view, &bank.keys, bank.org.now_ms()).unwrap();
    let commit = signer.team_rotate(&svc()).unwrap();
    (signer.ignored().to_vec(), commit.boxes.into_iter().map(|b| b.to).collect())
}

fn listed(view: &AdminView, id: &str) -> OpenInvite {
    view.invites.iter().find(|i| i.user == user(id)).unwrap().clone()
}

#[tokio::test]
async fn used_revoked_and_ended_invites_get_no_key() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    let li = bank.invite("li", Role::Agent).await;
    bank.invite("wu", Role::Agent).await;
    bank.invite("chen", Role::Agent).await;
    let before = bank.org.export().await.unwrap();
    let [of_li, of_wu, of_chen] = ["li", "wu", "chen"].map(|id| listed(&before, id));
    bank.claim(&li, "li's password").await.unwrap();
    bank.act(|s| s.user_disable(&user("li"))).await;
    bank.act(|s| s.revoke_of(&user("wu"))).await;

    let mut view = bank.org.export().await.unwrap();
    view.invites = vec![of_li.clone(), of_wu, of_chen.clone()];
    let (ignored, to) = rotate(&bank, &view);
    assert_eq!(ignored, [Ignored::UsedInvite(user("li")), Ignored::UsedInvite(user("wu"))]);
    assert_eq!(to, ["@recovery".to_owned(), "zhao".into(), invite_name(&of_chen.inv)]);
    // nor does an invite that restores a person get their keys
    let signer = signer(&view, &bank.keys, bank.org.now_ms()).unwrap();
    let (commit, _) = signer.user_enable(&user("li"), INVITE_MS).unwrap();
    assert!(commit.boxes.iter().all(|b| b.to != invite_name(&of_li.inv)));

    bank.pass(INVITE_MS + 1);
    view.invites = vec![of_chen.clone()];
    assert!(!view.invites[0].expired, "so it says");
    assert_eq!(
        rotate(&bank, &view),
        (vec![Ignored::EndedInvite(user("chen"))], vec!["@recovery".into(), "zhao".into()])
    );
    view.invites[0].expired = true;
    assert_eq!(rotate(&bank, &view).0, [], "an invite that ended is no lie");
}

#[tokio::test]
async fn an_open_invite_of_somebody_who_is_in_gets_no_key() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    bank.invite("li", Role::Agent).await;
    let hidden = listed(&bank.org.export().await.unwrap(), "li");
    // the server hides it, so that li is invited a second time, and comes
    let mut view = bank.org.export().await.unwrap();
    view.invites.clear();
    let new = NewUser { user: user("li"), role: Role::Agent, name: "Li".into(), teams: vec![svc()] };
    let (commit, second) = signer(&view, &bank.keys, bank.org.now_ms()).unwrap().invite(&new, INVITE_MS).unwrap();
    bank.org.commit(commit).await.unwrap();
    bank.claim(&second, "li's password").await.unwrap();
    let mut view = bank.org.export().await.unwrap();
    view.invites = vec![hidden.clone()];
    let (ignored, to) = rotate(&bank, &view);
    assert_eq!(ignored, [Ignored::NeedlessInvite(user("li"))]);
    assert!(!to.contains(&invite_name(&hidden.inv)) && to.contains(&"li".to_owned()));
    // who switches li off ends it
    let signer = signer(&view, &bank.keys, bank.org.now_ms()).unwrap();
    let commit = signer.user_disable(&user("li")).unwrap();
    let revoked = |e: &Entry| matches!(e.read().unwrap().1, Some(Body::Revoke(r)) if r.inv == hidden.inv);
    assert!(commit.entries.iter().any(revoked));
}

#[tokio::test]
async fn invites_by_others_get_no_key() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    bank.act(|s| s.snapshot(30)).await;
    let cert = crate::crypto::testing::cert("wu", Role::Agent, &crate::crypto::testing::code("wu"));
    let listing = |by: &SigningKey| OpenInvite::read(&cert.sign(by), T0).unwrap();
    let mut view = bank.org.export().await.unwrap();
    view.invites = vec![listing(&zhao.signing)];
    assert_eq!(rotate(&bank, &view).0, [], "an admin invites");
    bank.act(|s| s.user_disable(&user("zhao"))).await;
    let mut view = bank.org.export().await.unwrap();
    view.invites = vec![listing(&zhao.signing)];
    assert_eq!(rotate(&bank, &view), (vec![Ignored::OrphanInvite(user("wu"))], vec!["@recovery".into()]));
    view.invites = vec![listing(&SigningKey::generate())];
    let refused = signer(&view, &bank.keys, T0).unwrap_err();
    assert_eq!(refused, acts::ActError::Invite(user("wu")), "a forgery is no oversight");
    view.invites[0].user = user("zhao");
    assert!(signer(&view, &bank.keys, T0).is_err());
}

#[tokio::test]
async fn copies_of_team_keys_are_what_the_log_says_old_ones_too() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    bank.act(|s| s.team_rotate(&svc())).await;
    let view = bank.org.export().await.unwrap();
    let invite = |view: &AdminView| {
        let new = NewUser { user: user("li"), role: Role::Agent, name: "Li".into(), teams: vec![svc()] };
        let signer = signer(view, &bank.keys, T0).unwrap();
        let made = signer.invite(&new, INVITE_MS).map(|(commit, _)| commit.boxes);
        (signer.ignored().to_vec(), made)
    };
    let (ignored, boxes) = invite(&view);
    assert_eq!((ignored, boxes.unwrap().len()), (vec![], 2));
    let (recovery, mine) = (bank.keys.recovery.public(), KemSecret::generate());
    let swap = |epoch: u32, listed: u32| {
        let mut lied = view.clone();
        let place = lied.recovery.iter_mut().find(|b| b.epoch == listed).unwrap();
        *place = TeamBox::seal(&svc(), epoch, &mine, &recovery).unwrap();
        lied
    };
    let old = invite(&swap(1, 1));
    assert_eq!(old.0, [Ignored::TeamKey(svc(), 1)]);
    assert_eq!(old.1.unwrap().iter().map(|b| b.sealed.epoch).collect::<Vec<_>>(), [2], "not the stranger's");
    let newest = swap(2, 2);
    assert_eq!(invite(&newest).1.unwrap_err(), acts::ActError::TeamKey { team: svc(), epoch: 2 });
    let signer = signer(&newest, &bank.keys, T0).unwrap();
    assert!(signer.team_rotate(&svc()).is_ok(), "a new key is the way out");
    assert_eq!(invite(&swap(7, 1)).0, [Ignored::TeamKey(svc(), 7)], "a number the log does not know");
}

#[tokio::test]
async fn a_snapshot_covers_what_it_was_signed_for_and_no_more() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let view = bank.org.export().await.unwrap();
    let dir = bank.org.directory();
    let lie = |snapshot: Snapshot| {
        let view = AdminView { snapshot: Some(snapshot), ..view.clone() };
        signer(&view, &bank.keys, T0).unwrap().ignored().to_vec()
    };
    let good = |by: &SigningKey| Snapshot::make(&dir, T0, T0 + DAY_MS, by);
    assert_eq!(lie(good(&bank.keys.root)), []);
    assert_eq!(lie(good(&zhao.signing)), [Ignored::Snapshot], "nobody confirmed them yet");
    assert_eq!(lie(good(&SigningKey::generate())), [Ignored::Snapshot]);
    let mut claims_more = view.snapshot.clone().unwrap();
    let text = String::from_utf8(claims_more.raw.0).unwrap();
    claims_more.raw = text.replace("\"seq\":2,", "\"seq\":3,").into_bytes().into();
    assert_eq!(lie(claims_more), [Ignored::Snapshot]);
}
