//! What people read: a few lines, in Chinese or English.

use std::{collections::BTreeMap, fmt::Write as _};

use kefu_proto::{ConvId, SiteId, TeamId};

use crate::{Event, Message};

/// Lines about queues; more are only counted.
const LINES: usize = 10;

/// Of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// What teams and sites are called.
pub trait Names: Send + Sync {
    /// The name of a team; its id if it has none.
    fn team(&self, team: &TeamId) -> String;
    /// The name of a site; its id if it has none.
    fn site(&self, site: &SiteId) -> String;
}

/// What happened at one place.
pub struct Group<'a> {
    pub event: Event,
    pub team: &'a TeamId,
    pub site: Option<&'a SiteId>,
    pub count: u64,
    /// The earliest, ms.
    pub since: u64,
    pub convs: Vec<ConvId>,
}

/// The notices of a message by event, team and site.
pub fn groups(message: &Message) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<_, Group<'_>> = BTreeMap::new();
    for notice in &message.notices {
        let (team, site) = (&notice.team, notice.site.as_ref());
        let group = groups.entry((notice.event, team, site)).or_insert_with(|| Group {
            event: notice.event,
            team,
            site,
            count: 0,
            since: notice.since,
            convs: Vec::new(),
        });
        // of a queue only how many wait in the end
        group.count = if notice.conv.is_some() { group.count + 1 } else { notice.count.into() };
        group.since = group.since.min(notice.since);
        group.convs.extend(notice.conv);
    }
    groups.into_values().collect()
}

/// A message as text.
pub fn of(message: &Message, names: &dyn Names, language: Language, console: &str) -> String {
    let groups = groups(message);
    let mut text = String::from("kefu");
    for group in groups.iter().take(LINES) {
        let site = group.site.map(|site| short(&names.site(site)));
        let team = short(&names.team(group.team));
        let ago = duration(message.at.saturating_sub(group.since), language);
        text.push('\n');
        text.push_str(&line(group, &team, site.as_deref(), &ago, language));
    }
    let (more, dropped) = (groups.len().saturating_sub(LINES), message.dropped);
    if more > 0 {
        let _ = match language {
            Language::Zh => write!(text, "\n另有 {more} 个队列的通知未列出"),
            Language::En => write!(text, "\n{more} more queues are not listed"),
        };
    }
    if dropped > 0 {
        let _ = match language {
            Language::Zh => write!(text, "\n另有 {dropped} 条较早的通知未能送达"),
            Language::En => write!(text, "\n{dropped} earlier notices could not be delivered"),
        };
    }
    let _ = match language {
        Language::Zh => write!(text, "\n前往接待：{console}"),
        Language::En => write!(text, "\nAnswer: {console}"),
    };
    text
}

fn line(group: &Group<'_>, team: &str, site: Option<&str>, ago: &str, language: Language) -> String {
    let count = group.count;
    match language {
        Language::Zh => {
            let place = site.map_or(format!("【{team}】"), |site| format!("【{team} · {site}】"));
            match group.event {
                Event::Waiting => format!("{place}{count} 位访客排队超时，最久已等待 {ago}"),
                Event::Nobody => format!("{place}有 {count} 位访客在排队，但没有坐席在线"),
                Event::Missed => format!("{place}{count} 个会话无人应答，已列入“未接会话”"),
            }
        }
        Language::En => {
            let place = site.map_or(format!("[{team}]"), |site| format!("[{team} · {site}]"));
            let (visitors, have) = if count == 1 { ("visitor", "has") } else { ("visitors", "have") };
            match group.event {
                Event::Waiting => format!("{place} {count} {visitors} {have} waited too long, the first for {ago}"),
                Event::Nobody => format!("{place} {count} {visitors} waiting, and no agent is online"),
                Event::Missed => {
                    let (what, were) = if count == 1 { ("conversation", "was") } else { ("conversations", "were") };
                    format!("{place} {count} {what} {were} not answered: see Missed")
                }
            }
        }
    }
}

/// A test.
pub fn test(language: Language) -> &'static str {
    match language {
        Language::Zh => "kefu\n这是一条测试通知。收到它说明通知配置正确。",
        Language::En => "kefu\nThis is a test. The webhook works.",
    }
}

/// A name without what could change how the rest is read.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn duration(ms: u64, language: Language) -> String {
    let (zh, en) = (["秒", "分钟", "小时", "天"], ["s", "min", "h", "days"]);
    let (n, unit) = match ms / 1_000 {
        s if s < 120 => (s, 0),
        s if s < 7_200 => (s / 60, 1),
        s if s < 172_800 => (s / 3_600, 2),
        s => (s / 86_400, 3),
    };
    format!("{n} {}", if language == Language::Zh { zh[unit] } else { en[unit] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Notice, Queue};

    struct Plain;

    impl Names for Plain {
        fn team(&self, team: &TeamId) -> String {
            format!("Team {team}")
        }

        fn site(&self, site: &SiteId) -> String {
            format!("{site}.example")
        }
    }

    fn message(notices: Vec<Notice>) -> Message {
        let (mut queue, limits) = (Queue::default(), Limits { per_minute: 20, keep: 1_000 });
        queue.push(notices, limits, 200_000);
        queue.begin(limits, 300_000, || "id".into()).unwrap()
    }

    fn notice(event: Event, team: &str, site: Option<&str>, n: u8, since: u64, count: u32) -> Notice {
        let conv = site.map(|_| ConvId([n; 16]));
        Notice { event, team: team.parse().unwrap(), site: site.map(|s| s.parse().unwrap()), conv, since, count }
    }

    #[test]
    fn a_message_says_how_many_where_and_since_when() {
        let message = message(vec![
            notice(Event::Waiting, "svc", Some("web"), 1, 180_000, 1),
            notice(Event::Waiting, "svc", Some("web"), 2, 100_000, 1),
            notice(Event::Nobody, "vip", None, 0, 290_000, 3),
            notice(Event::Missed, "vip", Some("app"), 4, 290_000, 1),
        ]);
        assert_eq!(
            of(&message, &Plain, Language::En, "https://k/console"),
            "kefu\n[Team svc · web.example] 2 visitors have waited too long, the first for 3 min\n[Team vip] 3 visitors waiting, \
             and no agent is online\n[Team vip · app.example] 1 conversation was not answered: see Missed\nAnswer: https://k/console"
        );
        let zh = of(&message, &Plain, Language::Zh, "https://k/console");
        assert!(zh.contains("【Team svc · web.example】2 位访客排队超时，最久已等待 3 分钟"), "{zh}");
    }

    #[test]
    fn the_largest_message_is_short() {
        let team = |n: u32| format!("t{n}");
        let many = (0..999).map(|n| notice(Event::Waiting, &team(n), Some("web"), 1, 0, 1)).collect();
        let text = of(&message(many), &Plain, Language::Zh, "https://kefu.example/console");
        // 企业微信 takes 2,048 bytes
        assert!(text.len() < 2_048 && text.contains("另有 989 个队列"), "{} bytes", text.len());
    }
}
