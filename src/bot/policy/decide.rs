//! One message, one decision. Pure: the same input gives the same decision.

use super::{ASK_PERSON, Policy, Rules, say, words::Asked};
use crate::{
    bot::{Action, Button, Decision, Guess, HandOverWhy, Hit, Thought, Why},
    config::{Answers, Do, Rule},
};

/// Below its threshold by this factor, asking for a person still counts: it is better to hand over once too often.
const ASKING_IS_ENOUGH: f32 = 0.6;
/// So does a share of this among the intents, however likely the message has none: 转财务的同事 is like no example, but if
/// it is a wish at all, then this one.
const ASKING_IF_ANYTHING: f32 = 0.5;
/// Knowledge whose probability is this much of the least one to answer with is offered as "is that what you mean".
const NEARLY: f32 = 0.1;
/// Of the likeliest entry, another one is offered beside it if it is this likely.
const BESIDE: f32 = 0.1;
/// Most intents or questions in a question back.
const CHOICES: usize = 3;

/// What the visitor wrote, where, and when.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The text; several messages since the last answer stand in lines of their own.
    pub text: &'a str,
    /// Id of the site.
    pub site: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Whether the conversation is Chinese; none: as this text is.
    pub zh: Option<bool>,
}

impl Message<'_> {
    /// Whether it is to be answered in Chinese.
    pub fn is_zh(&self) -> bool {
        self.zh.unwrap_or_else(|| say::is_zh(self.text))
    }
}

/// What happened before in the conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Turns in a row in which the robot could only ask back.
    pub asked: u32,
    /// Whether people are there, as far as the robot can know.
    pub people: People,
    /// The visitor was told that nobody is there, and asked what they want; whoever asks again gets what they ask for.
    pub told: bool,
}

/// Whether people are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum People {
    /// Somebody could answer now.
    #[default]
    Here,
    /// All of them are busy: one can queue.
    Busy,
    /// Nobody.
    Away,
}

impl Dialogue {
    /// After a decision was carried out.
    #[must_use]
    pub fn after(self, decision: &Decision) -> Self {
        let asked = if matches!(decision.action, Action::Ask { .. }) { self.asked.saturating_add(1) } else { 0 };
        Self { asked, told: self.told || matches!(decision.why, Why::NobodyThere { .. }), ..self }
    }
}

/// What to do about a message. In this order: words that always bring a person; hours in which people answer; asking for a
/// person; the rule of the intent if it is likely enough; knowledge; a code; a question back; honesty, and in the end a person.
/// Before a person is brought where nobody is, the visitor is asked once whether to leave it to people all the same.
pub fn decide(policy: &Policy, message: &Message<'_>, thought: &Thought, dialogue: Dialogue) -> Decision {
    let rules = policy.rules(message.site);
    let zh = message.is_zh();
    let asked = policy.words.asked(message.text);
    let turn = Turn { policy, rules, message, thought, dialogue, zh, declined: asked == Asked::Declined };
    if let Asked::For(word) = asked {
        return turn.bring(HandOverWhy::Asked, Why::Word { word: word.to_owned() });
    }
    if let Some(choice) = dialogue.told.then(|| say::choice(message.text)).flatten() {
        return turn.chosen(choice);
    }
    if rules.answers == Answers::Outside && rules.hours.open(message.now_ms, policy.offset_minutes) {
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
    message: &'a Message<'a>,
    thought: &'a Thought,
    dialogue: Dialogue,
    zh: bool,
    /// It says that no person is wanted; the language model hardly hears a "no".
    declined: bool,
}

impl Turn<'_> {
    fn decision(&self, action: Action, why: Why, guess: Option<&Guess>, entry: Option<&Hit>) -> Decision {
        let guess = guess.or(self.thought.intents.first());
        Decision {
            action,
            why,
            intent: guess.map(|g| g.name.clone()),
            p: guess.map_or(0.0, |g| g.p),
            entry: entry.map(|h| h.entry.clone()),
        }
    }

    /// When people are back, if these are not their hours.
    fn back(&self) -> Option<(u32, String)> {
        let (hours, now, offset) = (&self.rules.hours, self.message.now_ms, self.policy.offset_minutes);
        if hours.open(now, offset) { None } else { hours.next(now, offset) }
    }

    /// What the visitor asks for, or has to be asked about first: where nobody is, the robot would be gone for nothing.
    fn bring(&self, why: HandOverWhy, reason: Why) -> Decision {
        if self.dialogue.people != People::Away || self.dialogue.told {
            return self.hand_over(why, reason);
        }
        let sorry = if why == HandOverWhy::Failed { say::sorry(self.zh) } else { "" };
        let text = format!("{sorry}{}", say::nobody_there(self.back(), self.zh));
        let buttons = say::choices(self.zh).into();
        self.decision(Action::Answer { text, buttons }, Why::NobodyThere { because: Box::new(reason) }, None, None)
    }

    /// The answer to that question, given by its buttons.
    fn chosen(&self, choice: say::Choice) -> Decision {
        match choice {
            say::Choice::People => self.hand_over(HandOverWhy::Asked, Why::ChosePeople),
            say::Choice::Robot => {
                self.decision(Action::Say { text: say::go_on(self.zh).into() }, Why::ChoseRobot, None, None)
            }
        }
    }

    fn hand_over(&self, why: HandOverWhy, reason: Why) -> Decision {
        let text = Some(say::handing_over(self.dialogue.people, self.back(), self.zh));
        self.decision(Action::HandOver { why, text }, reason, None, None)
    }

    fn rule(&self, guess: &Guess) -> (Rule, f32) {
        let rule = self.policy.rule(self.message.site, &guess.name);
        let threshold = rule.threshold.map_or(self.rules.threshold, |t| t as f32 / 100.0);
        (rule, threshold)
    }

    /// The rule of the likeliest intent, if that is likely enough and the rule needs no knowledge.
    fn by_intent(&self) -> Option<Decision> {
        let best = self.thought.intents.first()?;
        let (rule, threshold) = self.rule(best);
        let (intent, p, needs) = (best.name.clone(), best.p, threshold);
        if best.name == ASK_PERSON && self.declined {
            return None;
        }
        let share = best.p / (1.0 - self.thought.out_of_scope).max(best.p).max(f32::MIN_POSITIVE);
        // the number of an order is no wish at all
        let share = if say::code(self.message.text).is_some() { 0.0 } else { share };
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
        let text = say::of_rule(&rule, self.zh);
        let buttons = say::buttons(&rule, self.zh);
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
    fn certain_knowledge(&self, best: &Guess) -> Option<&Hit> {
        let small = self.rule(best).0.action == Do::Say;
        self.thought.hits.first().filter(|h| small && h.score >= 1.0)
    }

    /// The entry that is likely enough, unless something in it contradicts the question or another one is as likely.
    fn by_knowledge(&self) -> Option<Decision> {
        let hit = self.thought.hits.first().filter(|h| h.score >= self.rules.knowledge && h.against.is_none())?;
        // two with the same answer, or that nobody could tell apart on a button, are no choice
        let rival =
            |h: &&Hit| h.answer != hit.answer && h.question != hit.question && hit.score - h.score < self.rules.margin;
        if hit.score < 1.0 && self.thought.hits.iter().skip(1).find(rival).is_some() {
            return None;
        }
        let why = Why::Knowledge { question: hit.question.clone(), p: hit.score, needs: self.rules.knowledge };
        let action = Action::Answer { text: hit.answer.clone(), buttons: Vec::new() };
        Some(self.decision(action, why, None, Some(hit)))
    }

    /// An order number is the commonest second message in shops: what is wanted with it is asked, and no turn has failed.
    fn by_code(&self) -> Option<Decision> {
        let code = say::code(self.message.text)?;
        let action = Action::Answer { text: say::about_code(code, self.zh), buttons: vec![say::person(self.zh)] };
        Some(self.decision(action, Why::Code, None, None))
    }

    /// The likeliest entry says something else than the question.
    fn against(&self) -> Option<Why> {
        let hit = self.thought.hits.first().filter(|h| h.score >= self.rules.knowledge * NEARLY)?;
        let against = hit.against.clone()?;
        Some(Why::Against { question: hit.question.clone(), entry: against.entry, asked: against.asked })
    }

    /// Questions that may be meant, or intents too near to each other to choose.
    fn ask_which(&self) -> Option<Decision> {
        if self.dialogue.asked + 1 > self.rules.failed_turns {
            return None;
        }
        let least = self.rules.knowledge * NEARLY;
        let best = self.thought.hits.first().map_or(0.0, |h| h.score);
        let near = self.thought.hits.iter().filter(|h| h.score >= least && h.score >= best * BESIDE).take(CHOICES);
        let questions: Vec<Button> = near.map(|h| say::button(&h.question)).collect();
        if !questions.is_empty() {
            let why = self.against().unwrap_or(Why::Nearly { n: questions.len() });
            return Some(self.ask(say::meant(self.zh), questions, why));
        }
        let [first, second, ..] = &self.thought.intents[..] else { return None };
        let threshold = self.rule(first).1;
        let close = first.p - second.p < self.rules.margin;
        if first.p >= threshold || !close || first.p + second.p < threshold {
            return None;
        }
        let likely = self.thought.intents.iter().take(CHOICES).filter(|g| first.p - g.p < self.rules.margin);
        let choices = likely.map(|g| say::button(&self.title(&g.name))).collect();
        let (intent, other) = (first.name.clone(), second.name.clone());
        Some(self.ask(say::which(self.zh), choices, Why::Close { intent, p: first.p, other, q: second.p }))
    }

    fn ask(&self, text: &str, mut buttons: Vec<Button>, why: Why) -> Decision {
        buttons.push(say::person(self.zh));
        self.decision(Action::Ask { text: text.into(), buttons }, why, None, None)
    }

    /// Says so and offers a person; after too many turns a person comes.
    fn abstain(&self) -> Decision {
        let best = self.thought.intents.first();
        let understood = best.filter(|g| g.p >= self.rule(g).1);
        let why = match (understood, best) {
            _ if self.against().is_some() => self.against().unwrap_or(Why::Nothing),
            (Some(g), _) => Why::Unanswered { intent: g.name.clone(), p: g.p },
            (None, Some(g)) => {
                Why::Low { intent: g.name.clone(), p: g.p, needs: self.rule(g).1, outside: self.thought.out_of_scope }
            }
            (None, None) => Why::Nothing,
        };
        let turns = self.dialogue.asked + 1;
        if turns > self.rules.failed_turns {
            let why = Why::Failed { n: self.rules.failed_turns, because: Box::new(why) };
            return self.bring(HandOverWhy::Failed, why);
        }
        let text = if understood.is_some() { say::no_answer(self.zh) } else { say::not_understood(self.zh) };
        let action = Action::Ask { text: text.into(), buttons: vec![say::person(self.zh)] };
        self.decision(action, why, None, None)
    }

    fn title(&self, intent: &str) -> String {
        let title = self.policy.titles.get(intent);
        let text = title.map(|t| if self.zh { &t.zh } else { &t.en }).filter(|t| !t.is_empty());
        text.cloned().unwrap_or_else(|| intent.to_owned())
    }
}
