//! Addresses of clients as limits count them: which networks an address is in, and shares of something scarce by network.
//! And origins of pages, as browsers write them.
//!
//! One customer of a network has one IPv4 address, but 2^64 IPv6 addresses at least and often many times that. So an IPv6
//! address counts in three networks at once, each with a larger limit than the one inside it.

#![forbid(unsafe_code)]

mod network;
pub mod origin;
mod quota;

pub use network::{Network, WIDEST, networks};
pub use quota::{Permit, Quota};
