//! Turns the configuration into the settings of each part.

use std::collections::BTreeMap;

use anyhow::anyhow;

use crate::{
    chat::{Rate, Rates, retention::Retention},
    config::Config,
    desk::{EndRule, Rules},
};

pub(super) fn rates(config: &Config) -> Rates {
    let l = &config.limits;
    let visitor_messages = Rate { burst: l.visitor_burst.into(), ..Rate::per_minute(l.visitor_messages_per_minute) };
    let (kib, mib) = (|n: u32| u64::from(n) << 10, |n: u32| u64::from(n) << 20);
    Rates {
        messages: (visitor_messages, Rate::per_minute(l.address_messages_per_minute)),
        openings: (Rate::per_hour(l.visitor_conversations_per_hour), Rate::per_hour(l.conversations_per_hour)),
        changes: (Rate::per_hour(l.visitor_changes_per_hour), Rate::per_hour(l.address_changes_per_hour)),
        keys: (Rate::per_hour(l.visitor_keys_per_hour), Rate::per_hour(l.address_keys_per_hour)),
        bytes: (Rate::per_day(kib(l.visitor_kb_per_day)), Rate::per_day(mib(l.address_mb_per_day))),
        records: (Rate::per_day(l.visitor_records_per_day.into()), Rate::per_day(l.address_records_per_day.into())),
        reads: (Rate::per_minute(l.visitor_reads_per_minute), Rate::per_minute(l.address_reads_per_minute)),
        agent_messages: Rate::per_minute(l.agent_messages_per_minute),
        agent_reads: Rate::per_minute(l.agent_reads_per_minute),
        // a person mistypes a few times; an office behind one address has many people
        logins: Rate::per_minute(30),
        conversation_bytes: mib(l.conversation_mb),
        conversation_records: l.conversation_records.into(),
    }
}

pub(super) fn rules(config: &Config) -> Rules {
    let d = &config.desk;
    Rules {
        offer_ms: u64::from(d.offer_seconds) * 1000,
        auto_accept: d.auto_accept,
        grace_ms: u64::from(d.grace_seconds) * 1000,
        capacity: d.capacity,
    }
}

/// Fails at a name that no site can have: a rule that is never applied would be noticed by nobody.
pub(super) fn retention(config: &Config) -> anyhow::Result<Retention> {
    let after = |days: u32| (days > 0).then_some(u64::from(days) * 86_400_000);
    let mut sites = BTreeMap::new();
    for (site, days) in &config.retention.sites {
        let id =
            site.parse().map_err(|e: crate::proto::IdError| anyhow!("kefu.toml: sites in [retention]: {site}: {e}"))?;
        sites.insert(id, after(*days));
    }
    Ok(Retention { default_ms: after(config.retention.closed_days), sites })
}

pub(super) fn end_rule(config: &Config) -> EndRule {
    let c = &config.conversations;
    let after = |n: u32, unit_ms: u64| (n > 0).then_some(u64::from(n) * unit_ms);
    EndRule {
        idle_after_ms: after(c.close_after_idle_hours, 3_600_000),
        missed_after_ms: after(c.missed_after_days, 86_400_000),
    }
}
