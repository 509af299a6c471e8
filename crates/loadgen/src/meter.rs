//! What processes cost, as `/proc` shows it.

use std::fs;

/// Ticks per second in `/proc/*/stat`, on every architecture we ship for.
const USER_HZ: f64 = 100.0;

/// Another process, or this one.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Meter of this process.
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// Whether there is such a process.
    pub fn exists(self) -> bool {
        fs::exists(format!("/proc/{}/stat", self.0)).unwrap_or(false)
    }

    /// Processor time used so far, user and system, seconds; in steps of 10 ms.
    pub fn cpu_seconds(self) -> f64 {
        cpu_seconds(&format!("/proc/{}/stat", self.0))
    }

    /// The same of its threads with this name.
    pub fn thread_cpu_seconds(self, name: &str) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten();
        let named =
            tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name));
        named.map(|task| cpu_seconds(&task.path().join("stat").to_string_lossy())).sum()
    }

    /// Resident memory, bytes.
    pub fn rss_bytes(self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it ever had, bytes.
    pub fn peak_rss_bytes(self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix(line));
        line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

fn cpu_seconds(stat: &str) -> f64 {
    let stat = fs::read_to_string(stat).unwrap_or_default();
    // the command, field 2, may hold spaces and parentheses; it ends at the last `)`
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0.0 };
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / USER_HZ
}

/// What a server costs, if its process can be seen from here.
#[derive(Debug, Clone, Copy)]
pub struct ServerMeter(pub Option<Process>);

impl ServerMeter {
    /// Whether it can be seen.
    pub fn sees(self) -> bool {
        self.0.is_some()
    }

    /// Processor time used so far, seconds.
    pub fn cpu_seconds(self) -> Option<f64> {
        self.0.map(Process::cpu_seconds)
    }

    /// Of that, the time that its checkpoints used, seconds.
    pub fn checkpoint_cpu_seconds(self) -> Option<f64> {
        // the name that the store gives the thread; the kernel keeps 15 letters
        self.0.map(|process| process.thread_cpu_seconds("kefu-checkpoint"))
    }

    /// Processor time used since it was `before`, seconds.
    pub fn cpu_since(self, before: Option<f64>) -> Option<f64> {
        Some(self.cpu_seconds()? - before?)
    }

    /// Resident memory, bytes.
    pub fn rss_bytes(self) -> Option<u64> {
        self.0.map(Process::rss_bytes)
    }

    /// The most resident memory that it ever had, bytes.
    pub fn peak_rss_bytes(self) -> Option<u64> {
        self.0.map(Process::peak_rss_bytes)
    }
}

/// The machine's load average of the last minute; 0 where there is none.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}
