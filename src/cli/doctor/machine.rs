//! The machine: disk, clock, file limit.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::Finding;
use crate::{
    cli::{clock, io_error::io_reason, out},
    store::space::{self, Capacity, Thresholds},
};

/// Files that the server needs besides sockets.
const SPARE_FILES: u64 = 256;

/// Free space on the disk of the database, compared with what must stay free there.
pub fn disk(database: &Path, reserve_mb: u32) -> Finding {
    let dir = database.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match space::capacity(dir) {
        Ok(capacity) => room(capacity, &Thresholds::of(capacity.total, reserve_mb)),
        Err(e) => Finding::problem("disk", format!("cannot be queried: {}", io_reason(&e)), "is it mounted?"),
    }
}

fn room(Capacity { total, free }: Capacity, lines: &Thresholds) -> Finding {
    const CHECK: &str = "disk";
    let percent = (u128::from(free) * 100).checked_div(total.into()).unwrap_or(0);
    let reserve = out::bytes(lines.reserve);
    let what = format!("{} free, {percent} %; {reserve} must stay free", out::bytes(free));
    let next = "free some space; senders keep what is refused, and nothing stored is lost";
    if free < lines.least {
        Finding::problem(CHECK, format!("{what}: a server stores NOTHING"), next)
    } else if free < lines.reserve {
        Finding::problem(CHECK, format!("{what}: a server refuses visitors' messages"), next)
    } else if free < 2 * lines.reserve {
        Finding::warning(CHECK, what, next)
    } else {
        Finding::ok(CHECK, what)
    }
}

/// A clock that was never set. One that is a little wrong shows against the directory, not here.
pub fn clock_of_the_world() -> Finding {
    let now = out::now_ms();
    match clock::never_set(now) {
        Some(what) => Finding::problem("clock", what, clock::NEXT),
        None => Finding::ok("clock", out::date(now)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    #[test]
    fn a_disk_is_judged_as_a_server_would() {
        const MIB: u64 = 1 << 20;
        let total = 100 * 1024 * MIB;
        let lines = Thresholds::of(total, 0);
        for (free, level) in [
            (lines.reserve * 2, Level::Ok),
            (lines.reserve, Level::Warning),
            (lines.reserve - MIB, Level::Problem),
            (lines.least - MIB, Level::Problem),
        ] {
            assert_eq!(room(Capacity { total, free }, &lines).level, level, "{free} free");
        }
    }
}
