//! One message, one decision. Pure: the same input gives the same decision.

use super::{
    ASK_PERSON, Action, Button, Decision, HandOverWhy, IntentScore, KnowledgeMatch, People, Policy, Recognition, Rules,
    TurnInput, Why, handover_words::Asked, phrases,
};
use crate::config::{Answers, Do, Rule};

/// Below its threshold by this factor, asking for a person still counts: it is better to hand over once too often.
const ASKING_IS_ENOUGH: f32 = 0.6;
/// So does a share of this among the intents, however likely the message has none: 转财务的同事 is like no example, but if
/// it is a request at all, then this one.
const ASKING_IF_ANYTHING: f32 = 0.5;
/// Knowledge whose probability is this much of the least one to answer with is offered as "is that what you mean".
const NEARLY: f32 = 0.1;
/// Of the likeliest entry, another one is offered beside it if it is this likely.
const BESIDE: f32 = 0.1;
/// Maximum number of intents or questions in a question back.
const CHOICES: usize = 3;

/// What to do about a message. In this order: words that always bring a person; hours in which people answer; asking for a
/// person; the rule of the intent if it is likely enough; knowledge; a code; a question back; honesty, and in the end a person.
/// Before a hand-over while nobody is available, the visitor is asked once whether to leave it to people anyway.
pub fn decide(policy: &Policy, input: &TurnInput<'_>, recognition: &Recognition) -> Decision {
    let rules = policy.rules(input.site);
    let zh = input.is_zh();
    let asked = policy.words.asked(input.text);
    let turn = Turn { policy, rules, input, recognition, zh, declined: asked == Asked::Declined };
    if let Asked::For(word) = asked {
        return turn.bring(HandOverWhy::Asked, Why::Word { word: word.to_owned() });
    }
    if let Some(choice) = input.dialogue.told.then(|| phrases::choice(input.text)).flatten() {
        return turn.chosen(choice);
    }
    if rules.answers == Answers::Outside && rules.hours.open(input.now_ms, policy.offset_minutes) {
        return turn.hand_over(HandOverWhy::Hours, Why::Hours);
    }
    turn.by_intent()
        .or_else(|| turn.by_knowledge())
        .or_else(|| turn.by_code())
        .or_else(|| turn.ask_which())
        .unwrap_or_else(|| turn.abstain())
}

/// Everything a decision looks at.
struct Turn<'a> {
    policy: &'a Policy,
    rules: &'a Rules,
    input: &'a TurnInput<'a>,
    recognition: &'a Recognition,
    zh: bool,
    /// The text says that no person is wanted; the language model hardly notices a "no".
    declined: bool,
}

impl Turn<'_> {
    fn decision(
        &self,
        action: Action,
        why: Why,
        score: Option<&IntentScore>,
        entry: Option<&KnowledgeMatch>,
    ) -> Decision {
        let score = score.or(self.recognition.intents.first());
        Decision {
            action,
            why,
            intent: score.map(|g| g.name.clone()),
            p: score.map_or(0.0, |g| g.p),
            entry: entry.map(|h| h.entry.clone()),
        }
    }

    /// When people are back, if these are not their hours.
    fn back(&self) -> Option<(u32, String)> {
        let (hours, now, offset) = (&self.rules.hours, self.input.now_ms, self.policy.offset_minutes);
        if hours.open(now, offset) { None } else { hours.next(now, offset) }
    }

    /// What the visitor asks for, or a question to them first: while nobody is available, the robot would leave for nothing.
    fn bring(&self, why: HandOverWhy, reason: Why) -> Decision {
        if self.input.dialogue.people != People::Away || self.input.dialogue.told {
            return self.hand_over(why, reason);
        }
        let sorry = if why == HandOverWhy::Failed { phrases::sorry(self.zh) } else { "" };
        let text = format!("{sorry}{}", phrases::nobody_there(self.back(), self.zh));
        let buttons = phrases::choices(self.zh).into();
        self.decision(Action::Answer { text, buttons }, Why::NobodyThere { because: Box::new(reason) }, None, None)
    }

    /// The answer to that question, given by its buttons.
    fn chosen(&self, choice: phrases::Choice) -> Decision {
        match choice {
            phrases::Choice::People => self.hand_over(HandOverWhy::Asked, Why::ChosePeople),
            phrases::Choice::Robot => {
                self.decision(Action::Say { text: phrases::go_on(self.zh).into() }, Why::ChoseRobot, None, None)
            }
        }
    }

    fn hand_over(&self, why: HandOverWhy, reason: Why) -> Decision {
        let text = Some(phrases::handing_over(self.input.dialogue.people, self.back(), self.zh));
        self.decision(Action::HandOver { why, text }, reason, None, None)
    }

    fn rule(&self, score: &IntentScore) -> (Rule, f32) {
        let rule = self.policy.rule(self.input.site, &score.name);
        let threshold = rule.threshold.map_or(self.rules.threshold, |t| t as f32 / 100.0);
        (rule, threshold)
    }

    /// The rule of the likeliest intent, if that is likely enough and the rule needs no knowledge.
    fn by_intent(&self) -> Option<Decision> {
        let best = self.recognition.intents.first()?;
        let (rule, threshold) = self.rule(best);
        let (intent, p, needs) = (best.name.clone(), best.p, threshold);
        if best.name == ASK_PERSON && self.declined {
            return None;
        }
        let share = best.p / (1.0 - self.recognition.out_of_scope).max(best.p).max(f32::MIN_POSITIVE);
        // the number of an order is not a request
        let share = if phrases::code(self.input.text).is_some() { 0.0 } else { share };
        let asked = [(best.p, threshold * ASKING_IS_ENOUGH), (share, ASKING_IF_ANYTHING)];
        if let Some((p, needs)) = asked.into_iter().find(|(p, needs)| best.name == ASK_PERSON && p >= needs) {
            return Some(self.bring(HandOverWhy::Asked, Why::Person { intent, p, needs }));
        }
        if best.p < threshold {
            return None;
        }
        if rule.action != Do::Answer && self.certain_knowledge(best).is_some() {
            return None;
        }
        let text = phrases::of_rule(&rule, self.zh);
        let buttons = phrases::buttons(&rule, self.zh);
        let why = Why::Rule { intent, p, needs, action: rule.action };
        let action = match rule.action {
            Do::Answer => return None,
            Do::Silent => Action::Silent,
            Do::Say if buttons.is_empty() => Action::Say { text },
            Do::Say => Action::Answer { text, buttons },
            Do::Ask => Action::Ask { text, buttons },
            Do::Route => Action::Route { team: rule.team, text },
            Do::Handover if text.is_empty() => return Some(self.hand_over(HandOverWhy::Policy, why)),
            Do::Handover => Action::HandOver { why: HandOverWhy::Policy, text: Some(text) },
        };
        Some(self.decision(action, why, Some(best), None))
    }

    /// A question of the knowledge in its very words wins over a text of small talk, never over a hand-over.
    fn certain_knowledge(&self, best: &IntentScore) -> Option<&KnowledgeMatch> {
        let small = self.rule(best).0.action == Do::Say;
        self.recognition.hits.first().filter(|h| small && h.score >= 1.0)
    }

    /// The entry that is likely enough, unless something in it contradicts the question or another one is as likely.
    fn by_knowledge(&self) -> Option<Decision> {
        let hit = self.recognition.hits.first().filter(|h| h.score >= self.rules.knowledge && h.against.is_none())?;
        // two with the same answer, or with the same button label, are not a choice
        let rival = |h: &&KnowledgeMatch| {
            h.answer != hit.answer && h.question != hit.question && hit.score - h.score < self.rules.margin
        };
        if hit.score < 1.0 && self.recognition.hits.iter().skip(1).find(rival).is_some() {
            return None;
        }
        let why = Why::Knowledge { question: hit.question.clone(), p: hit.score, needs: self.rules.knowledge };
        let action = Action::Answer { text: hit.answer.clone(), buttons: Vec::new() };
        Some(self.decision(action, why, None, Some(hit)))
    }

    /// An order number is the commonest second message in shops: what is wanted with it is asked, and no turn has failed.
    fn by_code(&self) -> Option<Decision> {
        let code = phrases::code(self.input.text)?;
        let action =
            Action::Answer { text: phrases::about_code(code, self.zh), buttons: vec![phrases::person(self.zh)] };
        Some(self.decision(action, Why::Code, None, None))
    }

    /// The most likely entry contradicts the question.
    fn against(&self) -> Option<Why> {
        let hit = self.recognition.hits.first().filter(|h| h.score >= self.rules.knowledge * NEARLY)?;
        let against = hit.against.clone()?;
        Some(Why::Against { question: hit.question.clone(), entry: against.entry, asked: against.asked })
    }

    /// Questions that may be meant, or intents too near to each other to choose.
    fn ask_which(&self) -> Option<Decision> {
        if self.input.dialogue.asked + 1 > self.rules.failed_turns {
            return None;
        }
        let least = self.rules.knowledge * NEARLY;
        let best = self.recognition.hits.first().map_or(0.0, |h| h.score);
        let near = self.recognition.hits.iter().filter(|h| h.score >= least && h.score >= best * BESIDE).take(CHOICES);
        let questions: Vec<Button> = near.map(|h| phrases::button(&h.question)).collect();
        if !questions.is_empty() {
            let why = self.against().unwrap_or(Why::Nearly { n: questions.len() });
            return Some(self.ask(phrases::meant(self.zh), questions, why));
        }
        let [first, second, ..] = &self.recognition.intents[..] else { return None };
        let threshold = self.rule(first).1;
        let close = first.p - second.p < self.rules.margin;
        if first.p >= threshold || !close || first.p + second.p < threshold {
            return None;
        }
        let likely = self.recognition.intents.iter().take(CHOICES).filter(|g| first.p - g.p < self.rules.margin);
        let choices = likely.map(|g| phrases::button(&self.title(&g.name))).collect();
        let (intent, other) = (first.name.clone(), second.name.clone());
        Some(self.ask(phrases::which(self.zh), choices, Why::Close { intent, p: first.p, other, q: second.p }))
    }

    fn ask(&self, text: &str, mut buttons: Vec<Button>, why: Why) -> Decision {
        buttons.push(phrases::person(self.zh));
        self.decision(Action::Ask { text: text.into(), buttons }, why, None, None)
    }

    /// Says that it does not know and offers a person; after too many turns a person takes over.
    fn abstain(&self) -> Decision {
        let best = self.recognition.intents.first();
        let understood = best.filter(|g| g.p >= self.rule(g).1);
        let why = match (understood, best) {
            _ if self.against().is_some() => self.against().unwrap_or(Why::Nothing),
            (Some(g), _) => Why::Unanswered { intent: g.name.clone(), p: g.p },
            (None, Some(g)) => Why::Low {
                intent: g.name.clone(),
                p: g.p,
                needs: self.rule(g).1,
                outside: self.recognition.out_of_scope,
            },
            (None, None) => Why::Nothing,
        };
        let turns = self.input.dialogue.asked + 1;
        if turns > self.rules.failed_turns {
            let why = Why::Failed { n: self.rules.failed_turns, because: Box::new(why) };
            return self.bring(HandOverWhy::Failed, why);
        }
        let text = if understood.is_some() { phrases::no_answer(self.zh) } else { phrases::not_understood(self.zh) };
        let action = Action::Ask { text: text.into(), buttons: vec![phrases::person(self.zh)] };
        self.decision(action, why, None, None)
    }

    fn title(&self, intent: &str) -> String {
        let title = self.policy.titles.get(intent);
        let text = title.map(|t| if self.zh { &t.zh } else { &t.en }).filter(|t| !t.is_empty());
        text.cloned().unwrap_or_else(|| intent.to_owned())
    }
}
