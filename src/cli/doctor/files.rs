//! Files of the data directory: who may read them, and until when certificates are valid.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::Finding;
use crate::{
    cli::{
        account,
        admin_client::AdminClient,
        context::Context,
        data_dir::{self, COMPANY_KEYS, OPAQUE_SETUP, PUSH_KEY, ROBOT, TLS},
        io_error::quoted,
        lock, out,
    },
    config::Config,
    crypto::keyfile::CompanyKeys,
    tls::{self, Files, TlsError},
};

const MONTH_MS: u64 = 30 * 86_400_000;

/// Exists, contains a company, and is not accessible to other users.
pub fn data_directory(ctx: &Context) -> Finding {
    const CHECK: &str = "data directory";
    let checked = data_dir::require_initialised(&ctx.data_dir).and_then(|()| data_dir::check_private(&ctx.data_dir));
    match checked {
        Ok(()) => Finding::ok(CHECK, format!("{}, not accessible to other users", ctx.data_dir.display())),
        Err(fail) => Finding::from_fail(CHECK, &fail),
    }
}

/// Maximum number of files that are looked at: a data directory has a few dozen, but anything may have been put there.
const MOST_FILES: usize = 100_000;

/// Whether everything in the data directory belongs to the directory's owner: a server that runs as them reads and
/// replaces nothing else. Nothing if it does.
pub fn owners(ctx: &Context) -> Option<Finding> {
    let owner = fs::metadata(&ctx.data_dir).ok()?.uid();
    let mut foreign: Vec<(PathBuf, u32)> = Vec::new();
    let mut to_look_at = vec![ctx.data_dir.clone()];
    let mut seen = 0;
    while let Some(dir) = to_look_at.pop() {
        // what this user may not read is foreign, and named as such one level above
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten().take(MOST_FILES - seen) {
            seen += 1;
            // not what a link leads to
            let Ok(meta) = entry.metadata() else { continue };
            if meta.uid() != owner {
                foreign.push((entry.path(), meta.uid()));
            }
            if meta.is_dir() {
                to_look_at.push(entry.path());
            }
        }
    }
    foreign.sort();
    let (first, whose) = foreign.first()?;
    let more = match foreign.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some(Finding::problem(
        "owners",
        format!(
            "{}{more} belongs to {}, but the data directory to {}: the server cannot read or replace it",
            first.display(),
            account::shown(*whose),
            account::shown(owner)
        ),
        format!("chown -R {owner} {}", quoted(&ctx.data_dir)),
    ))
}

/// Files with secrets: their modes, and whether the company keys are sealed.
pub fn secrets(ctx: &Context) -> Vec<Finding> {
    let tls = ctx.file(TLS);
    let robot = ctx.file(ROBOT);
    let files = [
        ctx.file(COMPANY_KEYS),
        ctx.file(OPAQUE_SETUP),
        ctx.file(PUSH_KEY),
        tls.join(tls::CA_KEY),
        tls.join(tls::KEY),
        robot.join("sign.key"),
        robot.join("day.keys"),
    ];
    // with an earlier kefu it may contain only the certificate, which is not secret
    let pair = Some(tls.join(tls::CERT)).filter(|f| fs::read_to_string(f).is_ok_and(|t| t.contains("PRIVATE KEY")));
    let open: Vec<PathBuf> = files.into_iter().chain(pair).filter(|f| readable_by_others(f.as_path())).collect();
    let mut findings: Vec<Finding> = too_open(&open).into_iter().collect();
    let keys = fs::read_to_string(ctx.file(COMPANY_KEYS)).ok();
    findings.push(match keys.as_deref().map(CompanyKeys::is_sealed) {
        None => Finding::ok("company keys", "not on this machine"),
        Some(Ok(true)) => Finding::ok("company keys", "here, sealed with a passphrase; keep a copy elsewhere"),
        Some(Ok(false)) => Finding::warning(
            "company keys",
            "here and NOT sealed: anyone who reads the file owns the company",
            "except for a trial, run kefu init in a new directory and set a passphrase",
        ),
        Some(Err(e)) => Finding::problem("company keys", e.to_string(), "restore company.keys from your copy"),
    });
    findings
}

/// Files with secrets that the configuration names.
pub fn named_secrets(config: &Config) -> Option<Finding> {
    let hooks = config.webhook.iter().flat_map(|hook| [&hook.url_file, &hook.secret_file]);
    let files =
        [&config.storage.password_file, &config.storage.s3_key_file].into_iter().chain(hooks).map(PathBuf::from);
    let open: Vec<PathBuf> = files.filter(|file| readable_by_others(file)).collect();
    too_open(&open)
}

fn too_open(files: &[PathBuf]) -> Option<Finding> {
    let names: Vec<String> = files.iter().map(|file| quoted(file)).collect();
    let what = format!("other users can read {}", names.join(", "));
    (!names.is_empty()).then(|| Finding::problem("secrets", what, format!("chmod 600 {}", names.join(" "))))
}

fn readable_by_others(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

/// The certificate that the server would use, and whether the running one took it.
pub fn certificate(ctx: &Context, config: &Config) -> Finding {
    const CHECK: &str = "certificate";
    if config.server.plain_http {
        return Finding::ok(CHECK, "none: plain HTTP, the proxy handles TLS");
    }
    let (own, dir) = (config.tls.cert.is_empty(), ctx.file(TLS));
    let files = if own { Files::own(&dir) } else { Files::named(&config.tls.cert, &config.tls.key) };
    let made_here = own && dir.join(tls::CA_KEY).exists();
    let now = out::now_ms();
    let again = "restart the server: it makes a new one at each start";
    let served = served(ctx);
    if let Some(trouble) = served.as_ref().and_then(|s| s["trouble"].as_str()) {
        let until = served.as_ref().and_then(|s| s["good"]["end"].as_u64()).unwrap_or_default();
        let what = format!(
            "the server does not use the new one ({trouble}); it serves one that is valid until {}",
            out::date(until)
        );
        return Finding::problem(CHECK, what, "install a complete pair of certificate and key");
    }
    match files.load_good(now) {
        Err(TlsError::Expired { .. }) if made_here => {
            Finding::problem(CHECK, "the certificate made by kefu expired", again)
        }
        Err(e) if made_here => Finding::problem(CHECK, e.to_string(), again),
        Err(e) => Finding::from_fail(CHECK, &e.into()),
        Ok(pair) => {
            let end = pair.good.end;
            let until = format!("valid until {} ({})", out::date(end), out::relative(end, now));
            let bound = !made_here || tls::constrained(&dir);
            match (end - now < MONTH_MS, made_here) {
                (false, true) if !bound => Finding::warning(
                    CHECK,
                    format!(
                        "made here, {until}; its authority can issue certificates for any name, which everyone who trusts it would accept"
                    ),
                    "kefu tls renew --new-authority, then tell browsers to trust the new tls/ca.pem",
                ),
                (false, true) => Finding::ok(CHECK, format!("made here, {until}")),
                (false, false) => Finding::ok(CHECK, until),
                (true, true) => Finding::warning(CHECK, until, again),
                (true, false) => Finding::warning(CHECK, until, "get a new one and install it: the server loads it"),
            }
        }
    }
}

/// What the running server reports about its certificate.
fn served(ctx: &Context) -> Option<serde_json::Value> {
    lock::running(&ctx.data_dir)?;
    let admin = AdminClient::open(ctx).ok()?;
    let answer = admin.call("GET", "/admin/certificate", None);
    admin.close();
    answer.ok().filter(|a| !a.is_null())
}
