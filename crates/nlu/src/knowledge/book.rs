//! All entries in one JSON file, replaced as a whole: readers see the old book or the new one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::text_file::{Report, folded};
use kefu_files::replace;

/// Most entries.
pub const MAX_ENTRIES: usize = 200_000;
const VERSION: u32 = 1;

/// Why a book can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeFileError {
    /// An I/O error.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not a book.
    #[error("the file is damaged: {0}")]
    Damaged(serde_json::Error),
    /// Of a later kefu.
    #[error("the file has version {0}, this kefu reads {VERSION}")]
    Version(u32),
}

/// All knowledge, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnowledgeBase {
    /// By id.
    pub entries: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    entries: Vec<Entry>,
}

/// What an import changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// New entries.
    pub added: usize,
    /// Entries with other content than before.
    pub changed: usize,
    /// Entries that were there already.
    pub same: usize,
}

impl KnowledgeBase {
    /// Reads the file; a missing one is an empty book.
    ///
    /// # Errors
    /// See [`KnowledgeFileError`].
    pub fn load(path: &Path) -> Result<Self, KnowledgeFileError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(e.into()),
        };
        let file: File = serde_json::from_slice(&bytes).map_err(KnowledgeFileError::Damaged)?;
        if file.version != VERSION {
            return Err(KnowledgeFileError::Version(file.version));
        }
        Ok(Self { entries: file.entries.into_iter().map(|e| (e.id.clone(), e)).collect() })
    }

    /// Writes the file; when this returns, it is on disk.
    ///
    /// # Errors
    /// An I/O error; then the old file is as it was.
    pub fn save(&self, path: &Path) -> Result<(), KnowledgeFileError> {
        let file = File { version: VERSION, entries: self.entries.values().cloned().collect() };
        let mut bytes = serde_json::to_vec_pretty(&file).map_err(KnowledgeFileError::Damaged)?;
        bytes.push(b'\n');
        Ok(replace(path, 0o600, &bytes)?)
    }

    /// Puts in an entry whose texts are settled. One without id gets that of the entry with the same question on the same
    /// site, or a new one.
    pub fn put(&mut self, mut entry: Entry, changed: &mut Changed) -> String {
        if entry.id.is_empty() {
            let same = |e: &&Entry| e.site == entry.site && folded(&e.question) == folded(&entry.question);
            entry.id = self.entries.values().find(same).map_or_else(|| self.new_id(), |e| e.id.clone());
        }
        let id = entry.id.clone();
        match self.entries.insert(id.clone(), entry) {
            None => changed.added += 1,
            Some(old) if old == self.entries[&id] => changed.same += 1,
            Some(_) => changed.changed += 1,
        }
        id
    }

    /// Puts in all of `entries`, with one look at the book. One without an id gets that of an entry of before with the same
    /// question on the same site, of those that hold at several times the one with the same; no two of `entries` get one id.
    pub fn put_all(&mut self, mut entries: Vec<Entry>) -> Changed {
        let key = |e: &Entry| (e.site.clone(), folded(&e.question));
        let mut known: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
        let taken: BTreeSet<String> = entries.iter().map(|e| e.id.clone()).collect();
        for e in self.entries.values().filter(|e| !taken.contains(&e.id)) {
            known.entry(key(e)).or_default().push(e);
        }
        for same_days in [true, false] {
            for entry in entries.iter_mut().filter(|e| e.id.is_empty()) {
                let Some(list) = known.get_mut(&key(entry)) else { continue };
                let fits = |e: &&Entry| !same_days || (&e.from, &e.until) == (&entry.from, &entry.until);
                if let Some(n) = list.iter().position(fits) {
                    entry.id.clone_from(&list.remove(n).id);
                }
            }
        }
        let mut next = self.next_number();
        let mut changed = Changed::default();
        for mut entry in entries {
            if entry.id.is_empty() {
                while taken.contains(&format!("k{next}")) {
                    next = next.saturating_add(1);
                }
                entry.id = format!("k{next}");
                next = next.saturating_add(1);
            }
            self.put(entry, &mut changed);
        }
        changed
    }

    fn new_id(&self) -> String {
        format!("k{}", self.next_number())
    }

    fn next_number(&self) -> u64 {
        let numbers = self.entries.keys().filter_map(|id| id.strip_prefix('k')?.parse::<u64>().ok());
        numbers.max().map_or(1, |n| n.saturating_add(1))
    }

    /// What should be looked at: questions that stand twice on the same site with other answers, and too many entries.
    pub fn check(&self, report: &mut Report) {
        if self.entries.len() > MAX_ENTRIES {
            report.error("", 0, format!("{} entries are too many: at most {MAX_ENTRIES}", self.entries.len()));
        }
        let mut seen: BTreeMap<(String, Option<&str>), &str> = BTreeMap::new();
        for e in self.entries.values().filter(|e| e.from.is_none() && e.until.is_none()) {
            for phrase in e.phrases() {
                if let Some(other) = seen.insert((folded(phrase), e.site.as_deref()), &e.id)
                    && other != e.id
                {
                    report.warning("", 0, format!("{phrase:?} is asked in {other} and in {}", e.id));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, question: &str, answer: &str) -> Entry {
        Entry { id: id.into(), question: question.into(), answer: answer.into(), ..Entry::default() }
    }

    #[test]
    fn a_book_survives_its_file_and_a_missing_one_is_empty() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("knowledge.json");
        assert_eq!(KnowledgeBase::load(&path).unwrap(), KnowledgeBase::default());
        let mut book = KnowledgeBase::default();
        book.put_all(vec![entry("", "怎么退货", "七天内"), entry("ship", "多久到", "三天")]);
        book.save(&path).unwrap();
        assert_eq!(KnowledgeBase::load(&path).unwrap(), book);
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
        fs::write(&path, "{\"version\":2,\"entries\":[]}").unwrap();
        assert!(matches!(KnowledgeBase::load(&path), Err(KnowledgeFileError::Version(2))));
        fs::write(&path, "{").unwrap();
        assert!(matches!(KnowledgeBase::load(&path), Err(KnowledgeFileError::Damaged(_))));
        assert!(book.save(&tmp.path().join("no/where.json")).is_err());
    }

    #[test]
    fn the_same_question_again_is_the_same_entry() {
        let mut book = KnowledgeBase::default();
        let first = book.put_all(vec![entry("", "How long?", "3 days"), entry("k7", "A", "a"), entry("", "B", "b")]);
        assert_eq!(first, Changed { added: 3, changed: 0, same: 0 });
        let again = book.put_all(vec![entry("", "how  long?", "4 days"), entry("k7", "A", "a"), entry("", "C", "c")]);
        assert_eq!(again, Changed { added: 1, changed: 1, same: 1 });
        assert_eq!(book.entries.keys().collect::<Vec<_>>(), ["k1", "k2", "k7", "k8"]);
    }

    #[test]
    fn one_question_may_have_answers_at_several_times() {
        let at = |from: &str, answer: &str| Entry { from: Some(from.into()), ..entry("", "运费", answer) };
        let list = vec![at("2026-11-11", "免费"), entry("", "运费", "10元"), at("2026-12-12", "5元")];
        let mut book = KnowledgeBase::default();
        assert_eq!(book.put_all(list.clone()), Changed { added: 3, changed: 0, same: 0 });
        assert_eq!(book.put_all(list), Changed { added: 0, changed: 0, same: 3 });
        // new days for an answer of before
        assert_eq!(book.put_all(vec![at("2026-12-01", "免费")]).changed, 1);
        assert_eq!(book.entries.len(), 3);
    }

    #[test]
    fn one_question_in_two_entries_is_told() {
        let mut book = KnowledgeBase::default();
        book.put_all(vec![entry("a", "退货", "1"), Entry { similar: vec!["退货".into()], ..entry("b", "退", "2") }]);
        let mut report = Report::default();
        book.check(&mut report);
        assert_eq!(report.problems[0].message, "\"退货\" is asked in a and in b");
    }
}
