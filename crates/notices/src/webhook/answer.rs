//! What an answer means.

use std::time::Duration;

use serde_json::Value;

use super::{Failure, Kind};
use crate::outbound::Answer;

/// What a service that has had too many messages is given, if it does not say itself.
const TOO_MANY: Duration = Duration::from_mins(1);
/// Numbers by which the services say that there were too many.
const TOO_MANY_CODES: [i64; 5] = [45_009, 45_033, 130_101, 410_100, 11_232];
/// Characters of its own words that are kept.
const WORDS: usize = 200;

/// Whether the message was taken.
pub fn judge(kind: Kind, answer: &Answer) -> Result<(), Failure> {
    let status = answer.status.as_u16();
    if !answer.status.is_success() {
        let what = match status {
            300..400 => " (redirects are not followed)",
            _ => "",
        };
        let retry_after = answer.retry_after.or((status == 429).then_some(TOO_MANY));
        return Err(Failure { why: format!("it answered with status {status}{what}"), retry_after });
    }
    let (code, words) = match kind {
        Kind::Generic => return Ok(()),
        Kind::Wecom | Kind::Dingtalk => ("errcode", "errmsg"),
        Kind::Feishu => ("code", "msg"),
    };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let (number, words) = match (said[code].as_i64(), said["StatusCode"].as_i64()) {
        (Some(number), _) => (number, &said[words]),
        (None, Some(number)) if kind == Kind::Feishu => (number, &said["StatusMessage"]),
        _ => {
            let why = format!("it answered with status {status}, but not as this service does: is the address right?");
            return Err(Failure { why, retry_after: None });
        }
    };
    if number == 0 {
        return Ok(());
    }
    let words: String = words.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).take(WORDS).collect();
    let retry_after = TOO_MANY_CODES.contains(&number).then_some(TOO_MANY);
    Err(Failure { why: format!("it refused the message with {code} {number}: {words}"), retry_after })
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    fn judged(kind: Kind, status: u16, body: &str) -> Result<(), Failure> {
        let status = StatusCode::from_u16(status).unwrap();
        judge(kind, &Answer { status, body: body.to_owned().into(), retry_after: None })
    }

    #[test]
    fn an_error_under_status_200_is_a_failure() {
        for (kind, body) in [
            (Kind::Wecom, r#"{"errcode":0,"errmsg":"ok"}"#),
            (Kind::Dingtalk, r#"{"errcode":0}"#),
            (Kind::Feishu, r#"{"code":0,"msg":"success"}"#),
            (Kind::Feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#),
            (Kind::Generic, "anything"),
        ] {
            assert_eq!(judged(kind, 200, body), Ok(()), "{body}");
        }
        for (kind, body, says) in [
            (Kind::Wecom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, "errcode 93000: invalid webhook url"),
            (Kind::Dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, "310000: sign not match"),
            (Kind::Feishu, r#"{"code":19021,"msg":"sign match fail"}"#, "code 19021: sign match fail"),
            (Kind::Wecom, "<html>", "not as this service does"),
            (Kind::Wecom, "{}", "not as this service does"),
        ] {
            let why = judged(kind, 200, body).unwrap_err().why;
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn who_has_had_too_many_gets_time() {
        for (kind, status, body) in [
            (Kind::Wecom, 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#),
            (Kind::Dingtalk, 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#),
            (Kind::Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#),
            (Kind::Generic, 429, ""),
        ] {
            assert_eq!(judged(kind, status, body).unwrap_err().retry_after, Some(TOO_MANY), "{body}");
        }
        assert_eq!(judged(Kind::Generic, 500, "").unwrap_err().retry_after, None);
        assert!(judged(Kind::Generic, 302, "").unwrap_err().why.contains("redirects are not followed"));
    }
}
