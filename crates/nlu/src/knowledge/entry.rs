//! One piece of knowledge.

use serde::{Deserialize, Serialize};

use crate::text_file::foreign_in;

/// Most bytes of an id.
pub const MAX_ID: usize = 64;
/// Most characters of a question.
pub const MAX_QUESTION: usize = 500;
/// Most characters of an answer.
pub const MAX_ANSWER: usize = 8_000;
/// Most similar phrasings of one question.
pub const MAX_SIMILAR: usize = 200;

/// A question with its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name, unique in the book.
    #[serde(default)]
    pub id: String,
    /// As people ask it.
    pub question: String,
    /// Other ways to ask it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<String>,
    /// Markdown.
    pub answer: String,
    /// The one site it is for; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// First day it holds, `2026-01-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Language of the answer, `zh` or `en`; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

impl Entry {
    /// The question and the other ways to ask it.
    pub fn phrases(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.question.as_str()).chain(self.similar.iter().map(String::as_str))
    }

    /// Whether it holds on a day (`2026-01-31`) for a site. Days in this form are in the order of their letters.
    pub fn holds(&self, site: &str, day: &str) -> bool {
        self.site.as_deref().is_none_or(|s| s == site)
            && self.from.as_deref().is_none_or(|from| from <= day)
            && self.until.as_deref().is_none_or(|until| day <= until)
    }

    /// Cleans the texts, and says everything that is wrong with them.
    pub fn settle(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.id = self.id.trim().to_owned();
        self.question = unix_lines(&self.question).trim().into();
        self.answer = trimmed_lines(&unix_lines(&self.answer)).into();
        // as they are separated in files
        let similar = self.similar.iter().flat_map(|s| s.split(['\n', '\r', '|', '｜']).map(|s| s.trim().to_owned()));
        self.similar = similar.filter(|s| !s.is_empty()).collect();
        for field in [&mut self.site, &mut self.from, &mut self.until, &mut self.lang] {
            *field = field.take().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
        }
        let texts = self.phrases().chain([self.answer.as_str(), self.site.as_deref().unwrap_or("")]);
        wrong.extend(texts.filter_map(foreign_in).take(1));
        if self.question.is_empty() {
            wrong.push("the question is empty".into());
        }
        if self.answer.is_empty() {
            wrong.push("the answer is empty".into());
        }
        if self.phrases().any(|p| p.chars().count() > MAX_QUESTION) {
            wrong.push(format!("a question has more than {MAX_QUESTION} characters"));
        }
        if self.answer.chars().count() > MAX_ANSWER {
            wrong.push(format!("the answer has more than {MAX_ANSWER} characters"));
        }
        if self.similar.len() > MAX_SIMILAR {
            wrong.push(format!("there are more than {MAX_SIMILAR} similar phrasings"));
        }
        if self.id.len() > MAX_ID || self.id.chars().any(|c| !(c.is_alphanumeric() || "_-.".contains(c))) {
            wrong.push(format!(
                "the id {:?} is not made of letters, digits, '_', '-' and '.', at most {MAX_ID}",
                self.id
            ));
        }
        if self.lang.as_deref().is_some_and(|l| !["zh", "en"].contains(&l)) {
            wrong.push("lang must be zh or en".into());
        }
        for (name, day) in [("from", &mut self.from), ("until", &mut self.until)] {
            if let Some(text) = day {
                match read_day(text) {
                    Some(read) => *text = read,
                    None => wrong.push(format!("{name} is {text:?}, not a day such as 2026-01-31")),
                }
            }
        }
        if let (Some(from), Some(until)) = (&self.from, &self.until)
            && from > until
        {
            wrong.push(format!("it ends ({until}) before it begins ({from})"));
        }
        wrong
    }
}

/// With the line ends of Unix.
fn unix_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Without empty lines around it and blanks at its end; the first line keeps its indentation, which may be code.
fn trimmed_lines(text: &str) -> &str {
    let text = text.trim_end();
    let begins = text.len() - text.trim_start().len();
    text[..begins].rfind('\n').map_or(text, |n| &text[n + 1..])
}

/// `2026-1-31`, `2026/01/31`, `2026.1.31` or `2026年1月31日` as `2026-01-31`, if there is such a day. A time behind it must be
/// midnight: a day has no other.
fn read_day(text: &str) -> Option<String> {
    let (text, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    if !time.trim_end_matches('Z').chars().all(|c| matches!(c, '0' | ':' | '.')) {
        return None;
    }
    let text = text.strip_suffix('日').unwrap_or(text);
    let mut parts = text.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let sound = parts.next().is_none() && (1970..=9999).contains(&year);
    let date = jiff::civil::Date::new(year, month, day).ok().filter(|_| sound)?;
    Some(date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry { question: " 怎么退货 ".into(), answer: "七天内".into(), ..Entry::default() }
    }

    #[test]
    fn an_entry_holds_from_its_first_day_to_its_last_on_its_site() {
        let mut e = Entry {
            from: Some("2026/1/5".into()),
            until: Some("2026-02-01".into()),
            site: Some("web".into()),
            ..entry()
        };
        assert_eq!(e.settle(), [""; 0]);
        assert_eq!((e.question.as_str(), e.from.as_deref()), ("怎么退货", Some("2026-01-05")));
        for (site, day, holds) in [
            ("web", "2026-01-05", true),
            ("web", "2026-02-01", true),
            ("web", "2026-01-04", false),
            ("web", "2026-02-02", false),
            ("app", "2026-01-10", false),
        ] {
            assert_eq!(e.holds(site, day), holds, "{site} {day}");
        }
    }

    #[test]
    fn a_day_has_no_time_but_midnight() {
        for (text, day) in [
            ("2026-12-31", Some("2026-12-31")),
            ("2026年1月5日", Some("2026-01-05")),
            ("2026-12-31 00:00:00", Some("2026-12-31")),
            ("2026-12-31T00:00:00.000Z", Some("2026-12-31")),
            ("2026-12-31 18:30", None),
            ("31/12/2026", None),
        ] {
            assert_eq!(read_day(text).as_deref(), day, "{text}");
        }
    }

    #[test]
    fn the_first_line_of_an_answer_keeps_its_indentation() {
        let mut e = Entry { answer: " \r\n    if a {\r\n    }\r\n\r\n".into(), ..entry() };
        assert_eq!((e.settle().len(), e.answer.as_str()), (0, "    if a {\n    }"));
    }

    #[test]
    fn characters_that_nobody_writes_are_refused() {
        for wrong in ["退\0货", "\u{e000}", "退\u{fffd}"] {
            let mut e = Entry { question: wrong.into(), ..entry() };
            assert!(e.settle()[0].starts_with("the character U+"), "{wrong:?}");
            let mut e = Entry { similar: vec![wrong.into()], ..entry() };
            assert_eq!(e.settle().len(), 1);
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut e = Entry {
            id: "a b".into(),
            from: Some("2026-02-30".into()),
            lang: Some("fr".into()),
            similar: vec!["长".repeat(501)],
            ..Entry::default()
        };
        assert_eq!(e.settle().len(), 6);
        let mut e = Entry { from: Some("2026-03-01".into()), until: Some("2026-02-01".into()), ..entry() };
        assert!(e.settle()[0].contains("before it begins"));
    }
}
