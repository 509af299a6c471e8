//! Finding by words: BM25 over pairs of Chinese characters and over words of other scripts.

use std::collections::HashMap;

use crate::{compat::compatible, text_file::is_cjk};

/// How fast more of the same word stops to count.
const K1: f32 = 1.2;
/// How much long phrases are discounted.
const B: f32 = 0.5;

/// Which phrases have which word, and how often.
#[derive(Debug, Default)]
pub struct Words {
    /// By hash of the word: number of the phrase, and how often (at most 255), packed in one number.
    places: HashMap<u64, Vec<u32>>,
    lengths: Vec<u16>,
    total: u64,
}

impl Words {
    /// Adds the next phrase. At most 2^24 are found.
    pub fn push(&mut self, phrase: &str) {
        let n = self.lengths.len() as u32;
        let mut words = words(phrase);
        self.lengths.push(u16::try_from(words.len()).unwrap_or(u16::MAX));
        self.total += words.len() as u64;
        if n >= 1 << 24 {
            return;
        }
        words.sort_unstable();
        for same in words.chunk_by(|a, b| a == b) {
            self.places.entry(same[0]).or_default().push(n << 8 | same.len().min(255) as u32);
        }
    }

    /// How much of what `text` says each phrase says, from 0 to about 1: its BM25 over that of a phrase that has all words
    /// of the text.
    pub fn cover(&self, text: &str, cover: &mut Vec<f32>) {
        cover.clear();
        cover.resize(self.lengths.len(), 0.0);
        let mut words = words(text);
        words.sort_unstable();
        words.dedup();
        let count = self.lengths.len() as f32;
        let mean = (self.total as f32 / count.max(1.0)).max(1.0);
        let mut most = 0.0;
        for word in words {
            let places = self.places.get(&word).map_or(&[][..], Vec::as_slice);
            let rarity = rarity(count, places.len());
            most += rarity;
            for place in places {
                let (n, times) = ((place >> 8) as usize, (place & 255) as f32);
                let length = 1.0 - B + B * f32::from(self.lengths[n]) / mean;
                cover[n] += rarity * times * (K1 + 1.0) / (times + K1 * length);
            }
        }
        if most > 0.0 {
            cover.iter_mut().for_each(|c| *c = (*c / most).min(1.0));
        }
    }

    /// The other way round: how much of what `phrase` says `text` says, by the rarity of its words; 0 to 1.
    pub fn covered(&self, phrase: &str, text: &str) -> f32 {
        let (mut of, mut said) = (words(phrase), words(text));
        for list in [&mut of, &mut said] {
            list.sort_unstable();
            list.dedup();
        }
        let (mut all, mut there) = (0.0, 0.0);
        for word in of {
            let rarity = rarity(self.lengths.len() as f32, self.places.get(&word).map_or(0, Vec::len));
            all += rarity;
            if said.binary_search(&word).is_ok() {
                there += rarity;
            }
        }
        if all > 0.0 { there / all } else { 0.0 }
    }
}

fn rarity(count: f32, places: usize) -> f32 {
    (1.0 + (count - places as f32 + 0.5) / (places as f32 + 0.5)).ln()
}

/// A text as it is compared for being the very same question: in compatibility form, small letters, without the marks between
/// and after sentences, and no blank beside a Chinese character. Marks that say something stay: 5.5, C++, 20%.
pub fn same(text: &str) -> String {
    let text = compatible(text);
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut gap = false;
    let mut chars = text.chars().flat_map(char::to_lowercase).peekable();
    while let Some(c) = chars.next() {
        let inner = ".,:-/".contains(c)
            && before.is_some_and(|b| b.is_ascii_digit() && !gap)
            && chars.peek().is_some_and(char::is_ascii_digit);
        if !(inner || c.is_alphanumeric() || "+%#&@$€¥£°<>=*".contains(c)) {
            gap = true;
            continue;
        }
        if gap && before.is_some_and(|b| !is_cjk(b)) && !is_cjk(c) {
            out.push(' ');
        }
        gap = false;
        out.push(c);
        before = Some(c);
    }
    out
}

/// Hashes of the words of a text: pairs of neighbouring Chinese characters, single ones if they stand alone, and words of
/// letters and digits.
fn words(text: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    let mut paired = false;
    let close = |word: &mut String, found: &mut Vec<u64>| {
        if !word.is_empty() {
            found.push(hash(word.as_bytes()));
            word.clear();
        }
    };
    for c in compatible(text).chars().flat_map(char::to_lowercase).chain([' ']) {
        if is_cjk(c) {
            close(&mut word, &mut found);
            if let Some(first) = before {
                let mut pair = [0; 8];
                let at = first.encode_utf8(&mut pair).len();
                let end = at + c.encode_utf8(&mut pair[at..]).len();
                found.push(hash(&pair[..end]));
            }
            paired = before.is_some();
            before = Some(c);
            continue;
        }
        if let Some(alone) = before.take().filter(|_| !paired) {
            found.push(hash(alone.encode_utf8(&mut [0; 4]).as_bytes()));
        }
        paired = false;
        if c.is_alphanumeric() { word.push(c) } else { close(&mut word, &mut found) }
    }
    found
}

/// FNV-1a: words are short, and nobody gains from a collision.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_falls_into_pairs_and_latin_into_words() {
        let h = |s: &str| hash(s.as_bytes());
        assert_eq!(words("退货iPhone 15, 好"), [h("退货"), h("iphone"), h("15"), h("好")]);
        assert_eq!(words("怎么退"), [h("怎么"), h("么退")]);
        assert!(words("！？ 🙂").is_empty());
    }

    #[test]
    fn the_same_question_is_the_same_whatever_its_marks() {
        for (a, b) in [
            ("怎么退货？", "怎么退货"),
            (" 请问，怎么 退货?! ", "请问怎么退货"),
            ("ＲＥＦＵＮＤ please…", "refund please"),
            ("“How do I return it?”", "how do i return it"),
            ("买 iPhone 15，分期", "买iphone 15分期"),
        ] {
            assert_eq!(same(a), same(b));
        }
        for (a, b) in [("5.5kg", "55kg"), ("C++", "C"), ("10-20", "1020"), ("20%", "20"), ("$5", "¥5"), ("a b", "ab")]
        {
            assert_ne!(same(a), same(b));
        }
        assert_eq!(same("？！"), "");
    }

    #[test]
    fn rare_words_count_more_than_common_ones() {
        let mut index = Words::default();
        ["怎么退货", "怎么付款", "怎么开发票", "怎么开户"].iter().for_each(|p| index.push(p));
        let mut cover = Vec::new();
        index.cover("怎么退货", &mut cover);
        assert!(cover[0] > 0.8 && cover[1] < 0.3, "{cover:?}");
        index.cover("…", &mut cover);
        assert_eq!(cover, [0.0; 4]);
        Words::default().cover("退货", &mut cover);
        assert!(cover.is_empty());
    }
}
