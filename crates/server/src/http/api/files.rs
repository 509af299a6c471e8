//! Files of messages: `/conversations/<conv>/files/<msg>`.

use std::{net::IpAddr, ops::Range, sync::Arc};

use hyper::{Method, Request, StatusCode, body::Incoming, header};
use serde::Deserialize;
use serde_json::json;

use crate::{
    blobs::{PART, Progress},
    chat::{Download, RequestError},
    http::{
        Http,
        answer::{self, Answer, Body},
        detached::run_detached,
    },
    proto::{ConvId, ErrorCode, MsgId},
};

use super::{
    body::{Received, Sender, body, part},
    parameter, who,
};

/// Bytes that are read at once for an answer.
const PIECE: u64 = 256 * 1024;

#[derive(Deserialize)]
struct Begin {
    size: u64,
}

/// One request for the file of a message.
pub async fn route(
    http: &Arc<Http>,
    address: IpAddr,
    (conv, msg): (&str, &str),
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let who = who(http, &request)?;
    let missing = || RequestError::new(ErrorCode::NotFound, "there is no such file here");
    let conv: ConvId = conv.parse().map_err(|_| missing())?;
    let msg: MsgId = msg.parse().map_err(|_| missing())?;
    match *request.method() {
        Method::GET => download(http, address, http.chat.file(&who, conv, msg).await?, &request),
        Method::POST => {
            let from = Sender::member(&http.bounds, address, 0);
            let Received { value: Begin { size }, held: _held } = body(from, request).await?;
            let chat = http.chat.clone();
            have(&run_detached(async move { chat.begin_file(&who, address, conv, msg, size).await }).await?)
        }
        Method::PUT => {
            let at = parameter(&request, "at").and_then(|at| at.parse().ok());
            let at = at.ok_or_else(|| RequestError::new(ErrorCode::Malformed, "at must say where the part begins"))?;
            // nobody sends bytes for something that is not theirs, or that is here already
            let turn = http.chat.expects_part(&who, conv, msg, at).await?;
            let Received { value, held: _held } = part(Sender::uploader(&http.bounds, address, PART), request).await?;
            let chat = http.chat.clone();
            have(&run_detached(async move { chat.add_to_file(&who, turn, value).await }).await?)
        }
        _ => {
            let chat = http.chat.clone();
            run_detached(async move { chat.cancel_file(&who, conv, msg).await }).await?;
            Ok(answer::json(&json!({})))
        }
    }
}

fn have(progress: &Progress) -> Result<Answer, RequestError> {
    Ok(answer::json(&json!({ "have": progress.have })))
}

/// All of it or a range, piece by piece: memory does not grow with the file.
fn download(http: &Http, address: IpAddr, file: Download, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let asked = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let range = match asked.map(|asked| range_of(asked, file.length)) {
        None | Some(Asked::Everything) => 0..file.length,
        Some(Asked::Part(range)) => range,
        Some(Asked::Nothing) => {
            let mut refused = answer::refusal(&RequestError::new(ErrorCode::Malformed, "the file is shorter"));
            *refused.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            refused.headers_mut().insert(header::CONTENT_RANGE, number(format!("bytes */{}", file.length)));
            return Ok(refused);
        }
    };
    let held = http.bounds.answer(address, 2 * PIECE as usize)?;
    let part = range.end - range.start < file.length;
    let (status, length) = (if part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }, file.length);
    let content_range = number(format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1)));
    let body = Body::read(range, move |at, end| {
        let file = file.clone();
        async move { file.read(at, (end - at).min(PIECE) as usize).await.ok() }
    });
    let mut answer = answer::bytes(status, "application/octet-stream", body.held(held));
    let headers = answer.headers_mut();
    headers.insert(header::ACCEPT_RANGES, header::HeaderValue::from_static("bytes"));
    // opened by itself it is a download: what it holds is sealed
    headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_static("attachment"));
    if part {
        headers.insert(header::CONTENT_RANGE, content_range);
    }
    Ok(answer)
}

fn number(text: String) -> header::HeaderValue {
    header::HeaderValue::from_str(&text).unwrap_or(header::HeaderValue::from_static("bytes */0"))
}

/// What a client wants of a file.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// All: also where a server need not understand the question.
    Everything,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

/// Reads `Range` (RFC 9110, 14.1.2). Only one range of bytes is understood.
fn range_of(asked: &str, length: u64) -> Asked {
    let range = asked.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let Some((first, last)) = range.filter(|_| !asked.contains(',')) else { return Asked::Everything };
    let range = match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => first..length,
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => first..last.saturating_add(1).min(length),
            _ => return Asked::Everything,
        },
        (Err(_), last) => match last.parse::<u64>() {
            Ok(count) if first.trim().is_empty() => length.saturating_sub(count)..length,
            _ => return Asked::Everything,
        },
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_standard() {
        for (asked, expected) in [
            ("bytes=0-9", Asked::Part(0..10)),
            ("bytes=0-", Asked::Part(0..100)),
            ("bytes=99-200", Asked::Part(99..100)),
            ("bytes=-5", Asked::Part(95..100)),
            ("bytes=-500", Asked::Part(0..100)),
            ("bytes=100-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-4", Asked::Everything),
            ("bytes=0-1,4-5", Asked::Everything),
            ("bytes=x-y", Asked::Everything),
            ("lines=0-1", Asked::Everything),
            ("bytes=0-18446744073709551615", Asked::Part(0..100)),
        ] {
            assert_eq!(range_of(asked, 100), expected, "{asked}");
        }
    }
}
