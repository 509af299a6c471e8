//! The server and the company in it: does it run, is it of this version, is its directory sound and fresh.

use std::{collections::BTreeMap, net::TcpListener};

use serde::Deserialize as _;

use super::Finding;
use crate::{
    app::{self, Severity},
    cli::{
        admin_client::{AdminClient, runtime},
        clock,
        context::Context,
        error::CliError,
        io_error::io_reason,
        lock, out,
        site::outdated::OutdatedWidgets,
        stats,
        user::waiting,
        verified_directory::VerifiedDirectory,
    },
    config::{Config, Storage},
    crypto::directory::Role,
    org::acts::DAY_MS,
};

const WEEK_MS: u64 = 7 * 86_400_000;

/// Whether the shared database can be reached, and keeps what is acknowledged.
pub fn redis(settings: &Storage) -> Vec<Finding> {
    const CHECK: &str = "redis";
    let found = runtime().and_then(|runtime| {
        runtime.block_on(app::examine_redis(settings)).map_err(|e| CliError::failure(format!("{e:#}")))
    });
    let next = "docs/operations.md, \"Several servers\", says which settings of Redis keep what is acknowledged";
    match found {
        Err(e) => vec![Finding::problem(CHECK, e.what, "is it running, and is storage.url right?")],
        Ok(found) if found.is_empty() => vec![Finding::ok(CHECK, "keeps what is acknowledged")],
        Ok(found) => found
            .into_iter()
            .map(|finding| match finding.severity {
                Severity::Refuses => Finding::problem(CHECK, finding.sentence, next),
                Severity::Warns => Finding::warning(CHECK, finding.sentence, next),
            })
            .collect(),
    }
}

/// Whether the robot that several servers share answers on them. Nothing if no site has one.
pub fn robot(ctx: &Context) -> Option<Finding> {
    const CHECK: &str = "robot";
    let admin = AdminClient::open(ctx).ok()?;
    let status = admin.call("GET", "/admin/robot", None);
    admin.close();
    let status = status.ok()?;
    let on = status["robots"].as_array()?.iter().find(|robot| robot["on"] == true)?;
    if let Some(trouble) = status["trouble"].as_str() {
        return Some(Finding::problem(CHECK, trouble, "kefu robot status"));
    }
    if status["key"] != on["id"] {
        let what = "its key is not in Redis, or is sealed with another cluster.key than that of this server";
        return Some(Finding::problem(
            CHECK,
            what,
            "copy cluster.key from another server, or kefu robot on with its sites",
        ));
    }
    let servers = status["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let alive: Vec<_> = servers.iter().filter(|server| server["alive"] == true).collect();
    let idle = alive.iter().filter(|s| s["day_keys"].as_array().is_none_or(Vec::is_empty)).count();
    let text = match alive.len() {
        0 => "its key can be used by the servers".to_owned(),
        all => format!("answers on {} of {all} servers", all - idle),
    };
    Some(match idle {
        0 => Finding::ok(CHECK, text),
        _ => Finding::warning(CHECK, text, "the log of the others says why; kefu node list names all servers"),
    })
}

/// Whether the bucket that files are in can be used for all that a server does. Nothing if they are not in one.
pub fn bucket(settings: &Storage) -> Vec<Finding> {
    const CHECK: &str = "files";
    let found = runtime().and_then(|runtime| {
        runtime.block_on(app::examine_bucket(settings)).map_err(|e| CliError::failure(format!("{e:#}")))
    });
    match found {
        Ok(None) => Vec::new(),
        Ok(Some(report)) => {
            let skew = report.skew_s.map(|s| {
                let (by, way) = (out::duration(s.unsigned_abs() * 1_000), if s > 0 { "ahead of" } else { "behind" });
                let what = format!("the clock of the store of files is {by} {way} this machine's");
                Finding::warning("clock", what, "set the wrong one (NTP): at 15 minutes the store refuses everything")
            });
            [Finding::ok(CHECK, format!("listed, written, read and deleted in {}", report.place))]
                .into_iter()
                .chain(skew)
                .collect()
        }
        Err(e) => {
            let next = "until it can, nobody sends or reads files; messages go on";
            vec![Finding::problem(CHECK, e.what, next)]
        }
    }
}

/// Runs and is of this version, or could run.
pub fn server(ctx: &Context, config: &Config) -> Finding {
    const CHECK: &str = "server";
    let Some(pid) = lock::running(&ctx.data_dir) else {
        let listen = config.server.listen;
        return match TcpListener::bind(listen) {
            Ok(_) => Finding::warning(CHECK, format!("not running; {listen} is free for it"), "kefu serve"),
            Err(e) => Finding::problem(
                CHECK,
                format!("not running, and cannot listen on {listen}: {}", io_reason(&e)),
                format!(
                    "ss -ltnp 'sport = :{}' shows what uses it; server.listen in kefu.toml sets another",
                    listen.port()
                ),
            ),
        };
    };
    let mine = env!("CARGO_PKG_VERSION");
    let version = AdminClient::open(ctx).and_then(|admin| {
        let answer = admin.call("GET", "/admin/version", None);
        admin.close();
        answer
    });
    match version {
        Err(fail) => Finding::problem(
            CHECK,
            format!("process {pid} is running but does not answer: {}", fail.what),
            "read its log; restart it if it still does not answer",
        ),
        Ok(answer) => match answer["version"].as_str() {
            Some(theirs) if theirs == mine => Finding::ok(CHECK, format!("running as process {pid}, version {mine}")),
            theirs => Finding::warning(
                CHECK,
                format!("process {pid} is version {}, this command is version {mine}", theirs.unwrap_or("?")),
                "restart the server after an upgrade",
            ),
        },
    }
}

/// Whether a limit was reached lately: an attack, or customers behind one address. Nothing if no server runs.
pub fn limited(ctx: &Context) -> Option<Finding> {
    let answer = asked(ctx)?;
    let all = BTreeMap::deserialize(answer.get("limited")?).ok()?;
    Some(match all.is_empty() {
        true => Finding::ok("limits", "none reached in the last ten minutes"),
        false => Finding::warning(
            "limits",
            format!("reached in the last ten minutes, {}", stats::limited(&all)),
            "if these are your customers behind one address, raise the limits by address in kefu.toml; behind a proxy set \
             server.trusted_proxies",
        ),
    })
}

/// What a running server can't store, whatever the disk seems to have: a quota, or a disk that fails.
pub fn storage(ctx: &Context) -> Option<Finding> {
    let answer = asked(ctx)?;
    let what = match answer["storage"]["state"].as_str()? {
        "low" => "the server refuses visitors' messages: the disk is almost full",
        "full" => "the server stores NOTHING: the disk is full, over its quota, or fails",
        _ => return None,
    };
    Some(Finding::problem("storage", what, "free some space; its log says why, and when it recovers"))
}

/// The statistics of the server, if one runs and answers.
fn asked(ctx: &Context) -> Option<serde_json::Value> {
    lock::running(&ctx.data_dir)?;
    let admin = AdminClient::open(ctx).ok()?;
    let answer = admin.call("GET", "/admin/stats", None);
    admin.close();
    answer.ok()
}

/// The signed directory: verifies, is fresh, and is not from the future.
pub fn directory(ctx: &Context) -> Vec<Finding> {
    const CHECK: &str = "directory";
    let asked = AdminClient::open(ctx).and_then(|admin| {
        let company = VerifiedDirectory::load(ctx, &admin);
        let old = OutdatedWidgets::ask(&admin);
        admin.close();
        Ok((company?, old))
    });
    let (company, old) = match asked {
        Ok(all) => all,
        Err(fail) => return vec![Finding::from_fail(CHECK, &fail)],
    };
    let now = company.now_ms;
    let mut findings = Vec::new();
    if let Some(what) = clock::behind(VerifiedDirectory::newest_entry_ms(&company.view), now) {
        findings.push(Finding::problem("clock", what, "set the clock: invites and snapshots depend on it"));
    }
    // a snapshot that does not fit the log is none
    let fits = company.view.snapshot.as_ref().filter(|_| company.dir.covered().is_some());
    let until = fits.and_then(|s| s.read().ok()).map_or(0, |body| body.until);
    let entries = company.dir.seq();
    let next = "kefu directory refresh, or an admin signs in to the console";
    findings.push(match until {
        until if until <= now => {
            Finding::problem(CHECK, "visitors refuse it: its snapshot has expired, new chats cannot begin", next)
        }
        until if until - now < WEEK_MS => {
            Finding::warning(CHECK, format!("visitors accept it only until {}", out::date(until)), next)
        }
        until => {
            Finding::ok(CHECK, format!("verifies to entry {entries}, visitors accept it until {}", out::date(until)))
        }
    });
    let may_act = |id| company.dir.agent(id).is_some_and(|a| a.is_active(now));
    let admin_may_come = company.believed.open.iter().any(|invite| invite.role == Role::Admin);
    let next = "kefu user add ID --role admin invites one";
    if !company.dir.users().any(|(id, _)| may_act(id)) && company.believed.open.is_empty() {
        findings.push(Finding::warning("people", "nobody can sign in, and no invite is open", next));
    } else if !company.dir.agents().any(|a| a.role == Role::Admin && a.is_active(now)) && !admin_may_come {
        let what = "there is no admin: nobody can confirm people or renew the directory in the console";
        findings.push(Finding::warning("people", what, format!("{next}; or kefu user role ID admin")));
    }
    for newcomer in waiting::all(&company).iter().filter(|n| n.until < now + DAY_MS) {
        let (what, next) = newcomer.words(now);
        findings.push(Finding::warning("people", what, next));
    }
    for ignored in &company.believed.ignored {
        let next = "find out who changed the database, and compare it with a backup";
        findings.push(Finding::warning("lists", ignored.to_string(), next));
    }
    findings.extend(old.lines(now).into_iter().map(|(sighting, what, next)| match sighting.is_unsafe {
        true => Finding::problem("widgets", what, next),
        false => Finding::warning("widgets", what, next),
    }));
    findings
}
