//! Answers: JSON, bytes, errors, and the headers that every one of them carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::{chat::Refusal, proto::ErrorCode};

/// Every answer is whole in memory; the largest is a page of history.
pub type Answer = Response<Full<Bytes>>;

/// For the console and the demo page. `wasm-unsafe-eval` is for the login's WebAssembly.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// A body with a type.
pub fn bytes(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    answer
}

/// JSON.
pub fn json<T: Serialize>(value: &T) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => bytes(StatusCode::OK, "application/json", body),
        Err(e) => {
            tracing::error!(error = %e, "an answer could not be written as JSON");
            bytes(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "internal error")
        }
    }
}

/// A refusal: `{"code","name","text"}` with its status.
pub fn refusal(r: &Refusal) -> Answer {
    let mut body = serde_json::json!({ "code": r.code, "name": r.code.name(), "text": r.text });
    if let Some(ms) = r.retry_ms {
        body["retry_ms"] = ms.into();
    }
    if let Some(limit) = r.limit {
        body["limit"] = limit.name().into();
    }
    let mut answer = json(&body);
    *answer.status_mut() = StatusCode::from_u16(r.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if let Some(ms) = r.retry_ms {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
    }
    answer
}

/// A refusal made on the spot.
pub fn error(code: ErrorCode, text: &'static str) -> Answer {
    refusal(&Refusal::new(code, text))
}

/// Lets pages of other origins read the answer: the widget runs in the customer's page. Nothing is authorised by
/// cookies, so any origin may ask; what it gets it could get by other means.
pub fn cors(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    answer
}

/// The answer to a preflight request.
pub fn preflight() -> Answer {
    let mut answer = cors(bytes(StatusCode::NO_CONTENT, "text/plain", Bytes::new()));
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer
}
