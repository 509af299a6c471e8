//! Answers: JSON, bytes, errors, and the headers that every one of them carries.

use std::{
    collections::VecDeque,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use hyper::{
    Response, StatusCode,
    body::{Frame, SizeHint},
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::{chat::RequestError, net::Permit, proto::ErrorCode};

/// Every answer but a file is whole in memory; the largest is a page of history.
pub type Answer = Response<Body>;

/// The pieces of a body, one after the other: what is the same for many clients is shared, not copied for each.
#[derive(Default)]
pub struct Body {
    pieces: VecDeque<Bytes>,
    /// What is read after them, as the client takes it.
    rest: Option<Rest>,
    /// Its share of the memory for answers, until it was sent.
    _held: Option<Permit>,
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(whole: T) -> Self {
        Self::of([whole.into()])
    }
}

impl Body {
    /// A body of these pieces.
    pub fn of(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self { pieces: pieces.into_iter().filter(|p| !p.is_empty()).collect(), rest: None, _held: None }
    }

    /// A body of a known length that is read while it is sent: `read` gets where to begin and where the body ends, and returns some
    /// bytes from there, or none if it can't go on. Then the answer is cut off, which the client notices.
    pub fn read<F>(range: Range<u64>, mut read: impl FnMut(u64, u64) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Option<Bytes>> + Send + 'static,
    {
        let read = move |at, end| read(at, end).boxed();
        Self { rest: Some(Rest { range, read: Box::new(read), reading: None }), ..Self::default() }
    }

    /// The same, with its share of the memory for answers.
    pub fn held(self, held: Permit) -> Self {
        Self { _held: Some(held), ..self }
    }
}

/// The part of a body that is not in memory.
struct Rest {
    range: Range<u64>,
    read: Box<dyn FnMut(u64, u64) -> BoxFuture<'static, Option<Bytes>> + Send>,
    reading: Option<BoxFuture<'static, Option<Bytes>>>,
}

/// A file could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("what was to be sent can't be read any more")]
pub struct CutOff;

impl Rest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if self.range.is_empty() {
            return Poll::Ready(None);
        }
        let reading = self.reading.get_or_insert_with(|| (self.read)(self.range.start, self.range.end));
        let piece = ready!(reading.as_mut().poll(cx)).filter(|piece| !piece.is_empty());
        self.reading = None;
        Poll::Ready(Some(match piece {
            Some(piece) => {
                self.range.start += piece.len() as u64;
                Ok(Frame::data(piece))
            }
            None => Err(CutOff),
        }))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match (self.pieces.pop_front(), &mut self.rest) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, Some(rest)) => rest.poll(cx),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.rest.as_ref().is_none_or(|rest| rest.range.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.range.end - rest.range.start);
        SizeHint::with_exact(self.pieces.iter().map(|p| p.len() as u64).sum::<u64>() + rest)
    }
}

/// For what is no page: it loads nothing.
const FILE_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the files of the console: a worker has the policy of the file it starts from. It reads its own and runs the login's
/// WebAssembly.
pub const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the console. `wasm-unsafe-eval` is for the login's WebAssembly. The hash is that of the script that plays sounds and films in a
/// frame without this origin (`PLAYER` in `ui/src/files/player.ts`; a test of the pages compares them); they are `blob:` there.
pub const PAGE_POLICY: &str = "default-src 'none'; \
    script-src 'self' 'wasm-unsafe-eval' 'sha256-BXeIoyqSKC7+aqtbLeAe5PJWKhx+g+f7OICQOKlFz3s='; \
    worker-src 'self' blob:; style-src 'self'; img-src 'self' data:; media-src blob:; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A body with a type.
pub fn bytes(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    answer
}

/// To those who only ask whether the server runs and should get clients.
pub fn health(serving: bool) -> Answer {
    match serving {
        true => bytes(StatusCode::OK, "text/plain", "ok"),
        false => bytes(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "another server should answer"),
    }
}

/// Headers of every answer: browsers must not guess types or frame anything, must load only what a page's own policy
/// allows, and must send no referrer.
pub fn guarded(mut answer: Answer, strict: Option<HeaderValue>) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(FILE_POLICY));
    if let Some(strict) = strict {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, strict);
    }
    answer
}

/// A JSON answer with status 200.
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
pub fn refusal(r: &RequestError) -> Answer {
    let mut body = serde_json::json!({ "code": r.code, "name": r.code.name(), "text": r.text });
    if let Some(ms) = r.retry_ms {
        body["retry_ms"] = ms.into();
    }
    if let Some(limit) = r.limit {
        body["limit"] = limit.name().into();
    }
    if let Some(have) = r.have {
        body["have"] = have.into();
    }
    let mut answer = json(&body);
    *answer.status_mut() = StatusCode::from_u16(r.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if let Some(ms) = r.retry_ms {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
    }
    answer
}

/// Names an answer, and leaves its body out for those who have it already.
pub fn tagged(mut answer: Answer, tag: &str, asked: &HeaderMap) -> Answer {
    let Ok(value) = HeaderValue::from_str(tag) else { return answer };
    // tags that only say "the same in effect" are compared without that mark
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    if known.flat_map(|v| v.split(',')).any(|known| known.trim() == "*" || bare(known) == bare(tag)) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Body::default();
    }
    answer.headers_mut().insert(header::ETAG, value);
    answer
}

/// A refusal made on the spot.
pub fn error(code: ErrorCode, text: &'static str) -> Answer {
    refusal(&RequestError::new(code, text))
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
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, range"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer
}

/// 405: the address exists and does other things.
pub fn method_not_allowed(allowed: &'static str) -> Answer {
    let mut answer = error(ErrorCode::Unsupported, "this method is not allowed here");
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}
