//! The rules of assignment: pure, no IO, no async.
