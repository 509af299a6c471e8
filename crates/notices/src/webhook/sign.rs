//! Signatures, as each service documents them.

use data_encoding::BASE64;
use hyper::{HeaderMap, http::HeaderValue};
use ring::hmac;
use serde_json::Value;

fn mac(key: &[u8], text: &[u8]) -> String {
    BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref())
}

/// 加签 of 钉钉: what is added to the address. The time is in milliseconds, and signed with the secret after it.
pub fn dingtalk(secret: &[u8], now_ms: u64) -> String {
    let signed = mac(secret, &[now_ms.to_string().as_bytes(), b"\n", secret].concat());
    let escaped = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("timestamp={now_ms}&sign={escaped}")
}

/// 签名校验 of 飞书: two fields of the body. Time and secret are the key, and nothing is signed with it.
pub fn feishu(secret: &[u8], now_ms: u64, body: &mut Value) {
    let seconds = (now_ms / 1_000).to_string();
    body["sign"] = mac(&[seconds.as_bytes(), b"\n", secret].concat(), b"").into();
    body["timestamp"] = seconds.into();
}

/// Standard Webhooks: id, time and body are signed, and go along as headers.
pub fn generic(secret: Option<&[u8]>, id: &str, now_ms: u64, body: &[u8], headers: &mut HeaderMap) {
    let seconds = (now_ms / 1_000).to_string();
    let signed = secret.map(|secret| {
        let text = [id.as_bytes(), b".", seconds.as_bytes(), b".", body].concat();
        format!("v1,{}", mac(secret, &text))
    });
    let all =
        [("webhook-id", Some(id.to_owned())), ("webhook-timestamp", Some(seconds)), ("webhook-signature", signed)];
    for (name, value) in all {
        // digits, letters and base64 are always a value
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_services() {
        // computed with openssl dgst -sha256 -hmac, from the formulas in the services' documents
        assert_eq!(
            dingtalk(b"SEC0123456789abcdef", 1_577_262_236_757),
            "timestamp=1577262236757&sign=Pgr6tpIpjVrMPPJUPkaI9sivFPPTYOy5zIOMF2GPFMA%3D"
        );
        let mut body = json!({});
        feishu(b"Gno28eSMMdKkYSE3WQxX8k", 1_599_360_473_000, &mut body);
        assert_eq!(body, json!({ "timestamp": "1599360473", "sign": "QFyWjPyLeMXrcUbWPmjqVmZZ0c8aZTxbwxjX/uOE+FI=" }));
    }

    #[test]
    fn the_published_vector_of_standard_webhooks_is_met() {
        // from the test suite of the reference libraries
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut headers = HeaderMap::new();
        let body = br#"{"test": 2432232314}"#;
        generic(Some(&secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, body, &mut headers);
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
    }
}
