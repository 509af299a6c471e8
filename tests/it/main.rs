//! The one integration binary: the parts against each other, the real executable, real faults.

mod access;
mod chat;
mod cli;
mod crash;
mod full_disk;
mod layers;
mod questions;
mod robot;
mod store_contract;
mod store_faults;
mod store_file;
mod store_journal;
mod store_model;
mod store_writer;
mod support;
mod words;
