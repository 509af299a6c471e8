//! `[robot]`: how the robot responds to what it recognises. `kefu.toml` explains the keys to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// `[robot]`. Shares are in percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Robot {
    /// Directory of its keys; empty: `robot` in the data directory.
    pub key_dir: String,
    /// Directory of its day keys; empty: that of the other keys, or the one that systemd made for the service.
    pub day_key_dir: String,
    /// Minimum probability of an intent to act on.
    pub threshold: u32,
    /// Minimum fit of an entry of the knowledge to answer with.
    pub knowledge: u32,
    /// Two intents that differ by less are asked about.
    pub margin: u32,
    /// Turns without an answer before a person takes over.
    pub failed_turns: u32,
    /// Words that always hand over to a person.
    pub handover_words: Vec<String>,
    /// When people answer: `Mon-Fri 09:00-18:00`, several separated by commas; empty: always.
    pub people_hours: String,
    /// Local time of those hours and of the days of the knowledge.
    pub utc_offset: String,
    /// When the robot answers.
    pub answers: Answers,
    /// What to do with an intent, by its name.
    #[serde(deserialize_with = "rules")]
    pub intents: BTreeMap<String, Rule>,
    /// What differs on a site, by its id.
    #[serde(deserialize_with = "sites")]
    pub sites: BTreeMap<String, SiteRobot>,
}

impl Default for Robot {
    fn default() -> Self {
        Self {
            key_dir: String::new(),
            day_key_dir: String::new(),
            threshold: 50,
            knowledge: 90,
            margin: 15,
            failed_turns: 2,
            handover_words: HANDOVER_WORDS.iter().map(|w| (*w).to_owned()).collect(),
            people_hours: String::new(),
            utc_offset: "+08:00".into(),
            answers: Answers::Always,
            intents: BTreeMap::new(),
            sites: BTreeMap::new(),
        }
    }
}

/// A word that begins with `=` must be the whole message; 人工 alone would catch 人工智能.
const HANDOVER_WORDS: [&str; 20] = [
    "转人工",
    "轉人工",
    "人工客服",
    "人工服务",
    "真人客服",
    "找人工",
    "要人工",
    "等人工",
    "联系人工",
    "=人工",
    "=真人",
    "=zrg",
    "=rg",
    "human agent",
    "real person",
    "live agent",
    "talk to a person",
    "an operator",
    "hooman",
    "speak to someone",
];

/// When the robot answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// At any hour.
    #[default]
    Always,
    /// Only while people don't.
    Outside,
}

/// What to do with an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Do {
    /// Answer from the knowledge.
    Answer,
    /// Reply with a text.
    Say,
    /// Ask back, with buttons.
    Ask,
    /// Hand over to a team.
    Route,
    /// Hand over to the site's team.
    Handover,
    /// Stay silent.
    Silent,
}

/// A rule for one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The action.
    #[serde(rename = "do")]
    pub action: Do,
    /// Text for visitors who write Chinese.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zh: String,
    /// Text for all others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
    /// Id of the team of `route`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub team: String,
    /// Quick replies of `ask` and `say`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Label>,
    /// Instead of the general threshold, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
}

/// A quick reply in two languages. Pressing it sends its label.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Label {
    /// For visitors who write Chinese.
    pub zh: String,
    /// For all others.
    pub en: String,
}

/// What differs on a site; the rest is as in `[robot]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteRobot {
    /// See [`Robot::threshold`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// See [`Robot::knowledge`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<u32>,
    /// See [`Robot::failed_turns`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_turns: Option<u32>,
    /// See [`Robot::people_hours`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_hours: Option<String>,
    /// See [`Robot::answers`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// Before the rules of `[robot.intents]`.
    #[serde(deserialize_with = "rules", skip_serializing_if = "BTreeMap::is_empty")]
    pub intents: BTreeMap<String, Rule>,
}

impl Rule {
    /// What a rule lacks to be followed.
    pub fn problem(&self) -> Option<&'static str> {
        let text = !self.zh.is_empty() || !self.en.is_empty();
        match self.action {
            Do::Say | Do::Ask if !text => Some("needs a text: set zh, en, or both"),
            Do::Route if self.team.is_empty() => Some("needs the team to route to: set team"),
            Do::Silent | Do::Answer if text => Some("posts no text of its own: remove zh and en, or write \"say\""),
            _ if self.action != Do::Route && !self.team.is_empty() => Some("has a team, which only \"route\" uses"),
            _ if self.threshold.is_some_and(|t| t > 100) => Some("has a threshold above 100 percent"),
            _ if self.buttons.iter().any(|b| b.zh.is_empty() && b.en.is_empty()) => Some("has a button without text"),
            _ => None,
        }
    }
}

/// A map whose mistakes name the key they are under.
fn named<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(input: D) -> Result<BTreeMap<String, T>, D::Error> {
    let raw = BTreeMap::<String, toml::Value>::deserialize(input)?;
    let read = raw.into_iter().map(|(key, value)| {
        let value = T::deserialize(value).map_err(|e| D::Error::custom(format!("{key}: {}", e.message())))?;
        Ok((key, value))
    });
    read.collect()
}

fn rules<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Rule>, D::Error> {
    let rules = named::<D, Rule>(input)?;
    match rules.iter().find_map(|(name, rule)| Some((name, rule.problem()?))) {
        Some((name, problem)) => Err(D::Error::custom(format!("{name} {problem}"))),
        None => Ok(rules),
    }
}

fn sites<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, SiteRobot>, D::Error> {
    named(input)
}
