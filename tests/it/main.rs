//! The one integration binary: the parts against each other, the real executable, real faults. The store has its own, in its crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::match_wild_err_arm, reason = "what went wrong stands in the log that the panic shows")]

mod access;
mod chat;
mod cli;
mod cluster;
mod crash;
mod full_disk;
mod layers;
mod notices;
mod packaging;
mod questions;
mod robot;
mod support;
mod words;
