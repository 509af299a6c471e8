//! Values of arguments that need more than a type: spans of time, names, origins.

use crate::org::acts;

/// Maximum number of characters of a display name.
const NAME: usize = 64;

/// `90s`, `15m`, `72h`, `30d` as milliseconds.
pub fn parse_span(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a time: write a number and s, m, h or d, such as 72h");
    let unit = text.chars().last().ok_or_else(bad)?;
    let size = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(bad()),
    };
    let n: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    match n.checked_mul(size) {
        Some(ms @ 1..=15_552_000_000) => Ok(ms),
        _ => Err(format!("{text} is out of range: at least 1s, at most 180d")),
    }
}

/// A name that people see.
pub fn display_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("a name must not be empty".into()),
        n if n > NAME => Err(format!("a name has at most {NAME} characters, this has {n}")),
        _ if name.chars().any(char::is_control) => Err("a name must not contain control characters".into()),
        _ => Ok(name.to_owned()),
    }
}

/// What browsers send as `Origin`: `scheme://host[:port]`.
pub fn origin(text: &str) -> Result<String, String> {
    acts::check_origin(text).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        assert_eq!(parse_span("72h"), Ok(259_200_000));
        assert_eq!(parse_span("30d"), Ok(2_592_000_000));
        for bad in ["", "h", "72", "-1h", "0s", "181d", "72 h", "7日", "99999999999999999999d"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_trimmed_and_clean() {
        assert_eq!(display_name(" 李娜 ").as_deref(), Ok("李娜"));
        for bad in ["", "  ", "a\u{1b}[31m", &"长".repeat(65)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }
}
