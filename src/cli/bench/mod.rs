//! The load generator: a company made in an instant, real clients, and the measurements that stand in the documentation.
//!
//! It speaks to a server only as any client does, over sockets; [`company`] and [`peer`] serve the tests too.

pub mod company;
pub mod held;
pub mod http;
pub mod peer;

#[cfg(test)]
mod tests;
