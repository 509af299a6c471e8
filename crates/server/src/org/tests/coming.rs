//! New people wait for confirmation: in time it happens by itself, later a person gives it, and nobody else is affected.

use super::{acts::ActError, *};
use crate::crypto::directory::{Bundle, Directory, REVISION, RulesBody, Snapshot};

fn vouch(bank: &Bank, by: &Keyring) -> Snapshot {
    let now = bank.org.now_ms();
    Snapshot::make(&bank.org.directory(), now, now + 30 * DAY_MS, &by.signing)
}

/// A company from before confirmation existed: its log is as that version wrote it, and the last enrolment is covered by
/// no snapshot.
async fn old_bank() -> (Bank, Keyring, Keyring) {
    let (keys, setup) = (company(), generate_setup().to_vec());
    let opaque = crate::crypto::opaque::OpaqueServer::new(&setup, keys.fp()).unwrap().public();
    let mut commit = NewCompany::new("银行", &keys, &opaque, T0).unwrap().finish().commit;
    commit.entries.truncate(1);
    let mut log = crate::crypto::testing::Log(commit.entries.clone());
    log.add(&crate::crypto::testing::team("svc", 1, "svc 1"), &keys.root);
    log.add(&crate::crypto::testing::enrol_by("zhao", Role::Admin, "zhao", &keys.root, "zhao"), &of("zhao").signing);
    let dir = log.replay();
    let snapshot = Snapshot::make(&dir, T0, T0 + 30 * DAY_MS, &of("zhao").signing);
    log.add(&crate::crypto::testing::enrol_by("li", Role::Agent, "li", &of("zhao").signing, "li"), &of("li").signing);
    let sealed = |to: &[u8; 32]| TeamBox::seal(&svc(), 1, &crate::crypto::testing::x("svc 1"), to).unwrap();
    let boxes =
        [("@recovery", keys.recovery.public()), ("zhao", of("zhao").kem.public()), ("li", of("li").kem.public())]
            .map(|(to, pk)| BoxFor { to: to.into(), sealed: sealed(&pk) });
    let commit = Commit { entries: log.0, boxes: boxes.into(), snapshot: Some(snapshot), ..Commit::default() };
    let (clock, store) = (Arc::new(AtomicU64::new(T0)), Arc::new(Tables::default()));
    let time = clock.clone();
    let now: Clock = Clock::new(move || time.load(Ordering::Relaxed));
    let org = Org::found_at(store.clone(), &Secrets::of_one_server(&setup), commit, now).await.unwrap();
    (Bank { org, store, setup, keys, clock }, of("zhao"), of("li"))
}

fn of(name: &str) -> Keyring {
    crate::crypto::testing::keyring(name)
}

fn svc() -> crate::proto::TeamId {
    "svc".parse().unwrap()
}

#[tokio::test]
async fn who_comes_in_time_acts_at_once_and_is_confirmed_by_the_next_act() {
    let (bank, code) = Bank::found().await;
    assert_eq!(bank.org.directory().revision_at(1), REVISION, "from the founding on");
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    assert!(bank.org.active(&user("zhao")).is_some());
    bank.login("zhao", "zhao's password").await.unwrap();
    assert!(bank.org.directory().state().waiting.contains_key(&user("zhao")));
    bank.act(|s| s.team_add(&"vip".parse().unwrap(), "VIP")).await;
    let dir = bank.org.directory();
    assert!(dir.state().waiting.is_empty() && dir.may_sign(&Key32(zhao.signing.public())));
    bank.pass(INVITE_MS + 1);
    assert!(bank.org.active(&user("zhao")).is_some());
}

#[tokio::test]
async fn who_is_not_confirmed_in_time_is_out_until_somebody_says_who_they_are() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    bank.act(|s| s.snapshot(30)).await;
    let li_code = bank.invite("li", Role::Agent).await;
    let li = bank.claim(&li_code, "li's password").await.unwrap();
    let end = bank.org.now_ms() + INVITE_MS;
    assert_eq!(bank.org.next_unconfirmed_end(), Some(end));
    bank.pass(INVITE_MS + 1);
    assert_eq!(bank.org.next_unconfirmed_end(), None, "that was the last");
    assert!(bank.org.active(&user("li")).is_none() && bank.org.agent_by_ed(&li.signing.public()).is_none());
    assert_eq!(bank.login("li", "li's password").await.unwrap_err(), OrgError::Login);

    // everyone else works on, every act succeeds, no key goes to them
    bank.act(|s| s.team_rotate(&svc())).await;
    bank.act(|s| s.snapshot(30)).await;
    bank.login("zhao", "zhao's password").await.unwrap();
    let epochs = |boxes: BoxesAnswer| boxes.boxes.iter().map(|b| b.epoch).collect::<Vec<_>>();
    assert_eq!(epochs(bank.org.boxes(&user("li")).await.unwrap()), [1]);
    let waits = bank.org.directory().unconfirmed();
    assert_eq!(waits.iter().map(|w| (w.user.as_str(), w.exp)).collect::<Vec<_>>(), [("li", end)]);

    bank.act(|s| s.user_confirm(&user("li"))).await;
    let (opened, answer) = bank.login("li", "li's password").await.unwrap();
    assert_eq!(answer.boxes.iter().map(|b| b.epoch).collect::<Vec<_>>(), [1, 2], "the keys of meanwhile, too");
    assert!(answer.boxes.iter().all(|b| b.open(&opened.kem).is_ok()));
    let again = bank.sign(|s| s.user_confirm(&user("li"))).await.unwrap_err();
    assert_eq!(again, ActError::NotWaiting(user("li")));
}

#[tokio::test]
async fn somebody_who_waits_can_be_sent_away() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    let li = bank.invite("li", Role::Agent).await;
    bank.claim(&li, "li's password").await.unwrap();
    bank.pass(INVITE_MS + 1);
    bank.act(|s| s.user_disable(&user("li"))).await;
    let dir = bank.org.directory();
    assert!(dir.user(&user("li")).is_none() && dir.unconfirmed().iter().all(|w| w.user != user("li")));
    assert_eq!(dir.team(&svc()).unwrap().epoch, 2, "they held the old key");
    assert!(bank.org.boxes(&user("li")).await.unwrap().boxes.is_empty());
    bank.invite("li", Role::Agent).await;
}

#[tokio::test]
async fn a_company_that_a_late_enrolment_locked_out_is_healed() {
    let (bank, zhao, _) = old_bank().await;
    bank.pass(crate::crypto::testing::EXP - T0 + 1);
    // the log as it is: agents replay it, visitors verify it, and only li is in question
    let view = bank.org.export().await.unwrap();
    let dir = Directory::replay(bank.keys.fp(), &view.entries, view.snapshot.as_ref()).unwrap();
    assert!(dir.agent(&user("zhao")).unwrap().is_active(bank.org.now_ms()));
    assert!(!dir.agent(&user("li")).unwrap().is_active(bank.org.now_ms()));
    let bundle = Bundle {
        genesis: view.entries[0].clone(),
        admin: Some(view.entries[2].clone()),
        snapshot: view.snapshot.clone().unwrap(),
        tail: view.entries[3..].to_vec(),
    };
    bundle.verify(bank.keys.fp(), bank.org.now_ms()).unwrap();
    assert!(bank.org.active(&user("zhao")).is_some() && bank.org.active(&user("li")).is_none());

    // any act heals: the rules begin, li waits
    bank.act(|s| s.team_rotate(&svc())).await;
    let dir = bank.org.directory();
    assert_eq!((dir.revision_at(3), dir.revision_at(4)), (1, REVISION));
    assert!(dir.state().waiting.contains_key(&user("li")) && dir.state().users.contains_key(&user("zhao")));
    assert!(bank.org.agent_by_ed(&zhao.signing.public()).is_some());
    bank.act(|s| s.user_confirm(&user("li"))).await;
    assert!(bank.org.active(&user("li")).is_some());
    assert_eq!(bank.org.boxes(&user("li")).await.unwrap().boxes.len(), 2);
}

#[tokio::test]
async fn in_an_old_company_the_first_act_confirms_who_came_in_time() {
    let (bank, ..) = old_bank().await;
    bank.act(|s| s.snapshot(30)).await;
    bank.pass(crate::crypto::testing::EXP - T0 + 1);
    assert!(bank.org.active(&user("li")).is_some());
    assert!(bank.org.directory().state().waiting.is_empty());
}

#[tokio::test]
async fn admins_confirm_from_their_consoles() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let li_code = bank.invite("li", Role::Agent).await;
    let li = bank.claim(&li_code, "li's password").await.unwrap();
    // the invitation was an act of root's: zhao is confirmed
    let good = bank.confirms(&zhao, "li");
    let mut watch = bank.org.watch();
    watch.mark_unchanged();
    let mine = bank.confirms(&li, "li");
    assert!(matches!(bank.org.post_entries(&user("li"), mine).await, Err(OrgError::Forbidden(_))));
    assert!(matches!(bank.org.post_entries(&user("li"), good.clone()).await, Err(OrgError::Forbidden(_))));
    let by_root = {
        let dir = bank.org.directory();
        let (_, body) = good.entries[0].read().unwrap();
        Entry::sign(dir.seq() + 1, &dir.head(), T0, &body.unwrap(), &bank.keys.root)
    };
    let post = |entry| DirectoryPost { entries: vec![entry], snapshot: None };
    assert!(matches!(bank.org.post_entries(&user("zhao"), post(by_root)).await, Err(OrgError::Forbidden(_))));
    let dir = bank.org.directory();
    let other = crate::crypto::testing::team("vip", 1, "vip");
    let other = Entry::sign(dir.seq() + 1, &dir.head(), T0, &other, &zhao.signing);
    assert!(matches!(bank.org.post_entries(&user("zhao"), post(other)).await, Err(OrgError::Forbidden(_))));
    let again = Body::Rules(RulesBody { rev: REVISION, late: vec![] });
    let again = Entry::sign(dir.seq() + 1, &dir.head(), T0, &again, &zhao.signing);
    assert!(matches!(bank.org.post_entries(&user("zhao"), post(again)).await, Err(OrgError::Directory(_))));
    let none = DirectoryPost { entries: vec![], snapshot: None };
    assert!(matches!(bank.org.post_entries(&user("zhao"), none).await, Err(OrgError::Malformed(_))));
    // a snapshot that does not fit takes the entries back with it
    let unfit = DirectoryPost { snapshot: Some(vouch(&bank, &li)), ..good.clone() };
    assert!(matches!(bank.org.post_entries(&user("zhao"), unfit).await, Err(OrgError::Snapshot(_))));
    assert!(!watch.has_changed().unwrap(), "nothing happened so far");

    let mut after = (*bank.org.directory()).clone();
    after.apply(&good.entries[0]).unwrap();
    let snapshot = Snapshot::make(&after, T0, T0 + 30 * DAY_MS, &zhao.signing);
    let whole = DirectoryPost { snapshot: Some(snapshot.clone()), ..good.clone() };
    let seq = bank.org.post_entries(&user("zhao"), again_json(&whole)).await.unwrap();
    assert!(watch.has_changed().unwrap());
    assert_eq!((bank.org.directory().seq(), bank.org.snapshot()), (seq, Some(snapshot)));
    assert_eq!(bank.org.post_entries(&user("zhao"), good).await.unwrap_err(), OrgError::Conflict, "the log moved");
    let restarted = Org::open(bank.store.clone(), &Secrets::of_one_server(&bank.setup)).await.unwrap();
    assert_eq!(restarted.directory().head(), bank.org.directory().head());
}

fn again_json(post: &DirectoryPost) -> DirectoryPost {
    again(post)
}

#[tokio::test]
async fn a_first_admin_confirms_themself_in_time_and_nothing_else() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let (first, dir) = (bank.confirms(&zhao, "zhao"), bank.org.directory());
    let rules = Body::Rules(RulesBody { rev: REVISION + 1, late: vec![] });
    let rules = Entry::sign(dir.seq() + 1, &dir.head(), T0, &rules, &zhao.signing);
    let more = DirectoryPost { entries: vec![rules], snapshot: None };
    assert!(matches!(bank.org.post_entries(&user("zhao"), more).await, Err(OrgError::Directory(_))));
    bank.clock.store(T0 + INVITE_MS + 1, Ordering::Relaxed);
    assert!(matches!(bank.org.post_entries(&user("zhao"), first.clone()).await, Err(OrgError::Forbidden(_))));
    bank.clock.store(T0 + INVITE_MS, Ordering::Relaxed);
    bank.org.post_entries(&user("zhao"), first).await.unwrap();
    assert!(bank.org.directory().may_sign(&Key32(zhao.signing.public())));
    bank.org.put_snapshot(&user("zhao"), vouch(&bank, &zhao)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_honest_takes_no_late_claim() {
    let (bank, _) = Bank::found().await;
    let li = bank.invite("li", Role::Agent).await;
    let (mut claim, keys) = bank.prepare(&li, "password").await.unwrap();
    let (seq, body) = claim.entry.read().unwrap();
    let (dir, end) = (bank.org.directory(), bank.org.now_ms() + INVITE_MS);
    let at = |at| Entry::sign(seq, &dir.head(), at, body.as_ref().unwrap(), &keys.signing);
    claim.entry = at(end + 1);
    assert_eq!(bank.org.invite_claim(claim.clone()).await.unwrap_err(), OrgError::InviteExpired, "by its own word");
    claim.entry = at(end);
    bank.pass(INVITE_MS + 1);
    assert_eq!(bank.org.invite_claim(claim.clone()).await.unwrap_err(), OrgError::InviteExpired, "by the clock");
    let commit = Commit { expect_seq: seq, entries: vec![claim.entry.clone()], ..Commit::default() };
    assert_eq!(bank.org.commit(commit).await.unwrap_err(), OrgError::InviteExpired, "nor from the command line");

    // a hostile one takes it: it stops nothing, and confirms nothing
    let mut view = bank.org.export().await.unwrap();
    view.entries.push(claim.entry);
    let signer = signer(&view, &bank.keys, bank.org.now_ms()).unwrap();
    for commit in [signer.snapshot(30), signer.team_rotate(&svc()), signer.user_disable(&user("li"))] {
        let commit = commit.unwrap();
        assert!(commit.entries.iter().all(|e| !matches!(e.read().unwrap().1, Some(Body::Confirm(_)))));
        assert!(commit.boxes.iter().all(|b| b.to != "li" && b.sealed.open(&keys.kem).is_err()));
    }
}
