//! What a server's settings and state mean. Pure: from what was read to findings.

use super::{Finding, Needs, Severity, state::State};
use crate::{Address, Role, Server, server::OLDEST};

/// The longest silence after which another primary must be chosen, ms.
pub(super) const SILENCE_MS: u64 = 5000;
/// The longest lag with which a replica counts, s.
const LAG_S: u64 = 10;
/// How far clocks may be apart, ms.
const APART_MS: u64 = 1000;
/// How much of the allowed memory may be used, per cent.
const USED: u64 = 75;

fn finding(severity: Severity, code: &'static str, sentence: String) -> Finding {
    Finding { severity, code, sentence }
}

pub(super) fn refuses(code: &'static str, sentence: String) -> Finding {
    finding(Severity::Refuses, code, sentence)
}

pub(super) fn warns(code: &'static str, sentence: String) -> Finding {
    finding(Severity::Warns, code, sentence)
}

pub(crate) fn too_old(server: &Server) -> Finding {
    let Server { address, version, .. } = server;
    refuses("version", format!("{address} runs version {version}: install {OLDEST} or newer"))
}

/// All that is known of a primary by itself.
pub(super) fn primary(state: &State, needs: &Needs) -> Vec<Finding> {
    let address = &state.address;
    let mut findings = any(state, needs);
    match &state.role {
        Role::Primary { replicas } if replicas.len() < needs.replicas => {
            let (have, k) = (replicas.len(), needs.replicas);
            let what = format!("{address} has {have} connected replicas of {k} required: start more, or require fewer");
            findings.push(refuses("replicas", what));
        }
        Role::Primary { .. } => {}
        Role::Replica { of, .. } => {
            findings.push(refuses("role", format!("{address} is a replica of {of}: name its primary")));
        }
        Role::Sentinel => findings.push(refuses("role", format!("{address} is a Sentinel: name the primary"))),
    }
    findings.extend(least_replicas(state, needs));
    findings
}

/// All that must be so on primaries and on replicas, which may become primary and whose disk counts as well.
pub(super) fn any(state: &State, needs: &Needs) -> Vec<Finding> {
    let address = &state.address;
    let mut findings = vec![];
    if state.version < OLDEST {
        findings
            .push(refuses("version", format!("{address} runs version {}: install {OLDEST} or newer", state.version)));
    }
    if state.info.get("loading").is_some_and(|loading| loading != "0") {
        findings.push(refuses("loading", format!("{address} is still loading its data: wait until it has")));
    }
    if state.cluster.as_ref().is_some_and(|cluster| cluster.get("cluster_state") != Some("ok")) {
        let what = format!("{address} says that its Cluster is down: see `CLUSTER INFO` and start what is missing");
        findings.push(refuses("cluster-state", what));
    }
    findings.extend(settings(state, needs));
    findings.extend(memory(state));
    if state.info.get("aof_last_write_status").is_some_and(|status| status != "ok") {
        let what =
            format!("{address} could not write to its append-only file: see its log, most often the disk is full");
        findings.push(warns("aof-write", what));
    }
    if number(state, "cluster-node-timeout").is_some_and(|ms| ms > SILENCE_MS) && state.cluster.is_some() {
        let what = format!(
            "{address} waits long before another primary is chosen: set `cluster-node-timeout {SILENCE_MS}` or less"
        );
        findings.push(warns("cluster-node-timeout", what));
    }
    if state.apart_ms > APART_MS {
        let what = format!("the clock of {address} is {} ms from ours: set both by NTP", state.apart_ms);
        findings.push(warns("clock", what));
    }
    findings
}

/// Settings with which an acknowledged write can be lost.
fn settings(state: &State, needs: &Needs) -> Vec<Finding> {
    let address = &state.address;
    let severity = if needs.unchecked { Severity::Warns } else { Severity::Refuses };
    let mut findings = vec![];
    let mut must = |name: &'static str, found: Option<&str>, wanted: &str, because: &str| {
        if let Some(found) = found.filter(|found| *found != wanted) {
            let what = format!("{address} has `{name} {found}`, so that {because}: set `{name} {wanted}`");
            findings.push(finding(severity, name, what));
        }
    };
    let from_info = |name: &str| state.info.get(name).map(|on| if on == "0" { "no" } else { "yes" });
    let appendonly = state.setting("appendonly").or(from_info("aof_enabled"));
    must("appendonly", appendonly, "yes", "writes are not kept when it ends");
    must("appendfsync", state.setting("appendfsync"), "always", "a power failure takes back what was acknowledged");
    let rewrite = "no-appendfsync-on-rewrite";
    must(rewrite, state.setting(rewrite), "no", "nothing is safe while it rewrites its file");
    let policy = state.info.get("maxmemory_policy");
    must("maxmemory-policy", policy, "noeviction", "it throws data away when memory is scarce");
    if state.settings.is_none() {
        let what = format!(
            "{address} does not let its settings be read: allow `CONFIG GET`, or set unchecked = true if its provider \
             promises that no acknowledged write is lost"
        );
        findings.push(finding(severity, "config", what));
    }
    findings
}

fn memory(state: &State) -> Option<Finding> {
    let address = &state.address;
    let used: u64 = state.info.number("used_memory")?;
    match state.info.number::<u64>("maxmemory")? {
        0 => {
            let what = format!(
                "{address} may use all memory, until the system kills it: set `maxmemory` below what the machine has"
            );
            Some(warns("maxmemory", what))
        }
        most if used > most / 100 * USED => {
            let share = used.saturating_mul(100) / most;
            let what = format!(
                "{address} uses {share} % of its `maxmemory`; when all is used it refuses writes: raise it, or add shards"
            );
            Some(warns("memory-used", what))
        }
        _ => None,
    }
}

/// Whether a primary that is cut off from its replicas stops accepting writes.
fn least_replicas(state: &State, needs: &Needs) -> Vec<Finding> {
    let (address, k) = (&state.address, needs.replicas);
    let mut findings = vec![];
    if k == 0 {
        return findings;
    }
    if number(state, "min-replicas-to-write").is_some_and(|least| least < k as u64) {
        let what = format!("{address} goes on writing when it has lost its replicas: set `min-replicas-to-write {k}`");
        findings.push(warns("min-replicas-to-write", what));
    }
    if number(state, "min-replicas-max-lag").is_some_and(|lag| lag > LAG_S) {
        let what = format!("{address} counts replicas that are far behind: set `min-replicas-max-lag {LAG_S}` or less");
        findings.push(warns("min-replicas-max-lag", what));
    }
    findings
}

/// Whether a replica may become primary by itself, under Sentinels or in a Cluster.
pub(super) fn is_promotable(replica: &State) -> bool {
    if replica.cluster.is_some() {
        replica.setting("cluster-replica-no-failover") != Some("yes")
    } else {
        replica.setting("replica-priority") != Some("0")
    }
}

/// Replicas that may become primary without having what was acknowledged.
pub(super) fn promotable(primary: &Address, replicas: &[State], needs: &Needs) -> Option<Finding> {
    let count = replicas.iter().filter(|replica| is_promotable(replica)).count();
    (count > needs.replicas).then(|| {
        let what = format!(
            "{count} replicas of {primary} can become primary and only {} must have a write before it counts, so that a failover can \
             lose some: require {count}, or exclude replicas by `replica-priority 0` (Cluster: `cluster-replica-no-failover yes`)",
            needs.replicas
        );
        warns("promotable", what)
    })
}

fn number(state: &State, name: &str) -> Option<u64> {
    state.setting(name)?.parse().ok()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
