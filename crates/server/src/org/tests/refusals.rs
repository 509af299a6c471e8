//! What must not work.

use super::{acts::ActError, *};
use crate::{
    crypto::{directory::Snapshot, hpke::KemSecret, sign::SigningKey},
    store::StoreError,
};

#[tokio::test]
async fn an_invite_works_once_and_in_time() {
    let (bank, code) = Bank::found().await;
    let (claim, _) = bank.prepare(&code, "password 1").await.unwrap();
    let opened = bank.org.invite_open(InviteOpen { inv: claim.inv }).await.unwrap();
    bank.org.invite_claim(claim.clone()).await.unwrap();
    let signed = invite::SignedCert { cert: opened.cert, signer: opened.signer, sig: opened.sig };
    let again = Commit { expect_seq: bank.org.directory().seq() + 1, invites: vec![signed], ..Commit::default() };
    assert_eq!(bank.org.commit(again).await.unwrap_err(), OrgError::InviteGone, "put back by somebody");
    assert_eq!(bank.org.invite_claim(claim).await.unwrap_err(), OrgError::InviteGone);
    assert_eq!(bank.claim(&code, "password 2").await.unwrap_err(), OrgError::InviteGone);

    let li = bank.invite("li", Role::Agent).await;
    let (claim, _) = bank.prepare(&li, "password").await.unwrap();
    bank.pass(INVITE_MS + 1);
    assert_eq!(bank.org.invite_claim(claim).await.unwrap_err(), OrgError::InviteExpired);
    let view = bank.org.export().await.unwrap();
    assert!(view.invites[0].expired);

    // the admin may invite li again, and take that back
    let again = bank.invite("li", Role::Agent).await;
    assert_eq!(bank.org.export().await.unwrap().invites.len(), 1, "the one that ended is gone");
    bank.act(|s| s.revoke_of(&user("li"))).await;
    assert_eq!(bank.claim(&again, "password").await.unwrap_err(), OrgError::InviteGone);
    assert!(bank.org.export().await.unwrap().invites.is_empty());
}

#[tokio::test]
async fn the_slower_of_two_is_told_and_nothing_is_half_done() {
    let (bank, code) = Bank::found().await;
    let first = bank.sign(|s| s.team_add(&"a".parse().unwrap(), "A")).await.unwrap();
    let second = bank.sign(|s| s.team_add(&"b".parse().unwrap(), "B")).await.unwrap();
    let (claim, _) = bank.prepare(&code, "password").await.unwrap();
    bank.org.commit(first).await.unwrap();
    assert_eq!(bank.org.commit(second).await.unwrap_err(), OrgError::Conflict);
    assert_eq!(bank.org.invite_claim(claim).await.unwrap_err(), OrgError::Conflict);
    let keys = bank.claim(&code, "password").await.expect("signed again on the new head");
    assert!(bank.org.agent_by_ed(&keys.signing.public()).is_some());
}

#[tokio::test]
async fn a_full_disk_changes_nothing() {
    let (bank, _) = Bank::found().await;
    let before = (bank.store.dump(), bank.org.directory().head());
    let commit = bank.sign(|s| s.team_add(&"a".parse().unwrap(), "A")).await.unwrap();
    bank.store.broken.store(true, Ordering::Relaxed);
    assert!(matches!(bank.org.commit(commit.clone()).await, Err(OrgError::Store(StoreError::Io(_)))));
    assert_eq!((bank.store.dump(), bank.org.directory().head()), before);
    bank.store.broken.store(false, Ordering::Relaxed);
    bank.org.commit(commit).await.unwrap();
}

#[tokio::test]
async fn another_company_has_no_say() {
    let (bank, code) = Bank::found().await;
    let view = bank.org.export().await.unwrap();
    let foreign = CompanyKeys { root: SigningKey::generate(), recovery: KemSecret::generate() };
    assert_eq!(signer(&view, &foreign, T0).unwrap_err(), ActError::NotCompany);
    let mut lied = view.clone();
    lied.org = foreign.fp();
    assert!(matches!(signer(&lied, &foreign, T0), Err(ActError::Directory(_))));
    let stolen = CompanyKeys { root: bank.keys.root.clone(), recovery: KemSecret::generate() };
    assert_eq!(signer(&view, &stolen, T0).unwrap_err(), ActError::NotCompany, "another recovery key");

    // the right company's commit, signed by the wrong root
    let mut commit = bank.sign(|s| s.team_add(&"a".parse().unwrap(), "A")).await.unwrap();
    let (_, body) = commit.entries[0].read().unwrap();
    let dir = bank.org.directory();
    commit.entries[0] = Entry::sign(dir.seq() + 1, &dir.head(), T0, &body.unwrap(), &foreign.root);
    assert!(matches!(bank.org.commit(commit).await, Err(OrgError::Directory(_))));

    let mut commit = bank.sign(|s| s.team_add(&"a".parse().unwrap(), "A")).await.unwrap();
    commit.boxes[0].to = "li\0svc".into();
    assert!(matches!(bank.org.commit(commit).await, Err(OrgError::Malformed(_))), "a box under somebody else's key");

    let cert_by_foreign = {
        let c = crate::crypto::testing::cert("wu", Role::Agent, &code);
        c.sign(&foreign.root)
    };
    let commit = Commit { expect_seq: dir.seq() + 1, invites: vec![cert_by_foreign], ..Commit::default() };
    assert!(matches!(bank.org.commit(commit).await, Err(OrgError::Forbidden(_))));
}

#[tokio::test]
async fn a_claim_brings_what_its_invite_says_and_nothing_else() {
    let (bank, code) = Bank::found().await;
    let li = bank.invite("li", Role::Agent).await;
    bank.act(|s| s.team_add(&"vip".parse().unwrap(), "VIP")).await;

    let (mut claim, _) = bank.prepare(&li, "password").await.unwrap();
    claim.boxes[0].team = "vip".parse().unwrap();
    assert!(matches!(bank.org.invite_claim(claim.clone()).await, Err(OrgError::Forbidden(_))));
    let (other, _) = bank.prepare(&code, "password").await.unwrap();
    claim.entry = other.entry;
    assert!(matches!(bank.org.invite_claim(claim.clone()).await, Err(OrgError::Forbidden(_))));
    let (good, _) = bank.prepare(&li, "password").await.unwrap();
    let mut bad = good.clone();
    bad.entry.raw.0[30] ^= 1;
    assert!(bank.org.invite_claim(bad).await.is_err());
    let mut bad = good.clone();
    bad.record.0.truncate(10);
    assert!(matches!(bank.org.invite_claim(bad).await, Err(OrgError::Malformed(_))));
    let mut bad = good.clone();
    bad.keyring.0 = vec![0; 5000];
    assert!(matches!(bank.org.invite_claim(bad).await, Err(OrgError::TooLarge(_))));
    bank.org.invite_claim(good).await.unwrap();
}

#[tokio::test]
async fn guessing_gets_slow_for_known_and_unknown_alike() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "right password").await.unwrap();
    for who in ["zhao", "nobody"] {
        let (_, m) = ClientLogin::start("wrong").unwrap();
        let start = || bank.org.login_start(LoginStart { user: user(who), m: m.clone().into(), old: false }, HOME);
        let mut sizes = Vec::new();
        for _ in 0..limiter::FREE {
            sizes.push(start().await.unwrap().m.0.len());
        }
        assert!(sizes.iter().all(|n| *n == 320), "KE2 looks the same for everybody");
        assert_eq!(start().await.unwrap_err(), OrgError::Slow { retry_ms: 1000 });
    }
    bank.pass(1000);
    bank.login("zhao", "right password").await.unwrap();
    bank.login("zhao", "right password").await.expect("forgiven");
}

#[tokio::test]
async fn a_login_ends_after_a_minute_and_is_used_once() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "right password").await.unwrap();
    let (state, m) = ClientLogin::start("right password").unwrap();
    let started = bank.org.login_start(LoginStart { user: user("zhao"), m: m.into(), old: false }, HOME).await.unwrap();
    let server = bank.org.directory().state().opaque.0;
    let done = state.finish("right password", &started.m.0, &user("zhao"), &bank.org.fp(), &server).unwrap();
    let finish = LoginFinish { id: started.id, m: done.message.into() };
    bank.pass(steps::LOGIN_MS + 1);
    assert_eq!(bank.org.login_finish(finish.clone(), HOME).await.unwrap_err(), OrgError::Login);
    bank.clock.store(T0, Ordering::Relaxed);
    bank.org.login_finish(finish.clone(), HOME).await.unwrap();
    assert_eq!(bank.org.login_finish(finish, HOME).await.unwrap_err(), OrgError::Login, "used up");
    assert_eq!(bank.login("zhao", "wrong password").await.unwrap_err(), OrgError::Login);
}

#[tokio::test]
async fn snapshots_come_from_admins_and_never_go_back() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let li = bank.invite("li", Role::Agent).await;
    let older = Snapshot::make(&bank.org.directory(), T0, T0 + DAY_MS, &zhao.signing);
    let li = bank.claim(&li, "li's password").await.unwrap();
    let dir = bank.org.directory();
    let mine = Snapshot::make(&dir, T0, T0 + 30 * DAY_MS, &li.signing);
    assert!(matches!(bank.org.put_snapshot(&user("li"), mine.clone()).await, Err(OrgError::Forbidden(_))));
    assert!(matches!(bank.org.put_snapshot(&user("zhao"), mine).await, Err(OrgError::Snapshot(_))));
    let good = Snapshot::make(&dir, T0, T0 + 30 * DAY_MS, &zhao.signing);
    bank.org.put_snapshot(&user("zhao"), good).await.unwrap();
    assert_eq!(bank.org.put_snapshot(&user("zhao"), older).await.unwrap_err(), OrgError::Conflict);
}

#[tokio::test]
async fn a_server_that_swaps_the_key_of_an_invite_gets_no_team_key() {
    let (bank, _) = Bank::found().await;
    let view = bank.org.export().await.unwrap();
    let refused = ActError::Invite(user("zhao"));
    let stranger = KemSecret::generate().public();

    let mut swapped = view.clone();
    swapped.invites[0].inv_x = crate::crypto::codec::Key32(stranger);
    assert_eq!(signer(&swapped, &bank.keys, T0).unwrap_err(), refused);

    let mut forged = view.clone();
    let mut cert: crate::crypto::invite::Cert = serde_json::from_slice(&view.invites[0].signed.cert.0).unwrap();
    cert.inv_x = crate::crypto::codec::Key32(stranger);
    forged.invites[0] = OpenInvite::read(&cert.sign(&SigningKey::generate()), T0).unwrap();
    assert_eq!(signer(&forged, &bank.keys, T0).unwrap_err(), refused);

    assert!(signer(&view, &bank.keys, T0).is_ok());
}

#[tokio::test]
async fn slips_at_the_command_line_are_explained() {
    let (bank, code) = Bank::found().await;
    let new = |id: &str, team: &str| NewUser {
        user: user(id),
        role: Role::Agent,
        name: "N".into(),
        teams: vec![team.parse().unwrap()],
    };
    let error = async |id: &str, team: &str| bank.sign(|s| s.invite(&new(id, team), INVITE_MS)).await.unwrap_err();
    assert_eq!(error("li", "scv").await.to_string(), "there is no team scv (did you mean svc?)");
    assert_eq!(error("zhao", "svc").await, ActError::UserInvited(user("zhao")));
    bank.claim(&code, "zhao's password").await.unwrap();
    assert_eq!(error("zhao", "svc").await, ActError::UserTaken(user("zhao")));
    let typo = bank.sign(|s| s.user_disable(&user("zao"))).await.unwrap_err();
    assert_eq!(typo.to_string(), "there is no user zao (did you mean zhao?)");
    assert_eq!(
        bank.sign(|s| s.team_add(&"svc".parse().unwrap(), "x")).await.unwrap_err().to_string(),
        "team svc already exists"
    );
    assert_eq!(bank.sign(|s| s.snapshot(181)).await.unwrap_err(), ActError::Days);
    assert_eq!(
        bank.sign(|s| s.user_enable(&user("zhao"), 1).map(|_| ())).await.unwrap_err(),
        ActError::UserIsOn(user("zhao"))
    );
}

#[tokio::test]
async fn a_second_reset_ends_the_first_ones_invite() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "password").await.unwrap();
    let (commit, first) = bank.sign(|s| s.user_reset(&user("zhao"), INVITE_MS)).await.unwrap();
    bank.org.commit(commit).await.unwrap();
    let (commit, second) = bank.sign(|s| s.user_reset(&user("zhao"), INVITE_MS)).await.unwrap();
    bank.org.commit(commit).await.unwrap();
    assert_eq!(bank.claim(&first, "password").await.unwrap_err(), OrgError::InviteGone);
    bank.claim(&second, "password").await.unwrap();
}

#[tokio::test]
async fn an_admin_visitors_cannot_trace_to_the_root_does_not_sign_snapshots() {
    let (bank, _) = Bank::found().await;
    let li = bank.invite("li", Role::Agent).await;
    let li = bank.claim(&li, "password").await.unwrap();
    bank.act(|s| s.user_role(&user("li"), Role::Admin)).await;
    let snapshot = Snapshot::make(&bank.org.directory(), T0, T0 + 40 * DAY_MS, &li.signing);
    assert!(snapshot.verify(&bank.org.directory(), T0).is_ok(), "agents would take it");
    assert!(matches!(bank.org.put_snapshot(&user("li"), snapshot).await, Err(OrgError::Snapshot(_))));
}

#[tokio::test]
async fn who_is_switched_off_between_the_steps_does_not_get_in() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "password").await.unwrap();
    let (state, m) = ClientLogin::start("password").unwrap();
    let started = bank.org.login_start(LoginStart { user: user("zhao"), m: m.into(), old: false }, HOME).await.unwrap();
    let server = bank.org.directory().state().opaque.0;
    let done = state.finish("password", &started.m.0, &user("zhao"), &bank.org.fp(), &server).unwrap();
    // on the directory alone, the account still there
    let mut commit = bank.sign(|s| s.user_disable(&user("zhao"))).await.unwrap();
    commit.drop_accounts.clear();
    bank.org.commit(commit).await.unwrap();
    let finish = LoginFinish { id: started.id, m: done.message.into() };
    assert_eq!(bank.org.login_finish(finish, HOME).await.unwrap_err(), OrgError::Login);
    assert_eq!(bank.login("zhao", "password").await.unwrap_err(), OrgError::Login);
}
