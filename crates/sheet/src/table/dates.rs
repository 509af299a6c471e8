//! Dates, times of day and durations in a format of Excel.

use std::fmt::Write as _;

use super::format_code::{Language, Refusal, Token};

const DAY: f64 = 86_400.0;
/// The last day that Excel knows, of year 9999.
const MAX_DAY: i64 = 2_958_465;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The day of a serial number, if it is one: not of a time of day, and not Excel's 29 February 1900.
pub fn day_of(value: f64, is_1904: bool) -> Option<jiff::civil::Date> {
    let serial = value.floor() as i64 + if is_1904 { 1462 } else { 0 };
    if serial < 1 || serial == 60 || serial > MAX_DAY {
        return None;
    }
    // Excel counts a day that was none
    let days = if serial > 60 { serial - 1 } else { serial };
    jiff::civil::date(1899, 12, 31).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// A number as a date or time.
pub fn show(value: f64, tokens: &[Token], language: Language, is_1904: bool) -> Result<String, Refusal> {
    let elapsed = tokens.iter().any(|t| matches!(t, Token::Elapsed(..)));
    if value < 0.0 && !(elapsed && is_1904) {
        return Err("a negative date or time".into());
    }
    // `.0` behind the seconds
    let point = tokens.windows(2).position(|t| matches!(t, [Token::Point, Token::Digit('0')]));
    let places = point.map_or(0, |p| tokens[p + 1..].iter().take_while(|t| matches!(t, Token::Digit('0'))).count());
    if places > 3 {
        return Err("a part of a second".into());
    }
    let unit = 10_f64.powi(places as i32);
    // in the smallest part that is shown, to the nearest: what is stored is a little beside it
    let ticks = (value.abs() * DAY * unit).round();
    if ticks > DAY * unit * (MAX_DAY as f64 + 1.0) {
        return Err("a date after the year 9999".into());
    }
    let (ticks, per_second) = (ticks as i64, unit as i64);
    let seconds = ticks / per_second;
    let timed = tokens.iter().enumerate().any(|(n, t)| match t {
        Token::Date('h' | 's', _) | Token::Elapsed(..) => true,
        Token::Date('m', 1..=2) => is_minutes(tokens, n),
        _ => false,
    });
    // a day lasts until its last second where no time is shown
    let day = if timed { seconds / 86_400 } else { (value + 1e-9).floor() as i64 };
    let date = day_of(day as f64, is_1904);
    let noon = tokens.iter().any(|t| matches!(t, Token::Noon(..)));
    let hour = seconds / 3600 % 24;
    let mut out = String::new();
    if value < 0.0 && ticks > 0 {
        out.push('-');
    }
    for (n, token) in tokens.iter().enumerate() {
        let number = |count: usize, value: i64| format!("{value:0count$}");
        match token {
            Token::Text(text) => out.push_str(text),
            Token::Elapsed(kind, count) => {
                let per = if *kind == 'h' {
                    3600
                } else if *kind == 'm' {
                    60
                } else {
                    1
                };
                out.push_str(&number(*count, seconds / per));
            }
            Token::Noon(am, pm) => out.push_str(if hour < 12 { am } else { pm }),
            Token::Date('h', count) => {
                let shown = if noon { (hour + 11) % 12 + 1 } else { hour };
                out.push_str(&number((*count).min(2), shown));
            }
            Token::Date('s', count) => out.push_str(&number((*count).min(2), seconds % 60)),
            Token::Date('m', count @ 1..=2) if is_minutes(tokens, n) => {
                out.push_str(&number(*count, seconds / 60 % 60));
            }
            Token::Date(kind, count) => {
                let date = date.ok_or_else(|| "a date, but the cell holds only a time of day".to_owned())?;
                out.push_str(&part(date, *kind, *count, language)?);
            }
            Token::Point if Some(n) == point => {
                // writing to a string never fails
                let _ = write!(out, ".{:0places$}", ticks % per_second);
            }
            Token::Digit('0') if point.is_some_and(|p| (p..=p + places).contains(&n)) => {}
            Token::Point => out.push('.'),
            Token::Comma => out.push(','),
            Token::Slash => out.push('/'),
            _ => return Err("a format of a date and a number".into()),
        }
    }
    Ok(out)
}

/// Whether an `m` stands behind hours or before seconds.
fn is_minutes(tokens: &[Token], at: usize) -> bool {
    let unit = |t: &Token| match t {
        Token::Date(kind, _) | Token::Elapsed(kind, _) => Some(*kind),
        _ => None,
    };
    tokens[..at].iter().rev().find_map(unit) == Some('h') || tokens[at + 1..].iter().find_map(unit) == Some('s')
}

fn part(date: jiff::civil::Date, kind: char, count: usize, language: Language) -> Result<String, Refusal> {
    let weekday = date.weekday().to_monday_zero_offset() as usize;
    let chinese = ["一", "二", "三", "四", "五", "六", "日"][weekday];
    let english = matches!(language, Language::None | Language::English);
    let names = |list: &[&str], n: usize, chars: usize| list[n].chars().take(chars).collect::<String>();
    Ok(match (kind, count) {
        ('y', 1..=2) => format!("{:02}", date.year() % 100),
        ('y', _) => format!("{:04}", date.year()),
        ('m', 1..=2) => format!("{:0count$}", date.month()),
        ('d', 1..=2) => format!("{:0count$}", date.day()),
        ('m', _) if english => names(
            &MONTHS,
            date.month() as usize - 1,
            if count == 3 {
                3
            } else if count == 5 {
                1
            } else {
                9
            },
        ),
        ('d', _) if english => names(&DAYS, weekday, if count == 3 { 3 } else { 9 }),
        ('d', 3) if language == Language::Chinese => format!("周{chinese}"),
        ('d', _) if language == Language::Chinese => format!("星期{chinese}"),
        ('a', _) if language != Language::None && language != Language::Chinese => {
            return Err("days of the week in another language".into());
        }
        ('a', 3) => chinese.to_owned(),
        ('a', _) => format!("星期{chinese}"),
        _ => return Err("names of months or days in another language".into()),
    })
}
