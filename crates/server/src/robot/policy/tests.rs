//! What a company may rely on.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::Robot;

/// Monday, 23 November 2026, 02:00 UTC: ten in the morning in China.
const NOW: u64 = 1_795_399_200_000;

fn policy(toml: &str) -> Policy {
    let titles = [("refund", "退款", "Refund"), ("return", "退货", "Return")];
    let titles = titles.map(|(n, zh, en)| (n.to_owned(), Title { zh: zh.into(), en: en.into() }));
    Policy::new(&toml::from_str::<Robot>(toml).unwrap()).unwrap().with_titles(titles.into())
}

fn recognition(intents: &[(&str, f32)], hits: &[(&str, f32)]) -> Recognition {
    let hit = |(q, score): &(&str, f32)| KnowledgeMatch {
        entry: format!("id-{q}"),
        question: (*q).into(),
        answer: format!("answer to {q}"),
        score: *score,
        against: None,
    };
    Recognition {
        intents: intents.iter().map(|(name, p)| IntentScore { name: (*name).into(), p: *p }).collect(),
        out_of_scope: 0.1,
        hits: hits.iter().map(hit).collect(),
    }
}

fn ask(policy: &Policy, text: &str, recognition: &Recognition, asked: u32) -> Decision {
    decide(
        policy,
        &TurnInput { text, site: "web", now_ms: NOW, zh: None, dialogue: Dialogue { asked, ..Dialogue::default() } },
        recognition,
    )
}

/// With this before it.
fn decide_in(policy: &Policy, input: &TurnInput<'_>, recognition: &Recognition, dialogue: Dialogue) -> Decision {
    decide(policy, &TurnInput { dialogue, ..*input }, recognition)
}

fn handed(decision: &Decision) -> Option<HandOverWhy> {
    match decision.action {
        Action::HandOver { why, .. } => Some(why),
        _ => None,
    }
}

#[test]
fn words_that_bring_a_person_are_found_where_they_mean_it() {
    let p = policy("");
    let sure = recognition(&[("greeting", 0.99)], &[]);
    for (text, brings) in [
        ("转人工", true),
        ("你好\n轉人工!!", true),
        ("人工", true),
        ("人工。\n快点", true),
        ("你们卖人工智能的书吗", false),
        ("I want a REAL PERSON.", true),
        ("surreal personality", false),
        ("Talk to a person", true),
    ] {
        let why = handed(&ask(&p, text, &sure, 0));
        assert_eq!(why == Some(HandOverWhy::Asked), brings, "{text}");
    }
    let none = policy("handover_words = [\"=\", \" \", \"!\"]");
    assert_eq!(handed(&ask(&none, "!", &sure, 0)), None, "an empty word is no word");
}

#[test]
fn asking_for_a_person_is_heard_below_the_threshold() {
    let p = policy("");
    assert_eq!(
        handed(&ask(&p, "有活人吗", &recognition(&[("ask_person", 0.35)], &[("活人", 0.99)]), 0)),
        Some(HandOverWhy::Asked)
    );
    assert_eq!(handed(&ask(&p, "有活人吗", &recognition(&[("ask_person", 0.2)], &[]), 0)), None);
    // unlike any example, but if it is a request, then this one
    let strange = Recognition { out_of_scope: 0.97, ..recognition(&[("ask_person", 0.02), ("contact", 0.01)], &[]) };
    assert_eq!(handed(&ask(&p, "转财务的同事", &strange, 0)), Some(HandOverWhy::Asked));
    let other = Recognition { out_of_scope: 0.97, ..recognition(&[("ask_person", 0.01), ("contact", 0.01)], &[]) };
    assert_eq!(handed(&ask(&p, "哈哈", &other, 0)), None);
}

#[test]
fn every_kind_of_rule_is_followed() {
    let p = policy(
        "[intents]
        spam = { do = 'silent' }
        sales = { do = 'route', team = 'b2b', en = 'One moment' }
        order = { do = 'ask', zh = '哪个', buttons = [{ zh = '查物流', en = 'Track' }] }
        rude = { do = 'handover', zh = '请稍候' }
        hello = { do = 'say', zh = '您好', en = 'Hi', threshold = 90 }
        [sites.app.intents]
        spam = { do = 'say', zh = '?', en = '?' }",
    );
    let of = |intent, text| ask(&p, text, &recognition(&[(intent, 0.8)], &[]), 0).action;
    assert_eq!(of("spam", "x"), Action::Silent);
    assert_eq!(of("sales", "hi"), Action::Route { team: "b2b".into(), text: "One moment".into() });
    let Action::Ask { text, buttons } = of("order", "order?") else { panic!() };
    assert_eq!((text.as_str(), buttons[0].label.as_str()), ("哪个", "Track"), "the other language is better than none");
    assert_eq!(of("rude", "x"), Action::HandOver { why: HandOverWhy::Policy, text: Some("请稍候".into()) });
    assert!(matches!(of("hello", "hello"), Action::Ask { .. }), "its own threshold is higher");
    assert!(matches!(of("greeting", "hello"), Action::Say { text } if text.starts_with("Hello")));
    assert!(matches!(of("greeting", "你好"), Action::Say { text } if text.starts_with("您好")));
    assert_eq!(
        of("complaint", "差劲"),
        Action::HandOver { why: HandOverWhy::Policy, text: Some(phrases::handing_over(People::Here, None, true)) }
    );
    let app = TurnInput { text: "x", site: "app", now_ms: NOW, zh: None, dialogue: Dialogue::default() };
    assert!(matches!(
        decide_in(&p, &app, &recognition(&[("spam", 0.8)], &[]), Dialogue::default()).action,
        Action::Say { .. }
    ));
}

#[test]
fn knowledge_answers_offers_or_is_silent_by_its_fit() {
    let p = policy("");
    let of = |score, asked| {
        ask(&p, "怎么退", &recognition(&[("return", 0.9)], &[("怎么退货", score), ("退款", score / 5.0)]), asked)
    };
    let good = of(0.95, 0);
    assert_eq!(good.action, Action::Answer { text: "answer to 怎么退货".into(), buttons: Vec::new() });
    assert_eq!((good.entry.as_deref(), good.intent.as_deref(), good.p), (Some("id-怎么退货"), Some("return"), 0.9));
    let Action::Ask { buttons, .. } = of(0.7, 0).action else { panic!() };
    assert_eq!(buttons.iter().map(|b| b.send.as_str()).collect::<Vec<_>>(), ["怎么退货", "退款", "转人工"]);
    let Action::Ask { text, buttons } = of(0.03, 0).action else { panic!() };
    assert_eq!((text.as_str(), buttons.len()), (phrases::no_answer(true), 1));
    assert_eq!(handed(&of(0.7, 2)), Some(HandOverWhy::Failed));
    // in its very words it wins over small talk, not over a hand-over
    assert!(matches!(
        ask(&p, "你好", &recognition(&[("greeting", 0.9)], &[("你好", 1.0)]), 0).action,
        Action::Answer { .. }
    ));
    assert!(handed(&ask(&p, "x", &recognition(&[("complaint", 0.9)], &[("x", 1.0)]), 0)).is_some());
}

#[test]
fn entries_as_likely_as_each_other_are_asked_about() {
    let p = policy("");
    let two = ask(&p, "怎么退", &recognition(&[], &[("怎么退货", 0.95), ("怎么退款", 0.93)]), 0);
    let Action::Ask { text, buttons } = two.action else { panic!() };
    assert_eq!(text, phrases::meant(true));
    let buttons: Vec<_> = buttons.iter().map(|b| (b.label.as_str(), b.send.as_str())).collect();
    assert_eq!(buttons, [("怎么退货", "怎么退货"), ("怎么退款", "怎么退款"), ("转人工", "转人工")]);
    // in its very words it is answered, and two questions with the same answer are one
    let exact = ask(&p, "怎么退货", &recognition(&[], &[("怎么退货", 1.0), ("怎么退款", 0.95)]), 0);
    assert_eq!(exact.entry.as_deref(), Some("id-怎么退货"));
    let mut same = recognition(&[], &[("怎么退货", 0.95), ("怎么退款", 0.93)]);
    same.hits[1].answer = same.hits[0].answer.clone();
    assert_eq!(ask(&p, "怎么退", &same, 0).entry.as_deref(), Some("id-怎么退货"));
}

#[test]
fn an_entry_that_contradicts_the_question_is_offered_and_never_the_answer() {
    let p = policy("");
    let mut t = recognition(&[], &[("5公斤以内运费多少", 0.99)]);
    t.hits[0].against = Some(Contradiction { entry: "5公斤".into(), asked: "50公斤".into() });
    let d = ask(&p, "50公斤运费多少", &t, 0);
    assert!(matches!(&d.action, Action::Ask { buttons, .. } if buttons[0].send == "5公斤以内运费多少"), "{d:?}");
    assert_eq!(
        d.why.to_string(),
        "\"5公斤以内运费多少\" matches best, but the entry says \"5公斤\", the question \"50公斤\""
    );
    t.hits[0].score = 0.01;
    assert!(matches!(ask(&p, "50公斤运费多少", &t, 0).why, Why::Nothing), "too unlike to be worth a word");
}

#[test]
fn a_code_is_no_failed_turn_and_no_wish_for_a_person() {
    let p = policy("");
    let strange = Recognition { out_of_scope: 0.97, ..recognition(&[("ask_person", 0.02), ("contact", 0.01)], &[]) };
    let mut dialogue = Dialogue::default();
    for code in ["SF1234567890", "20231123-0042", "iPhone 15 Pro Max", "订单", "ＳＦ１２３４５６", "138 0013 8000"]
    {
        let d = decide_in(
            &p,
            &TurnInput { text: code, site: "", now_ms: NOW, zh: Some(true), dialogue: Dialogue::default() },
            &strange,
            dialogue,
        );
        let counted = matches!(d.action, Action::Ask { .. } | Action::HandOver { .. });
        assert_eq!(counted, code == "订单", "{code}: {d:?}");
        if let Action::Answer { text, buttons } = &d.action {
            assert!(text.starts_with("收到") && text.contains(code) && buttons.len() == 1, "{text}");
            assert_eq!(d.why, Why::Code);
        }
        dialogue = Dialogue::default();
    }
    for text in ["what is 5", "I have 2 questions", "5 kg?", "哈哈1", "ok", ""] {
        assert_eq!(phrases::code(text), None, "{text}");
    }
}

#[test]
fn a_conversation_keeps_its_language() {
    for (before, text, zh) in [
        (None, "hello", false),
        (None, "20231123", true),
        (Some(true), "SF1234567890", true),
        (Some(true), "iPhone 15 Pro Max", true),
        (Some(true), "ok", true),
        (Some(true), "ok thanks", true),
        (Some(true), "how do i return this", false),
        (Some(false), "1234", false),
        (Some(false), "ok", false),
        (Some(false), "怎么退货", true),
    ] {
        assert_eq!(speaks_zh(text, before), zh, "{text} after {before:?}");
    }
    let p = policy("");
    let chinese = TurnInput { text: "ok", site: "", now_ms: NOW, zh: Some(true), dialogue: Dialogue::default() };
    let Action::Ask { text, .. } = decide_in(&p, &chinese, &Recognition::default(), Dialogue::default()).action else {
        panic!()
    };
    assert_eq!(text, phrases::not_understood(true));
}

#[test]
fn wide_letters_bring_a_person_too() {
    let p = policy("");
    for text in ["Ｉ　ｗａｎｔ　ａ　ｒｅａｌ　ｐｅｒｓｏｎ", "ｚｒｇ", "Ｔａｌｋ ｔｏ ａ ｐｅｒｓｏｎ！"]
    {
        assert_eq!(handed(&ask(&p, text, &Recognition::default(), 0)), Some(HandOverWhy::Asked), "{text}");
    }
}

#[test]
fn two_near_intents_are_asked_about_by_their_titles() {
    let p = policy("");
    let Action::Ask { buttons, .. } =
        ask(&p, "我要退", &recognition(&[("refund", 0.42), ("return", 0.38), ("size", 0.1)], &[]), 0).action
    else {
        panic!()
    };
    assert_eq!(buttons.iter().map(|b| b.label.as_str()).collect::<Vec<_>>(), ["退款", "退货", "转人工"]);
    let one = ask(&p, "我要退", &recognition(&[("refund", 0.45), ("return", 0.2)], &[]), 0);
    assert!(matches!(one.action, Action::Ask { ref text, .. } if text == phrases::not_understood(true)), "{one:?}");
}

#[test]
fn hours_send_to_people_or_say_when_they_are_back() {
    let outside = policy("answers = 'outside'\npeople_hours = 'Mon-Fri 09:00-18:00'");
    let t = recognition(&[("greeting", 0.9)], &[]);
    assert_eq!(handed(&ask(&outside, "hi", &t, 0)), Some(HandOverWhy::Hours));
    let evening =
        TurnInput { text: "hi", site: "", now_ms: NOW + 10 * 3_600_000, zh: None, dialogue: Dialogue::default() };
    assert!(matches!(decide_in(&outside, &evening, &t, Dialogue::default()).action, Action::Say { .. }));
    let away = TurnInput { text: "转人工", ..evening };
    let said = |people, told| match decide_in(&outside, &away, &t, Dialogue { people, told, asked: 0 }).action {
        Action::HandOver { text: Some(text), .. } => text,
        Action::Answer { text, .. } => format!("asks: {text}"),
        other => panic!("{other:?}"),
    };
    for told in [false, true] {
        assert!(!said(People::Here, told).contains("周二"), "somebody works late");
        assert!(said(People::Busy, told).contains("排队"));
    }
    assert!(said(People::Away, false).starts_with("asks: 人工客服现在不在线，周二 09:00 上班"));
    assert!(said(People::Away, true).starts_with("人工客服现在不在线，周二 09:00 上班"));
}

#[test]
fn where_nobody_is_the_visitor_is_asked_once_and_gets_what_they_choose() {
    let p = policy("handover_words = ['转人工', 'human agent']");
    let t = recognition(&[("greeting", 0.2)], &[]);
    for (word, people, robot) in [
        ("转人工", "转人工留言", "继续问机器人"),
        ("a human agent please", "Leave it to people", "Go on with the robot"),
    ] {
        let of = |text, dialogue| {
            let d = decide_in(
                &p,
                &TurnInput { text, site: "web", now_ms: NOW, zh: None, dialogue: Dialogue::default() },
                &t,
                dialogue,
            );
            let then = dialogue.after(&d);
            (d, then)
        };
        let begin = Dialogue { people: People::Away, asked: 1, told: false };
        let (first, asked) = of(word, begin);
        let Action::Answer { text, buttons } = &first.action else { panic!("{first:?}") };
        assert!(text.contains("现在没有人工客服在线") || text.starts_with("Nobody is here right now."), "{text}");
        assert_eq!(buttons.iter().map(|b| b.send.as_str()).collect::<Vec<_>>(), [people, robot]);
        assert!(matches!(first.why, Why::NobodyThere { .. }));
        assert_eq!(asked, Dialogue { people: People::Away, asked: 0, told: true });
        // asked again, or by the button: a person, and nothing is promised that is not so
        for again in [word, people] {
            let (d, _) = of(again, asked);
            let Action::HandOver { why: HandOverWhy::Asked, text: Some(text) } = &d.action else { panic!("{d:?}") };
            assert!(text.contains("现在没有人工客服在线") || text.starts_with("Nobody is here right now."), "{text}");
        }
        // or on with the robot, who is not asked for a person again before they are wanted
        let (d, went_on) = of(robot, asked);
        assert!(matches!(d.action, Action::Say { .. }), "{d:?}");
        assert!(went_on.told && handed(&of(word, went_on).0) == Some(HandOverWhy::Asked), "no trap");
        assert_eq!(handed(&of(word, Dialogue { people: People::Here, ..begin }).0), Some(HandOverWhy::Asked));
        // to those who were not asked, it is a text like any other
        assert!(matches!(of(robot, begin).0.action, Action::Ask { .. }));
    }
    // the same when the robot gives up, and then it starts counting again
    let failed = decide_in(
        &p,
        &TurnInput { text: "嗯", site: "", now_ms: NOW, zh: None, dialogue: Dialogue::default() },
        &t,
        Dialogue { people: People::Away, asked: 2, told: false },
    );
    assert!(matches!((&failed.action, &failed.why), (Action::Answer { .. }, Why::NobodyThere { .. })), "{failed:?}");
    // a rule of the company's is followed, with a true word
    let rude = decide_in(
        &policy(""),
        &TurnInput { text: "差劲", site: "", now_ms: NOW, zh: None, dialogue: Dialogue::default() },
        &recognition(&[("complaint", 0.9)], &[]),
        Dialogue { people: People::Away, ..Dialogue::default() },
    );
    assert_eq!(
        rude.action,
        Action::HandOver { why: HandOverWhy::Policy, text: Some(phrases::handing_over(People::Away, None, true)) }
    );
}

#[test]
fn rules_that_cannot_take_effect_are_told() {
    let p = policy(
        "[intents]\nbye = { do = 'silent' }\nsales = { do = 'route', team = 'b2b' }\n[sites.wbe]\nthreshold = 60",
    );
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let found = p.check(Some(&set(&["sales"])), Some(&set(&["svc"])), Some(&set(&["web"])));
    assert!(found.iter().any(|f| f.starts_with("there is a rule for bye, ")), "{found:?}");
    assert!(found.iter().any(|f| f.starts_with("sales is routed to team b2b")), "{found:?}");
    assert!(found.iter().any(|f| f.starts_with("there are rules for site wbe")), "{found:?}");
    assert!(p.check(None, None, None).is_empty());
    let bad = Robot { people_hours: "9 to 5".into(), ..Robot::default() };
    assert!(Policy::new(&bad).unwrap_err().to_string().starts_with("people_hours in [robot]: \"9 to 5\""));
}

prop_compose! {
    fn any_thought()(
        intents in proptest::collection::vec(("(greeting|refund|return|spam|ask_person)", 0f32..1.0), 0..4),
        hits in proptest::collection::vec(("[a-z]{1,3}", 0f32..1.0), 0..3)) -> Recognition {
        let mut t = recognition(
            &intents.iter().map(|(n, p)| (n.as_str(), *p)).collect::<Vec<_>>(),
            &hits.iter().map(|(q, s)| (q.as_str(), *s)).collect::<Vec<_>>(),
        );
        t.intents.sort_by(|a, b| b.p.total_cmp(&a.p));
        t.hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        t
    }
}

proptest! {
    #[test]
    fn a_word_for_people_always_wins(t in any_thought(), before in "[你好a-z ]{0,6}", asked in 0u32..5, outside: bool) {
        let p = policy(if outside { "answers = 'outside'" } else { "[intents]\nspam = { do = 'silent' }" });
        let d = ask(&p, &format!("{before} 转人工"), &t, asked);
        prop_assert_eq!(handed(&d), Some(HandOverWhy::Asked));
    }

    #[test]
    fn who_asks_twice_for_a_person_is_handed_over_whoever_is_there(
        t in any_thought(), people in prop::sample::select(vec![People::Here, People::Busy, People::Away]), asked in 0u32..5,
    ) {
        let p = policy("");
        let message = TurnInput { text: "转人工", site: "", now_ms: NOW, zh: None, dialogue: Dialogue::default() };
        let mut dialogue = Dialogue { people, asked, told: false };
        let first = decide_in(&p, &message, &t, dialogue);
        prop_assert_eq!(handed(&first).is_none(), people == People::Away);
        dialogue = dialogue.after(&first);
        prop_assert_eq!(handed(&decide_in(&p, &message, &t, dialogue)), Some(HandOverWhy::Asked));
    }

    #[test]
    fn nobody_is_asked_back_more_often_than_agreed(turns in proptest::collection::vec(any_thought(), 1..12), most in 1u32..5) {
        let p = policy(&format!("failed_turns = {most}"));
        let mut dialogue = Dialogue::default();
        let mut in_a_row = 0;
        for t in &turns {
            let d = decide_in(&p, &TurnInput { text: "嗯", site: "", now_ms: NOW, zh: None, dialogue: Dialogue::default() }, t, dialogue);
            in_a_row = if matches!(d.action, Action::Ask { .. }) { in_a_row + 1 } else { 0 };
            prop_assert!(in_a_row <= most);
            dialogue = dialogue.after(&d);
        }
    }

    #[test]
    fn a_silent_intent_posts_nothing_and_the_same_is_decided_twice(p_spam in 0.5f32..1.0, t in any_thought(), text in "\\PC{0,30}") {
        let p = policy("handover_words = []\n[intents]\nspam = { do = 'silent' }");
        let mut spam = t.clone();
        spam.intents = vec![IntentScore { name: "spam".into(), p: p_spam }];
        prop_assert_eq!(ask(&p, &text, &spam, 0).action, Action::Silent);
        prop_assert_eq!(ask(&p, &text, &t, 1), ask(&p, &text, &t, 1));
    }
}
