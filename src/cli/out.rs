//! Printing: aligned tables that respect the width of Chinese, times for people, JSON.

use std::{
    io::{self, Write as _},
    sync::OnceLock,
};

use ratatui::text::Span;
use serde_json::Value;

use super::{error::CliError, io_error::io_reason};

/// Columns a terminal needs for `s`.
pub fn width(s: &str) -> usize {
    Span::raw(s).width()
}

/// `s` filled with spaces up to `columns`.
pub fn pad(s: &str, columns: usize) -> String {
    format!("{s}{}", " ".repeat(columns.saturating_sub(width(s))))
}

/// A table for people: a heading, then rows, two spaces between columns.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

impl Table {
    /// With these headings, and this sentence instead if no row comes.
    pub fn new(headings: &[&str], empty: &'static str) -> Self {
        Self { rows: vec![headings.iter().map(|h| (*h).to_uppercase()).collect()], empty }
    }

    /// Adds a row; empty cells show as `-`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|c| if c.is_empty() { "-".into() } else { printable(&c) }).collect());
    }

    /// The lines, without blanks at their ends.
    pub fn render(&self) -> String {
        if self.rows.len() == 1 {
            return self.empty.to_owned();
        }
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| self.rows.iter().filter_map(|r| r.get(i)).map(|c| width(c)).max().unwrap_or(0))
            .collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(c, w)| pad(c, *w)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Prints the table.
    pub fn print(&self) {
        line(self.render());
    }
}

/// Control characters of names that others chose must not reach the terminal.
pub fn printable(s: &str) -> String {
    s.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Pairs of a name and a value, aligned; for `show` commands.
pub fn facts(pairs: &[(&str, String)]) {
    let columns = pairs.iter().map(|(k, _)| width(k)).max().unwrap_or(0);
    for (key, value) in pairs {
        line(
            format!("{}  {}", pad(key, columns), if value.is_empty() { "-".into() } else { printable(value) })
                .trim_end(),
        );
    }
}

/// The first reason why something could not be printed.
static UNPRINTED: OnceLock<io::Error> = OnceLock::new();

/// One line on stdout. An error is kept for [`unprinted`]: the reported action has already happened.
pub fn line(text: impl AsRef<str>) {
    print(|stdout| writeln!(stdout, "{}", text.as_ref()));
}

/// Writes to stdout and remembers the first failure, as [`line`] does.
pub fn print(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
    let mut stdout = io::stdout().lock();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        // a reader that went away (`kefu … | head`) has seen what it wanted
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => _ = UNPRINTED.set(e),
        _ => {}
    }
}

/// Fails if something of this command's output is missing. What the command did is done.
pub fn printed() -> Result<(), CliError> {
    match UNPRINTED.get() {
        None => Ok(()),
        Some(e) => {
            Err(CliError::unprinted(format!("the output of this command could not be written: {}", io_reason(e)))
                .hint("the command has done its work; free space for its output, and ask again"))
        }
    }
}

/// One JSON value on stdout.
pub fn print_json(value: &Value) {
    line(format!("{value:#}"));
}

/// Now, milliseconds since 1970.
pub fn now_ms() -> u64 {
    crate::clock::now_ms()
}

/// `12 ms`, `3 s`, `4 min`, `5 h`, `6 days`: the largest unit that fits, rounded.
pub fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str, &str); 4] =
        [(86_400_000, "day", "days"), (3_600_000, "h", "h"), (60_000, "min", "min"), (1_000, "s", "s")];
    match UNITS.iter().find(|(size, ..)| ms >= *size) {
        Some((size, one, many)) => {
            let n = (ms + size / 2) / size;
            format!("{n} {}", if n == 1 { one } else { many })
        }
        None => format!("{ms} ms"),
    }
}

/// `3 min ago`, `in 5 days`, `now`.
pub fn relative(at_ms: u64, now_ms: u64) -> String {
    match at_ms.abs_diff(now_ms) {
        0..1_000 => "now".into(),
        apart if at_ms < now_ms => format!("{} ago", duration(apart)),
        apart => format!("in {}", duration(apart)),
    }
}

/// `2026-11-23 05:57 UTC`.
pub fn date(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| format!("{ms} ms"), |t| t.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// `512 B`, `1.5 KiB`, `3.2 GiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// The nearest of `known` to a mistyped `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(distance, k)| *distance <= 1.max(k.len().min(word.len()) / 3))
        .min()
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_latin_columns_line_up() {
        let mut t = Table::new(&["id", "name", "team"], "nobody");
        t.row(["li".into(), "李娜".into(), "svc".into()]);
        t.row(["wang".into(), "Wang".into(), String::new()]);
        assert_eq!(t.render(), "ID    NAME  TEAM\nli    李娜  svc\nwang  Wang  -");
        assert_eq!(Table::new(&["id"], "nobody").render(), "nobody");
    }

    #[test]
    fn escape_sequences_in_names_are_harmless() {
        let mut t = Table::new(&["name"], "");
        t.row(["\x1b[31mred".into()]);
        assert!(!t.render().contains('\x1b'));
    }

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(80_000), "1 min");
        assert_eq!(duration(3 * 86_400_000 - 5), "3 days");
        assert_eq!(duration(86_400_000), "1 day");
        assert_eq!(relative(1_000, 61_000), "1 min ago");
        assert_eq!(relative(61_000, 61_500), "now");
        assert_eq!(relative(10_801_000, 0), "in 3 h");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("slaes", ["sales", "support"]), Some("sales"));
        assert_eq!(nearest("scv", ["svc", "sales"]), Some("svc"));
        assert_eq!(nearest("zzz", ["sales", "support"]), None);
    }
}
