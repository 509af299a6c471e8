//! The one integration binary: the parts against each other, the real executable, real faults.

mod access;
mod chat;
mod layers;
mod store_contract;
mod store_faults;
mod store_model;
mod support;
