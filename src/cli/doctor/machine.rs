//! The machine: disk, clock, file limit.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::Finding;
use crate::cli::{data_dir::io_reason, out};

const GIB: u64 = 1 << 30;
/// Files that the server needs besides sockets.
const SPARE_FILES: u64 = 256;
/// 2026-01-01, ms: kefu is younger than this.
const YOUNGEST_MS: u64 = 1_767_225_600_000;

/// Free space where the data lies.
pub fn disk(dir: &Path) -> Finding {
    const CHECK: &str = "disk";
    let space = match rustix::fs::statvfs(dir) {
        Ok(space) => space,
        Err(e) => {
            return Finding::problem(CHECK, format!("cannot be asked: {}", io_reason(&e.into())), "is it mounted?");
        }
    };
    let free = space.f_bavail * space.f_frsize;
    let percent = (space.f_bavail * 100).checked_div(space.f_blocks).unwrap_or(0);
    let what = format!("{} free, {percent} %", out::bytes(free));
    let next = "free some space; a full disk refuses messages, it loses none";
    if free < GIB / 4 {
        Finding::problem(CHECK, what, next)
    } else if free < 2 * GIB {
        Finding::warning(CHECK, what, next)
    } else {
        Finding::ok(CHECK, what)
    }
}

/// A clock that was never set. One that is a little wrong shows against the directory, not here.
pub fn clock_of_the_world() -> Finding {
    match out::now_ms() {
        now if now < YOUNGEST_MS => Finding::problem(
            "clock",
            format!("says {}: it was never set", out::date(now)),
            "timedatectl set-ntp true, or set it by hand",
        ),
        now => Finding::ok("clock", out::date(now)),
    }
}

/// Each connection is an open file.
pub fn open_files(connections: Option<u32>) -> Finding {
    const CHECK: &str = "file limit";
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = u64::from(connections.unwrap_or(1_000)) + SPARE_FILES;
    if limit >= wanted {
        return Finding::ok(CHECK, if limit == u64::MAX { "none".into() } else { limit.to_string() });
    }
    let room = limit.saturating_sub(SPARE_FILES);
    Finding::warning(
        CHECK,
        format!("{limit}: room for {room} connections, the configuration allows {}", wanted - SPARE_FILES),
        format!("ulimit -n {wanted} here, LimitNOFILE={wanted} in a systemd unit"),
    )
}
