//! The knowledge as agents' browsers get it: by site, only what holds today, not more than a browser can search.

use std::{collections::HashMap, fs, time::SystemTime};

use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Files, stamp};
use crate::{
    bot::Policy,
    chat::{Library, MAX_SHELF, Refusal, Shelf},
    nlu::knowledge::{Book, Entry},
    proto::{ErrorCode, SiteId},
};

/// A larger file is not even opened: its sites would be too large, and reading it would cost the server its memory.
const MAX_FILE: u64 = 16 * MAX_SHELF as u64;

/// Shelves that are kept: of a company with many sites those that are asked for.
const KEPT: usize = 8;

/// Makes shelves when they are asked for, and again when the file or the day changed.
pub struct Shelves {
    files: Files,
    policy: Policy,
    made: Mutex<Made>,
}

/// Of which file and day they are, and what came of it.
#[derive(Default)]
struct Made {
    of: Option<(Option<(SystemTime, u64)>, String)>,
    shelves: HashMap<SiteId, Result<Shelf, Refusal>>,
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

impl Shelves {
    /// Nothing is read before somebody asks. The policy says which day it is where.
    pub fn new(files: Files, policy: Policy) -> Self {
        Self { files, policy, made: Mutex::default() }
    }

    fn make(&self, site: &SiteId, day: &str) -> Result<Shelf, Refusal> {
        let path = self.files.book();
        if fs::metadata(&path).is_ok_and(|m| m.len() > MAX_FILE) {
            return Err(too_large(&path.display().to_string(), MAX_FILE));
        }
        let book = Book::load(&path).map_err(|e| {
            tracing::error!(file = %path.display(), error = %e, "the knowledge can't be read for agents");
            Refusal::new(ErrorCode::Storage, "the knowledge can't be read; kefu knowledge list says why")
        })?;
        let here = book.entries.values().filter(|e| e.holds(site.as_str(), day)).map(Line::of);
        let body = serde_json::json!({ "entries": here.collect::<Vec<_>>() }).to_string();
        if body.len() > MAX_SHELF {
            return Err(too_large("the knowledge of this site", MAX_SHELF as u64));
        }
        let tag = data_encoding::HEXLOWER.encode(&Sha256::digest(&body)[..12]);
        Ok(Shelf { tag, body: body.into() })
    }
}

fn too_large(what: &str, most: u64) -> Refusal {
    let text = format!("{what} is larger than {} MiB: too much for agents' browsers to search", most >> 20);
    Refusal::new(ErrorCode::TooLarge, text)
}

impl Library for Shelves {
    fn shelf(&self, site: &SiteId, now_ms: u64) -> Result<Shelf, Refusal> {
        let now = (stamp(&self.files.book()), self.policy.day(now_ms));
        // held while one is made: whoever asks meanwhile gets the same
        let mut made = self.made.lock();
        if made.of.as_ref() != Some(&now) {
            *made = Made { of: Some(now.clone()), ..Made::default() };
        }
        if made.shelves.len() >= KEPT && !made.shelves.contains_key(site) {
            made.shelves.clear();
        }
        let make = || self.make(site, &now.1);
        made.shelves.entry(site.clone()).or_insert_with(make).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the second day begins where the policy's clock is by default, eight hours before UTC.
    const SECOND_DAY: u64 = 16 * 3_600_000;

    fn shelves(dir: &std::path::Path, entries: Vec<Entry>) -> Shelves {
        let files = Files::of(dir);
        fs::create_dir_all(&files.dir).unwrap();
        let mut book = Book::default();
        book.put_all(entries);
        book.save(&files.book()).unwrap();
        Shelves::new(files, Policy::new(&Default::default()).unwrap())
    }

    fn ids(shelf: &Shelf) -> Vec<String> {
        let json: serde_json::Value = serde_json::from_slice(&shelf.body).unwrap();
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
        let shelves = shelves(dir.path(), entries);
        let web: SiteId = "web".parse().unwrap();
        let first = shelves.shelf(&web, 0).unwrap();
        assert_eq!(ids(&first), ["any", "first-day"]);
        assert_eq!(shelves.shelf(&web, SECOND_DAY - 1).unwrap(), first, "nothing changed");
        let next = shelves.shelf(&web, SECOND_DAY).unwrap();
        assert_eq!(ids(&next), ["any", "later"]);
        assert_ne!(next.tag, first.tag);
        Book::default().save(&shelves.files.book()).unwrap();
        assert_eq!(ids(&shelves.shelf(&web, SECOND_DAY).unwrap()), [""; 0]);
    }

    #[test]
    fn too_much_is_refused_and_a_damaged_file_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let long = |n: usize| Entry { answer: "长".repeat(8_000), ..entry(&format!("e{n}")) };
        let shelves = shelves(dir.path(), (0..200).map(long).collect());
        let web: SiteId = "web".parse().unwrap();
        assert_eq!(shelves.shelf(&web, 0).unwrap_err().code, ErrorCode::TooLarge);
        fs::write(shelves.files.book(), "{").unwrap();
        assert_eq!(shelves.shelf(&web, 0).unwrap_err().code, ErrorCode::Storage);
        fs::remove_file(shelves.files.book()).unwrap();
        assert_eq!(ids(&shelves.shelf(&web, 0).unwrap()), [""; 0], "no knowledge at all");
    }
}
