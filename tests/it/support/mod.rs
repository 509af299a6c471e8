//! What several tests need: batches to write, disks that fail.

pub mod batch;
pub mod disk;
