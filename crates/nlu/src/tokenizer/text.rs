//! What happens to a text before words are looked up: cleaning, spacing of Chinese characters, accents, case, splitting.
//! The order and the character classes are BertNormalizer's and BertPreTokenizer's.

use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::UnicodeNormalization;

/// The switches of BertNormalizer.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent, and named as in tokenizer.json")]
pub(super) struct Rules {
    /// Drop control characters, turn every kind of white space into a space.
    pub clean: bool,
    /// Every Chinese character is a word.
    pub space_chinese: bool,
    /// é becomes e.
    pub strip_accents: bool,
    pub lowercase: bool,
}

impl Rules {
    /// `text` ready for splitting, from its first [`super::MAX_CHARS`] characters.
    pub(super) fn normalise(self, text: &str) -> String {
        let mut spaced = String::with_capacity(text.len().min(super::MAX_CHARS) * 2);
        let mut decomposes = false;
        for c in text.chars().take(super::MAX_CHARS) {
            let c = match c {
                _ if !self.clean => c,
                '\0' | '\u{fffd}' => continue,
                '\t' | '\n' | '\r' => ' ',
                _ if is_control(c) => continue,
                _ if c.is_whitespace() => ' ',
                _ => c,
            };
            decomposes |= may_decompose(c);
            if self.space_chinese && is_chinese(c) {
                spaced.extend([' ', c, ' ']);
            } else {
                spaced.push(c);
            }
        }
        if self.strip_accents && decomposes {
            spaced = spaced.chars().nfd().map(|(c, _)| c).filter(|c| !c.is_mark_nonspacing()).collect();
        }
        if self.lowercase {
            spaced = spaced.chars().flat_map(char::to_lowercase).collect();
        }
        spaced
    }
}

/// Words and single punctuation marks, in order.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(char::is_whitespace).flat_map(|run| {
        let mut rest = run;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end =
                if is_punctuation(first) { first.len_utf8() } else { rest.find(is_punctuation).unwrap_or(rest.len()) };
            let (word, after) = rest.split_at(end);
            rest = after;
            Some(word)
        })
    })
}

/// False for characters that certainly neither decompose nor are accents: most of what customers write skips that step.
fn may_decompose(c: char) -> bool {
    !matches!(c, '\0'..='\u{bf}' | '\u{3000}'..='\u{3029}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

fn is_control(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{4e00}'..='\u{9fff}' => false,
        _ => c.is_other(),
    }
}

fn is_punctuation(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_punctuation(),
        '\u{4e00}'..='\u{9fff}' => false,
        _ => c.is_punctuation(),
    }
}

/// The CJK ideograph blocks BERT names. Kana and Hangul are not among them: they write words with spaces or runs.
fn is_chinese(c: char) -> bool {
    matches!(c as u32,
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B73F | 0x2_B740..=0x2_B81F
        | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}
