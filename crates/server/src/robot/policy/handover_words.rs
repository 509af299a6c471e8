//! Words that always hand over to a person, and texts that decline one.

use super::phrases;

/// The words of `handover_words`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HandoverWords(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// As it is compared.
    text: String,
    /// Only if it is the whole message.
    alone: bool,
}

/// Whether a message asks for a person or declines one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// It has this word.
    For(&'a str),
    /// It contains such words only negated: 不用转人工.
    Declined,
    /// The text does not mention a person.
    Nothing,
}

/// What may be between a negation and the word.
const BETWEEN: [&str; 12] = ["帮我", "给我", "再", "先", "帮", "给", " an", " a", " the", " to", " any", " for"];
/// Chinese for no. In A-not-A (要不要转人工) it asks.
const NO: [&str; 6] = ["不用", "不必", "不需要", "无需", "不要", "不想"];
/// The same in English, as [`phrases::plain`] leaves it. A bare "no" is no refusal: "is there no real person".
const NO_LATIN: [&str; 7] =
    ["no need", "don t need", "dont need", "do not need", "don t want", "dont want", "do not want"];
/// After what 别 forbids; elsewhere it is part of a word, such as 特别.
const BEFORE_DONT: [char; 6] = ['你', '您', '先', '请', '就', '都'];

impl HandoverWords {
    /// A word that begins with `=` must be the whole message. Words without a letter or digit are left out.
    pub fn new(words: &[String]) -> Self {
        let words = words.iter().map(|w| match w.strip_prefix('=') {
            Some(alone) => Word { text: phrases::plain(alone), alone: true },
            None => Word { text: phrases::plain(w), alone: false },
        });
        Self(words.filter(|w| !w.text.is_empty()).collect())
    }

    /// Classifies `text`. Asking wins over declining.
    pub fn asked(&self, text: &str) -> Asked<'_> {
        let whole = phrases::plain(text);
        let mut asked = Asked::Nothing;
        for word in &self.0 {
            if word.alone {
                if text.lines().any(|line| phrases::plain(line) == word.text) {
                    return Asked::For(&word.text);
                }
                continue;
            }
            for (at, _) in whole.match_indices(&word.text).filter(|(at, _)| stands_alone(&whole, *at, &word.text)) {
                // 要 may be the end of 不要 as well as the beginning of the word
                let wanting = if word.text.starts_with('要') { '要'.len_utf8() } else { 0 };
                if !declined(&whole[..at + wanting]) {
                    return Asked::For(&word.text);
                }
                asked = Asked::Declined;
            }
        }
        asked
    }
}

/// A word of letters must not be part of a longer one; Chinese has no such borders.
fn stands_alone(whole: &str, at: usize, word: &str) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let (before, after) = (whole[..at].chars().next_back(), whole[at + word.len()..].chars().next());
    !(latin(before) && latin(word.chars().next()) || latin(after) && latin(word.chars().next_back()))
}

/// Whether the text before a word negates it. A blank may have been a comma, so Chinese must follow without one.
fn declined(before: &str) -> bool {
    let mut rest =
        before.strip_suffix(' ').filter(|b| b.ends_with(|c: char| c.is_ascii_alphanumeric())).unwrap_or(before);
    while let Some(shorter) = BETWEEN.iter().find_map(|b| rest.strip_suffix(b)) {
        rest = shorter;
    }
    if NO_LATIN.iter().any(|no| rest.strip_suffix(no).is_some_and(|b| b.is_empty() || b.ends_with(' '))) {
        return true;
    }
    if let Some(before) = rest.strip_suffix('别') {
        return before.chars().next_back().is_none_or(|c| c == ' ' || BEFORE_DONT.contains(&c));
    }
    NO.iter().any(|no| rest.strip_suffix(no).is_some_and(|before| before.chars().next_back() != no.chars().nth(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Robot;

    #[test]
    fn who_says_no_to_a_person_gets_none_and_who_asks_gets_one() {
        let words = HandoverWords::new(&Robot::default().handover_words);
        for text in [
            "不用转人工，我自己弄好了",
            "先不要转人工",
            "不需要人工客服，谢谢",
            "别转人工",
            "不要人工",
            "你先别给我转人工",
            "不用再帮我转人工了",
            "no need for a human agent, thanks",
            "I don't need a real person",
            "I do not want to talk to a person",
        ] {
            assert_eq!(words.asked(text), Asked::Declined, "{text}");
        }
        for text in [
            "要不要转人工",
            "用不用转人工啊",
            "需不需要人工客服",
            "我要人工",
            "要不要人工",
            "我不要机器人，转人工",
            "我不要，转人工",
            "不用了\n转人工",
            "特别人工客服",
            "不用转人工？我就要转人工！",
            "不想跟你说，人工客服",
            "I don't want a bot, I want a human agent",
            "is there no real person here",
            "人工！",
        ] {
            assert!(matches!(words.asked(text), Asked::For(_)), "{text}");
        }
        for text in ["人工智能", "surreal personality", ""] {
            assert_eq!(words.asked(text), Asked::Nothing, "{text}");
        }
    }
}
