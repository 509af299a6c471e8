//! The robot's own sentences in two languages, and in which one it answers.

use crate::{bot::Button, config::Rule};

/// Whether a text is Chinese: it has a Chinese character, or no letter of another script either.
pub fn is_zh(text: &str) -> bool {
    let cjk = |c: char| matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF);
    text.chars().any(cjk) || !text.chars().any(char::is_alphabetic)
}

/// A text as words are looked for in it: small letters, nothing but letters and digits, single blanks.
pub(super) fn plain(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text of a rule; the other language if there is none in this one.
pub(super) fn of_rule(rule: &Rule, zh: bool) -> String {
    let (first, second) = if zh { (&rule.zh, &rule.en) } else { (&rule.en, &rule.zh) };
    if first.is_empty() { second.clone() } else { first.clone() }
}

/// The quick replies of a rule.
pub(super) fn buttons(rule: &Rule, zh: bool) -> Vec<Button> {
    let label = |l: &crate::config::Label| match (zh, l.zh.is_empty(), l.en.is_empty()) {
        (true, false, _) | (false, false, true) => l.zh.clone(),
        _ => l.en.clone(),
    };
    rule.buttons.iter().map(|l| button(&label(l))).collect()
}

/// A quick reply that sends what stands on it.
pub(super) fn button(label: &str) -> Button {
    Button { label: label.to_owned(), send: label.to_owned() }
}

/// The quick reply that brings a person.
pub(super) fn person(zh: bool) -> Button {
    button(if zh { "转人工" } else { "Talk to a person" })
}

pub(super) fn not_understood(zh: bool) -> &'static str {
    if zh {
        "抱歉，我没有理解您的问题。请换一种说法，或者转人工客服。"
    } else {
        "Sorry, I don't know the answer to that. Please put it another way, or talk to a person."
    }
}

pub(super) fn no_answer(zh: bool) -> &'static str {
    if zh {
        "抱歉，这个问题我还没有答案。您可以补充说明，或者转人工客服。"
    } else {
        "Sorry, I have no answer to that yet. Please tell me more, or talk to a person."
    }
}

pub(super) fn which(zh: bool) -> &'static str {
    if zh { "请问您想咨询的是哪一项？" } else { "Which of these do you mean?" }
}

/// What a hand-over says; `back` is when people are back, if they are away.
pub(super) fn handing_over(back: Option<(u32, String)>, zh: bool) -> String {
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    const EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    match (back, zh) {
        (None, true) => "正在为您转接人工客服，请稍候。".into(),
        (None, false) => "I'm handing you over to a person. One moment, please.".into(),
        (Some((day, time)), true) => {
            let day = ZH[day as usize % 7];
            format!("人工客服现在不在线，{day} {time} 上班。请留言，同事看到后会回复您。")
        }
        (Some((day, time)), false) => {
            let day = EN[day as usize % 7];
            format!(
                "Nobody is here right now; people are back on {day} at {time}. Leave a message and they will answer."
            )
        }
    }
}
