//! Whether servers are set so that what they acknowledge is not lost.

use crate::{Server, handshake::OLDEST};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it can be lived with.
    pub severity: Severity,
    /// A name for programs: lower case with hyphens.
    pub code: &'static str,
    /// For people: which server, what is wrong, what to set.
    pub sentence: String,
}

/// Whether a finding can be lived with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Better set otherwise.
    Warns,
    /// Acknowledged data can be lost, or nothing works.
    Refuses,
}

pub(crate) fn too_old(server: &Server) -> Finding {
    let sentence = format!("{} runs version {}: install {OLDEST} or newer", server.address, server.version);
    Finding { severity: Severity::Refuses, code: "version", sentence }
}
