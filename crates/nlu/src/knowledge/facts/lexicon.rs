//! Words that say which question it is, from `lexicon.txt`: members of groups that exclude each other, synonyms, fillers.

use std::{collections::HashMap, sync::LazyLock};

use crate::text_file::is_cjk;

/// What a word of the lexicon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It says nothing.
    Filler,
    /// It only looks as if it had another in it.
    Other,
    /// One of several ways to say the same.
    Synonym(u16),
    /// A member of a group. The members of a strict group exclude each other; who names one of a narrow group wants an answer
    /// for that one.
    Member { group: u16, member: u16, strict: bool, narrow: bool },
}

/// Words by their first character, the longest first.
struct Lexicon {
    words: HashMap<char, Vec<(&'static str, Vec<Word>)>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(include_str!("lexicon.txt")));

impl Lexicon {
    fn read(text: &'static str) -> Self {
        let mut words: HashMap<char, Vec<(&'static str, Vec<Word>)>> = HashMap::new();
        let mut add = |name: &'static str, word: Word| {
            let Some(first) = name.chars().next() else { return };
            let list = words.entry(first).or_default();
            match list.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(word),
                None => list.push((name, vec![word])),
            }
        };
        let (mut group, mut member) = (0, 0);
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let names = |list: &'static str| list.split('|').map(str::trim).filter(|n| !n.is_empty());
            if let Some(list) = line.strip_prefix("- ") {
                names(list).for_each(|n| add(n, Word::Filler));
            } else if let Some(list) = line.strip_prefix(". ") {
                names(list).for_each(|n| add(n, Word::Other));
            } else if let Some(list) = line.strip_prefix("= ") {
                member += 1;
                names(list).for_each(|n| add(n, Word::Synonym(member)));
            } else if let Some((name, members)) = line.split_once(": ") {
                group += 1;
                let (strict, narrow) = (!name.starts_with('~'), name.starts_with('+'));
                for list in members.split(" / ") {
                    member += 1;
                    names(list).for_each(|n| add(n, Word::Member { group, member, strict, narrow }));
                }
            }
        }
        words.values_mut().for_each(|list| list.sort_by_key(|(name, _)| std::cmp::Reverse(name.len())));
        Self { words }
    }
}

/// The longest word of the lexicon that begins at byte `at`, and where it ends. Words of letters stand alone, but may have
/// an s behind them.
pub(super) fn at(text: &str, at: usize) -> Option<(&'static [Word], usize)> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    let inner = |c: char| c.is_alphanumeric() && !is_cjk(c);
    if inner(first) && text[..at].chars().next_back().is_some_and(inner) {
        return None;
    }
    LEXICON.words.get(&first)?.iter().find_map(|(name, words)| {
        let after = rest.strip_prefix(name)?;
        let latin = name.chars().next_back().is_some_and(inner);
        let border = |text: &str| !text.starts_with(inner);
        let fits = !latin || border(after) || after.strip_prefix('s').is_some_and(border) && name.len() > 2;
        let more = usize::from(latin && !border(after));
        fits.then_some((words.as_slice(), at + name.len() + more))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_counts_and_letters_stand_alone() {
        let (words, end) = at("挂失信用卡", 0).unwrap();
        assert_eq!(end, "挂失".len());
        assert!(matches!(words[0], Word::Member { strict: true, .. }));
        let (other, _) = at("解除挂失", 0).unwrap();
        assert!(
            matches!((words[0], other[0]), (Word::Member { group: a, member: x, .. }, Word::Member { group: b, member: y, .. }) if a == b && x != y)
        );
        assert!(at("category", 0).is_none() && at("my cat", 3).is_some() && at("my cats", 3).is_some());
        assert!(at("concat", 3).is_none());
        assert_eq!(at("前台", 0).unwrap().0, [Word::Other]);
        assert!(LEXICON.words.values().flatten().all(|(name, _)| *name == name.to_ascii_lowercase()));
    }
}
