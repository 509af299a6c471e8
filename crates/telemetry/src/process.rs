//! What the process costs, read from `/proc/self`; zeros where there is none.

use std::fs;

use serde::{Deserialize, Serialize};

/// Ticks per second in `/proc/*/stat`. The kernel has scaled to 100 on every architecture we ship for since 2.6.
const USER_HZ: f64 = 100.0;

/// Memory, time, threads and files of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Resident memory, bytes.
    pub rss_bytes: u64,
    /// Peak resident memory, bytes.
    pub rss_peak_bytes: u64,
    /// Processor time used, user and system, seconds.
    pub cpu_seconds: f64,
    /// Threads.
    pub threads: u64,
    /// Open files and sockets.
    pub open_files: u64,
}

impl Process {
    /// What two processes cost.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { rss_bytes, rss_peak_bytes, cpu_seconds, threads, open_files } = other;
        for (sum, n) in [
            (&mut self.rss_bytes, rss_bytes),
            (&mut self.rss_peak_bytes, rss_peak_bytes),
            (&mut self.threads, threads),
            (&mut self.open_files, open_files),
        ] {
            *sum = sum.saturating_add(*n);
        }
        self.cpu_seconds += cpu_seconds;
    }

    /// As it is now.
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // the entry that the reading itself opens doesn't count
        let open = fs::read_dir("/proc/self/fd").map_or(0, |d| (d.count() as u64).saturating_sub(1));
        Self { open_files: open, cpu_seconds: cpu_seconds(&stat), ..from_status(&status) }
    }
}

fn from_status(status: &str) -> Process {
    let field = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    Process {
        rss_bytes: field("VmRSS") * 1024,
        rss_peak_bytes: field("VmHWM") * 1024,
        threads: field("Threads"),
        ..Process::default()
    }
}

/// Fields 14 and 15 of `stat`. The command, field 2, may hold spaces and parentheses; it ends at the last `)`.
fn cpu_seconds(stat: &str) -> f64 {
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0.0 };
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / USER_HZ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let p = from_status("Name:\tkefu\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t7\n");
        assert_eq!((p.rss_bytes, p.rss_peak_bytes, p.threads), (1 << 20, 2 << 20, 7));
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(cpu_seconds(stat), 3.0);
        assert_eq!((from_status(""), cpu_seconds("")), (Process::default(), 0.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_exists() {
        let p = Process::read();
        assert!(
            p.rss_bytes > 100_000 && p.rss_peak_bytes >= p.rss_bytes && p.threads >= 1 && p.open_files >= 3,
            "{p:?}"
        );
    }
}
