//! Files that people bring: problems told by line, texts compared.

use std::fmt;

use serde::Serialize;

/// Largest file that is read, bytes.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// Problems kept of one file; a file of another kind would have one in every line.
pub const MAX_PROBLEMS: usize = 50;

/// Whether a problem stops the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is taken.
    Error,
    /// Taken, but look at it.
    Warning,
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which file; empty if there is only one.
    pub file: String,
    /// Line, or row of a sheet, from 1; 0 for the whole file.
    pub line: u64,
    /// How bad.
    pub level: Level,
    /// What, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", 0) => {}
            ("", line) => write!(f, "line {line}: ")?,
            (file, 0) => write!(f, "{file}: ")?,
            (file, line) => write!(f, "{file}:{line}: ")?,
        }
        f.write_str(&self.message)
    }
}

/// Everything wrong with what was brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// How many more there were than [`MAX_PROBLEMS`].
    pub more: usize,
    errors: usize,
}

impl Report {
    /// Adds what stops the import.
    pub fn error(&mut self, file: &str, line: u64, message: impl Into<String>) {
        self.errors += 1;
        self.add(file, line, Level::Error, message.into());
    }

    /// Adds what should be looked at.
    pub fn warning(&mut self, file: &str, line: u64, message: impl Into<String>) {
        self.add(file, line, Level::Warning, message.into());
    }

    /// How many stop the import.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Adds all of another.
    pub fn append(&mut self, other: Self) {
        self.errors += other.errors;
        self.more += other.more;
        other.problems.into_iter().for_each(|p| self.add(&p.file, p.line, p.level, p.message));
    }

    fn add(&mut self, file: &str, line: u64, level: Level, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { file: file.to_owned(), line, level, message });
        } else {
            self.more += 1;
        }
    }
}

/// Whether a character is Chinese.
pub fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// A character that no text has: what decoding leaves of bytes that are something else, or what only machines send.
pub fn is_foreign(c: char) -> bool {
    let machine = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    let private = matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF);
    machine || private || c == '\u{FFFD}' || matches!(u32::from(c) & 0xFFFF, 0xFFFE | 0xFFFF)
}

/// What is wrong with a text that has such a character.
pub fn foreign_in(text: &str) -> Option<String> {
    let c = text.chars().find(|c| is_foreign(*c))?;
    let code = u32::from(c);
    let what = match c {
        '\u{FFFD}' => "stands for one that was lost in another encoding",
        c if c.is_control() => "is a control character",
        _ => "has no meaning of its own; it may come from another encoding",
    };
    Some(format!("the character U+{code:04X} {what}: write the text again without it"))
}

/// A text short enough for a message.
pub fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(30).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Where something else is, seen from a place in `file`.
pub fn elsewhere(file: &str, other: &str, line: u64) -> String {
    match (file == other, line) {
        (_, 0) => String::new(),
        (true, line) => format!(" in line {line}"),
        (false, line) => format!(" in {other}:{line}"),
    }
}

/// A text as it is compared: without outer blanks, inner ones single, small letters.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_no_characters_of_machines_or_lost_ones() {
        for wrong in ["a\0", "a\u{1b}[31m", "\u{e5d2}", "\u{fffd}", "\u{ffff}", "\u{85}", "a\u{b}b"] {
            assert!(foreign_in(wrong).is_some(), "{wrong:?}");
        }
        for right in ["a\tb\r\n", "👩‍👩‍👧", "𠮷", "é", "\u{feff}", "٣"] {
            assert_eq!(foreign_in(right), None, "{right:?}");
        }
    }

    #[test]
    fn a_report_is_bounded_and_counts_the_rest() {
        let mut report = Report::default();
        (1..=60).for_each(|n| report.error("a.csv", n, "no"));
        assert_eq!((report.problems.len(), report.more, report.errors()), (50, 10, 60));
        assert_eq!(report.problems[1].to_string(), "a.csv:2: no");
        let mut all = Report::default();
        all.error("b.csv", 7, "no");
        all.append(report);
        assert_eq!((all.problems.len(), all.more, all.errors()), (50, 11, 61));
    }
}
