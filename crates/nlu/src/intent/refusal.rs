//! What a text says no to: 我不想退款，我想换货 refuses a refund and wants an exchange. A sentence vector hardly hears the no.

/// The parts of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is refused, without the no: 退款.
    pub act: String,
    /// The text without it: 我想换货. Empty if there is nothing else.
    pub rest: String,
}

/// A no to a wish; 不能 and "can't" are none.
const ZH: [&str; 11] =
    ["不想要求", "不想", "不要", "不用", "不需要", "无需", "不必", "不打算", "没打算", "没说要", "不是要"];
const EN: [&str; 14] = [
    "don't want",
    "do not want",
    "dont want",
    "don't need",
    "do not need",
    "dont need",
    "no need for",
    "no need to",
    "not asking for",
    "not asking to",
    "didn't ask for",
    "did not ask for",
    "no longer want",
    "never asked for",
];
/// Small words between the no and the act.
const BETWEEN: [&str; 14] =
    ["再", "给我", "帮我", "申请", "办理", "去", "you to ", "to ", "a ", "an ", "any ", "the ", "my ", "it to be "];
/// Where another matter begins.
const ENDS: [&str; 13] =
    ["可以", "能不能", "只想", "我想", "我要", "而是", "但", "怎么", " but ", " just ", " instead", " and ", " i "];

/// The first act of a text that is refused. In A-not-A (要不要退款) and in a question (不用退款吗) nothing is.
pub fn refused(text: &str) -> Option<Refused> {
    let small = text.to_ascii_lowercase().replace('’', "'");
    let zh = ZH.iter().flat_map(|no| small.match_indices(no).map(|(at, no)| (at, at + no.len(), true)));
    let en = EN.iter().flat_map(|no| small.match_indices(no).map(|(at, no)| (at, at + no.len(), false)));
    let (from, after, chinese) = zh.chain(en).min_by_key(|(at, end, _)| (*at, std::cmp::Reverse(*end)))?;
    let before = small[..from].chars().next_back();
    // 要不要, 用不用, 想不想
    if chinese && before.is_some_and(|b| small[from..after].chars().nth(1) == Some(b)) {
        return None;
    }
    let rest = &small[after..];
    let mut act = rest.trim_start();
    while let Some(shorter) = BETWEEN.iter().find_map(|b| act.strip_prefix(b)) {
        act = shorter.trim_start();
    }
    let start = small.len() - act.len();
    let mark = |c: char| ",.;:!?\n，。；：！？、~…".contains(c);
    let clause = act.find(mark).unwrap_or(act.len());
    let end = ENDS.iter().filter_map(|e| act[..clause].find(e).filter(|n| *n > 0)).min().unwrap_or(clause);
    let asks = act[..clause].trim_end().ends_with(['吗', '么']) || act[clause..].starts_with(['?', '？']);
    let said = act[..end].trim().trim_end_matches(['了', '啊', '呀', '哦']);
    if asks || said.is_empty() {
        return None;
    }
    // the clause with the no goes: what stands before it in the same clause is who refuses
    let begin = small[..from].rfind(mark).map_or(0, |n| n + small[n..].chars().next().map_or(1, char::len_utf8));
    let edge = |c: char| mark(c) || c.is_whitespace();
    let parts = [&small[..begin], &small[start + end..]].map(|part| part.trim_matches(edge));
    let rest =
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(if chinese { "，" } else { ", " });
    Some(Refused { act: said.to_owned(), rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_told_from_what_is_wanted() {
        for (text, act, rest) in [
            ("我不想退款", "退款", ""),
            ("我不想退款，我想换货", "退款", "我想换货"),
            ("你好，我不要退货，怎么换尺码？", "退货", "你好，怎么换尺码"),
            ("I don't want a refund", "refund", ""),
            ("I don’t want a refund, I want to exchange it", "refund", "i want to exchange it"),
            ("不用给我开发票了", "开发票", ""),
            ("不想退款可以换货吗", "退款", "可以换货吗"),
        ] {
            // the last asks, so it refuses nothing
            let want = (!text.ends_with('吗')).then(|| Refused { act: act.into(), rest: rest.into() });
            assert_eq!(refused(text), want, "{text}");
        }
        for text in ["不要﷽不想é", "不想𠀀，don't want ’", "I don’t want…", "不用  a the "] {
            // any text is read
            let _ = refused(text);
        }
        for text in
            ["要不要退款", "用不用退货", "不用退款吗", "怎么退款", "can't I get a refund", "不要", "", "不能退货"]
        {
            assert_eq!(refused(text), None, "{text}");
        }
    }
}
