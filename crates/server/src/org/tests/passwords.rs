//! Changes of a password: what they need, and what a failed one leaves.

use super::*;

#[tokio::test]
async fn a_signed_in_agent_alone_changes_no_password() {
    let (bank, code) = Bank::found().await;
    let keys = bank.claim(&code, "right password").await.unwrap();
    let (_, signed_in) = bank.login("zhao", "right password").await.unwrap();
    let good = bank.new_password(&signed_in, "new password", &keys).await.unwrap();
    let finish = |change: PasswordFinish| bank.org.password_finish(&signed_in.user, change);
    let forbidden =
        |outcome: Result<(), OrgError>| assert!(matches!(outcome, Err(OrgError::Forbidden(_))), "{outcome:?}");

    forbidden(finish(PasswordFinish { change: Bytes(vec![0; 32]), ..again(&good) }).await);
    forbidden(finish(PasswordFinish { change: Bytes(Vec::new()), ..again(&good) }).await);
    let thief = Keyring::generate();
    forbidden(finish(sign_change(again(&good), &signed_in.user, &thief)).await);
    forbidden(finish(PasswordFinish { keyring: Bytes(vec![7; 60]), ..again(&good) }).await);
    forbidden(finish(sign_change(again(&good), &user("li"), &keys)).await);
    bank.login("zhao", "right password").await.expect("nothing changed");
    let (_, signed_in) = bank.login("zhao", "right password").await.unwrap();
    let late = bank.new_password(&signed_in, "new password", &keys).await.unwrap();
    bank.pass(steps::LOGIN_MS + 1);
    forbidden(finish(late).await);

    let (_, signed_in) = bank.login("zhao", "right password").await.unwrap();
    bank.change_password(&signed_in, "new password", &keys).await.unwrap();
    bank.login("zhao", "new password").await.unwrap();
}

#[tokio::test]
async fn the_old_password_works_until_the_first_sign_in_with_the_new() {
    let (bank, code) = Bank::found().await;
    let keys = bank.claim(&code, "first password").await.unwrap();
    assert_eq!(
        bank.login_with("zhao", "first password", true).await.unwrap_err(),
        OrgError::Login,
        "nothing before it"
    );
    let (_, signed_in) = bank.login("zhao", "first password").await.unwrap();
    // what a broken client, or a person at an open page, might put there
    let junk = bank.new_password(&signed_in, "second password", &keys).await.unwrap();
    let junk = PasswordFinish { keyring: Bytes(vec![9; 60]), ..junk };
    bank.org.password_finish(&signed_in.user, sign_change(junk, &signed_in.user, &keys)).await.unwrap();

    assert_eq!(bank.login("zhao", "first password").await.unwrap_err(), OrgError::Login);
    for _ in 0..2 {
        let (opened, answer) = bank.login_with("zhao", "first password", true).await.unwrap();
        assert_eq!((opened.signing.public(), answer.version), (keys.signing.public(), 1));
        assert_eq!(answer.change, None, "and changes nothing");
    }
    let stored = bank.org.store.get(crate::store::Table::Account, b"zhao").await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&stored).unwrap()["old"]["version"], 1);
}

#[tokio::test]
async fn a_sign_in_with_the_new_password_ends_the_old_one() {
    let (bank, code) = Bank::found().await;
    let keys = bank.claim(&code, "first password").await.unwrap();
    let (_, signed_in) = bank.login("zhao", "first password").await.unwrap();
    bank.change_password(&signed_in, "second password", &keys).await.unwrap();
    bank.login_with("zhao", "first password", true).await.expect("still good");
    let (_, answer) = bank.login("zhao", "second password").await.unwrap();
    assert_eq!(answer.version, 2);
    assert_eq!(bank.login_with("zhao", "first password", true).await.unwrap_err(), OrgError::Login);
    let stored = bank.org.store.get(crate::store::Table::Account, b"zhao").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&stored).contains("old"));
    assert_eq!(bank.login("zhao", "first password").await.unwrap_err(), OrgError::Login);
}
