//! Requests to a real server that fails in every way, and what the services are sent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod outbound;
mod push;
mod webhook;
