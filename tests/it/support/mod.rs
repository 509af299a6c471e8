//! What several tests need: a company, its server, clients, a bad network; batches to write, disks that fail.

pub mod batch;
pub mod company;
pub mod disk;
pub mod http;
pub mod peer;
pub mod proxy;
pub mod server;
pub mod view;
pub mod wire;
