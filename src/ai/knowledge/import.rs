//! Entries from files: CSV, XLSX (the first sheet), Markdown (`## question`, answer below), JSON (as exported).

mod markdown;
mod sheet;

use std::{collections::BTreeMap, path::Path};

use super::{Entry, book::MAX_ENTRIES};
use crate::ai::text_file::{Encoding, MAX_FILE, Report, decode, folded};

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows with headings; the separator is guessed.
    Csv,
    /// Excel.
    Xlsx,
    /// Markdown.
    Markdown,
    /// JSON.
    Json,
}

impl Kind {
    /// By the end of a file's name.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The entries of a file's bytes, settled. What is wrong is in the report, by line, row or number of the entry; entries
/// with errors are left out.
pub fn read(bytes: &[u8], kind: Kind, encoding: Encoding, report: &mut Report) -> Vec<Entry> {
    if bytes.len() > MAX_FILE {
        report.error("", 0, format!("the file is larger than {} MiB: split it", MAX_FILE >> 20));
        return Vec::new();
    }
    let found = match kind {
        Kind::Xlsx => sheet::from_xlsx(bytes, report),
        Kind::Csv => decode(bytes, encoding, "", report).map(|t| sheet::from_csv(&t, report)).unwrap_or_default(),
        Kind::Markdown => decode(bytes, encoding, "", report).map(|t| markdown::read(&t)).unwrap_or_default(),
        Kind::Json => decode(bytes, encoding, "", report).map(|t| from_json(&t, report)).unwrap_or_default(),
    };
    if found.is_empty() && report.errors() == 0 {
        report.error("", 0, "the file has no entries");
    }
    settle(found, report)
}

fn settle(found: Vec<(u64, Entry)>, report: &mut Report) -> Vec<Entry> {
    if found.len() > MAX_ENTRIES {
        report.error("", 0, format!("{} entries are too many: at most {MAX_ENTRIES}", found.len()));
    }
    let mut questions: BTreeMap<(String, Option<String>), (u64, String)> = BTreeMap::new();
    let mut ids: BTreeMap<String, u64> = BTreeMap::new();
    let mut entries = Vec::with_capacity(found.len());
    for (line, mut entry) in found {
        let wrong = entry.settle();
        wrong.iter().for_each(|w| report.error("", line, w));
        if !wrong.is_empty() {
            continue;
        }
        if !entry.id.is_empty()
            && let Some(other) = ids.insert(entry.id.clone(), line)
        {
            report.error("", line, format!("the id {} is in line {other}, too", entry.id));
            continue;
        }
        let key = (folded(&entry.question), entry.site.clone());
        let limited = entry.from.is_some() || entry.until.is_some();
        match questions.get(&key) {
            Some((other, answer)) if !limited && *answer == entry.answer => {
                report.warning("", line, format!("this entry is in line {other}, too; taken once"));
                continue;
            }
            Some((other, _)) if !limited => {
                report.error("", line, format!("this question has another answer in line {other}: decide for one"));
                continue;
            }
            Some(_) => {}
            None => _ = questions.insert(key, (line, entry.answer.clone())),
        }
        entries.push(entry);
    }
    entries
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Json {
    Book { entries: Vec<serde_json::Value> },
    Bare(Vec<serde_json::Value>),
}

fn from_json(text: &str, report: &mut Report) -> Vec<(u64, Entry)> {
    let list = match serde_json::from_str::<serde_json::Value>(text) {
        Err(e) => {
            report.error("", e.line() as u64, format!("this is no JSON: {e}"));
            return Vec::new();
        }
        Ok(value) => match serde_json::from_value(value) {
            Ok(Json::Book { entries } | Json::Bare(entries)) => entries,
            Err(_) => {
                report.error("", 0, "the JSON is neither a list of entries nor {\"entries\": […]}");
                return Vec::new();
            }
        },
    };
    let mut entries = Vec::with_capacity(list.len());
    for (n, value) in list.into_iter().enumerate() {
        match serde_json::from_value(value) {
            Ok(entry) => entries.push((n as u64 + 1, entry)),
            Err(e) => report.error("", n as u64 + 1, format!("this entry (counted from 1) can't be read: {e}")),
        }
    }
    entries
}

#[cfg(test)]
mod tests;
