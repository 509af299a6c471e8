//! One of the two of a pair: what it sends and what came to it.

use std::cell::{Cell, RefCell};

use kefu_client::Writer;
use kefu_crypto::sign::{SigningKey, random};
use kefu_proto::Kid;

use super::window::Window;

/// One of the two.
#[derive(Debug)]
pub struct Peer {
    pub(crate) writer: Writer,
    pub(crate) key: SigningKey,
    pub(crate) kid: Kid,
    /// The run of its counter.
    pub(crate) inst: u32,
    /// What is not done with: sealed envelopes, and when they are to be sent.
    pub(crate) window: RefCell<Window>,
    /// Messages whose time came, sent or not.
    pub(crate) wanted: Cell<usize>,
    pub(crate) sent: Cell<usize>,
    pub(crate) acknowledged: Cell<usize>,
    /// Of the other's messages.
    pub(crate) received: Cell<usize>,
    /// The number of the last record.
    pub(crate) have: Cell<u64>,
}

impl Peer {
    /// A peer that has all records up to `have`, and has sent nothing in this run of its counter.
    pub(crate) fn new(writer: Writer, key: SigningKey, have: u64) -> Self {
        let (kid, inst) = (key.kid(), u32::from_be_bytes(random()));
        let (window, wanted, sent, acknowledged, received) = Default::default();
        Self { writer, key, kid, inst, window, wanted, sent, acknowledged, received, have: Cell::new(have) }
    }
}
