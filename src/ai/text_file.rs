//! Files that people bring: encodings told apart, problems told by line.

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

    fn add(&mut self, file: &str, line: u64, level: Level, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { file: file.to_owned(), line, level, message });
        } else {
            self.more += 1;
        }
    }
}

/// How a file's bytes become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or UTF-16 if its mark says so. Anything else is an error.
    #[default]
    Utf8,
    /// What Excel writes in China.
    Gbk,
}

/// The text of a file, without its byte order mark. `None` after an error in `report`.
pub fn decode(bytes: &[u8], encoding: Encoding, file: &str, report: &mut Report) -> Option<String> {
    if bytes.len() > MAX_FILE {
        report.error(file, 0, format!("the file is larger than {} MiB: split it", MAX_FILE >> 20));
        return None;
    }
    if let Some((codec, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, broken) = codec.decode_without_bom_handling(&bytes[mark..]);
        if broken {
            report.error(file, 0, format!("the mark at its start says {}, but that is not what follows", codec.name()));
            return None;
        }
        return Some(text.into_owned());
    }
    if encoding == Encoding::Gbk {
        let (text, broken) = encoding_rs::GBK.decode_without_bom_handling(bytes);
        if broken {
            report.error(file, 0, "the file is not GBK; leave --encoding away if it is UTF-8");
            return None;
        }
        return Some(text.into_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(e) => {
            let before = &bytes[..e.valid_up_to()];
            let line = 1 + before.iter().filter(|b| **b == b'\n').count() as u64;
            let (text, broken) = encoding_rs::GBK.decode_without_bom_handling(bytes);
            let cure = "save it as UTF-8 (Excel: \"CSV UTF-8\")";
            report.error(
                file,
                line,
                match broken {
                    false if text.chars().any(is_cjk) => {
                        format!("this is not UTF-8 but looks like GBK: {cure}, or add --encoding gbk")
                    }
                    _ => format!("this is not UTF-8: {cure}"),
                },
            );
            None
        }
    }
}

/// Whether a character is Chinese.
pub fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// A text as it is compared: without outer blanks, inner ones single, small letters.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: Encoding) -> Result<String, String> {
        let mut report = Report::default();
        decode(bytes, encoding, "", &mut report).ok_or_else(|| report.problems[0].to_string())
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf8 = |bytes: &[u8]| read(bytes, Encoding::Utf8);
        assert_eq!(utf8("退货".as_bytes()).unwrap(), "退货");
        assert_eq!(utf8("\u{feff}退货".as_bytes()).unwrap(), "退货");
        assert_eq!(utf8(&[0xff, 0xfe, 0x00, 0x90]).unwrap(), "退");
        let (gbk, _, _) = encoding_rs::GBK.encode("text,intent\n我要退货,return\n");
        let message = utf8(&gbk).unwrap_err();
        assert!(message.starts_with("line 2: ") && message.contains("GBK") && message.contains("UTF-8"), "{message}");
        assert_eq!(read(&gbk, Encoding::Gbk).unwrap(), "text,intent\n我要退货,return\n");
        assert!(!utf8(&[b'a', 0xff]).unwrap_err().contains("GBK"));
        assert!(read(&[0xff], Encoding::Gbk).is_err());
        assert!(utf8(&[0xff, 0xfe, 0x00]).is_err());
    }

    #[test]
    fn a_report_is_bounded_and_counts_the_rest() {
        let mut report = Report::default();
        (1..=60).for_each(|n| report.error("a.csv", n, "no"));
        assert_eq!((report.problems.len(), report.more, report.errors()), (50, 10, 60));
        assert_eq!(report.problems[1].to_string(), "a.csv:2: no");
    }
}
