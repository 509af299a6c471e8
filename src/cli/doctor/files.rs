//! What lies in the data directory: who may read it, and until when certificates are good.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::Finding;
use crate::{
    cli::{
        context::Context,
        data_dir::{self, KEYS, OPAQUE, ROBOT, TLS, quoted},
        out, tls,
    },
    config::Config,
    crypto::keyfile::CompanyKeys,
};

const MONTH_MS: u64 = 30 * 86_400_000;

/// Exists, is a company's, and is nobody else's to enter.
pub fn data_directory(ctx: &Context) -> Finding {
    const CHECK: &str = "data directory";
    let checked = data_dir::require_initialised(&ctx.data_dir).and_then(|()| data_dir::check_private(&ctx.data_dir));
    match checked {
        Ok(()) => Finding::ok(CHECK, format!("{}, nobody else may enter", ctx.data_dir.display())),
        Err(fail) => Finding::from_fail(CHECK, &fail),
    }
}

/// Files with secrets: their modes, and whether the company keys are sealed.
pub fn secrets(ctx: &Context) -> Vec<Finding> {
    let tls = ctx.file(TLS);
    let robot = ctx.file(ROBOT);
    let files = [
        ctx.file(KEYS),
        ctx.file(OPAQUE),
        tls.join(tls::CA_KEY),
        tls.join(tls::KEY),
        robot.join("sign.key"),
        robot.join("day.keys"),
    ];
    let open: Vec<PathBuf> = files.into_iter().filter(|f| readable_by_others(f.as_path())).collect();
    let mut findings = Vec::new();
    if !open.is_empty() {
        let names: Vec<String> = open.iter().map(|p| quoted(p)).collect();
        let what = format!("others may read {}", names.join(", "));
        findings.push(Finding::problem("secrets", what, format!("chmod 600 {}", names.join(" "))));
    }
    let keys = fs::read_to_string(ctx.file(KEYS)).ok();
    findings.push(match keys.as_deref().map(CompanyKeys::is_sealed) {
        None => Finding::ok("company keys", "not on this machine"),
        Some(Ok(true)) => Finding::ok("company keys", "here, sealed with a passphrase; keep a copy elsewhere"),
        Some(Ok(false)) => Finding::warning(
            "company keys",
            "here and NOT sealed: whoever reads the file owns the company",
            "for more than a trial, start with kefu init in a new directory and give a passphrase",
        ),
        Some(Err(e)) => Finding::problem("company keys", e.to_string(), "restore company.keys from your copy"),
    });
    findings
}

fn readable_by_others(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

/// The certificate that the server would use.
pub fn certificate(ctx: &Context, config: &Config) -> Finding {
    const CHECK: &str = "certificate";
    if config.server.plain_http {
        return Finding::ok(CHECK, "none: plain HTTP, TLS is the proxy's");
    }
    let own = config.tls.cert.is_empty();
    let tls = ctx.file(TLS);
    let (cert, key) = if own {
        (tls.join(tls::CERT), tls.join(tls::KEY))
    } else {
        (PathBuf::from(&config.tls.cert), PathBuf::from(&config.tls.key))
    };
    let now = out::now_ms();
    let made_here = own && tls.join(tls::CA_KEY).exists();
    match tls::check(&cert, &key, now) {
        Err(_) if made_here && tls::good_until(&cert).is_ok_and(|until| until <= now) => Finding::problem(
            CHECK,
            "our own certificate expired",
            "restart the server: it makes a new one at each start",
        ),
        Err(fail) => Finding::from_fail(CHECK, &fail),
        Ok(good) => {
            let until = format!("good until {} ({})", out::date(good.end), out::relative(good.end, now));
            match (good.end - now < MONTH_MS, made_here) {
                (false, true) => Finding::ok(CHECK, format!("made here, {until}")),
                (false, false) => Finding::ok(CHECK, until),
                (true, true) => Finding::warning(CHECK, until, "restart the server: it makes a new one at each start"),
                (true, false) => {
                    Finding::warning(CHECK, until, "get a new one, put it in place and restart the server")
                }
            }
        }
    }
}
