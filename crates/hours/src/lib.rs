//! Business hours of a team: the hours of a week, a country's holidays, single days that differ, in a time zone.
//!
//! Pure rules: nothing here reads a clock or knows who is at work. What they mean for waits and for visitors is for those who ask.

#![forbid(unsafe_code)]

mod error;
mod holidays;
mod span;
mod week;

use std::collections::BTreeMap;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

pub use error::HoursError;
pub use holidays::{Day, Holidays};
pub use jiff::civil::Date as CivilDate;
pub use span::{Span, spans};
pub use week::Week;

/// Days with hours of their own that a team may have.
pub const MAX_DAYS: usize = 400;
/// How far ahead the next opening is looked for, days: longer than any holiday.
const AHEAD: usize = 400;

/// When a team is at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// IANA name of the time zone.
    pub zone: String,
    /// The hours of a usual week.
    pub week: Week,
    /// Whose public holidays are days off.
    #[serde(default)]
    pub holidays: Holidays,
    /// Single days that differ from all of that; no spans: a day off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Date, Vec<Span>>,
}

impl Hours {
    /// # Errors
    /// The zone is not known, spans overlap, or there are too many single days.
    pub fn check(&self) -> Result<(), HoursError> {
        self.time_zone()?;
        self.week.check()?;
        if self.days.len() > MAX_DAYS {
            return Err(HoursError::TooManyDays);
        }
        self.days.values().try_for_each(|spans| span::check(spans))
    }

    /// Forgets single days before this time.
    pub fn forget_before(&mut self, now_ms: u64) {
        if let Ok(today) = self.date(now_ms) {
            self.days = self.days.split_off(&today);
        }
    }

    /// When it is open, as times in ms: what of that lies between the two, in order, none touching the next.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn open_between(&self, from_ms: u64, to_ms: u64) -> Result<Vec<(u64, u64)>, HoursError> {
        let zone = self.time_zone()?;
        let mut open: Vec<(u64, u64)> = Vec::new();
        let Some(mut date) = self.date(from_ms)?.yesterday().ok() else { return Ok(open) };
        loop {
            for span in self.spans_of(date) {
                let (start, end) = (span.start_ms(date, &zone), span.end_ms(date, &zone));
                let (start, end) = (start.max(from_ms), end.min(to_ms));
                match open.last_mut() {
                    _ if start >= end => {}
                    Some(last) if last.1 >= start => last.1 = last.1.max(end),
                    _ => open.push((start, end)),
                }
            }
            match date.tomorrow() {
                Ok(next) if Span::midnight_ms(next, &zone) < to_ms => date = next,
                _ => return Ok(open),
            }
        }
    }

    /// When it opens next, ms; none while it is open, and none if it does not within a year.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn opens(&self, now_ms: u64) -> Result<Option<u64>, HoursError> {
        let (zone, today) = (self.time_zone()?, self.date(now_ms)?);
        let days = today.series(1.day()).take(AHEAD);
        let mut spans = days.flat_map(|date| self.spans_of(date).iter().map(move |span| (date, span)));
        let next = spans.find(|(date, span)| span.end_ms(*date, &zone) > now_ms);
        let start = next.map(|(date, span)| span.start_ms(date, &zone));
        Ok(start.filter(|start| *start > now_ms))
    }

    /// The spans of a day.
    pub fn spans_of(&self, date: Date) -> &[Span] {
        if let Some(spans) = self.days.get(&date) {
            return spans;
        }
        match self.holidays.on(date) {
            Some(Day::Off) => &[],
            // a working day that makes up for another one has the hours of a Monday
            Some(Day::Work) => self.week.monday(),
            None => self.week.on(date.weekday()),
        }
    }

    /// The day of a time in its zone.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn date(&self, at_ms: u64) -> Result<Date, HoursError> {
        Ok(self.local(at_ms)?.date())
    }

    /// A time as clocks in its zone show it; displayed as `2026-12-01T09:00:00`.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn local(&self, at_ms: u64) -> Result<DateTime, HoursError> {
        let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(at.unwrap_or(Timestamp::MAX).to_zoned(self.time_zone()?).datetime())
    }

    fn time_zone(&self) -> Result<TimeZone, HoursError> {
        TimeZone::get(&self.zone).map_err(|_| HoursError::Zone(self.zone.clone()))
    }
}

/// How much of the time between the two is in these hours, ms; as pages count it.
pub fn within(open: &[(u64, u64)], from_ms: u64, to_ms: u64) -> u64 {
    open.iter().map(|(start, end)| end.min(&to_ms).saturating_sub(*start.max(&from_ms))).sum()
}

#[cfg(test)]
mod tests;
