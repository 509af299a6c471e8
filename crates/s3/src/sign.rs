//! AWS Signature Version 4 for the service `s3`, in the `Authorization` header.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::{digest, hmac};

use crate::Key;

/// What is signed of a request. All of it must be sent as it is here.
pub struct Signed<'a> {
    pub method: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// Names and values, encoded, in the order of the names.
    pub query: &'a str,
    /// Lower-case names and values, in the order of the names, with `host`, `x-amz-content-sha256` and `x-amz-date`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body, in hexadecimal digits.
    pub body: &'a str,
}

/// The value of the `Authorization` header. `time` as [`time`] writes it.
pub fn authorization(key: &Key, region: &str, time: &str, signed: &Signed<'_>) -> String {
    let day = &time[..8];
    let (mut headers, mut names) = (String::new(), String::new());
    for (name, value) in signed.headers {
        // writing to a string can't fail
        let _ = writeln!(headers, "{name}:{value}");
        let _ = write!(names, "{}{name}", if names.is_empty() { "" } else { ";" });
    }
    let Signed { method, path, query, body, .. } = signed;
    let request = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}");
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(request.as_bytes()));
    let first = zeroize::Zeroizing::new(format!("AWS4{}", *key.secret));
    let of_day = hmac(first.as_bytes(), day);
    let signing =
        ["s3", "aws4_request"].iter().fold(hmac(of_day.as_ref(), region), |key, part| hmac(key.as_ref(), part));
    let signature = HEXLOWER.encode(hmac(signing.as_ref(), &text).as_ref());
    format!("AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}", key.id)
}

fn hmac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// In hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// `20130524T000000Z`.
pub fn time(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Percent-encodes all but letters, digits and `-._~`; in paths `/` stays.
pub fn encode(text: &str, is_path: bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            b'/' if is_path => encoded.push('/'),
            // writing to a string can't fail
            other => drop(write!(encoded, "%{other:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");
    const TIME: &str = "20130524T000000Z";

    fn signature(signed: &Signed<'_>) -> String {
        let key = Key::parse("AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
        let value = authorization(&key, "us-east-1", TIME, signed);
        assert!(value.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;"
        ));
        value.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    /// The examples of AWS's documentation (see above).
    #[test]
    fn signatures_are_those_that_aws_published() {
        let empty = sha256(b"");
        let (hash, date) = (("x-amz-content-sha256", empty.as_str()), ("x-amz-date", TIME));
        let get = |path, query, headers: &[(&str, &str)]| {
            signature(&Signed { method: "GET", path, query, headers, body: &empty })
        };
        assert_eq!(
            get("/test.txt", "", &[HOST, ("range", "bytes=0-9"), hash, date]),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            get("/", "lifecycle=", &[HOST, hash, date]),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            get("/", "max-keys=2&prefix=J", &[HOST, hash, date]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
        let body = sha256(b"Welcome to Amazon S3.");
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            HOST,
            ("x-amz-content-sha256", body.as_str()),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        let path = encode("/test$file.text", true);
        let key = Key::parse("AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
        let put = Signed { method: "PUT", path: &path, query: "", headers: &headers, body: &body };
        let value = authorization(&key, "us-east-1", TIME, &put);
        assert!(value.ends_with("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"), "{value}");
    }

    #[test]
    fn names_and_times_are_written_as_they_are_signed() {
        assert_eq!(encode("a b/ü~+", true), "a%20b/%C3%BC~%2B");
        assert_eq!(encode("a/b", false), "a%2Fb");
        assert_eq!(time(Timestamp::from_second(1_369_353_600).unwrap()), TIME);
    }
}
