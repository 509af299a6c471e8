//! Each rule by itself. Servers with such settings are in `tests/it/checks.rs`.

use std::collections::HashMap;

use super::*;
use crate::{Version, info::Info};

/// A server as it should be, with two replicas.
fn good() -> State {
    let settings = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("no-appendfsync-on-rewrite", "no"),
        ("min-replicas-to-write", "2"),
        ("min-replicas-max-lag", "10"),
        ("replica-priority", "100"),
        ("cluster-node-timeout", "15000"),
    ];
    let settings: HashMap<String, String> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let info = "loading:0\r\naof_enabled:1\r\naof_last_write_status:ok\r\nmaxmemory_policy:noeviction\r\nused_memory:75\r\nmaxmemory:100";
    State {
        address: Address::new("db", 6379),
        version: Version(7, 0, 0),
        role: Role::Primary { replicas: vec![Address::new("r1", 1), Address::new("r2", 1)] },
        settings: Some(settings.into()),
        info: Info::parse(info),
        cluster: None,
        apart_ms: 1000,
    }
}

fn with_setting(name: &str, value: &str) -> State {
    let mut state = good();
    state.settings.as_mut().unwrap().set(name, value);
    state
}

fn with_info(name: &str, value: &str) -> State {
    let mut state = good();
    state.info.set(name, value);
    state
}

fn codes(state: &State, needs: &Needs) -> Vec<(Severity, &'static str)> {
    primary(state, needs).iter().map(|finding| (finding.severity, finding.code)).collect()
}

const TWO: Needs = Needs { replicas: 2, unchecked: false };
const UNCHECKED: Needs = Needs { unchecked: true, ..TWO };

#[test]
fn nothing_is_found_where_all_is_right() {
    assert_eq!(codes(&good(), &TWO), []);
}

#[test]
fn settings_that_lose_data_refuse_or_warn() {
    for (name, value) in [("appendonly", "no"), ("appendfsync", "everysec"), ("no-appendfsync-on-rewrite", "yes")] {
        let state = with_setting(name, value);
        let found = primary(&state, &TWO);
        assert_eq!(codes(&state, &TWO), [(Severity::Refuses, found[0].code)]);
        assert_eq!(found[0].code, name);
        assert!(found[0].sentence.starts_with(&format!("db:6379 has `{name} {value}`")), "{}", found[0].sentence);
        assert_eq!(codes(&state, &UNCHECKED), [(Severity::Warns, found[0].code)]);
    }
    assert_eq!(codes(&with_info("maxmemory_policy", "allkeys-lru"), &TWO), [(Severity::Refuses, "maxmemory-policy")]);
}

#[test]
fn without_config_what_info_says_still_counts() {
    let mut state = State { settings: None, ..with_info("aof_enabled", "0") };
    assert_eq!(codes(&state, &TWO), [(Severity::Refuses, "appendonly"), (Severity::Refuses, "config")]);
    state.info.set("aof_enabled", "1");
    assert_eq!(codes(&state, &UNCHECKED), [(Severity::Warns, "config")]);
}

#[test]
fn what_does_not_work_refuses_even_unchecked() {
    let old = State { version: Version(6, 2, 14), ..good() };
    let replica = State { role: Role::Replica { of: Address::new("p", 1), connected: true }, ..good() };
    let few = State { role: Role::Primary { replicas: vec![Address::new("r1", 1)] }, ..good() };
    let down =
        State { cluster: Some(Info::parse("cluster_state:fail")), ..with_setting("cluster-node-timeout", "5000") };
    for (state, code) in [
        (old, "version"),
        (replica, "role"),
        (few, "replicas"),
        (down, "cluster-state"),
        (with_info("loading", "1"), "loading"),
    ] {
        assert_eq!(codes(&state, &UNCHECKED), [(Severity::Refuses, code)]);
    }
}

#[test]
fn what_can_be_lived_with_warns() {
    let node = State { cluster: Some(Info::parse("cluster_state:ok")), ..good() };
    for (state, code) in [
        (with_setting("min-replicas-to-write", "1"), "min-replicas-to-write"),
        (with_setting("min-replicas-max-lag", "11"), "min-replicas-max-lag"),
        (with_info("maxmemory", "0"), "maxmemory"),
        (with_info("used_memory", "76"), "memory-used"),
        (with_info("aof_last_write_status", "err"), "aof-write"),
        (node, "cluster-node-timeout"),
        (State { apart_ms: 1001, ..good() }, "clock"),
    ] {
        assert_eq!(codes(&state, &TWO), [(Severity::Warns, code)]);
    }
    // without replicas their number and lag mean nothing
    assert_eq!(codes(&with_setting("min-replicas-to-write", "0"), &Needs::default()), []);
}

#[test]
fn more_replicas_that_can_become_primary_than_have_every_write() {
    let never = with_setting("replica-priority", "0");
    let mut no_failover = with_setting("cluster-replica-no-failover", "yes");
    no_failover.cluster = Some(Info::default());
    let address = Address::new("db", 1);
    let found = |replicas: &[State]| promotable(&address, replicas, &Needs { replicas: 1, unchecked: false }).is_some();
    assert!(!found(&[good()]) && found(&[good(), good()]));
    assert!(!found(&[good(), never]) && !found(&[good(), no_failover]));
}

#[test]
fn accepting_tells_warnings_from_refusals() {
    let warning = warns("a", "A.".into());
    assert_eq!(super::super::accept(vec![warning.clone()]).unwrap(), std::slice::from_ref(&warning));
    let refused =
        super::super::accept(vec![refuses("b", "B.".into()), warning, refuses("c", "C.".into())]).unwrap_err();
    assert_eq!(refused.to_string(), "B.\nC.");
}
