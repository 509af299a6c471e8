//! The robot's own sentences in two languages, and in which one it answers.

use unicode_normalization::UnicodeNormalization as _;

use super::{Button, People};
use crate::config::Rule;

fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// Whether a text is Chinese: it has a Chinese character, or no letter of another script either.
pub fn is_zh(text: &str) -> bool {
    text.chars().any(is_han) || !text.chars().any(char::is_alphabetic)
}

/// Small words of another language that make a sentence; fewer are a name, a model, an "ok".
const SENTENCE: usize = 3;

/// Whether a conversation is Chinese after this text, if it was or was not before. An order number, the name of a model or an
/// "ok" says nothing about that.
pub fn speaks_zh(text: &str, before: Option<bool>) -> bool {
    let sentence = || {
        let small = |w: &&str| w.chars().count() > 1 && w.chars().all(|c| c.is_lowercase() || c == '\'' || c == '’');
        text.split(|c: char| c.is_whitespace() || ",.?!;:".contains(c)).filter(small).count() >= SENTENCE
    };
    match before {
        _ if text.chars().any(is_han) => true,
        Some(true) => !sentence(),
        Some(false) => false,
        None => is_zh(text),
    }
}

/// Longest text that may be a code, in characters.
const CODE: usize = 48;
/// Words without a digit in a code: iPhone 15 Pro Max.
const WORDS: usize = 4;

/// A number of an order, a telephone, a model and nothing else, as it was written. It is no question that was not understood.
pub(super) fn code(text: &str) -> Option<&str> {
    let text = text.trim();
    let digit = |w: &str| w.chars().any(|c| c.is_ascii_digit());
    let name =
        |w: &str| w.chars().any(char::is_uppercase) || ["pro", "max", "plus", "mini", "ultra", "no", "nr"].contains(&w);
    let whole: String = text.nfkc().collect();
    let words = || whole.split(|c: char| c.is_whitespace() || ":#/_.,".contains(c)).filter(|w| !w.is_empty());
    let fits = text.lines().count() == 1
        && whole.chars().count() <= CODE
        && !whole.chars().any(is_han)
        && !whole.contains(['?', '!'])
        && digit(&whole)
        && words().all(|w| digit(w) || w.chars().all(|c| !c.is_alphanumeric()) || name(w))
        && words().filter(|w| !digit(w)).count() <= WORDS;
    fits.then_some(text)
}

/// What is asked about a code.
pub(super) fn about_code(code: &str, zh: bool) -> String {
    if zh {
        format!("收到：{code}。请问您想了解什么？例如物流进度、退换货或开发票。")
    } else {
        format!("Got it: {code}. What would you like to know about it?")
    }
}

/// A text as words are looked for in it: wide letters as narrow ones, small letters, nothing but letters and digits, single
/// blanks.
pub(super) fn plain(text: &str) -> String {
    let plain: String = text.nfkc().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
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

/// A quick reply that sends its label.
pub(super) fn button(label: &str) -> Button {
    Button { label: label.to_owned(), send: label.to_owned() }
}

/// The quick reply that asks for a person.
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

/// Above questions of the knowledge.
pub(super) fn meant(zh: bool) -> &'static str {
    if zh { "您是想问下面的问题吗？" } else { "Do you mean one of these questions?" }
}

pub(super) fn which(zh: bool) -> &'static str {
    if zh { "请问您想咨询的是哪一项？" } else { "Which of these do you mean?" }
}

/// A day and a time as used in a sentence.
fn when((day, time): &(u32, String), zh: bool) -> String {
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    const EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let day = *day as usize % 7;
    if zh { format!("{} {time}", ZH[day]) } else { format!("{} at {time}", EN[day]) }
}

/// Text of a hand-over, depending on the presence of the team. `back`: when people answer again, if not now.
pub(super) fn handing_over(people: People, back: Option<(u32, String)>, zh: bool) -> String {
    match (people, back, zh) {
        (People::Here, _, true) => "正在为您转接人工客服，请稍候。".into(),
        (People::Here, _, false) => "I'm handing you over to a person. One moment, please.".into(),
        (People::Busy, _, true) => "人工客服都在忙，已为您排队。轮到您时，同事会在这里回复您。".into(),
        (People::Busy, _, false) => {
            "Everyone is busy right now, so you are in the queue. Somebody will answer here when it is your turn."
                .into()
        }
        (People::Away, Some(back), true) => {
            format!("人工客服现在不在线，{} 上班。请留言，同事看到后会回复您。", when(&back, true))
        }
        (People::Away, Some(back), false) => {
            let back = when(&back, false);
            format!("Nobody is here right now; people are back on {back}. Leave a message and they will answer.")
        }
        (People::Away, None, true) => {
            "现在没有人工客服在线。您的会话已转给人工，请留言，同事上线后会在这里回复您。".into()
        }
        (People::Away, None, false) => {
            "Nobody is here right now. People will find this conversation: leave a message and they will answer here."
                .into()
        }
    }
}

/// The choice of a visitor who asked for a person while nobody is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Leave it to people all the same.
    People,
    /// Continue with the robot.
    Robot,
}

/// The question before a hand-over while nobody is available.
pub(super) fn nobody_there(back: Option<(u32, String)>, zh: bool) -> String {
    match (back, zh) {
        (None, true) => "现在没有人工客服在线。您可以转人工留言，同事上线后回复您；也可以继续问我。".into(),
        (None, false) => {
            "Nobody is here right now. You can leave it to people, who answer when they are back, or go on with me."
                .into()
        }
        (Some(back), true) => {
            format!(
                "人工客服现在不在线，{} 上班。您可以转人工留言，同事上班后回复您；也可以继续问我。",
                when(&back, true)
            )
        }
        (Some(back), false) => {
            let back = when(&back, false);
            format!("Nobody is here right now; people are back on {back}. You can leave it to them, or go on with me.")
        }
    }
}

/// What precedes it if the robot gives up.
pub(super) fn sorry(zh: bool) -> &'static str {
    if zh { "抱歉，这个问题我还没有答案。" } else { "Sorry, I have no answer to that. " }
}

/// Quick replies of that question.
pub(super) fn choices(zh: bool) -> [Button; 2] {
    let people = if zh { "转人工留言" } else { "Leave it to people" };
    let robot = if zh { "继续问机器人" } else { "Go on with the robot" };
    [button(people), button(robot)]
}

/// Which of them a text is, in either language; words may be set so that they are no words for a person.
pub(super) fn choice(text: &str) -> Option<Choice> {
    let is = |n: usize| [true, false].into_iter().any(|zh| plain(&choices(zh)[n].send) == plain(text));
    if is(0) { Some(Choice::People) } else { is(1).then_some(Choice::Robot) }
}

/// Reply to a visitor who continues with the robot.
pub(super) fn go_on(zh: bool) -> &'static str {
    if zh { "好的，请说您的问题。" } else { "All right. What would you like to know?" }
}
