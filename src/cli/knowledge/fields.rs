//! The optional fields of an entry, as arguments.

use crate::nlu::knowledge::Entry;

/// Where and when an entry holds.
#[derive(Debug, clap::Args)]
pub struct Fields {
    /// Another way to ask it; may be repeated
    #[arg(long, value_name = "TEXT")]
    similar: Vec<String>,
    /// Only on this site; empty: on all
    #[arg(long, value_name = "ID")]
    site: Option<String>,
    /// First day on which it is valid, such as 2026-01-31; empty: no limit
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day on which it is valid; empty: no limit
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Language of the answer, zh or en; empty: any
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
}

impl Fields {
    /// Puts what was given into an entry.
    pub fn apply(self, entry: &mut Entry) {
        if !self.similar.is_empty() {
            entry.similar = self.similar;
        }
        entry.site = self.site.or(entry.site.take());
        entry.from = self.from.or(entry.from.take());
        entry.until = self.until.or(entry.until.take());
        entry.lang = self.lang.or(entry.lang.take());
    }
}
