//! How much space the disk must keep free, and what a store with too little of it still accepts.
//!
//! Two lines: below the *reserve* strangers may write nothing more, so that the people of the company still can; below the
//! *least* nothing is written at all, as what is under way needs what is left. Leaving a state takes more space than
//! entering it, so that a disk at a line does not change its state with every message. Pure: the measuring is
//! `redb/disk_space.rs`.

use std::{fmt, io, path::Path, sync::Arc};

use kefu_proto::StorageState;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// What a file system holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Size of the file system, bytes.
    pub total: u64,
    /// Free for this user.
    pub free: u64,
}

/// Reads the free space of a disk. Tests use another source.
#[derive(Clone)]
pub struct Measure(Arc<dyn Fn() -> io::Result<Capacity> + Send + Sync>);

impl Measure {
    /// Free space measured by a function.
    pub fn by(measure: impl Fn() -> io::Result<Capacity> + Send + Sync + 'static) -> Self {
        Self(Arc::new(measure))
    }

    /// The file system that holds this directory.
    pub fn of(directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self::by(move || capacity(&directory))
    }

    /// Free space now.
    pub fn now(&self) -> io::Result<Capacity> {
        (self.0)()
    }
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measure")
    }
}

/// The free space of this directory's file system.
pub fn capacity(directory: &Path) -> io::Result<Capacity> {
    let found = rustix::fs::statvfs(directory)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Capacity { total: bytes(found.f_blocks), free: bytes(found.f_bavail) })
}

/// What must stay free, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Below this, visitors' messages are refused.
    pub reserve: u64,
    /// Below this, everything is.
    pub least: u64,
    /// Size of the file that is given up when nothing else helps.
    pub ballast: u64,
}

impl Thresholds {
    /// For a disk of `total` bytes. `reserve_mb` is what the operator set, MiB; 0: 5 % of the disk, at least 256 MiB and at
    /// most 10 GiB, but never more than a quarter of it.
    pub fn of(total: u64, reserve_mb: u32) -> Self {
        let reserve = match reserve_mb {
            0 => (total / 20).clamp(256 * MIB, 10 * GIB).min(total / 4),
            set => u64::from(set) * MIB,
        };
        Self { reserve, least: (reserve / 4).min(256 * MIB), ballast: (reserve / 8).min(64 * MIB) }
    }

    /// The state that follows `before` with so much free. What the ballast takes, or should take, is not free.
    pub fn state(&self, before: StorageState, free: u64) -> StorageState {
        use StorageState as S;
        let full = if before == S::Full { self.least + self.least / 4 } else { self.least };
        let low = if before == S::Ok { self.reserve } else { self.reserve + self.reserve / 8 };
        if free < full {
            S::Full
        } else if free < low {
            S::Low
        } else {
            S::Ok
        }
    }
}

/// The disk and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What the store accepts.
    pub state: StorageState,
    /// Bytes of the disk; 0: not known.
    pub total: u64,
    /// Bytes free for kefu, without what the ballast takes or should take.
    pub free: u64,
    /// See [`Thresholds::reserve`].
    pub reserve: u64,
}

impl Default for Space {
    /// Of a store that has no disk.
    fn default() -> Self {
        Self { state: StorageState::Ok, total: 0, free: 0, reserve: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_any_size_keeps_a_reserve_and_stays_usable() {
        for (total, reserve) in [
            (40 * MIB, 10 * MIB),
            (1_000_000_000, 250_000_000),
            (2 * GIB, 256 * MIB),
            (100 * GIB, 5 * GIB),
            (4_000 * GIB, 10 * GIB),
        ] {
            let t = Thresholds::of(total, 0);
            assert_eq!(t.reserve, reserve, "of {total}");
            assert!(t.least + t.ballast < t.reserve && t.least >= reserve / 40 && t.ballast > 0, "{t:?}");
        }
        assert_eq!(Thresholds::of(GIB, 100).reserve, 100 * MIB);
    }

    #[test]
    fn a_state_is_left_with_more_room_than_it_is_entered_with() {
        use StorageState as S;
        let t = Thresholds { reserve: 800, least: 200, ballast: 100 };
        let walk = [
            (900, S::Ok),
            (800, S::Ok),
            (799, S::Low),
            (850, S::Low),
            (899, S::Low),
            (900, S::Ok),
            (199, S::Full),
            (249, S::Full),
            (250, S::Low),
            (200, S::Low),
            (0, S::Full),
            (5_000, S::Ok),
        ];
        let mut state = S::Ok;
        for (free, expected) in walk {
            state = t.state(state, free);
            assert_eq!(state, expected, "at {free}");
        }
    }
}
