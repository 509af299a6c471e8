//! What a push service gets, what it may answer, and whose addresses are used.

use kefu_notices::{
    outbound::Outbound,
    push::{Push, Sent, Subscription, SubscriptionError, VapidKey},
    testing::{Act, Browser, Receiver, claims},
};

fn push(hosts: &[&str], allow_private: bool) -> Push {
    let key = VapidKey::read(&VapidKey::generate().unwrap()).unwrap();
    let outbound = Outbound::new(None, allow_private).unwrap();
    let hosts = hosts.iter().map(ToString::to_string).collect();
    Push::new(outbound, key, "mailto:it@example.com".into(), hosts)
}

const NOW: u64 = 1_700_000_000_000;

#[tokio::test]
async fn a_push_service_can_check_who_sends_and_only_the_browser_can_read() {
    let receiver = Receiver::start(Act::status(201));
    let (push, browser) = (push(&["127.0.0.1"], true), Browser::new());
    let subscription = browser.subscription(receiver.url("/push/abc"));
    assert_eq!(push.check(&subscription), Ok(()));
    assert_eq!(push.send(&subscription, NOW).await, Sent::Taken);
    let asked = receiver.wait(1).remove(0);
    assert_eq!(asked.path, "/push/abc");
    let claims = claims(&asked, &push.public_key());
    assert_eq!(claims["aud"], format!("http://{}", receiver.addr()));
    assert_eq!((claims["sub"].as_str(), claims["exp"].as_u64()), (Some("mailto:it@example.com"), Some(1_700_043_200)));
    for (name, value) in [("content-encoding", "aes128gcm"), ("urgency", "high"), ("ttl", "120")] {
        assert_eq!(asked.headers[name], value);
    }
    assert_eq!(browser.open(&asked.body), b"look");
}

#[tokio::test]
async fn what_is_gone_is_told_from_what_fails() {
    let receiver = Receiver::start(Act::status(201));
    let (push, subscription) = (push(&["127.0.0.1"], true), Browser::new().subscription(receiver.url("/secret")));
    for (status, gone) in [(404, true), (410, true), (429, false), (500, false), (403, false)] {
        receiver.then([Act::status(status)]);
        match push.send(&subscription, NOW).await {
            Sent::Gone => assert!(gone, "{status}"),
            Sent::Failed(why) => assert!(!gone && !why.contains("secret"), "{status}: {why}"),
            Sent::Taken => panic!("{status}"),
        }
    }
}

#[test]
fn only_known_push_services_are_used() {
    let push = push(&["fcm.googleapis.com", "*.push.apple.com"], false);
    let of = |endpoint: &str| push.check(&Browser::new().subscription(endpoint.to_owned()));
    for fine in
        ["https://fcm.googleapis.com/fcm/send/x", "https://web.push.apple.com/x", "https://FCM.googleapis.com/x"]
    {
        assert_eq!(of(fine), Ok(()), "{fine}");
    }
    for (wrong, why) in [
        ("https://evil.example/x", SubscriptionError::Host),
        ("https://fcm.googleapis.com.evil.example/x", SubscriptionError::Host),
        ("https://evilpush.apple.com/x", SubscriptionError::Host),
        ("https://push.apple.com/x", SubscriptionError::Host),
        ("https://127.0.0.1/x", SubscriptionError::Host),
        ("http://fcm.googleapis.com/x", SubscriptionError::Endpoint),
        ("https://fcm.googleapis.com@evil.example/", SubscriptionError::Endpoint),
        ("", SubscriptionError::Endpoint),
    ] {
        assert_eq!(of(wrong), Err(why), "{wrong}");
    }
    let long = format!("https://fcm.googleapis.com/{}", "x".repeat(2_000));
    assert_eq!(of(&long), Err(SubscriptionError::Endpoint));
    let subscription = Browser::new().subscription("https://fcm.googleapis.com/x".into());
    for keys in [("", ""), ("AAAA", "BTBZMqHH6r4Tts7J_aSIgg"), (&*subscription.p256dh, "AAAA")] {
        let wrong = Subscription { p256dh: keys.0.into(), auth: keys.1.into(), ..subscription.clone() };
        assert_eq!(push.check(&wrong), Err(SubscriptionError::Keys));
    }
}
