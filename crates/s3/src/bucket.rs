//! A bucket: what can be done with its objects.

use std::{fmt, io, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{Method, Request, header};
use jiff::{Timestamp, fmt::rfc2822};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::{
    Endpoint, Key, Listed, S3Error,
    connection::Answer,
    pool::Pool,
    sign::{self, Signed},
    xml,
};

/// After the first try; each pause is up to three times as long as the one before.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a request is made before it has failed.
const TRIES: u32 = 4;
/// No try begins later than this.
const PATIENCE: Duration = Duration::from_secs(15);
/// After a store did not answer, nobody else waits for it this long: they are told at once.
const REST: Duration = Duration::from_secs(3);
/// Largest answer that is no object: a thousand keys of up to 1 KiB with what is said of them.
const WORDS: usize = 4 * 1024 * 1024;
/// Clocks that differ by more make signatures that are refused.
const SKEW_S: i64 = 15 * 60;

/// `s3://bucket/prefix`: a bucket, and what all keys in it begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// Empty, or with a `/` at its end.
    pub prefix: String,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write s3://bucket or s3://bucket/prefix";
        let (bucket, prefix) =
            url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or(WRONG)?;
        let named = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if !named {
            return Err("the name of a bucket has 3 to 63 small letters, digits, - and .");
        }
        let prefix = prefix.trim_end_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
        if prefix.len() > 200
            || !prefix.bytes().all(plain)
            || prefix.split('/').any(|part| matches!(part, "" | "." | "..")) && !prefix.is_empty()
        {
            return Err("the prefix has up to 200 letters, digits, - _ . and / between them");
        }
        let slash = if prefix.is_empty() { "" } else { "/" };
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{prefix}{slash}") })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// A place in a bucket of a store. Cheap to clone; keys are relative to the place.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    pool: Pool,
    place: Place,
    region: String,
    key: Key,
    /// When it did not answer last, and why.
    away: Mutex<Option<(Instant, S3Error)>>,
}

/// What is asked.
struct Asked<'a> {
    method: Method,
    /// Without the prefix; none: the bucket itself.
    key: Option<&'a str>,
    query: String,
    range: Option<String>,
    body: Bytes,
    /// Largest answer.
    limit: usize,
}

impl Asked<'_> {
    fn of(method: Method, key: Option<&str>) -> Asked<'_> {
        Asked { method, key, query: String::new(), range: None, body: Bytes::new(), limit: WORDS }
    }

    /// What the key must be allowed to do.
    fn right(&self) -> &'static str {
        match (self.method.as_str(), self.key) {
            ("PUT", _) => "write",
            ("DELETE", _) => "delete",
            (_, None) => "list",
            _ => "read",
        }
    }
}

impl Bucket {
    /// Connects to nothing yet.
    pub fn new(endpoint: Endpoint, place: Place, region: String, key: Key) -> Self {
        Self(Arc::new(Inner { pool: Pool::new(endpoint), place, region, key, away: Mutex::default() }))
    }

    /// The same with less time for an answer.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn impatient(self, answer: Duration) -> Self {
        let Inner { pool, place, region, key, .. } = &*self.0;
        let mut pool = Pool::new(pool.endpoint.clone());
        pool.answer = answer;
        let (place, region, key) = (place.clone(), region.clone(), key.clone());
        Self(Arc::new(Inner { pool, place, region, key, away: Mutex::default() }))
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The store's address.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.pool.endpoint
    }

    /// Stores an object, or replaces it.
    ///
    /// # Errors
    /// It is not stored, as far as is known.
    pub async fn put(&self, key: &str, body: Bytes) -> Result<(), S3Error> {
        self.ask(&Asked { body, ..Asked::of(Method::PUT, Some(key)) }).await.map(drop)
    }

    /// An object of at most `limit` bytes.
    ///
    /// # Errors
    /// [`S3Error::NotFound`]; or it can't be read.
    pub async fn get(&self, key: &str, limit: usize) -> Result<Bytes, S3Error> {
        Ok(self.ask(&Asked { limit, ..Asked::of(Method::GET, Some(key)) }).await?.body)
    }

    /// Up to `length` bytes of an object from `at` on; fewer only at its end.
    ///
    /// # Errors
    /// [`S3Error::NotFound`]; [`S3Error::Shorter`] if it ends before `at`; or it can't be read.
    pub async fn get_range(&self, key: &str, at: u64, length: usize) -> Result<Bytes, S3Error> {
        let range = format!("bytes={at}-{}", at + length.max(1) as u64 - 1);
        let asked = Asked { range: Some(range), limit: length.max(1), ..Asked::of(Method::GET, Some(key)) };
        let answer = self.ask(&asked).await?;
        // the header counts: there are servers that answer 200 with it
        let begins = format!("bytes {at}-");
        match answer.range.as_ref().map_or(at == 0, |range| range.starts_with(&begins)) {
            true => Ok(answer.body),
            false => Err(self.odd(format!("another range than {range}", range = asked.range.unwrap_or_default()))),
        }
    }

    /// Removes an object. Nothing happens if there is none.
    ///
    /// # Errors
    /// It may still be there.
    pub async fn delete(&self, key: &str) -> Result<(), S3Error> {
        match self.ask(&Asked::of(Method::DELETE, Some(key))).await {
            Ok(_) | Err(S3Error::NotFound) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// A page of the objects whose keys begin with `under` and follow `after`, in their order. `token`: what the page before
    /// gave.
    ///
    /// # Errors
    /// They can't be listed.
    pub async fn list(&self, under: &str, after: Option<&str>, token: Option<&str>) -> Result<Listed, S3Error> {
        let prefix = &self.0.place.prefix;
        let mut query = Vec::new();
        if let Some(token) = token {
            query.push(("continuation-token", token.to_owned()));
        }
        query.extend([("list-type", "2".to_owned()), ("prefix", format!("{prefix}{under}"))]);
        if let Some(after) = after {
            query.push(("start-after", format!("{prefix}{after}")));
        }
        let query: Vec<_> =
            query.iter().map(|(name, value)| format!("{name}={}", sign::encode(value, false))).collect();
        let answer = self.ask(&Asked { query: query.join("&"), ..Asked::of(Method::GET, None) }).await?;
        let text = std::str::from_utf8(&answer.body).ok();
        let mut listed = text.and_then(xml::listed).ok_or_else(|| self.odd("a list that is none".to_owned()))?;
        for object in &mut listed.objects {
            let Some(key) = object.key.strip_prefix(prefix.as_str()) else {
                return Err(self.odd("a list of other objects".to_owned()));
            };
            object.key = key.to_owned();
        }
        Ok(listed)
    }

    /// By how many seconds the store's clock is ahead of this machine's, if it says its time.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn clock_ahead_s(&self) -> Result<Option<i64>, S3Error> {
        let request = self.request(&Asked::of(Method::GET, None));
        let answer = self.0.pool.ask(&request, WORDS).await.map_err(|e| self.unreachable(&e))?;
        Ok(ahead_s(&answer))
    }

    /// Asks until it is answered or makes no sense any more.
    async fn ask(&self, asked: &Asked<'_>) -> Result<Answer, S3Error> {
        if let Some((_, why)) = self.0.away.lock().as_ref().filter(|(since, _)| since.elapsed() < REST) {
            return Err(why.clone());
        }
        let (begun, mut tries) = (Instant::now(), 0);
        loop {
            let outcome = self.ask_once(asked).await;
            tries += 1;
            match outcome {
                Err(e) if e.passes() && tries < TRIES && begun.elapsed() < PATIENCE => sleep(pause(tries)).await,
                outcome => {
                    let away = outcome.as_ref().err().filter(|e| matches!(e, S3Error::Unreachable { .. }));
                    *self.0.away.lock() = away.map(|why| (Instant::now(), why.clone()));
                    return outcome;
                }
            }
        }
    }

    async fn ask_once(&self, asked: &Asked<'_>) -> Result<Answer, S3Error> {
        let limit = asked.limit.max(64 * 1024);
        let answer = self.0.pool.ask(&self.request(asked), limit).await.map_err(|e| self.unreachable(&e))?;
        match answer.status.is_success() {
            true if answer.body.len() > asked.limit => Err(self.odd("more than was asked for".to_owned())),
            true => Ok(answer),
            false => Err(self.refusal(asked, &answer)),
        }
    }

    fn request(&self, asked: &Asked<'_>) -> Request<Bytes> {
        let Inner { pool, place, region, key, .. } = &*self.0;
        let path = match asked.key {
            Some(name) => sign::encode(&format!("/{}/{}{name}", place.bucket, place.prefix), true),
            None => format!("/{}", place.bucket),
        };
        let (time, hash) = (sign::time(Timestamp::now()), sign::sha256(&asked.body));
        let mut headers = vec![("host", pool.endpoint.authority.as_str())];
        headers.extend(asked.range.as_deref().map(|range| ("range", range)));
        headers.extend([("x-amz-content-sha256", hash.as_str()), ("x-amz-date", time.as_str())]);
        let signed =
            Signed { method: asked.method.as_str(), path: &path, query: &asked.query, headers: &headers, body: &hash };
        let authorization = sign::authorization(key, region, &time, &signed);
        let uri = if asked.query.is_empty() { path.clone() } else { format!("{path}?{}", asked.query) };
        let mut request = Request::builder().method(asked.method.clone()).uri(uri);
        if asked.method == Method::PUT {
            // also of what is empty: some servers insist
            request = request.header(header::CONTENT_LENGTH, asked.body.len());
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        #[expect(clippy::expect_used, reason = "settings and keys were checked to be plain characters")]
        let request =
            request.header(header::AUTHORIZATION, authorization).body(asked.body.clone()).expect("plain text");
        request
    }

    fn refusal(&self, asked: &Asked<'_>, answer: &Answer) -> S3Error {
        let fault = xml::fault(&String::from_utf8_lossy(&answer.body));
        let (endpoint, status) = (self.endpoint().to_string(), answer.status.as_u16());
        match (status, fault.code.as_str()) {
            (_, "NoSuchBucket") => S3Error::NoBucket(self.0.place.bucket.clone()),
            (404, "NoSuchKey") => S3Error::NotFound,
            (416, _) => S3Error::Shorter,
            (_, "RequestTimeTooSkewed") => S3Error::Clock(apart(ahead_s(answer))),
            // some servers give another reason for it
            (400 | 403, _) if ahead_s(answer).is_some_and(|s| s.abs() > SKEW_S) => {
                S3Error::Clock(apart(ahead_s(answer)))
            }
            (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken") => {
                S3Error::Key(fault.code)
            }
            (_, "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException")
                if !fault.region.is_empty() =>
            {
                S3Error::Region(fault.region)
            }
            (403, _) => S3Error::Denied(asked.right()),
            (429 | 500 | 502..=504, _) | (_, "SlowDown" | "RequestTimeout" | "InternalError") => {
                S3Error::Busy { endpoint, status, code: fault.code }
            }
            (_, "") => self.odd(format!("status {status}")),
            _ => S3Error::Refused { endpoint, status, code: fault.code, message: fault.message },
        }
    }

    fn unreachable(&self, e: &io::Error) -> S3Error {
        let (endpoint, why) = (self.endpoint().to_string(), e.to_string());
        let tls = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(_)) => S3Error::Certificate { endpoint, why },
            _ if e.kind() == io::ErrorKind::InvalidData => S3Error::Odd { endpoint, what: why },
            _ => S3Error::Unreachable { endpoint, why },
        }
    }

    fn odd(&self, what: String) -> S3Error {
        S3Error::Odd { endpoint: self.endpoint().to_string(), what }
    }
}

/// By how much the sender's clock is ahead of ours.
fn ahead_s(answer: &Answer) -> Option<i64> {
    // RFC 9110 says GMT where RFC 2822 says +0000; the parser knows both
    let at = rfc2822::DateTimeParser::new().parse_timestamp(answer.date.as_ref()?).ok()?;
    Some(at.as_second() - Timestamp::now().as_second())
}

fn apart(ahead_s: Option<i64>) -> String {
    match ahead_s.map(i64::unsigned_abs) {
        Some(s) if s >= 7_200 => format!("{} hours", s / 3_600),
        Some(s) if s >= 120 => format!("{} minutes", s / 60),
        _ => "too much".to_owned(),
    }
}

/// Growing, and different for each, so that many do not come back at the same moment.
fn pause(tries: u32) -> Duration {
    let full = PAUSE * 3_u32.pow(tries - 1);
    let chance = f64::from(Timestamp::now().subsec_nanosecond().unsigned_abs() % 1_000) / 1_000.0;
    full / 2 + full.mul_f64(chance / 2.0)
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    #[test]
    fn places_are_buckets_with_or_without_a_prefix() {
        for (url, bucket, prefix) in
            [("s3://chat", "chat", ""), ("s3://chat/", "chat", ""), ("s3://a.b-1/x/Y_z/", "a.b-1", "x/Y_z/")]
        {
            let place: Place = url.parse().unwrap();
            assert_eq!((place.bucket.as_str(), place.prefix.as_str()), (bucket, prefix), "{url}");
        }
        for url in ["", "s3://", "s3://ab", "s3://Chat", "s3:chat", "s3://chat/a b", "s3://chat/../x", "s3://chat//x"] {
            assert!(url.parse::<Place>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_clock_is_read_from_an_answer() {
        let answer = |date: &str| Answer {
            status: StatusCode::OK,
            body: Bytes::new(),
            date: Some(date.to_owned()),
            range: None,
        };
        let ahead = ahead_s(&answer("Fri, 24 May 2013 00:00:00 GMT")).unwrap();
        assert_eq!(ahead, 1_369_353_600 - Timestamp::now().as_second());
        assert_eq!(ahead_s(&answer("yesterday")), None);
        assert_eq!((apart(Some(-1_000)), apart(Some(86_400))), ("16 minutes".to_owned(), "24 hours".to_owned()));
    }
}
