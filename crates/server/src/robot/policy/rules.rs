//! The rules of `[robot]` in `kefu.toml`, checked and ready, with what holds by default.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    handover_words::HandoverWords,
    hours::{self, Hours},
};
use crate::config::{Answers, Do, Label, Robot, Rule};

/// The intent of those who want a person.
pub const ASK_PERSON: &str = "ask_person";

/// What an intent is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// In Chinese; empty: its name.
    pub zh: String,
    /// In English; empty: its name.
    pub en: String,
}

/// The rules, checked and ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The rules where no site overrides them.
    all: Rules,
    /// Rules of single sites.
    sites: BTreeMap<String, Rules>,
    pub(super) words: HandoverWords,
    pub(super) titles: BTreeMap<String, Title>,
    pub(super) offset_minutes: i32,
}

/// The rules of one site. Shares are from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Minimum probability of an intent.
    pub threshold: f32,
    /// Minimum fit of knowledge.
    pub knowledge: f32,
    /// Two intents nearer than this are asked about.
    pub margin: f32,
    /// Turns without an answer before a person takes over.
    pub failed_turns: u32,
    /// When the robot answers.
    pub answers: Answers,
    /// Hours in which people answer.
    pub hours: Hours,
    /// Rules of intents.
    pub intents: BTreeMap<String, Rule>,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub String);

impl Policy {
    /// Of a configuration.
    ///
    /// # Errors
    /// Invalid hours or an invalid offset.
    pub fn new(config: &Robot) -> Result<Self, PolicyError> {
        let hours = |text: &str, key: &str| Hours::parse(text).map_err(|e| PolicyError(format!("{key}: {e}")));
        let share = |percent: u32| percent.min(100) as f32 / 100.0;
        let mut intents = by_default();
        intents.extend(config.intents.clone());
        let all = Rules {
            threshold: share(config.threshold),
            knowledge: share(config.knowledge),
            margin: share(config.margin),
            failed_turns: config.failed_turns.max(1),
            answers: config.answers,
            hours: hours(&config.people_hours, "people_hours in [robot]")?,
            intents,
        };
        let mut sites = BTreeMap::new();
        for (id, site) in &config.sites {
            let mut rules = all.clone();
            rules.threshold = site.threshold.map_or(rules.threshold, share);
            rules.knowledge = site.knowledge.map_or(rules.knowledge, share);
            rules.failed_turns = site.failed_turns.unwrap_or(rules.failed_turns).max(1);
            rules.answers = site.answers.unwrap_or(rules.answers);
            if let Some(text) = &site.people_hours {
                rules.hours = hours(text, &format!("people_hours of site {id} in [robot.sites]"))?;
            }
            rules.intents.extend(site.intents.clone());
            sites.insert(id.clone(), rules);
        }
        let words = HandoverWords::new(&config.handover_words);
        let offset_minutes = hours::offset(&config.utc_offset).map_err(|e| PolicyError(e.to_string()))?;
        Ok(Self { all, sites, words, titles: BTreeMap::new(), offset_minutes })
    }

    /// With the display names of intents; they are the labels of buttons in questions back.
    #[must_use]
    pub fn with_titles(mut self, titles: BTreeMap<String, Title>) -> Self {
        self.titles = titles;
        self
    }

    /// The rules of a site.
    pub fn rules(&self, site: &str) -> &Rules {
        self.sites.get(site).unwrap_or(&self.all)
    }

    /// The rule of an intent on a site.
    pub fn rule(&self, site: &str, intent: &str) -> Rule {
        self.rules(site).intents.get(intent).cloned().unwrap_or_else(|| plain(Do::Answer))
    }

    /// The local day, `2026-01-31`, of milliseconds since 1970.
    pub fn day(&self, now_ms: u64) -> String {
        hours::day(now_ms, self.offset_minutes)
    }

    /// Rules that can't take effect: for intents that the head doesn't know, teams and sites that are not there. `None`
    /// for what the caller doesn't know.
    pub fn check(
        &self,
        intents: Option<&BTreeSet<String>>,
        teams: Option<&BTreeSet<String>>,
        sites: Option<&BTreeSet<String>>,
    ) -> Vec<String> {
        let mut found = BTreeSet::new();
        let places = self.sites.iter().map(|(id, rules)| (format!(" on site {id}"), rules));
        for (place, rules) in std::iter::once((String::new(), &self.all)).chain(places) {
            for (intent, rule) in &rules.intents {
                if intents.is_some_and(|known| !known.contains(intent)) && !by_default().contains_key(intent) {
                    found.insert(format!("there is a rule for {intent}{place}, but no such intent: kefu intent list"));
                }
                if rule.action == Do::Route && teams.is_some_and(|known| !known.contains(&rule.team)) {
                    let team = &rule.team;
                    found.insert(format!(
                        "{intent}{place} is routed to team {team}, which does not exist: kefu team list"
                    ));
                }
            }
        }
        for id in self.sites.keys().filter(|id| sites.is_some_and(|known| !known.contains(*id))) {
            found.insert(format!("there are rules for site {id}, which does not exist: kefu site list"));
        }
        found.into_iter().collect()
    }
}

fn plain(action: Do) -> Rule {
    let none = String::new;
    Rule { action, zh: none(), en: none(), team: none(), buttons: Vec::<Label>::new(), threshold: None }
}

/// What holds for intents without a rule of their own, besides [`Do::Answer`].
fn by_default() -> BTreeMap<String, Rule> {
    let say = |zh: &str, en: &str| Rule { zh: zh.into(), en: en.into(), ..plain(Do::Say) };
    let rules = [
        ("greeting", say("您好！请问有什么可以帮您？", "Hello! How can I help you?")),
        ("thanks", say("不客气！还有其他问题随时问我。", "You're welcome! Anything else I can help with?")),
        ("goodbye", say("感谢您的咨询，再见！", "Thank you for contacting us. Goodbye!")),
        (
            "bot_question",
            say("我是客服机器人。需要真人客服，请说“转人工”。", "I'm a bot. Say \"talk to a person\" to get one."),
        ),
        (ASK_PERSON, plain(Do::Handover)),
        ("complaint", plain(Do::Handover)),
    ];
    rules.into_iter().map(|(name, rule)| (name.to_owned(), rule)).collect()
}
