//! The code of a number format of Excel, such as `#,##0.00;[Red]-0.00`, as sections of tokens.

/// Why a value can't be shown.
pub type Refusal = String;

/// In which language a format names days and months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// Nothing is said: English names, as a Chinese Excel has them, too.
    #[default]
    None,
    /// English.
    English,
    /// Chinese as written on the mainland.
    Chinese,
    /// Another: no names.
    Other,
}

impl Language {
    /// Of `804`, `409`, `zh-CN`, `1010409`. `None` for other calendars and digits.
    pub fn of(code: &str) -> Option<Self> {
        if code.is_empty() {
            return Some(Self::None);
        }
        match code.split(['-', ',']).next() {
            Some("en") => return Some(Self::English),
            Some("zh") if code == "zh-cn" => return Some(Self::Chinese),
            _ => {}
        }
        let Ok(number) = u32::from_str_radix(code, 16) else {
            return code.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-').then_some(Self::Other);
        };
        // digits, calendar, language
        if (number >> 24) > 1 || (number >> 16) & 0xff > 1 {
            return None;
        }
        Some(match number & 0xffff {
            0 => Self::None,
            0x804 | 4 => Self::Chinese,
            n if n & 0x3ff == 9 => Self::English,
            _ => Self::Other,
        })
    }
}

/// One part of a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Shown as it is.
    Text(String),
    /// `0`, `#` or `?`.
    Digit(char),
    /// `.` among digits.
    Point,
    /// `,` among digits.
    Comma,
    /// `/` among digits or dates.
    Slash,
    /// `%`.
    Percent,
    /// `E+` or `E-`.
    Power(bool),
    /// `General`.
    General,
    /// `@`.
    Value,
    /// `y`, `m`, `d`, `h`, `s`, `a` so many times.
    Date(char, usize),
    /// `[h]`, `[m]`, `[s]` so many times.
    Elapsed(char, usize),
    /// `AM/PM`, `A/P`, `上午/下午`.
    Noon(&'static str, &'static str),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub tokens: Vec<Token>,
    /// `[>=100]`.
    pub condition: Option<(String, f64)>,
    pub language: Language,
    /// The system's long date or time, whatever the rest says.
    pub system: Option<&'static str>,
    /// It says something, if only a colour.
    pub used: bool,
}

pub(super) fn sections(code: &str) -> Result<Vec<Section>, Refusal> {
    let mut all = vec![Section::default()];
    let chars: Vec<char> = code.chars().collect();
    let mut at = 0;
    let starts = |at: usize, word: &str| {
        word.chars().enumerate().all(|(n, c)| chars.get(at + n).is_some_and(|d| d.eq_ignore_ascii_case(&c)))
    };
    while let Some(&c) = chars.get(at) {
        let last = all.len() - 1;
        let section = &mut all[last];
        section.used |= c != ';';
        let mut put = |token: Token| match (section.tokens.last_mut(), token) {
            (Some(Token::Text(before)), Token::Text(more)) => before.push_str(&more),
            (_, token) => section.tokens.push(token),
        };
        let run = chars[at..].iter().take_while(|d| d.eq_ignore_ascii_case(&c)).count();
        let mut step = 1;
        match c {
            ';' => all.push(Section::default()),
            '"' => {
                let end = chars[at + 1..].iter().position(|c| *c == '"').ok_or_else(|| refused(code))?;
                put(Token::Text(chars[at + 1..=at + end].iter().collect()));
                step = end + 2;
            }
            // as wide as the next character; the next character until the cell is full
            '_' | '*' => {
                if c == '_' {
                    put(Token::Text(" ".into()));
                }
                step = 2;
            }
            '\\' | '!' => {
                put(Token::Text(chars.get(at + 1).map(char::to_string).unwrap_or_default()));
                step = 2;
            }
            '[' => {
                let end = chars[at..].iter().position(|c| *c == ']').ok_or_else(|| refused(code))?;
                let inside: String = chars[at + 1..at + end].iter().collect();
                bracket(&inside, section)?;
                step = end + 1;
            }
            '0' | '#' | '?' => put(Token::Digit(c)),
            '.' => put(Token::Point),
            ',' => put(Token::Comma),
            '/' => put(Token::Slash),
            '%' => put(Token::Percent),
            '@' => put(Token::Value),
            'E' | 'e' if matches!(chars.get(at + 1), Some('+' | '-')) => {
                put(Token::Power(chars[at + 1] == '+'));
                step = 2;
            }
            // the year, as Chinese formats write it
            'e' | 'E' => {
                put(Token::Date('y', 4));
                step = run;
            }
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => {
                put(Token::Date(c.to_ascii_lowercase(), run));
                step = run;
            }
            'a' | 'A' if starts(at, "am/pm") => {
                put(Token::Noon("AM", "PM"));
                step = 5;
            }
            'a' | 'A' if starts(at, "a/p") => {
                put(if c == 'a' { Token::Noon("a", "p") } else { Token::Noon("A", "P") });
                step = 3;
            }
            'a' | 'A' if run >= 3 => {
                put(Token::Date('a', run));
                step = run;
            }
            'G' | 'g' if starts(at, "general") || starts(at, "g/通用格式") => {
                put(Token::General);
                step = if starts(at, "general") { 7 } else { 6 };
            }
            '上' if starts(at, "上午/下午") => {
                put(Token::Noon("上午", "下午"));
                step = 5;
            }
            c if c.is_ascii_alphabetic() => return Err(refused(code)),
            c => put(Token::Text(c.to_string())),
        }
        at += step;
    }
    Ok(all)
}

/// `[Red]`, `[>=100]`, `[$￥-804]`, `[h]`.
fn bracket(inside: &str, section: &mut Section) -> Result<(), Refusal> {
    let lower = inside.to_ascii_lowercase();
    let refusal = || refused(&format!("[{inside}]"));
    if let Some(rest) = inside.strip_prefix('$') {
        let (sign, language) = rest.rsplit_once('-').unwrap_or((rest, ""));
        match language.to_ascii_lowercase().as_str() {
            "f800" | "x-sysdate" => section.system = Some("yyyy-mm-dd"),
            "f400" | "x-systime" => section.system = Some("hh:mm:ss"),
            other => section.language = Language::of(other).ok_or_else(refusal)?,
        }
        if !sign.is_empty() {
            section.tokens.push(Token::Text(sign.to_owned()));
        }
        return Ok(());
    }
    if inside.starts_with(['<', '>', '=']) {
        let number = inside.trim_start_matches(['<', '>', '=']);
        let limit = number.trim().parse().map_err(|_| refusal())?;
        section.condition = Some((inside[..inside.len() - number.len()].to_owned(), limit));
        return Ok(());
    }
    if let Some(unit) = lower.chars().next().filter(|u| "hms".contains(*u) && lower.chars().all(|c| c == *u)) {
        section.tokens.push(Token::Elapsed(unit, lower.len()));
        return Ok(());
    }
    let colours = ["black", "blue", "cyan", "green", "magenta", "red", "white", "yellow"];
    let chinese = ["黑色", "蓝色", "蓝绿色", "绿色", "洋红色", "红色", "白色", "黄色"];
    let is_colour = colours.contains(&lower.as_str()) || chinese.contains(&inside) || lower.starts_with("color");
    if is_colour { Ok(()) } else { Err(refusal()) }
}

pub(super) fn refused(code: &str) -> Refusal {
    format!("the format {code:?}")
}
