//! Disks that fail or lose power, under redb.
