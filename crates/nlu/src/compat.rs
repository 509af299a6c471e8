//! One form for what looks different and is the same: wide letters and digits, ㎏, ①, ligatures (Unicode's NFKC).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The text in compatibility form. The twin in the pages is `String.prototype.normalize('NFKC')`.
pub fn compatible(text: &str) -> Cow<'_, str> {
    if text.chars().all(plain) { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}

/// The same for the language model, which has learned Chinese with its wide punctuation: that stays.
pub fn for_model(text: &str) -> Cow<'_, str> {
    let stays = |c: char| plain(c) || wide_punctuation(c);
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(wide_punctuation) {
        let end = part.chars().next_back().filter(|c| wide_punctuation(*c));
        let body = end.map_or(part, |c| &part[..part.len() - c.len_utf8()]);
        out.extend(body.nfkc());
        out.extend(end);
    }
    Cow::Owned(out)
}

/// Characters that are their own compatibility form whatever surrounds them: nearly all that customers write.
fn plain(c: char) -> bool {
    matches!(c, '\0'..='\u{7f}' | '\u{2010}' | '\u{2012}'..='\u{2016}' | '\u{2018}'..='\u{201f}'
        | '\u{3001}'..='\u{3029}' | '\u{4e00}'..='\u{9fff}')
}

/// ，？！：；︵ and their like.
fn wide_punctuation(c: char) -> bool {
    matches!(c, '\u{2026}' | '\u{fe10}'..='\u{fe19}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_become_narrow_and_chinese_stays() {
        assert_eq!(compatible("ＲＥＦＵＮＤ　please，５㎏？"), "REFUND please,5kg?");
        assert_eq!(for_model("ＲＥＦＵＮＤ　please，５㎏？好"), "REFUND please，5kg？好");
        for same in ["怎么退货", "How do I return it?", "“运费”——多少、怎么算。"] {
            assert!(matches!(compatible(same), Cow::Borrowed(_)), "{same}");
        }
        assert!(matches!(for_model("你好，怎么退货？"), Cow::Borrowed(_)));
        assert_eq!(compatible("cafe\u{301} ﬁ"), "café fi");
        assert_eq!(for_model(""), "");
    }

    #[test]
    fn what_counts_as_plain_is() {
        for c in (0..=0xffff_u32).filter_map(char::from_u32).filter(|c| plain(*c)) {
            assert_eq!(c.to_string().nfkc().collect::<String>(), c.to_string(), "{c:?}");
        }
    }
}
