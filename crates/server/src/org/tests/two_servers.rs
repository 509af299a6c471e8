//! Two servers of one company over one store.

use super::*;

/// A second server beside the bank's.
async fn beside(bank: &Bank) -> Arc<Org> {
    bank.store.shared.store(true, Ordering::Relaxed);
    let time = bank.clock.clone();
    let now = Clock::new(move || time.load(Ordering::Relaxed));
    Org::open_at(bank.store.clone(), &Secrets::of_one_server(&bank.setup), now).await.unwrap()
}

#[tokio::test]
async fn what_one_server_changes_the_other_finds_and_verifies() {
    let (bank, code) = Bank::found().await;
    let other = beside(&bank).await;
    let mut news = other.watch();
    bank.claim(&code, "zhao's password").await.unwrap();
    assert!(!news.has_changed().unwrap());
    other.refresh().await.unwrap();
    assert!(news.has_changed().unwrap());
    assert_eq!(other.directory().head(), bank.org.directory().head());
    assert!(other.active(&user("zhao")).is_some());
    news.mark_unchanged();
    other.refresh().await.unwrap();
    assert!(!news.has_changed().unwrap(), "nothing new");
    // settings need no entry
    let (site, team) = ("shop".parse().unwrap(), "svc".parse().unwrap());
    let greeting = |text: &str| SiteSettings { greeting: text.into(), ..SiteSettings::default() };
    bank.act(|s| s.site_add(&site, "Shop", &["https://shop.example/".to_owned()], &team, greeting("hello"))).await;
    other.refresh().await.unwrap();
    let shown = async || {
        let json = other.site_json(&site, crate::proto::Presence::Open, 0).await.unwrap().concat();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()["greeting"].clone()
    };
    assert_eq!(shown().await, "hello");
    let change = acts::SiteChange { settings: Some(greeting("good day")), ..acts::SiteChange::default() };
    bank.act(|s| s.site_change(&site, change)).await;
    other.refresh().await.unwrap();
    assert_eq!(shown().await, "good day");
}

#[tokio::test]
async fn who_was_slower_learns_what_the_other_server_wrote() {
    let (bank, code) = Bank::found().await;
    let other = beside(&bank).await;
    let late = bank.sign(|s| s.team_add(&"vip".parse().unwrap(), "VIP")).await.unwrap();
    bank.claim(&code, "zhao's password").await.unwrap();
    assert_eq!(other.commit(again(&late)).await.unwrap_err(), OrgError::Conflict);
    assert_eq!(other.directory().seq(), bank.org.directory().seq(), "and knows why");
}

#[tokio::test]
async fn a_new_password_counts_everywhere() {
    let (bank, code) = Bank::found().await;
    let keys = bank.claim(&code, "first password").await.unwrap();
    let other = beside(&bank).await;
    let (_, signed_in) = bank.login("zhao", "first password").await.unwrap();
    bank.pass(5);
    bank.change_password(&signed_in, "second password", &keys).await.unwrap();
    assert_eq!(bank.org.password_changed_at(&user("zhao")), T0 + 5);
    assert_eq!(other.password_changed_at(&user("zhao")), 0);
    other.refresh().await.unwrap();
    assert_eq!(other.password_changed_at(&user("zhao")), T0 + 5);
    // also after a restart
    assert_eq!(beside(&bank).await.password_changed_at(&user("zhao")), T0 + 5);
}
