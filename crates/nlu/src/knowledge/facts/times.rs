//! Days, months and times of day beside a number: 3月5号, Mar 5, 9:30 pm, 下午3点半.

use super::numerals::{Number, chinese, figures};

pub(super) fn after_text(after: &str) -> String {
    after.chars().take(6).collect()
}

pub(super) fn day_after(after: &str) -> Option<(f64, usize)> {
    let number = figures(after).or_else(|| chinese(after))?;
    let rest = &after[number.length..];
    let mark = ["号", "日"].into_iter().find(|m| rest.starts_with(m))?;
    (number.value <= 31.0).then_some((number.value, number.length + mark.len()))
}

pub(super) fn month_before(before: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let word = before.trim_end().trim_end_matches('.');
    let letters = word.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
    let word = &word[word.len() - letters..];
    let long = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let n = MONTHS.iter().position(|m| *m == word).or_else(|| long.iter().position(|m| *m == word))?;
    u32::try_from(n + 1).ok()
}

/// Minutes since midnight, and how much of `after` says so.
pub(super) fn clock(number: &Number, before: &str, after: &str) -> Option<(f64, usize)> {
    if number.value > 24.0 || number.value.fract() != 0.0 {
        return None;
    }
    let (mut minutes, mut length) = (number.value * 60.0, 0);
    if let Some(rest) = after.strip_prefix(':') {
        let part = figures(rest).filter(|n| n.digits == 2 && n.value < 60.0)?;
        minutes += part.value;
        length = 1 + part.length;
    } else if let Some(rest) = after.strip_prefix('点') {
        if number.weak {
            return None;
        }
        length = '点'.len_utf8();
        if rest.starts_with('半') {
            minutes += 30.0;
            length += '半'.len_utf8();
        }
    }
    let rest = &after[length..];
    let blank = rest.len() - rest.trim_start().len();
    let mark = ["a.m.", "p.m.", "am", "pm", "o'clock"].into_iter().find(|m| rest[blank..].starts_with(m));
    if let Some(mark) = mark {
        length += blank + mark.len();
    }
    if length == 0 {
        return None;
    }
    let late = mark.is_some_and(|m| m.starts_with('p'))
        || ["下午", "晚上", "傍晚", "夜里"].iter().any(|w| before.ends_with(w));
    if late && minutes < 720.0 {
        minutes += 720.0;
    }
    Some((minutes, length))
}
