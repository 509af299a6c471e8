//! The knowledge as agents' browsers get it: by site, only what holds today, not more than a browser can search.

use std::{collections::HashMap, fs, time::SystemTime};

use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{RobotFiles, stamp};
use crate::{
    chat::{KnowledgeSource, MAX_SITE_KNOWLEDGE, RequestError, SiteKnowledge},
    nlu::knowledge::{Entry, KnowledgeBase},
    proto::{ErrorCode, SiteId},
    robot::policy::Policy,
};

/// A larger file is not even opened: its sites would be too large, and reading it would cost the server its memory.
const MAX_FILE: u64 = 16 * MAX_SITE_KNOWLEDGE as u64;

/// Sites that are kept: of a company with many sites those that are asked for.
const KEPT_SITES: usize = 8;

/// Prepares the knowledge of a site when it is asked for, and again when the file or the day changed.
pub struct SiteKnowledgeCache {
    files: RobotFiles,
    policy: Policy,
    made: Mutex<Made>,
}

/// Of which file and day they are, and what came of it.
#[derive(Default)]
struct Made {
    of: Option<(Option<(SystemTime, u64)>, String)>,
    sites: HashMap<SiteId, Result<SiteKnowledge, RequestError>>,
}

/// An entry without what a browser has no use for.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    question: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    similar: &'a [String],
    answer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(e: &'a Entry) -> Self {
        Self { id: &e.id, question: &e.question, similar: &e.similar, answer: &e.answer, lang: e.lang.as_deref() }
    }
}

impl SiteKnowledgeCache {
    /// Nothing is read before the first request. The policy defines the local day.
    pub fn new(files: RobotFiles, policy: Policy) -> Self {
        Self { files, policy, made: Mutex::default() }
    }

    fn make(&self, site: &SiteId, day: &str) -> Result<SiteKnowledge, RequestError> {
        let path = self.files.knowledge();
        if fs::metadata(&path).is_ok_and(|m| m.len() > MAX_FILE) {
            return Err(too_large(&path.display().to_string(), MAX_FILE));
        }
        let book = KnowledgeBase::load(&path).map_err(|e| {
            tracing::error!(file = %path.display(), error = %e, "the knowledge can't be read for agents");
            RequestError::new(ErrorCode::Storage, "the knowledge can't be read; kefu knowledge list says why")
        })?;
        let here = book.entries.values().filter(|e| e.holds(site.as_str(), day)).map(Line::of);
        let body = serde_json::json!({ "entries": here.collect::<Vec<_>>() }).to_string();
        if body.len() > MAX_SITE_KNOWLEDGE {
            return Err(too_large("the knowledge of this site", MAX_SITE_KNOWLEDGE as u64));
        }
        let tag = data_encoding::HEXLOWER.encode(&Sha256::digest(&body)[..12]);
        Ok(SiteKnowledge { tag, body: body.into() })
    }
}

fn too_large(what: &str, most: u64) -> RequestError {
    let text = format!("{what} is larger than {} MiB: too much for agents' browsers to search", most >> 20);
    RequestError::new(ErrorCode::TooLarge, text)
}

impl KnowledgeSource for SiteKnowledgeCache {
    fn site_knowledge(&self, site: &SiteId, now_ms: u64) -> Result<SiteKnowledge, RequestError> {
        let now = (stamp(&self.files.knowledge()), self.policy.day(now_ms));
        // held while one is created: concurrent requests get the same
        let mut made = self.made.lock();
        if made.of.as_ref() != Some(&now) {
            *made = Made { of: Some(now.clone()), ..Made::default() };
        }
        if made.sites.len() >= KEPT_SITES && !made.sites.contains_key(site) {
            made.sites.clear();
        }
        let make = || self.make(site, &now.1);
        made.sites.entry(site.clone()).or_insert_with(make).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the second day begins where the policy's clock is by default, eight hours before UTC.
    const SECOND_DAY: u64 = 16 * 3_600_000;

    fn cache(dir: &std::path::Path, entries: Vec<Entry>) -> SiteKnowledgeCache {
        let files = RobotFiles::of(dir);
        fs::create_dir_all(&files.dir).unwrap();
        let mut book = KnowledgeBase::default();
        book.put_all(entries);
        book.save(&files.knowledge()).unwrap();
        SiteKnowledgeCache::new(files, Policy::new(&Default::default()).unwrap())
    }

    fn ids(knowledge: &SiteKnowledge) -> Vec<String> {
        let json: serde_json::Value = serde_json::from_slice(&knowledge.body).unwrap();
        json["entries"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
    }

    fn entry(id: &str) -> Entry {
        Entry { id: id.into(), question: format!("{id}?"), answer: "yes".into(), ..Entry::default() }
    }

    #[test]
    fn a_site_gets_what_holds_for_it_today_and_a_new_tag_with_every_change() {
        let dir = tempfile::tempdir().unwrap();
        let entries = vec![
            entry("any"),
            Entry { site: Some("app".into()), ..entry("other") },
            Entry { until: Some("1970-01-01".into()), ..entry("first-day") },
            Entry { from: Some("1970-01-02".into()), ..entry("later") },
        ];
        let cache = cache(dir.path(), entries);
        let web: SiteId = "web".parse().unwrap();
        let first = cache.site_knowledge(&web, 0).unwrap();
        assert_eq!(ids(&first), ["any", "first-day"]);
        assert_eq!(cache.site_knowledge(&web, SECOND_DAY - 1).unwrap(), first, "nothing changed");
        let next = cache.site_knowledge(&web, SECOND_DAY).unwrap();
        assert_eq!(ids(&next), ["any", "later"]);
        assert_ne!(next.tag, first.tag);
        KnowledgeBase::default().save(&cache.files.knowledge()).unwrap();
        assert_eq!(ids(&cache.site_knowledge(&web, SECOND_DAY).unwrap()), [""; 0]);
    }

    #[test]
    fn too_much_is_refused_and_a_damaged_file_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let long = |n: usize| Entry { answer: "长".repeat(8_000), ..entry(&format!("e{n}")) };
        let cache = cache(dir.path(), (0..200).map(long).collect());
        let web: SiteId = "web".parse().unwrap();
        assert_eq!(cache.site_knowledge(&web, 0).unwrap_err().code, ErrorCode::TooLarge);
        fs::write(cache.files.knowledge(), "{").unwrap();
        assert_eq!(cache.site_knowledge(&web, 0).unwrap_err().code, ErrorCode::Storage);
        fs::remove_file(cache.files.knowledge()).unwrap();
        assert_eq!(ids(&cache.site_knowledge(&web, 0).unwrap()), [""; 0], "no knowledge at all");
    }
}
