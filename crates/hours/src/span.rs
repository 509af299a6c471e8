//! A span of a day, by its minutes, written `09:00-18:00`.

use std::{fmt, str::FromStr};

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::HoursError;

const DAY: u16 = 24 * 60;

/// From a minute of a day until another one of the same day, which is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// The start of a day, ms.
    pub(crate) fn midnight_ms(date: Date, zone: &TimeZone) -> u64 {
        minute_ms(date, 0, zone)
    }

    pub(crate) fn start_ms(self, date: Date, zone: &TimeZone) -> u64 {
        minute_ms(date, self.start, zone)
    }

    pub(crate) fn end_ms(self, date: Date, zone: &TimeZone) -> u64 {
        minute_ms(date, self.end, zone)
    }
}

/// A minute of a day, ms. One that a change of the clock leaves out is the moment of the change; of one that comes twice the first counts.
fn minute_ms(date: Date, minute: u16, zone: &TimeZone) -> u64 {
    let (date, minute) = match date.tomorrow() {
        Ok(next) if minute >= DAY => (next, 0),
        _ => (date, minute.min(DAY - 1)),
    };
    // both fit: a minute of a day
    let at = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    at.to_zoned(zone.clone()).map_or(0, |at| u64::try_from(at.timestamp().as_millisecond()).unwrap_or(0))
}

/// Reads spans with commas between them; `closed` is none.
///
/// # Errors
/// One is not a span, or they overlap.
pub fn spans(text: &str) -> Result<Vec<Span>, HoursError> {
    if text.trim() == "closed" {
        return Ok(Vec::new());
    }
    let spans = text.split(',').map(|part| part.trim().parse()).collect::<Result<Vec<Span>, _>>()?;
    check(&spans)?;
    Ok(spans)
}

/// # Errors
/// One ends before it begins, or begins before the one before it ends.
pub(crate) fn check(spans: &[Span]) -> Result<(), HoursError> {
    if let Some(span) = spans.iter().find(|s| s.start >= s.end || s.end > DAY) {
        return Err(HoursError::Backwards(span.to_string()));
    }
    match spans.windows(2).find(|pair| pair[1].start < pair[0].end) {
        Some(pair) => Err(HoursError::Overlap(pair[1].to_string())),
        None => Ok(()),
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    let (hour, minute): (u16, u16) =
        (digits(hour) && digits(minute)).then(|| Some((hour.parse().ok()?, minute.parse().ok()?)))??;
    let at = hour * 60 + minute;
    (minute < 60 && at <= DAY).then_some(at)
}

impl FromStr for Span {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::Span(text.to_owned());
        let (start, end) = text.split_once(['-', '–']).ok_or_else(bad)?;
        let (start, end) = (minute(start).ok_or_else(bad)?, minute(end).ok_or_else(bad)?);
        if start >= end { Err(HoursError::Backwards(text.to_owned())) } else { Ok(Self { start, end }) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
