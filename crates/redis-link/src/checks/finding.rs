//! What a check found.

use crate::Error;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it can be lived with.
    pub severity: Severity,
    /// A name for programs: lower case with hyphens, the name of the setting if it is about one.
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

/// Warnings, if that is all.
///
/// # Errors
/// [`Error::Unsafe`] with all that can't be lived with.
pub fn accept(findings: Vec<Finding>) -> Result<Vec<Finding>, Error> {
    let (refused, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Refuses);
    if refused.is_empty() { Ok(warnings) } else { Err(Error::Unsafe(refused)) }
}
