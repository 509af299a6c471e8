//! The hours of a usual week, written `mon-fri 09:00-12:00,13:30-18:00; sat 10:00-16:00`.

use std::{fmt, str::FromStr};

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

use crate::{
    error::HoursError,
    span::{self, Span},
};

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The spans of each day, Monday first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week([Vec<Span>; 7]);

impl Week {
    pub(crate) fn on(&self, day: Weekday) -> &[Span] {
        // 0 to 6
        &self.0[day.to_monday_zero_offset() as usize]
    }

    pub(crate) fn monday(&self) -> &[Span] {
        &self.0[0]
    }

    pub(crate) fn check(&self) -> Result<(), HoursError> {
        self.0.iter().try_for_each(|spans| span::check(spans))
    }
}

fn day(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    NAMES.iter().position(|known| *known == name)
}

impl FromStr for Week {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let mut week = [const { None }; 7];
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let bad = || HoursError::Week(part.to_owned());
            let (days, hours) = part.split_once(char::is_whitespace).ok_or_else(bad)?;
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let (first, last) = (day(first).ok_or_else(bad)?, day(last).ok_or_else(bad)?);
            let spans = span::spans(hours)?;
            // sat-mon goes over the end of the week
            let count = (last + 7 - first) % 7 + 1;
            for n in (first..first + count).map(|n| n % 7) {
                if week[n].replace(spans.clone()).is_some() {
                    return Err(HoursError::Twice(NAMES[n]));
                }
            }
        }
        Ok(Self(week.map(Option::unwrap_or_default)))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut n = 0;
        let mut first = true;
        while n < 7 {
            let same = (n..7).take_while(|m| self.0[*m] == self.0[n]).count();
            if !self.0[n].is_empty() {
                let days = match same {
                    1 => NAMES[n].to_owned(),
                    _ => format!("{}-{}", NAMES[n], NAMES[n + same - 1]),
                };
                let spans: Vec<String> = self.0[n].iter().map(Span::to_string).collect();
                write!(f, "{}{days} {}", if first { "" } else { "; " }, spans.join(","))?;
                first = false;
            }
            n += same;
        }
        if first { f.write_str("never") } else { Ok(()) }
    }
}
