//! What each service is sent, and how its refusals are understood.

use std::time::Duration;

use data_encoding::BASE64;
use kefu_notices::{
    Event, Language, Limits, Message, Notice, Queue, Webhook,
    outbound::Outbound,
    testing::{Act, Receiver},
    webhook::{Kind, Names},
};
use kefu_proto::{ConvId, SiteId, TeamId};
use ring::hmac;
use serde_json::json;

struct Plain;

impl Names for Plain {
    fn team(&self, team: &TeamId) -> String {
        format!("Team {team}")
    }

    fn site(&self, site: &SiteId) -> String {
        format!("Site {site}")
    }
}

const NOW: u64 = 1_700_000_000_123;

fn message() -> Message {
    let (mut queue, limits) = (Queue::default(), Limits { per_minute: 20, keep: 100 });
    let notice = |n: u8, since| Notice {
        event: Event::Waiting,
        team: "svc".parse().unwrap(),
        site: Some("web".parse().unwrap()),
        conv: Some(ConvId([n; 16])),
        since,
        count: 1,
    };
    queue.push([notice(1, NOW - 90_000), notice(2, NOW - 80_000)], limits, NOW - 5_000);
    queue.begin(limits, NOW, || "0123456789abcdef0123456789abcdef".into()).unwrap()
}

fn webhook(kind: Kind, url: &str, secret: Option<&str>) -> Webhook {
    let outbound = Outbound::new(None, true).unwrap().with_time(Duration::from_secs(2));
    Webhook::new(kind, url, secret, Language::Zh, "https://chat.example/console".into(), outbound).unwrap()
}

fn mac(key: &[u8], text: &[u8]) -> String {
    BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref())
}

#[tokio::test]
async fn generic_webhooks_have_a_signature_that_the_receiver_can_check() {
    let receiver = Receiver::start(Act::status(204));
    let secret = format!("whsec_{}", BASE64.encode(b"0123456789012345678901234567"));
    webhook(Kind::Generic, &receiver.url("/hook"), Some(&secret)).send(&message(), &Plain, NOW).await.unwrap();
    let asked = &receiver.wait(1)[0];
    let (id, at) = (&asked.headers["webhook-id"], &asked.headers["webhook-timestamp"]);
    assert_eq!((id.as_str(), at.as_str()), ("0123456789abcdef0123456789abcdef", "1700000000"));
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &asked.body].concat();
    let expected = format!("v1,{}", mac(b"0123456789012345678901234567", &signed));
    assert_eq!(asked.headers["webhook-signature"], expected);
    assert_eq!(
        asked.json(),
        json!({
            "type": "notices", "id": id, "at": NOW, "more": 0, "dropped": 0,
            "notices": [{
                "event": "waiting", "count": 2, "since": NOW - 90_000,
                "team": { "id": "svc", "name": "Team svc" }, "site": { "id": "web", "name": "Site web" },
                "conversations": [ConvId([1; 16]), ConvId([2; 16])],
            }],
        })
    );
}

#[tokio::test]
async fn robots_of_groups_get_a_text_as_they_ask_for_it() {
    let receiver = Receiver::start(Act::ok(r#"{"errcode":0,"errmsg":"ok","code":0}"#));
    let text =
        "kefu\n【Team svc · Site web】2 位访客排队超时，最久已等待 90 秒\n前往接待：https://chat.example/console";

    webhook(Kind::Wecom, &receiver.url("/send?key=693a"), None).send(&message(), &Plain, NOW).await.unwrap();
    let asked = receiver.wait(1).remove(0);
    assert_eq!(asked.path, "/send?key=693a");
    assert_eq!(asked.json(), json!({ "msgtype": "text", "text": { "content": text } }));

    webhook(Kind::Dingtalk, &receiver.url("/robot/send?access_token=t"), Some("SEC1"))
        .send(&message(), &Plain, NOW)
        .await
        .unwrap();
    let asked = receiver.wait(2).remove(1);
    let sign = mac(b"SEC1", format!("{NOW}\nSEC1").as_bytes());
    let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!(asked.path, format!("/robot/send?access_token=t&timestamp={NOW}&sign={sign}"));
    assert_eq!(asked.json(), json!({ "msgtype": "text", "text": { "content": text } }));

    webhook(Kind::Feishu, &receiver.url("/hook/x"), Some("SEC2")).send(&message(), &Plain, NOW).await.unwrap();
    let asked = receiver.wait(3).remove(2);
    assert_eq!(
        asked.json(),
        json!({
            "msg_type": "text", "content": { "text": text },
            "timestamp": "1700000000", "sign": mac(b"1700000000\nSEC2", b""),
        })
    );
}

#[tokio::test]
async fn a_refusal_repeats_no_secret() {
    let receiver = Receiver::start(Act::status(500));
    let webhook = webhook(Kind::Wecom, &receiver.url("/send?key=693a91f6-7aoc"), Some("a secret"));
    let why = webhook.send(&message(), &Plain, NOW).await.unwrap_err().why;
    assert_eq!(why, "it answered with status 500");
    receiver.then([Act::ok(r#"{"errcode":93000,"errmsg":"key 693a91f6-7aoc with a secret is wrong"}"#)]);
    let why = webhook.send(&message(), &Plain, NOW).await.unwrap_err().why;
    assert_eq!(why, "it refused the message with errcode 93000: key … with … is wrong");
    receiver.then([Act::Answer(429, vec![("retry-after", "7".into())], String::new())]);
    let failure = webhook.test("id", NOW).await.unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}
