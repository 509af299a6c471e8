//! Whether this machine's clock can be right: against what the company signed, and against itself while a server runs.
//! Invites and snapshots go by clocks, so a wrong one makes right things look out of date, and dates what is signed wrongly.

use std::time::Duration;

use super::{out, verified_directory::VerifiedDirectory};

/// What no two clocks that are right differ by, ms.
pub const OFF_MS: u64 = 5 * 60_000;
/// 2026-01-01, ms: kefu is younger than this.
const YOUNGEST_MS: u64 = 1_767_225_600_000;
/// What to do about it.
pub const NEXT: &str = "timedatectl set-ntp true, or set it by hand";

/// What is wrong with the clock by itself: it was never set.
pub fn never_set(now_ms: u64) -> Option<String> {
    (now_ms < YOUNGEST_MS).then(|| format!("this machine's clock says {}: it was never set", out::date(now_ms)))
}

/// What is wrong with it against the newest entry of the directory.
pub fn behind(newest_ms: Option<u64>, now_ms: u64) -> Option<String> {
    let at = newest_ms.filter(|at| *at > now_ms + OFF_MS)?;
    let behind = out::duration(at - now_ms);
    Some(format!("this machine's clock is {behind} behind the newest directory entry ({})", out::date(at)))
}

/// Warns before something is signed with a wrong date.
pub fn warn(company: &VerifiedDirectory) {
    let newest = VerifiedDirectory::newest_entry_ms(&company.view);
    if let Some(what) = never_set(company.now_ms).or_else(|| behind(newest, company.now_ms)) {
        eprintln!(
            "warning: {what}; what is signed now gets a wrong date, and invites expire at the wrong time. {NEXT}, then run this command again"
        );
    }
}

/// Compares the clock of the wall with one that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    wall_ms: u64,
    steady: Duration,
}

impl Watch {
    /// Starts with the current values of both clocks.
    pub fn new(wall_ms: u64, steady: Duration) -> Self {
        Self { wall_ms, steady }
    }

    /// Both, later: in words if the wall's jumped meanwhile.
    pub fn look(&mut self, wall_ms: u64, steady: Duration) -> Option<String> {
        let passed = u64::try_from(steady.saturating_sub(self.steady).as_millis()).unwrap_or(u64::MAX);
        let expected = self.wall_ms.saturating_add(passed);
        *self = Self::new(wall_ms, steady);
        if wall_ms.abs_diff(expected) <= OFF_MS {
            return None;
        }
        let by = out::duration(wall_ms.abs_diff(expected));
        let way = if wall_ms > expected { "ahead" } else { "back" };
        Some(format!(
            "this machine's clock went {by} {way} and says {} now; if the machine did not sleep, check that it is correct",
            out::date(wall_ms)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_900_000_000;
    const DAY: u64 = 86_400_000;

    #[test]
    fn behind_what_was_signed_is_wrong_and_ahead_of_it_may_be_right() {
        assert_eq!(
            [behind(None, NOW), behind(Some(NOW - 400 * DAY), NOW), behind(Some(NOW + OFF_MS), NOW)],
            [None, None, None]
        );
        let said = behind(Some(NOW + 3 * DAY), NOW).unwrap();
        assert!(said.contains("3 days") || said.contains("3 d"), "{said}");
        assert!(never_set(0).unwrap().contains("1970"));
        assert_eq!(never_set(NOW), None);
    }

    #[test]
    fn a_jump_is_told_once_and_slow_time_is_none() {
        let mut watch = Watch::new(NOW, Duration::ZERO);
        let minutes = |n: u64| Duration::from_secs(60 * n);
        assert_eq!(watch.look(NOW + 60_000, minutes(1)), None);
        assert_eq!(watch.look(NOW + 10 * DAY, minutes(10 * 1440)), None, "a long pause of both");
        let ahead = watch.look(NOW + 13 * DAY, minutes(10 * 1440 + 1)).unwrap();
        assert!(ahead.contains("ahead"), "{ahead}");
        assert_eq!(watch.look(NOW + 13 * DAY + 60_000, minutes(10 * 1440 + 2)), None, "once");
        let back = watch.look(NOW, minutes(10 * 1440 + 3)).unwrap();
        assert!(back.contains("back"), "{back}");
    }
}
