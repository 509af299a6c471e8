//! One piece of knowledge.

use serde::{Deserialize, Serialize};

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
        self.question = self.question.trim().to_owned();
        self.answer = self.answer.trim().to_owned();
        self.similar.iter_mut().for_each(|s| *s = s.trim().to_owned());
        self.similar.retain(|s| !s.is_empty());
        for field in [&mut self.site, &mut self.from, &mut self.until, &mut self.lang] {
            *field = field.take().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
        }
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

/// `2026-1-31`, `2026/01/31` or `2026.1.31` as `2026-01-31`, if there is such a day.
fn read_day(text: &str) -> Option<String> {
    let text = text.split(['T', ' ']).next()?;
    let mut parts = text.split(['-', '/', '.']);
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
