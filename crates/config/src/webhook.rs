//! `[[webhook]]`: who is told when somebody waits. `kefu.toml` explains the keys to people.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::Problem;

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Its name, for people and for `kefu webhook`.
    pub name: String,
    /// Which service receives it.
    pub kind: WebhookKind,
    /// Its address; empty: it is in `url_file`.
    pub url: String,
    /// File with the address, if that is a secret.
    pub url_file: String,
    /// File with the secret that requests are signed with.
    pub secret_file: String,
    /// What is told.
    pub events: BTreeSet<WebhookEvent>,
    /// A wait is told after this time, seconds.
    pub after_seconds: u32,
    /// That nobody is online is told when somebody has waited for this time, seconds.
    pub nobody_after_seconds: u32,
    /// Of these teams; empty: all.
    pub teams: BTreeSet<String>,
    /// Of these sites; empty: all.
    pub sites: BTreeSet<String>,
    /// Language of the text.
    pub language: WebhookLanguage,
    /// Requests within a minute.
    pub per_minute: u32,
    /// Notices that wait while the address can't be reached.
    pub keep: u32,
    /// Whether the address may be in a private network, or of this machine, and without TLS.
    pub allow_private: bool,
    /// PEM file with the authorities that are trusted; empty: those of the system.
    pub ca: String,
}

impl Default for Webhook {
    fn default() -> Self {
        use WebhookEvent::{Missed, Nobody, Waiting};
        Self {
            name: String::new(),
            kind: WebhookKind::Generic,
            url: String::new(),
            url_file: String::new(),
            secret_file: String::new(),
            events: [Waiting, Nobody, Missed].into(),
            after_seconds: 60,
            nobody_after_seconds: 10,
            teams: BTreeSet::new(),
            sites: BTreeSet::new(),
            language: WebhookLanguage::Zh,
            per_minute: 20,
            keep: 1_000,
            allow_private: false,
            ca: String::new(),
        }
    }
}

/// Which service receives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookKind {
    /// A robot of a group in 企业微信.
    Wecom,
    /// A robot of a group in 钉钉.
    Dingtalk,
    /// A robot of a group in 飞书.
    Feishu,
    /// Signed JSON.
    Generic,
}

impl WebhookKind {
    /// The name used in the configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for WebhookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookEvent {
    /// Somebody waits for longer than `after_seconds`.
    Waiting,
    /// Somebody waits, and no agent of the team is online.
    Nobody,
    /// A conversation was missed.
    Missed,
}

/// Language of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookLanguage {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// So many webhooks at most.
const MOST: usize = 16;

/// What is wrong with them, each with its path, such as `webhook.0.url`.
pub(super) fn check(webhooks: &[Webhook], bad: &mut Vec<Problem>) {
    let mut names = BTreeSet::new();
    for (n, hook) in webhooks.iter().enumerate() {
        let mut problem = |key: &str, message: String| bad.push(Problem::new(format!("webhook.{n}.{key}"), message));
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
        if hook.name.is_empty() || hook.name.len() > 32 || !hook.name.bytes().all(plain) {
            problem("name", format!("{:?} is no name of a webhook: 1 to 32 of a-z 0-9 - _", hook.name));
        } else if !names.insert(&hook.name) {
            problem("name", format!("there are two webhooks {:?}: give each a name of its own", hook.name));
        }
        match (hook.url.is_empty(), hook.url_file.is_empty()) {
            (true, true) => {
                problem("url", "a webhook needs its address: set url, or url_file if it is a secret".into());
            }
            (false, false) => problem("url_file", "the address is in url already: set one of both".into()),
            _ => {}
        }
        for (key, file) in [("url_file", &hook.url_file), ("secret_file", &hook.secret_file), ("ca", &hook.ca)] {
            if !file.is_empty() && !file.starts_with('/') {
                problem(key, format!("{file:?} is not an absolute path"));
            }
        }
        for (key, value, least, most) in [
            ("after_seconds", hook.after_seconds, 1, 86_400),
            ("nobody_after_seconds", hook.nobody_after_seconds, 1, 86_400),
            ("per_minute", hook.per_minute, 1, 1_000),
            ("keep", hook.keep, 1, 10_000),
        ] {
            if !(least..=most).contains(&value) {
                problem(key, format!("{key} is {value}; it must be between {least} and {most}"));
            }
        }
        if hook.events.is_empty() {
            problem("events", "it would never be told anything: name waiting, nobody or missed".into());
        }
        if hook.kind == WebhookKind::Generic && hook.secret_file.is_empty() {
            let message =
                "without a secret, the receiver can't know who sends: set secret_file (openssl rand -base64 32)";
            problem("secret_file", message.into());
        }
    }
    if webhooks.len() > MOST {
        let message = format!("{} webhooks; there may be {MOST}", webhooks.len());
        bad.push(Problem::new(format!("webhook.{MOST}"), message));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::Config;

    fn load(text: &str) -> Result<Config, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let place = file.path().display().to_string();
        let loaded = Config::load(Some(file.path()), std::iter::empty(), Vec::new());
        loaded.map_err(|e| e.to_string().lines().map(|line| line.replace(&place, "kefu.toml")).collect())
    }

    #[test]
    fn webhooks_are_read_with_their_defaults() {
        let config = load(
            "[desk]\ncapacity = 3\n[[webhook]]\nname = \"duty\"\nkind = \"wecom\"\nurl_file = \"/etc/kefu/duty.url\"\n\
             events = [\"nobody\"]\n[[webhook]]\nname = \"crm\"\nurl = \"https://crm.example/hook\"\nsecret_file = \"/s\"\n\
             teams = [\"vip\"]\n",
        )
        .unwrap();
        let [duty, crm] = &config.webhook[..] else { panic!("{:?}", config.webhook) };
        assert_eq!((duty.kind, &duty.events), (WebhookKind::Wecom, &[WebhookEvent::Nobody].into()));
        assert_eq!((crm.kind, crm.after_seconds, crm.per_minute), (WebhookKind::Generic, 60, 20));
        assert!(crm.teams.contains("vip") && config.desk.capacity == 3);
    }

    #[test]
    fn every_mistake_is_told_at_its_line() {
        let text = "\
[[webhook]]
name = \"Duty\"
kind = \"slack\"
[[webhook]]
name = \"a\"
kind = \"wecom\"
url = \"https://x/\"
url_file = \"/x\"
after_seconds = 0
secondes = 1
[[webhook]]
name = \"a\"
url = \"https://x/\"
events = []
ca = \"ca.pem\"
[[webhook]]
name = \"a\"
kind = \"dingtalk\"
";
        let got = load(text).unwrap_err();
        assert_eq!(got.len(), 2, "{got:#?}");
        assert!(got[0].starts_with("kefu.toml:1: ") && got[0].contains("unknown variant `slack`"), "{got:#?}");
        assert!(got[1].starts_with("kefu.toml:4: ") && got[1].contains("unknown field `secondes`"), "{got:#?}");
        let got = load(&text.replace("kind = \"slack\"", "").replace("secondes = 1\n", "\n")).unwrap_err();
        let starts = [
            "kefu.toml:1: a webhook needs its address",
            "kefu.toml:1: without a secret, the receiver",
            "kefu.toml:2: \"Duty\" is no name",
            "kefu.toml:8: the address is in url already",
            "kefu.toml:9: after_seconds is 0",
            "kefu.toml:11: without a secret, the receiver",
            "kefu.toml:12: there are two webhooks \"a\"",
            "kefu.toml:14: it would never be told anything",
            "kefu.toml:15: \"ca.pem\" is not an absolute path",
            "kefu.toml:16: a webhook needs its address",
            "kefu.toml:17: there are two webhooks \"a\"",
        ];
        assert_eq!(got.len(), starts.len(), "{got:#?}");
        for (line, start) in got.iter().zip(starts) {
            assert!(line.starts_with(start), "{line} for {start}");
        }
        assert!(load("[webhook]\nname = \"a\"\n").unwrap_err()[0].contains("write [[webhook]]"));
        assert!(load("webhook = 3\n").unwrap_err()[0].contains("write [[webhook]]"));
    }
}
