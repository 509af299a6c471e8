//! As much of X.509 as it takes to read when a certificate is good. Whether it is genuine is for clients to check.

use std::ops::Range;

/// When the certificate in `der` is good, milliseconds since 1970. None: it is no certificate.
pub fn validity(der: &[u8]) -> Option<Range<u64>> {
    let (tag, validity, _) = element(after_issuer(der)?.1)?;
    if tag != 0x30 {
        return None;
    }
    let (from_tag, from, rest) = element(validity)?;
    let (until_tag, until, _) = element(rest)?;
    Some(time(from_tag, from)?..time(until_tag, until)?)
}

/// The name of who made the certificate, encoded.
pub fn issuer(der: &[u8]) -> Option<&[u8]> {
    after_issuer(der).map(|(issuer, _)| issuer)
}

/// The issuer, and what follows.
fn after_issuer(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, certificate, _) = element(der)?;
    let (_, mut tbs, _) = element(certificate)?;
    // version is there in every certificate but the oldest
    if tbs.first() == Some(&0xa0) {
        tbs = element(tbs)?.2;
    }
    for _serial_algorithm in 0..2 {
        tbs = element(tbs)?.2;
    }
    let (_, issuer, rest) = element(tbs)?;
    Some((issuer, rest))
}

/// Tag, content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // 0x80, the indefinite length, is not DER
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok().filter(|t| t.is_ascii())?.strip_suffix('Z')?;
    let full = match tag {
        0x17 if text.len() == 12 => format!("{}{text}", if &text[..2] < "50" { "20" } else { "19" }),
        0x18 if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let when = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    let at = when.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_of_time_read() {
        assert_eq!(time(0x17, b"700101000001Z"), Some(1_000));
        assert_eq!(time(0x18, b"20700101000000Z"), Some(3_155_760_000_000));
        assert_eq!(time(0x17, b"701301000001Z"), None);
        assert_eq!(time(0x17, "7七01000001Z".as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (validity(&bytes), issuer(&bytes));
        }

        #[test]
        fn any_text_is_a_time_or_not(text in ".{0,16}Z") {
            let _ = (time(0x17, text.as_bytes()), time(0x18, text.as_bytes()));
        }
    }
}
