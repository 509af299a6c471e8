//! Checks everything in a data directory: conversations and their indexes, the signed directory, and the database file.

use serde_json::{Value, json};

use crate::{
    app::database_path,
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::CliError,
        out,
        verified_directory::{VerifiedDirectory, pinned},
    },
    store::{StoreError, redb::check_integrity},
};

/// Maximum number of faults that are printed.
const SHOWN: usize = 50;

/// Runs the check.
pub fn run(ctx: &Context) -> Result<(), CliError> {
    let admin = AdminClient::open(ctx)?;
    let running = admin.is_remote();
    let looked = admin.call("GET", "/admin/verify", None).and_then(|found| Ok((found, admin.export()?)));
    admin.close();
    let (mut found, view) = looked?;
    let Some(faults) = found["faults"].as_array_mut() else {
        return Err(CliError::failure("the running server gave an unexpected answer").hint("is it another version?"));
    };
    let entries = view.entries.len();
    if let Err(e) = VerifiedDirectory::verify(view, pinned(ctx), out::now_ms()) {
        faults.push(json!({ "table": "directory", "key": "", "what": e.what }));
    }
    let structure = if running { "not checked: a server is running" } else { structure(ctx, faults)? };
    let count = faults.len() as u64 + found["more"].as_u64().unwrap_or_default();
    found["structure"] = structure.into();
    found["directory"] = entries.into();
    if ctx.json {
        out::print_json(&found);
    } else {
        print(&found, structure, entries);
    }
    match count {
        0 => Ok(()),
        _ if ctx.json => Err(CliError::silent()),
        count => Err(CliError::failure(format!("{count} faults were found"))
            .hint("keep the data directory as it is, restore a backup elsewhere (kefu restore), and report this")),
    }
}

/// Looks at the closed file.
fn structure(ctx: &Context, faults: &mut Vec<Value>) -> Result<&'static str, CliError> {
    let config = ctx.load_config()?;
    if config.storage.is_shared() {
        return Ok("none: it is stored in Redis");
    }
    let path = database_path(&ctx.data_dir, &config);
    let what = match check_integrity(&path) {
        Ok(true) => return Ok("valid"),
        Err(StoreError::InUse) => return Ok("not checked: another process has the database"),
        Ok(false) => "the structure of the file has faults".to_owned(),
        Err(StoreError::Corrupt(e)) => e,
        Err(e) => return Err(CliError::failure(e.to_string())),
    };
    faults.push(json!({ "table": "", "key": "", "what": what }));
    Ok("faulty")
}

fn print(found: &Value, structure: &str, entries: usize) {
    let n = |key: &str| found[key].as_u64().unwrap_or_default();
    let files = &found["files"];
    let of_files = |key: &str| files[key].as_u64().unwrap_or_default();
    let sent = match files.is_object() {
        true => format!(
            "{} ({}), {} that no message names, {} uploads",
            of_files("count"),
            out::bytes(of_files("bytes")),
            of_files("unnamed"),
            of_files("uploads")
        ),
        false => "not checked: there is no place for them, or it can't be read".to_owned(),
    };
    out::facts(&[
        ("conversations", n("conversations").to_string()),
        ("records", format!("{} ({}), {} message ids", n("records"), out::bytes(n("bytes")), n("ids"))),
        ("other rows", n("rows").to_string()),
        ("directory", format!("{entries} entries")),
        ("files", sent),
        ("database file", structure.to_owned()),
    ]);
    for unnamed in files["list"].as_array().into_iter().flatten().take(SHOWN) {
        let text = |key: &str| out::printable(unnamed[key].as_str().unwrap_or_default());
        let bytes = out::bytes(unnamed["bytes"].as_u64().unwrap_or_default());
        out::line(format!("unnamed  {} ({bytes}): {}", text("key"), text("what")));
    }
    let faults = found["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    for fault in faults.iter().take(SHOWN) {
        let text = |key: &str| out::printable(fault[key].as_str().unwrap_or_default());
        let place = format!("{} {}", text("table"), text("key"));
        out::line(format!("fault  {}: {}", place.trim(), text("what")));
    }
    let more = faults.len().saturating_sub(SHOWN) as u64 + n("more");
    if more > 0 {
        out::line(format!("and {more} more; --json lists up to a thousand"));
    }
}
