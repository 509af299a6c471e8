//! What must work.

use super::*;
use crate::crypto::directory::Snapshot;

#[tokio::test]
async fn invited_claimed_logged_in_password_changed() {
    let (bank, code) = Bank::found().await;
    let mut watch = bank.org.watch();
    watch.mark_unchanged();
    let printed = code.print();
    let keys = bank.claim(&InviteCode::parse(&printed.to_lowercase()).unwrap(), "first password").await.unwrap();
    assert!(watch.has_changed().unwrap());

    let (opened, answer) = bank.login("zhao", "first password").await.unwrap();
    assert_eq!(opened.signing.public(), keys.signing.public());
    assert_eq!((answer.user.as_str(), answer.version), ("zhao", 1));
    let agent = bank.org.agent_by_ed(&keys.signing.public()).unwrap();
    assert_eq!((agent.role, agent.kid), (Role::Admin, answer.kid));
    let team = bank.org.directory().team(&"svc".parse().unwrap()).unwrap().pk;
    assert_eq!(answer.boxes[0].open(&opened.kem).unwrap().public(), team.0);

    bank.change_password(&answer, "second password", &keys).await.unwrap();
    assert_eq!(bank.login("zhao", "first password").await.unwrap_err(), OrgError::Login);
    let late = bank.change_password(&answer, "third password", &keys).await;
    assert_eq!(late, Err(OrgError::Conflict), "a change made from an old version");
    let (again, answer) = bank.login("zhao", "second password").await.unwrap();
    assert_eq!((again.signing.public(), answer.version), (keys.signing.public(), 2));
}

#[tokio::test]
async fn nothing_stored_opens_anything() {
    let (bank, code) = Bank::found().await;
    let keys = bank.claim(&code, "a long canary password").await.unwrap();
    let dump = bank.store.dump();
    let secrets: [&[u8]; 5] = [
        b"a long canary password",
        keys.signing.seed(),
        keys.kem.bytes(),
        bank.keys.root.seed(),
        bank.keys.recovery.bytes(),
    ];
    for secret in secrets {
        for form in [secret.to_vec(), crate::crypto::codec::b64u(secret).into_bytes()] {
            assert!(!dump.windows(form.len()).any(|w| w == form));
        }
    }
    let public = keys.signing.public();
    assert!(dump.windows(32).any(|w| w == public), "the search finds what is there");
}

#[tokio::test]
async fn a_disabled_agent_is_out_and_the_team_key_changes() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let li_code = bank.invite("li", Role::Agent).await;
    let li = bank.claim(&li_code, "li's password").await.unwrap();
    let waiting = bank.invite("wu", Role::Agent).await;
    bank.act(|s| s.user_disable(&user("li"))).await;

    assert_eq!(bank.login("li", "li's password").await.unwrap_err(), OrgError::Login);
    assert!(bank.org.agent_by_ed(&li.signing.public()).is_none());
    assert!(bank.org.boxes(&user("li")).await.unwrap().boxes.is_empty());
    let team = bank.org.directory().team(&"svc".parse().unwrap()).unwrap().clone();
    assert_eq!(team.epoch, 2);
    let newest = |boxes: Vec<TeamBox>| boxes.into_iter().find(|b| b.epoch == 2).unwrap();
    let of_zhao = newest(bank.org.boxes(&user("zhao")).await.unwrap().boxes);
    assert_eq!(of_zhao.open(&zhao.kem).unwrap().public(), team.pk.0);
    assert!(of_zhao.open(&li.kem).is_err());
    let inv = Key32(waiting.signing_key().public());
    let of_invite = newest(bank.org.invite_open(InviteOpen { inv }).await.unwrap().boxes);
    assert_eq!(of_invite.open(&waiting.kem_key()).unwrap().public(), team.pk.0);
    let of_recovery = newest(bank.org.export().await.unwrap().recovery);
    assert_eq!(of_recovery.open(&bank.keys.recovery).unwrap().public(), team.pk.0);

    let (commit, back) = bank.sign(|s| s.user_enable(&user("li"), INVITE_MS)).await.unwrap();
    bank.org.commit(commit).await.unwrap();
    let new = bank.claim(&back, "li's next password").await.unwrap();
    assert_ne!(new.signing.public(), li.signing.public());
    assert_eq!(bank.org.boxes(&user("li")).await.unwrap().boxes.len(), 2, "both keys: they read the history");
}

#[tokio::test]
async fn a_reset_ends_the_old_key_and_brings_all_team_keys() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    let li = bank.invite("li", Role::Supervisor).await;
    let old = bank.claim(&li, "forgotten password").await.unwrap();
    let (commit, code) = bank.sign(|s| s.user_reset(&user("li"), INVITE_MS)).await.unwrap();
    bank.org.commit(commit).await.unwrap();
    assert!(bank.org.agent_by_ed(&old.signing.public()).is_none());
    let keys = bank.claim(&code, "remembered password").await.unwrap();
    let (_, answer) = bank.login("li", "remembered password").await.unwrap();
    let mut epochs: Vec<u32> = answer.boxes.iter().map(|b| b.epoch).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 2]);
    assert!(answer.boxes.iter().all(|b| b.open(&keys.kem).is_ok()));
    assert_eq!(bank.org.active(&user("li")).unwrap().role, Role::Supervisor);
}

#[tokio::test]
async fn teams_follow_people() {
    let (bank, code) = Bank::found().await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let (svc, vip): (crate::proto::TeamId, _) = ("svc".parse().unwrap(), "vip".parse().unwrap());
    bank.act(|s| s.team_add(&vip, "VIP")).await;
    bank.act(|s| s.user_teams(&user("zhao"), &[svc.clone(), vip.clone()])).await;
    let has = |boxes: &[TeamBox], team: &crate::proto::TeamId| boxes.iter().filter(|b| b.team == *team).count();
    let boxes = bank.org.boxes(&user("zhao")).await.unwrap().boxes;
    assert_eq!((has(&boxes, &svc), has(&boxes, &vip)), (1, 1));
    assert!(boxes.iter().all(|b| b.open(&zhao.kem).is_ok()));

    bank.act(|s| s.user_teams(&user("zhao"), std::slice::from_ref(&vip))).await;
    let boxes = bank.org.boxes(&user("zhao")).await.unwrap().boxes;
    assert_eq!((has(&boxes, &svc), has(&boxes, &vip)), (0, 1));
    assert_eq!(bank.org.directory().team(&svc).unwrap().epoch, 2);
    bank.act(|s| s.team_rotate(&vip)).await;
    bank.act(|s| s.team_rename(&vip, "贵宾")).await;
    assert_eq!(has(&bank.org.boxes(&user("zhao")).await.unwrap().boxes, &vip), 2);
    assert_eq!(bank.org.directory().team(&vip).unwrap().name, "贵宾");
}

#[tokio::test]
async fn a_site_gives_visitors_what_they_verify() {
    let (bank, code) = Bank::found().await;
    let (site, team) = ("shop".parse().unwrap(), "svc".parse().unwrap());
    let origins = ["https://shop.example/".to_owned()];
    let settings = SiteSettings { greeting: "您好".into(), require_secure: true, ..SiteSettings::default() };
    bank.act(|s| s.site_add(&site, "商店", &origins, &team, settings)).await;
    let zhao = bank.claim(&code, "zhao's password").await.unwrap();
    let ask = async || {
        bank.org
            .site_json(&site, crate::proto::Presence::Open, 0)
            .await
            .map(|j| serde_json::from_slice::<serde_json::Value>(&j.concat()).unwrap())
    };
    let bundle = |v: &serde_json::Value| {
        serde_json::from_value::<crate::crypto::directory::Bundle>(v["directory"].clone()).unwrap()
    };
    let text = ask().await.unwrap();
    assert_eq!((&text["presence"], text["now"].as_u64()), (&"open".into(), Some(T0)));
    assert_eq!((&text["greeting"], &text["require_secure"]), (&"您好".into(), &true.into()));
    assert_eq!(text["site"], serde_json::json!({"id": "shop", "name": "商店", "team": "svc"}));
    assert_eq!(text["form"], serde_json::json!([]));
    assert_eq!(bundle(&text).tail.len(), 1, "the claim came after the snapshot");
    let seen = bundle(&text).verify(bank.org.fp(), T0).unwrap();
    assert_eq!(seen.head(), bank.org.directory().head());
    assert_eq!(bank.org.site(&site).await.unwrap().origins, ["https://shop.example"]);

    // no invite that ends makes visitors refuse the directory
    assert_eq!(bank.org.freshness().good_until(), T0 + 30 * DAY_MS);
    bundle(&text).verify(bank.org.fp(), T0 + 29 * DAY_MS).unwrap();
    bank.org.post_entries(&user("zhao"), bank.confirms(&zhao, "zhao")).await.unwrap();
    let snapshot = Snapshot::make(&bank.org.directory(), T0, T0 + 30 * DAY_MS, &zhao.signing);
    bank.org.put_snapshot(&user("zhao"), snapshot).await.unwrap();
    assert_eq!(bank.org.freshness().good_until(), T0 + 30 * DAY_MS);
    let answer = bundle(&ask().await.unwrap());
    assert!(answer.admin.is_some() && answer.tail.is_empty());
    answer.verify(bank.org.fp(), T0 + 29 * DAY_MS).unwrap();

    let change = acts::SiteChange { on: Some(false), ..acts::SiteChange::default() };
    bank.act(|s| s.site_change(&site, change)).await;
    assert_eq!(ask().await.unwrap_err(), OrgError::NotFound("site"));
    assert!(!bank.org.site(&site).await.unwrap().on);
}

#[tokio::test]
async fn a_restart_finds_everything_again() {
    let (bank, code) = Bank::found().await;
    bank.claim(&code, "zhao's password").await.unwrap();
    let again = Org::open(bank.store.clone(), &Secrets::of_one_server(&bank.setup)).await.unwrap();
    assert_eq!((again.directory().head(), again.snapshot()), (bank.org.directory().head(), bank.org.snapshot()));
    let after = |seq| serde_json::from_slice::<DirectoryAnswer>(&again.directory_json(seq).pieces.concat()).unwrap();
    let page = after(-1);
    assert_eq!((page.entries.len(), &page.snapshot), (4, &again.snapshot()));
    assert_eq!(after(1).entries, page.entries[2..]);
    assert!(after(99).entries.is_empty());
    let other = generate_setup();
    assert_eq!(
        Org::open(bank.store.clone(), &Secrets::of_one_server(&other)).await.unwrap_err(),
        OrgError::OpaqueSetup
    );
    assert_eq!(
        Org::open(Arc::new(Tables::default()), &Secrets::of_one_server(&other)).await.unwrap_err(),
        OrgError::NoCompany
    );
}
