//! The store, as its users see it: what all of them promise, and what becomes of it when disks and servers fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod dump;
mod ephemeral;
mod faults;
mod file;
mod generations;
mod log;
mod lost;
mod model;
mod moved;
mod replicas;
mod sealed;
mod shared;
mod support;
mod writer;
