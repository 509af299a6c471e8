//! What a text says in each encoding, and how likely somebody wrote that. Each encoding makes characters of almost any bytes; of
//! those that were meant, most are among the commonest of their language, of the others few are.

use std::{collections::BTreeSet, sync::OnceLock};

use super::{Encoding, has_cjk};
use crate::text_file::{is_cjk, is_foreign, shown};

/// A text is taken without asking if so much of it is as common as this …
const SURE: f32 = 0.6;
/// … and of the next likely encoding's less than so much of that …
const MARGIN: f32 = 0.6;
/// … and there are so many characters to judge by.
const ENOUGH: usize = 8;
/// Less likely ones are not even named.
const POSSIBLE: f32 = 0.25;
/// So many characters are judged: enough to be sure.
const JUDGED: usize = 20_000;

/// Common characters of texts in Chinese, as on the mainland; those of shops among them.
const SIMPLIFIED: &str = include_str!("simplified.txt");
/// The same in the writing of Taiwan and Hong Kong.
const TRADITIONAL: &str = include_str!("traditional.txt");
/// Common syllables of Korean.
const HANGUL: &str = "이다는에을의가고하지로도를은서한기있사나리자대어그시해아정으수인제보일부들면안주장스전여원만과라것상신조구우소게와동공중세거\
    비성위무당문연요등생오관경내마금화학드용회발명진국선실호방분물모단개트식할천반행영작품료배송환불결취교담니까습됩했합요네았었겠잘못받싶\
    을때말된될며려러르레터바두또더던든듯렇려련력령론료류률림립매면목못미번법변별복본봐불빠뿐새색설속손순쉽심악알야약양언얼업없엔역열예온올외\
    운울월유육으음응의임입잇잖재적절점접족좀좋죄준줄직질집차찰참창처첫청체초총추축출충치카크타택통특파판편평포표품피필함항향현형확후휴";

/// The text of a file in one encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which.
    pub encoding: Encoding,
    /// From 0 to 1.
    pub score: f32,
    /// Characters it was judged by.
    pub judged: usize,
    /// The first of them with their neighbours.
    pub sample: String,
    /// Where that is.
    pub line: u64,
}

/// Every encoding that makes a text of the bytes, the likeliest first.
pub fn candidates(bytes: &[u8]) -> Vec<Candidate> {
    let of = |encoding: Encoding| {
        let text = encoding.text(bytes)?;
        if text.chars().any(is_foreign) {
            return None;
        }
        let (score, judged) = score(encoding, &text);
        let line = 1 + text.split('\n').position(|l| !l.is_ascii())? as u64;
        Some(Candidate { encoding, score, judged, sample: sample(&text, line), line })
    };
    let east = [Encoding::Gbk, Encoding::Big5, Encoding::ShiftJis, Encoding::EucKr, Encoding::Windows1252];
    let mut found: Vec<Candidate> = east.into_iter().filter_map(of).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    // four bytes a character: only GB18030 has them
    if let Some(gbk) = found.iter_mut().find(|c| c.encoding == Encoding::Gbk)
        && Encoding::Gbk.text(bytes).is_some_and(|t| encoding_rs::GBK.encode(&t).2)
    {
        gbk.encoding = Encoding::Gb18030;
    }
    found
}

/// Whether the first is right beyond doubt. Windows-1252 never is: the bytes of its letters are other letters in Prague, Athens,
/// Moscow and Istanbul, and as plausible there.
pub fn sure(candidates: &[Candidate]) -> bool {
    let Some(best) = candidates.first() else { return false };
    let next = candidates.get(1).map_or(0.0, |c| c.score);
    best.encoding != Encoding::Windows1252 && best.judged >= ENOUGH && best.score >= SURE && next <= best.score * MARGIN
}

/// Whether `other` makes sense and the encoding that was asked for does not.
pub fn only_as(other: &Candidate, asked: Option<&Candidate>) -> bool {
    other.score >= SURE && !asked.is_some_and(possible)
}

/// Whether to offer it to somebody.
pub fn possible(candidate: &Candidate) -> bool {
    candidate.score >= POSSIBLE
}

/// A line, short enough for a message.
pub fn sample(text: &str, line: u64) -> String {
    shown(text.split('\n').nth(line as usize - 1).unwrap_or("").trim())
}

/// A text of UTF-16 without its mark.
pub fn utf16(bytes: &[u8]) -> Option<String> {
    let of = |encoding: Encoding| {
        let text = encoding.text(bytes)?;
        let mut judged = 0;
        let mut common = 0;
        for c in text.chars().take(JUDGED) {
            if is_foreign(c) {
                return None;
            }
            judged += 1;
            common += usize::from(
                c.is_ascii() || is_mark(c) || in_list(List::Simplified, c) || in_list(List::Traditional, c),
            );
        }
        (2 * common > judged && text.contains(['\n', '\r'])).then_some(text)
    };
    match (of(Encoding::Utf16Le), of(Encoding::Utf16Be)) {
        (Some(text), None) | (None, Some(text)) => Some(text),
        _ => None,
    }
}

/// What a line was before its UTF-8 was read as Windows-1252 or GBK and written again. The bytes of other texts are UTF-8 by a
/// chance that falls with each of them.
pub fn decoded_twice(line: &str) -> Option<String> {
    if line.is_ascii() {
        return None;
    }
    if line.contains("锟斤拷") {
        return Some("\u{2026}".into());
    }
    let count = line.chars().filter(|c| !c.is_ascii()).count();
    [(encoding_rs::WINDOWS_1252, 2, false), (encoding_rs::GBK, 6, true)].into_iter().find_map(|(codec, least, cjk)| {
        let (bytes, _, broken) = codec.encode(line);
        let was = (!broken && count >= least).then(|| std::str::from_utf8(&bytes).ok()).flatten()?;
        (!cjk || has_cjk(was)).then(|| shown(was.trim()))
    })
}

fn score(encoding: Encoding, text: &str) -> (f32, usize) {
    let (mut sum, mut judged, mut kana, mut letters) = (0.0_f32, 0_usize, 0_usize, 0_usize);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        if c.is_ascii() {
            letters += usize::from(c.is_ascii_alphabetic());
        } else {
            judged += 1;
            kana += usize::from(is_kana(c));
            // a Chinese character within a Latin word is the rest of a letter
            let torn = is_cjk(c) && before.is_ascii_alphabetic() && next.is_ascii_alphabetic();
            sum += if torn { 0.0 } else { likely(encoding, before, c, next) };
        }
        before = c;
        if judged == JUDGED {
            break;
        }
    }
    if judged == 0 {
        return (0.0, 0);
    }
    let share = |part: usize, whole: usize| part as f32 / whole.max(1) as f32;
    let whole = match encoding {
        // no text in Japanese has Chinese characters only
        Encoding::ShiftJis if share(kana, judged) < 0.15 => 0.3,
        // accents are on some letters, not on most
        Encoding::Windows1252 if share(judged, letters) > 0.5 => 0.3,
        _ => 1.0,
    };
    (whole * sum / judged as f32, judged)
}

/// How likely a character is in a language that uses an encoding, between two others.
fn likely(encoding: Encoding, before: char, c: char, next: char) -> f32 {
    match encoding {
        Encoding::Gbk | Encoding::Gb18030 => match c {
            c if is_mark(c) || in_list(List::Simplified, c) => 1.0,
            // level 1 of GB 2312: the 3,755 that are not rare
            c if is_cjk(c) => weight(encoding_rs::GBK, c, 0xB0..=0xD7, 0xA1),
            _ => 0.0,
        },
        Encoding::Big5 => match c {
            c if is_mark(c) || in_list(List::Traditional, c) => 1.0,
            c if is_cjk(c) => weight(encoding_rs::BIG5, c, 0xA4..=0xC6, 0x40),
            _ => 0.0,
        },
        Encoding::ShiftJis => match c {
            '\u{FF61}'..='\u{FF9F}' => 0.0,
            c if is_mark(c) || is_kana(c) => 1.0,
            c if is_cjk(c) => 3.0 * weight(encoding_rs::SHIFT_JIS, c, 0x88..=0x97, 0x40),
            _ => 0.0,
        },
        Encoding::EucKr => match c {
            c if is_mark(c) || in_list(List::Hangul, c) => 1.0,
            '가'..='힣' => 0.3,
            _ => 0.0,
        },
        _ => match c {
            '‘' | '’' | '“' | '”' | '–' | '—' | '…' | '€' | '«' | '»' | '°' => 0.8,
            'ä' | 'ö' | 'ü' | 'ß' | 'é' | 'è' | 'ê' | 'ë' | 'à' | 'â' | 'á' | 'ã' | 'å' | 'æ' | 'ç' | 'ñ' | 'í'
            | 'î' | 'ï' | 'ó' | 'ô' | 'õ' | 'ø' | 'ú' | 'û' | 'ù' | 'œ' | 'Ä' | 'Ö' | 'Ü' | 'É' | 'À' | 'Á' | 'Ç'
            | 'Ñ' | 'Å' | 'Ø'
                if before.is_ascii_alphabetic() || next.is_ascii_alphabetic() =>
            {
                1.0
            }
            _ => 0.0,
        },
    }
}

/// For a character that is not among the commonest: something if it is in the part of its encoding that is not rare.
fn weight(codec: &'static encoding_rs::Encoding, c: char, leads: std::ops::RangeInclusive<u8>, trail: u8) -> f32 {
    let mut buffer = [0; 4];
    let (bytes, _, _) = codec.encode(c.encode_utf8(&mut buffer));
    if matches!(*bytes, [lead, second] if leads.contains(&lead) && second >= trail) { 0.2 } else { 0.0 }
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30FF}')
}

/// Punctuation of Chinese, Japanese and Korean, and full-width letters and digits.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '“' | '”' | '‘' | '’' | '…' | '—' | '·' | '￥')
        || matches!(c, '\u{FF01}'..='\u{FF5E}')
}

/// The lists above.
#[derive(Clone, Copy)]
enum List {
    Simplified,
    Traditional,
    Hangul,
}

fn in_list(list: List, c: char) -> bool {
    static SETS: OnceLock<[BTreeSet<char>; 3]> = OnceLock::new();
    SETS.get_or_init(|| [SIMPLIFIED, TRADITIONAL, HANGUL].map(|l| l.chars().collect()))[list as usize].contains(&c)
}
