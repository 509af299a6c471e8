//! The directory of the files that people send, as long as it is no bucket.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use super::Finding;
use crate::{
    app::{blobs_path, strangers},
    cli::{
        account,
        context::Context,
        io_error::{io_reason, quoted},
        out,
    },
    config::Config,
    store::space::{self, Capacity, Thresholds},
};

const CHECK: &str = "files";
/// Files and directories that are looked at: beyond that, the first ones speak for the rest.
const MOST: usize = 100_000;

/// Whether files can be stored in the directory that they are in: its owner, its mode, free space, and what does not belong there.
/// Nothing if they are in a bucket, or nobody may send any.
pub fn directory(ctx: &Context, config: &Config) -> Vec<Finding> {
    let storage = &config.storage;
    if storage.bucket().is_some() || storage.is_shared() {
        return Vec::new();
    }
    let path = blobs_path(&ctx.data_dir, config);
    // it is made with the first upload
    let place = path.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let mut findings: Vec<_> =
        [owner(ctx, place, place == path), writable(place), strange(&path)].into_iter().flatten().collect();
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    match space::capacity(place) {
        // the disk of the database is looked at anyway
        Ok(_) if device(place) == device(&ctx.data_dir) => {}
        Ok(capacity) => findings.extend(room(&path, capacity, storage.reserve_mb)),
        Err(e) => findings.push(Finding::problem(
            CHECK,
            format!("the disk of {} cannot be queried: {}", path.display(), io_reason(&e)),
            "is it mounted?",
        )),
    }
    if findings.is_empty() {
        let what = if path.exists() { "" } else { ", which the first file makes" };
        findings.push(Finding::ok(CHECK, format!("in {}{what}", path.display())));
    }
    findings
}

/// The server runs as the owner of the data directory, and nobody else need read what is there. `made`: it is kefu's own already.
fn owner(ctx: &Context, place: &Path, made: bool) -> Option<Finding> {
    let (wanted, meta) = (fs::metadata(&ctx.data_dir).ok()?.uid(), fs::metadata(place).ok()?);
    let (owner, mode) = (meta.uid(), meta.permissions().mode());
    if owner != wanted && (made || mode & 0o002 == 0) {
        let what = format!(
            "{} belongs to {}, but the data directory to {}: the server cannot store files there",
            place.display(),
            account::shown(owner),
            account::shown(wanted)
        );
        return Some(Finding::problem(CHECK, what, format!("chown -R {wanted} {}", quoted(place))));
    }
    (made && mode & 0o077 != 0).then(|| {
        let what = format!(
            "other users can look into {}: they see how many files there are, and their sizes",
            place.display()
        );
        Finding::warning(CHECK, what, format!("chmod 700 {}", quoted(place)))
    })
}

fn writable(place: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(place).ok()?;
    disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY).then(|| {
        let what = format!("the disk of {} is mounted read-only: nobody can send files", place.display());
        Finding::problem(CHECK, what, "mount it for writing; the log of the kernel may say why it is not (dmesg)")
    })
}

/// What does not belong there.
fn strange(path: &Path) -> Option<Finding> {
    let found = strangers(path, MOST, 100).ok()?;
    let more = |n: usize| if n > 1 { format!(" and {} more", n - 1) } else { String::new() };
    if let Some((first, whose)) = found.owned_by_others.first() {
        let (count, whose) = (more(found.owned_by_others.len()), account::shown(*whose));
        let what = format!("{}{count} belongs to {whose}: the server cannot read or remove it", first.display());
        let owner = fs::metadata(path).ok()?.uid();
        return Some(Finding::problem(CHECK, what, format!("chown -R {owner} {}", quoted(path))));
    }
    let first = found.other.first()?;
    let what = format!("{}{} is none of kefu's: it takes up space", first.display(), more(found.other.len()));
    Some(Finding::warning(CHECK, what, "move it elsewhere, if it is yours"))
}

/// Files are refused earlier than messages.
fn room(path: &Path, Capacity { total, free }: Capacity, reserve_mb: u32) -> Option<Finding> {
    let reserve = Thresholds::of(total, reserve_mb).reserve;
    let (free_text, reserve_text) = (out::bytes(free), out::bytes(reserve));
    let what = format!("{free_text} free on the disk of {}; {reserve_text} must stay free", path.display());
    let next = "free some space; senders keep what is refused, and nothing stored is lost";
    if free < reserve {
        Some(Finding::problem(CHECK, format!("{what}: nobody can send files"), next))
    } else if free < 2 * reserve {
        Some(Finding::warning(CHECK, what, next))
    } else {
        None
    }
}
