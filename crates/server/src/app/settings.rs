//! Turns the configuration into the settings of each part.

use std::collections::BTreeMap;

use anyhow::anyhow;

use crate::{
    chat::{FileRules, Rate, Rates, retention::Retention},
    config::Config,
    desk::{EndRule, Rules},
    proto::IdError,
};

pub(super) fn rates(config: &Config) -> Rates {
    let (l, f) = (&config.limits, &config.files);
    let visitor_messages = Rate { burst: l.visitor_burst.into(), ..Rate::per_minute(l.visitor_messages_per_minute) };
    let (kib, mib) = (|n: u32| u64::from(n) << 10, |n: u32| u64::from(n) << 20);
    let in_kib = |mib: u32| u64::from(mib) << 10;
    Rates {
        messages: (visitor_messages, Rate::per_minute(l.address_messages_per_minute)),
        openings: (Rate::per_hour(l.visitor_conversations_per_hour), Rate::per_hour(l.conversations_per_hour)),
        changes: (Rate::per_hour(l.visitor_changes_per_hour), Rate::per_hour(l.address_changes_per_hour)),
        keys: (Rate::per_hour(l.visitor_keys_per_hour), Rate::per_hour(l.address_keys_per_hour)),
        bytes: (Rate::per_day(kib(l.visitor_kb_per_day)), Rate::per_day(mib(l.address_mb_per_day))),
        records: (Rate::per_day(l.visitor_records_per_day.into()), Rate::per_day(l.address_records_per_day.into())),
        reads: (Rate::per_minute(l.visitor_reads_per_minute), Rate::per_minute(l.address_reads_per_minute)),
        files: (Rate::per_day(in_kib(f.visitor_mb_per_day)), Rate::per_day(in_kib(f.address_mb_per_day))),
        agent_files: Rate::per_day(in_kib(f.agent_mb_per_day)),
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

/// Which files are accepted. Fails at a name that no site can have.
pub(super) fn file_rules(config: &Config) -> anyhow::Result<FileRules> {
    let f = &config.files;
    let by_site = |name: &str, sizes: &BTreeMap<String, u32>, unit: u32| {
        let size = |(site, n): (&String, &u32)| {
            let id = site.parse().map_err(|e: IdError| anyhow!("kefu.toml: {name} in [files]: {site}: {e}"))?;
            Ok((id, u64::from(*n) << unit))
        };
        sizes.iter().map(size).collect::<anyhow::Result<BTreeMap<_, _>>>()
    };
    let (sites, site_totals) = (by_site("sites", &f.sites, 20)?, by_site("site_totals", &f.site_totals, 30)?);
    let total = (f.total_gb > 0).then(|| u64::from(f.total_gb) << 30);
    Ok(FileRules {
        largest: u64::from(f.max_mb) << 20,
        sites,
        site_totals,
        total,
        reserve_mb: config.storage.reserve_mb,
    })
}

pub(super) fn end_rule(config: &Config) -> EndRule {
    let c = &config.conversations;
    let after = |n: u32, unit_ms: u64| (n > 0).then_some(u64::from(n) * unit_ms);
    EndRule {
        idle_after_ms: after(c.close_after_idle_hours, 3_600_000),
        missed_after_ms: after(c.missed_after_days, 86_400_000),
    }
}
