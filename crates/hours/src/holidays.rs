//! Public holidays as data, with its source beside it.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Whose public holidays are days off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holidays {
    /// Nobody's.
    #[default]
    None,
    /// China's, with the working days that make up for them.
    Cn,
}

/// What a holiday calendar says of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// A day off.
    Off,
    /// A working day, though it may be a Saturday or Sunday.
    Work,
}

static CN: LazyLock<BTreeMap<Date, Day>> = LazyLock::new(|| {
    let lines = include_str!("holidays_cn.csv").lines().filter(|line| !line.starts_with('#'));
    let day = |line: &str| {
        let (date, what) = line.split_once(',')?;
        Some((date.parse().ok()?, if what == "work" { Day::Work } else { Day::Off }))
    };
    // a test reads each line
    lines.filter_map(day).collect()
});

impl Holidays {
    /// What this calendar says of a day; none: a usual one.
    pub fn on(self, date: Date) -> Option<Day> {
        match self {
            Self::None => None,
            Self::Cn => CN.get(&date).copied(),
        }
    }

    /// The last year that is known, if holidays differ from year to year.
    pub fn known_until(self) -> Option<i16> {
        match self {
            Self::None => None,
            Self::Cn => CN.keys().next_back().map(|date| date.year()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_read_and_makeup_days_are_weekends() {
        let lines = include_str!("holidays_cn.csv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(CN.len(), lines);
        for (date, day) in &*CN {
            let weekend = date.weekday().to_monday_zero_offset() >= 5;
            assert!(*day == Day::Off || weekend, "{date} makes up for a holiday, but is a usual working day");
        }
        assert_eq!(Holidays::Cn.known_until(), Some(2026));
    }
}
