//! When people answer: weekdays and times of a place with a fixed distance from UTC.

const DAY: u32 = 24 * 60;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Why hours can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not of the form.
    #[error("{0:?} are not valid hours: write for example \"Mon-Fri 09:00-18:00, Sat 10:00-16:00\"")]
    Form(String),
    /// Not an offset.
    #[error("{0:?} is not an offset from UTC: write for example \"+08:00\"")]
    Offset(String),
}

/// Spans of the week; none: always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    /// Minutes from Monday 00:00: from and to, not including to. A night shift may reach into the next day or week.
    spans: Vec<(u32, u32)>,
}

impl Hours {
    /// `Mon-Fri 09:00-18:00, Sat 10:00-16:00`; an end not after the beginning is on the next day; empty: always.
    ///
    /// # Errors
    /// Not a valid list of hours.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let mut spans = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self { spans });
        }
        for part in text.split(',') {
            let read = || {
                let (days, times) = part.trim().split_once(' ')?;
                let (first, last) = days.split_once('-').unwrap_or((days, days));
                let (first, last) = (day_of_week(first)?, day_of_week(last)?);
                let (from, to) = times.trim().split_once('-')?;
                let (from, to) = (minutes(from)?, minutes(to)?);
                let to = if to <= from { to + DAY } else { to };
                Some(((first..=if last < first { last + 7 } else { last }).map(|d| d % 7), from, to))
            };
            let (days, from, to) = read().ok_or_else(|| HoursError::Form(part.trim().to_owned()))?;
            spans.extend(days.map(|d| (d * DAY + from, d * DAY + to)));
        }
        Ok(Self { spans })
    }

    /// Whether people answer at this moment.
    pub fn open(&self, now_ms: u64, offset_minutes: i32) -> bool {
        let now = minute_of_week(now_ms, offset_minutes);
        let week = 7 * DAY;
        self.spans.is_empty()
            || self.spans.iter().any(|(from, to)| (*from..*to).contains(&now) || (*from..*to).contains(&(now + week)))
    }

    /// When people are back, as weekday (0 is Monday) and time; `None` if they always are there.
    pub fn next(&self, now_ms: u64, offset_minutes: i32) -> Option<(u32, String)> {
        let now = minute_of_week(now_ms, offset_minutes);
        let week = 7 * DAY;
        let from = self.spans.iter().map(|(from, _)| *from).min_by_key(|from| (from + week - now) % week)?;
        Some((from / DAY, format!("{:02}:{:02}", from % DAY / 60, from % 60)))
    }
}

fn day_of_week(text: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    NAMES.iter().position(|n| text == *n).map(|n| n as u32)
}

fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

/// `+08:00` in minutes.
pub(super) fn offset(text: &str) -> Result<i32, HoursError> {
    let read = || {
        let (sign, rest) = match text.trim().split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let minutes = i32::try_from(minutes(rest)?).ok()?;
        (minutes <= 14 * 60).then_some(sign * minutes)
    };
    read().ok_or_else(|| HoursError::Offset(text.to_owned()))
}

fn local_minutes(now_ms: u64, offset_minutes: i32) -> u64 {
    (now_ms / 60_000).saturating_add_signed(offset_minutes.into())
}

/// 1970 began on a Thursday.
fn minute_of_week(now_ms: u64, offset_minutes: i32) -> u32 {
    let minutes = local_minutes(now_ms, offset_minutes) + 3 * u64::from(DAY);
    // less than a week of minutes
    (minutes % u64::from(7 * DAY)) as u32
}

/// The local day.
pub(super) fn day(now_ms: u64, offset_minutes: i32) -> String {
    let seconds = local_minutes(now_ms, offset_minutes) * 60;
    let time = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 23 November 2026, 00:00 UTC.
    const MONDAY: u64 = 1_795_392_000_000;
    const HOUR: u64 = 3_600_000;

    #[test]
    fn hours_are_those_of_the_place() {
        let hours = Hours::parse("Mon-Fri 09:00-18:00, Sat 10:00-16:00").unwrap();
        for (after, open) in [(0, false), (1, true), (9, true), (10, false), (24 * 5 + 2, true), (24 * 6 + 3, false)] {
            assert_eq!(hours.open(MONDAY + after * HOUR, 480), open, "{after} hours");
        }
        assert_eq!(hours.next(MONDAY + 12 * HOUR, 480), Some((1, "09:00".into())));
        assert_eq!(hours.next(MONDAY + (24 * 5 + 9) * HOUR, 480), Some((0, "09:00".into())));
        assert!(Hours::parse(" ").unwrap().open(0, 0) && Hours::default().next(0, 0).is_none());
    }

    #[test]
    fn a_night_shift_reaches_into_the_next_day_and_week() {
        let hours = Hours::parse("Sun 22:00-06:00").unwrap();
        assert!(hours.open(MONDAY + 5 * HOUR, 0) && !hours.open(MONDAY + 6 * HOUR, 0));
        assert!(Hours::parse("Fri-Mon 00:00-24:00").unwrap().open(MONDAY + HOUR, 0));
    }

    #[test]
    fn what_nobody_can_read_is_refused() {
        for bad in ["9-18", "Mon 9", "Mon 25:00-26:00", "Mo 09:00-10:00", "Mon 09:00-10:60", "Mon 09:00-10:00,"] {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
        assert_eq!((offset("+08:00"), offset("-03:30")), (Ok(480), Ok(-210)));
        assert!(offset("8").is_err() && offset("+15:00").is_err() && offset("").is_err() && offset("é").is_err());
    }

    #[test]
    fn the_day_changes_at_local_midnight() {
        assert_eq!((day(MONDAY, 480), day(MONDAY, -60)), ("2026-11-23".into(), "2026-11-22".into()));
        assert_eq!(day(0, -60), "1970-01-01");
    }
}
