//! How a file's bytes become text. What is not UTF-8 is told apart by what it says in each encoding; where that is doubtful,
//! the person is asked, with what they would get. A text with characters that no person writes is refused, not imported.

mod plausible;

use super::text_file::{MAX_FILE, Report, foreign_in, is_cjk, shown};

/// How the text of a file is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or what the bytes are beyond doubt.
    #[default]
    Auto,
    /// UTF-8.
    Utf8,
    /// UTF-16, little end first, as Windows writes it.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// What Excel writes in China.
    Gbk,
    /// GBK with all other characters.
    Gb18030,
    /// What Excel writes in Taiwan and Hong Kong.
    Big5,
    /// What Excel writes in Japan.
    ShiftJis,
    /// What Excel writes in Korea.
    EucKr,
    /// What Excel writes in Western Europe.
    Windows1252,
}

impl Encoding {
    /// All that have a name.
    pub const NAMED: [Self; 9] = [
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Gbk,
        Self::Gb18030,
        Self::Big5,
        Self::ShiftJis,
        Self::EucKr,
        Self::Windows1252,
    ];

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Gbk => "gbk",
            Self::Gb18030 => "gb18030",
            Self::Big5 => "big5",
            Self::ShiftJis => "shift_jis",
            Self::EucKr => "euc-kr",
            Self::Windows1252 => "windows-1252",
        }
    }

    fn codec(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Auto | Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Gbk => encoding_rs::GBK,
            Self::Gb18030 => encoding_rs::GB18030,
            Self::Big5 => encoding_rs::BIG5,
            Self::ShiftJis => encoding_rs::SHIFT_JIS,
            Self::EucKr => encoding_rs::EUC_KR,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
        }
    }

    /// The text, if the bytes are one in this encoding.
    fn text(self, bytes: &[u8]) -> Option<String> {
        let (text, broken) = self.codec().decode_without_bom_handling(bytes);
        (!broken).then(|| text.into_owned())
    }
}

const CURE: &str = "save it as UTF-8 (Excel: \"CSV UTF-8\")";

/// The text of a file, without its byte order mark. `None` after an error in `report`.
pub fn decode(bytes: &[u8], encoding: Encoding, file: &str, report: &mut Report) -> Option<String> {
    if bytes.len() > MAX_FILE {
        report.error(file, 0, format!("the file is larger than {} MiB: split it", MAX_FILE >> 20));
        return None;
    }
    for (start, what) in
        [(&b"PK\x03\x04"[..], "a workbook (.xlsx) or archive"), (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel")]
    {
        if bytes.starts_with(start) {
            report.error(
                file,
                0,
                format!("the file is no text but {what}: save it as .xlsx and keep that ending in its name"),
            );
            return None;
        }
    }
    let text = match encoding_rs::Encoding::for_bom(bytes) {
        Some((codec, mark)) => {
            let (text, broken) = codec.decode_without_bom_handling(&bytes[mark..]);
            if broken {
                let name = codec.name();
                report.error(file, 0, format!("the mark at its start says {name}, but that is not what follows"));
                return None;
            }
            text.into_owned()
        }
        None if encoding == Encoding::Auto => told_apart(bytes, file, report)?,
        None => said(bytes, encoding, file, report)?,
    };
    sound(&text, file, report).then_some(text)
}

/// In the encoding that somebody named.
fn said(bytes: &[u8], encoding: Encoding, file: &str, report: &mut Report) -> Option<String> {
    let Some(text) = encoding.text(bytes) else {
        let line = if encoding == Encoding::Utf8 { first_broken(bytes) } else { 0 };
        let leave = "leave --encoding away to have it told apart";
        report.error(file, line, format!("the file is not {}; {leave}", encoding.name()));
        return None;
    };
    // a text that is another beyond doubt would be taken in as nonsense
    let candidates = plausible::candidates(bytes);
    let other =
        candidates.first().filter(|_| !matches!(encoding, Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be));
    let asked = candidates.iter().find(|c| same(c.encoding, encoding));
    if let Some(other) = other.filter(|o| !same(o.encoding, encoding))
        && (plausible::sure(&candidates) || plausible::only_as(other, asked))
    {
        let (name, theirs) = (encoding.name(), other.encoding.name());
        report.error(
            file,
            other.line,
            format!(
                "as {name} this reads {:?}, as {theirs} {:?}: add --encoding {theirs}, or {CURE}",
                plausible::sample(&text, other.line),
                other.sample
            ),
        );
        return None;
    }
    Some(text)
}

/// GBK is a part of GB18030.
fn same(a: Encoding, b: Encoding) -> bool {
    let wide = |e| if e == Encoding::Gbk { Encoding::Gb18030 } else { e };
    wide(a) == wide(b)
}

/// In the encoding that the bytes speak for.
fn told_apart(bytes: &[u8], file: &str, report: &mut Report) -> Option<String> {
    // UTF-16 of Latin letters is sound UTF-8, too, every other character a NUL
    if bytes.contains(&0)
        && let Some(text) = plausible::utf16(bytes)
    {
        return Some(text);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    let line = first_broken(bytes);
    let candidates = plausible::candidates(bytes);
    if let Some(best) = candidates.first()
        && plausible::sure(&candidates)
    {
        let name = best.encoding.name();
        let what = format!("this is not UTF-8 and was read as {name}: {:?}; --encoding says otherwise", best.sample);
        report.warning(file, line, what);
        return best.encoding.text(bytes);
    }
    let list: Vec<String> = candidates
        .iter()
        .filter(|c| plausible::possible(c))
        .map(|c| format!("--encoding {} reads {:?}", c.encoding.name(), c.sample))
        .collect();
    let what = if list.is_empty() {
        format!("this is not UTF-8, and makes no sense in the other encodings that --encoding knows: {CURE}")
    } else {
        format!("this is not UTF-8, and what it is can't be told for sure: {CURE}, or choose: {}", list.join("; "))
    };
    report.error(file, line, what);
    None
}

/// The line of the first byte that is not UTF-8.
fn first_broken(bytes: &[u8]) -> u64 {
    let sound = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    bytes[..sound].split(|b| *b == b'\n').count() as u64
}

/// Whether people wrote this; what they did not is in the report, by line.
fn sound(text: &str, file: &str, report: &mut Report) -> bool {
    let before = report.errors();
    for (line, n) in text.split('\n').zip(1..) {
        if let Some(wrong) = foreign_in(line) {
            report.error(file, n, wrong);
        } else if let Some(was) = plausible::decoded_twice(line) {
            let shown = shown(line.trim());
            report.error(
                file,
                n,
                format!("{shown:?} was {was:?} before a program read it in the wrong encoding: write it again"),
            );
        }
    }
    report.errors() == before
}

/// Whether a text has Chinese characters.
fn has_cjk(text: &str) -> bool {
    text.chars().any(is_cjk)
}

#[cfg(test)]
mod tests;
