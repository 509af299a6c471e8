//! Against a real server, and against one that answers nonsense.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod liar;
mod real;
