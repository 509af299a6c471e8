//! The one integration binary: the parts against each other, the real executable, real faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::match_wild_err_arm, reason = "what went wrong stands in the log that the panic shows")]

mod access;
mod chat;
mod cli;
mod crash;
mod full_disk;
mod layers;
mod packaging;
mod questions;
mod robot;
mod store_contract;
mod store_dump;
mod store_faults;
mod store_file;
mod store_log;
mod store_model;
mod store_writer;
mod support;
mod words;
