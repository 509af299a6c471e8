//! Sites whose pages recently loaded an old widget: read from the server, shown to people.

use serde::Deserialize;

use crate::{
    cli::{admin_client::AdminClient, out},
    org::WidgetVersionSeen,
    proto::SiteId,
};

/// Warning about a widget from before the rules of readers that a server can't circumvent.
pub const UNSAFE: &str = ", which is UNSAFE: this server could let the robot keep reading after a person took over";

/// The answer of `/admin/widgets`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OutdatedWidgets {
    old: Vec<WidgetVersionSeen>,
}

impl OutdatedWidgets {
    /// Requests the list. A server older than this command has none.
    pub fn ask(admin: &AdminClient) -> Self {
        let answer = admin.call("GET", "/admin/widgets", None).ok();
        answer.and_then(|a| serde_json::from_value(a).ok()).unwrap_or_default()
    }

    /// The entries of one site.
    pub fn of<'a>(&'a self, site: &'a SiteId) -> impl Iterator<Item = &'a WidgetVersionSeen> {
        self.old.iter().filter(move |s| s.site == *site)
    }

    /// Each with what to know and what to do.
    pub fn lines(&self, now_ms: u64) -> Vec<(&WidgetVersionSeen, String, String)> {
        let words = |s: &'_ WidgetVersionSeen| {
            let (seen, how) = (out::relative(s.seen, now_ms), if s.is_unsafe { UNSAFE } else { "" });
            format!("pages of site {} load the old widget {}{how}, last {seen}", s.site, s.version)
        };
        self.old.iter().map(|s| (s, words(s), format!("paste the new snippet: kefu site snippet {}", s.site))).collect()
    }
}
