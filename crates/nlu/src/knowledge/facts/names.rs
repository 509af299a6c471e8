//! Names in Latin letters as far as they can be told: models such as iPhone 15 Pro, brands, abbreviations.

use super::lexicon::{self, Word};
use crate::text_file::is_cjk;

/// A name of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Its letters.
    pub base: String,
    /// The digits and letters behind them: `15`, `v2`; may be empty.
    pub number: String,
    /// What further tells models apart: pro, max, mini.
    pub suffix: Vec<String>,
    /// Where it stands, in bytes.
    pub from: usize,
    pub to: usize,
}

impl Name {
    /// Whether the two are the same thing.
    pub fn same(&self, other: &Self) -> bool {
        (&self.base, &self.number, &self.suffix) == (&other.base, &other.number, &other.suffix)
    }
}

const SUFFIXES: [&str; 15] =
    ["pro", "max", "plus", "mini", "ultra", "lite", "air", "se", "promax", "fe", "turbo", "note", "max+", "gt", "neo"];

/// A code of this length names an order, not a model.
const LONG: usize = 12;

/// The names in `text`, which is in compatibility form; `small` is the same in small letters (of ASCII, so places agree).
pub(super) fn names(text: &str, small: &str) -> Vec<Name> {
    let chinese = text.chars().any(is_cjk);
    let mut found: Vec<Name> = Vec::new();
    let mut at = 0;
    let mut begin = true;
    while at < small.len() {
        let Some(c) = small[at..].chars().next() else { break };
        if !c.is_ascii_alphabetic() {
            if !c.is_whitespace() {
                begin = ".?!。？！".contains(c) || begin && !c.is_alphanumeric();
            }
            // 15pro, 3m: not units, which the numbers take
            at += c.len_utf8();
            continue;
        }
        let end = run(small, at, |c| c.is_ascii_alphabetic());
        let word = &small[at..end];
        // version 4 is v4
        let version = ["version", "ver"].contains(&word);
        let joined = run(small, end, |c| c.is_ascii_alphanumeric());
        let spaced = small[end..]
            .starts_with([' ', '-'])
            .then(|| run(small, end + 1, |c| c.is_ascii_digit()))
            .filter(|to| *to > end + 1);
        let after_digit = small[..at].ends_with(|c: char| c.is_ascii_digit());
        let known = lexicon::at(small, at).filter(|(_, to)| *to == end).map(|(words, _)| words);
        let capital = text[at..end].bytes().skip(usize::from(begin)).any(|b| b.is_ascii_uppercase());
        let proper = known.is_none() && word.len() > 1 && (chinese || capital && text[at..end] != *"I");
        let thing = matches!(known, Some([Word::Member { .. }, ..]))
            && ["iphone", "ipad", "windows", "macbook", "ios", "android"].contains(&word);
        let single = known.is_none() && word.len() == 1 && chinese;
        let number_end = match spaced {
            _ if joined > end => Some((end, joined)),
            // a space before the number: only behind what is a name in any case
            Some(to)
                if !after_digit
                    && (proper || thing || single || version)
                    && (!small[to..].starts_with(|c: char| c.is_ascii_alphabetic())
                        || suffix_at(small, to).is_some()) =>
            {
                Some((end + 1, to))
            }
            _ => None,
        };
        let next = number_end.map_or(end, |(_, to)| to);
        begin = false;
        if after_digit || next - at > LONG {
            at = next;
            continue;
        }
        let base = if version { "v" } else { word };
        let mut name = Name { base: base.to_owned(), number: String::new(), suffix: Vec::new(), from: at, to: next };
        if let Some((from, to)) = number_end {
            name.number = small[from..to].into();
            split_suffix(&mut name);
            let mut to = to;
            while let Some((suffix, end)) = suffix_at(small, to) {
                name.suffix.push(suffix.to_owned());
                to = end;
            }
            name.to = to;
            at = to;
            found.push(name);
        } else {
            at = next;
            if proper {
                found.push(name);
            }
        }
    }
    found
}

/// 15pro is 15 with pro.
fn split_suffix(name: &mut Name) {
    if let Some(suffix) = SUFFIXES.iter().find(|s| name.number.len() > s.len() && name.number.ends_with(*s)) {
        let digits = name.number.len() - suffix.len();
        if name.number[..digits].bytes().all(|b| b.is_ascii_digit()) {
            name.number.truncate(digits);
            name.suffix.push((*suffix).to_owned());
        }
    }
}

fn suffix_at(small: &str, at: usize) -> Option<(&'static str, usize)> {
    let rest = &small[at..];
    let blank = rest.len() - rest.trim_start_matches(' ').len();
    let word_end = run(small, at + blank, |c| c.is_ascii_alphabetic());
    let suffix = SUFFIXES.iter().find(|s| **s == &small[at + blank..word_end])?;
    Some((suffix, word_end))
}

fn run(text: &str, from: usize, is: impl Fn(char) -> bool) -> usize {
    text[from..].find(|c| !is(c)).map_or(text.len(), |n| from + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let found = names(text, &text.to_ascii_lowercase());
        found.into_iter().map(|n| format!("{}|{}|{}", n.base, n.number, n.suffix.join("+"))).collect()
    }

    #[test]
    fn a_model_is_the_same_with_and_without_blanks() {
        for text in [
            "iPhone15 Pro Max怎么买",
            "iphone 15 pro max 怎么买",
            "买iPhone 15pro max",
            "Is the iPhone 15 Pro Max in stock?",
        ] {
            assert_eq!(read(text), ["iphone|15|pro+max"], "{text}");
        }
        assert_eq!(read("X20手机"), ["x|20|"]);
        assert_eq!(read("X 20 这款"), ["x|20|"]);
        assert_eq!(read("Does it work with Klarna and Stripe?"), ["klarna", "stripe"].map(|n| format!("{n}||")));
    }

    #[test]
    fn plain_words_and_amounts_are_no_names() {
        for text in [
            "How do I return within 15 days?",
            "Can I pay 20 dollars",
            "I want 5kg",
            "订单号AB20231123456789",
            "app里怎么退",
        ] {
            assert_eq!(read(text), [""; 0], "{text}");
        }
    }
}
